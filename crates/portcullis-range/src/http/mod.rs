//! The range's own small HTTP layer: a table of routes that serves calls, checks them against what the
//! specification promises, and writes that specification.

pub(crate) mod call;
pub(crate) mod openapi;
pub(crate) mod reply;
pub(crate) mod route;
pub(crate) mod serve;
pub(crate) mod validate;
