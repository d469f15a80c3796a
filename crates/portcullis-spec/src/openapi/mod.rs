//! Swagger 2.0, OpenAPI 3.0 and 3.1, in JSON or YAML and in several files, into a [`Document`].
//!
//! Reading is forgiving in small things and honest about all of them: a keyword that cannot mean anything is
//! repaired or left out with a warning, a node that cannot be understood costs its operation, and only a text
//! that is no API description at all is an error. Nothing is ever fetched by network.

mod content;
mod document;
mod files;
mod merge;
mod node;
mod parameter;
mod position;
mod reader;
mod reference;
mod schema;
mod security;
mod server;
mod shown;
mod swagger;
mod template;
#[cfg(test)]
mod tests;
mod text;

use std::{collections::BTreeMap, io};

use crate::{
    model::{Document, Position},
    shown::Shown,
};

/// Where the files of a description come from. This crate does no I/O of its own.
pub trait Source {
    /// The bytes of a file. `path` is what the caller of [`load`] named, or a `$ref` resolved against the file it
    /// stands in. An implementation should stop reading a little above [`Limits::file_bytes_max`].
    ///
    /// # Errors
    /// Whatever reading gives; the message is shown to the operator.
    fn read(&self, path: &str) -> io::Result<Vec<u8>>;

    /// Whether a `$ref` may name this file although it lies outside the root document's directory (CWE-22).
    fn permits(&self, _path: &str) -> bool {
        false
    }
}

/// Files held in memory, by path.
#[derive(Clone, Debug, Default)]
pub struct MemorySource {
    files: BTreeMap<String, Vec<u8>>,
}

impl MemorySource {
    /// Adds a file.
    #[must_use]
    pub fn with(mut self, path: impl Into<String>, content: impl Into<Vec<u8>>) -> Self {
        self.files.insert(path.into(), content.into());
        self
    }
}

impl Source for MemorySource {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        self.files.get(path).cloned().ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }
}

/// What happens to a property that a message of this direction should not carry: `readOnly` in a request,
/// `writeOnly` in a response.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WrongDirection {
    /// It is checked like any other; it is merely never required.
    #[default]
    Tolerate,
    /// It is refused.
    Refuse,
}

/// How a description is read.
#[derive(Clone, Debug, Default)]
pub struct LoadOptions {
    /// `readOnly` properties in requests.
    pub read_only_in_requests: WrongDirection,
    /// `writeOnly` properties in responses.
    pub write_only_in_responses: WrongDirection,
    /// Whether schemas keep what validates nothing and helps to make values: `examples` (an `example` among them),
    /// `default`, `xml`, `contentMediaType`, and `format: binary` for Swagger's files.
    pub keep_examples: bool,
    /// What a description may cost.
    pub limits: Limits,
}

/// What a description may cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one file.
    pub file_bytes_max: usize,
    /// Bytes of all files together.
    pub total_bytes_max: usize,
    /// Files.
    pub files_max: usize,
    /// Objects and arrays inside one another.
    pub depth_max: usize,
    /// Values in one file, and schema nodes in the outcome.
    pub nodes_max: usize,
    /// Diagnostics kept; the rest are counted.
    pub diagnostics_max: usize,
}

impl Default for Limits {
    /// Four times the largest description known to be in use, and then some.
    fn default() -> Self {
        Self {
            file_bytes_max: 32 << 20,
            total_bytes_max: 64 << 20,
            files_max: 1_000,
            depth_max: 100,
            nodes_max: 3_000_000,
            diagnostics_max: 5_000,
        }
    }
}

/// Why nothing could be read at all.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The root file could not be read.
    #[error("cannot read `{file}`")]
    Unreadable {
        /// Its name.
        file: String,
        /// Why.
        source: io::Error,
    },
    /// The root file is neither JSON nor YAML.
    #[error("`{file}`{} cannot be parsed: {message}", at(position))]
    Syntax {
        /// Its name.
        file: String,
        /// Where.
        position: Option<Position>,
        /// What the parser says.
        message: String,
    },
    /// The root file is not an API description.
    #[error("`{file}` is not an OpenAPI document: {message}")]
    NotOpenApi {
        /// Its name.
        file: String,
        /// What is missing.
        message: String,
    },
}

fn at(position: &Option<Position>) -> String {
    position.map(|Position { line, column }| format!(", line {line}, column {column},")).unwrap_or_default()
}

/// Reads the description `name` and every file it refers to.
///
/// # Errors
/// Only when there is no description to speak of; everything else is in [`Document::diagnostics`].
pub fn load(name: &str, source: &dyn Source, options: &LoadOptions) -> Result<Document, LoadError> {
    let files = files::Files::read(name, source, &options.limits)?;
    document::read(&files, options)
}

/// The same, with what the description shows beside.
///
/// # Errors
/// As [`load`].
pub fn load_with_shown(
    name: &str,
    source: &dyn Source,
    options: &LoadOptions,
) -> Result<(Document, Shown), LoadError> {
    let files = files::Files::read(name, source, &options.limits)?;
    let document = document::read(&files, options)?;
    Ok((document, shown::read(&files)))
}
