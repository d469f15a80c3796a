//! GraphQL: a schema, however it was got, as operations: one for every field of the query and mutation types.
//!
//! The schema comes as SDL, as the answer to an introspection, or piece by piece out of error messages where
//! introspection is off ([`recover`]). Arguments are the body's members; the answer's `json` is the field's own value.

mod introspection;
mod operations;
pub mod recover;
mod schema;
mod sdl;
mod selection;
mod types;

use serde_json::Value;

use super::Model;

pub use introspection::INTROSPECTION;
pub use sdl::SdlError;
pub(crate) use types::NEEDS_ARGUMENTS;

/// Why there is no model.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GraphQlError {
    /// The SDL cannot be read.
    #[error(transparent)]
    Sdl(#[from] SdlError),
    /// The JSON is no answer to an introspection.
    #[error("no `__schema` in the introspection's answer")]
    NoSchema,
    /// There is nothing that could be asked.
    #[error("the schema has no query or mutation type with fields")]
    NoOperations,
}

/// The model of a schema in SDL, served at `path`.
///
/// # Errors
/// The text cannot be read, or has no operations.
pub fn from_sdl(text: &str, path: &str) -> Result<Model, GraphQlError> {
    operations::model(&sdl::parse(text)?, path)
}

/// The model of the answer to [`INTROSPECTION`], served at `path`: the whole answer, its `data`, or its `__schema`.
///
/// # Errors
/// It is no such answer, or has no operations.
pub fn from_introspection(answer: &Value, path: &str) -> Result<Model, GraphQlError> {
    operations::model(&introspection::read(answer).ok_or(GraphQlError::NoSchema)?, path)
}

/// Whether a text looks like SDL rather than anything else: it defines a type or a schema.
pub fn looks_like_sdl(text: &str) -> bool {
    sdl::parse(text).is_ok_and(|schema| !schema.types.is_empty())
}

#[cfg(test)]
mod tests;
