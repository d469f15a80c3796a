//! What stands behind the endpoints: small real interpreters, so that an injection does what it would do anywhere.

pub(crate) mod fetch;
pub(crate) mod files;
pub(crate) mod sql;
