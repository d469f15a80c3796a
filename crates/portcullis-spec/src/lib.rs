//! OpenAPI documents into operations and validators.
//!
//! [`openapi`] reads Swagger 2.0, OpenAPI 3.0 and 3.1 into a [`model::Document`]; [`compiled`] makes validators
//! of it. Files come through a port, nothing is ever fetched.

pub mod compiled;
pub mod drift;
mod format;
pub mod model;
pub mod openapi;
pub mod parameters;
pub mod schema;
pub mod shown;
pub mod violation;
