//! A mistake or a weakness in a configuration, at its place.

use serde::{Serialize, ser::SerializeStruct, ser::Serializer};

use crate::{
    codes::Code,
    source::{Origin, Span},
};

/// How bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The configuration works, and is weaker or stranger than it should be.
    Warning,
    /// The configuration is refused.
    Error,
}

/// One remark about a configuration. It never holds a secret: messages about secrets name the key only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// What kind of mistake: `portcullis explain PCnnnn` tells more.
    pub code: &'static Code,
    /// One sentence: lower case, no full stop, input in backticks.
    pub message: String,
    /// File, line and column; `None` only when the main file itself cannot be read.
    pub origin: Option<Origin>,
    /// How to mend it, where that is known.
    pub hint: Option<String>,
    /// The stretch of text meant.
    pub(crate) span: Option<Span>,
    /// Whether the text at the place is a credential, which must not be repeated on a terminal or in a CI log.
    pub(crate) conceal: bool,
    /// Another place that belongs to it, such as the first of two definitions.
    pub(crate) also: Option<(Span, Origin, &'static str)>,
}

impl Diagnostic {
    pub(crate) fn new(code: &'static Code, message: impl Into<String>) -> Self {
        // What a file says must not steer a terminal (CWE-150).
        let message = message.into().replace(char::is_control, "\u{fffd}");
        Self { code, message, origin: None, hint: None, span: None, conceal: false, also: None }
    }

    /// How bad.
    pub fn severity(&self) -> Severity {
        self.code.severity
    }
}

impl Serialize for Diagnostic {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut it = serializer.serialize_struct("Diagnostic", 8)?;
        it.serialize_field("code", self.code.id)?;
        it.serialize_field("severity", &self.severity())?;
        it.serialize_field("message", &self.message)?;
        it.serialize_field("file", &self.origin.as_ref().map(|at| &at.file))?;
        it.serialize_field("line", &self.origin.as_ref().map(|at| at.line))?;
        it.serialize_field("column", &self.origin.as_ref().map(|at| at.column))?;
        it.serialize_field("hint", &self.hint)?;
        it.serialize_field("help", self.code.title)?;
        it.end()
    }
}
