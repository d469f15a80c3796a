//! What stands behind the endpoints: small real interpreters, so that an injection does what it would do anywhere.

pub(crate) mod backtrack;
pub(crate) mod directory;
pub(crate) mod documents;
pub(crate) mod expression;
pub(crate) mod fetch;
pub(crate) mod files;
pub(crate) mod serialized;
pub(crate) mod shell;
pub(crate) mod sql;
pub(crate) mod template;
pub(crate) mod xml;
