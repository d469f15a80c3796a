//! What a description shows beside what it says: examples, links, words, lines. A gate has no use for it and never
//! asks; whoever wants to make calls does.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::model::{ParameterLocation, Position};

/// All that a description shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shown {
    /// Where the API says that it is served, defaults of variables put in, in the document's order: absolute URLs, and
    /// relative ones as written.
    pub servers: Vec<String>,
    /// Descriptions of security schemes, by name.
    pub schemes: BTreeMap<String, String>,
    /// By method (upper case) and path template as in [`crate::model::Operation`].
    pub operations: BTreeMap<(String, String), ShownOperation>,
}

/// What is shown of one operation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ShownOperation {
    /// `summary`.
    pub summary: String,
    /// `description`.
    pub description: String,
    /// Values of parameters.
    pub parameters: Vec<ShownParameter>,
    /// Bodies.
    pub bodies: Vec<ShownContent>,
    /// Answers, with the status as written (`200`, `4XX`, `default`).
    pub answers: Vec<(String, ShownContent)>,
    /// What answers link to.
    pub links: Vec<ShownLink>,
    /// The file it stands in, as named to the source.
    pub file: String,
    /// Its place in that file.
    pub position: Option<Position>,
}

/// A value of a parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct ShownParameter {
    /// Where it stands.
    pub location: ParameterLocation,
    /// The parameter.
    pub name: String,
    /// The name of the example, or empty.
    pub example: String,
    /// The value.
    pub value: Value,
}

/// A body or an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct ShownContent {
    /// The media type, lower case, without parameters.
    pub media: String,
    /// The name of the example, or empty.
    pub example: String,
    /// The value.
    pub value: Value,
}

/// A link of an answer (OpenAPI 3.1 §4.8.20).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownLink {
    /// The operation it leads to, by its `operationId`; empty where it is named by a reference.
    pub operation_id: String,
    /// The reference, such as `#/paths/~1users~1{id}/get`; empty where it is named by its id.
    pub operation_ref: String,
    /// Parameters there, as written (`id`, `path.id`), with the expressions (`$response.body#/id`) that give them.
    pub parameters: Vec<(String, String)>,
    /// The expression that gives the whole body, or empty.
    pub body: String,
}
