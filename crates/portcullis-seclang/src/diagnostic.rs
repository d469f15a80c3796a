//! What the loader has to say about rule text: errors, warnings and notes, each with its place.

use std::fmt;
use std::sync::Arc;

/// How much a diagnostic matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Something the operator may want to know: a setting that the host owns, or one that has no effect here.
    Note,
    /// Accepted, but probably not what was meant.
    Warning,
    /// The rules cannot be loaded.
    Error,
}

/// One finding about rule text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How much it matters.
    pub level: Level,
    /// Name of the source as given, or the path of an included file.
    pub file: Arc<str>,
    /// Line, from 1.
    pub line: u32,
    /// Column in bytes, from 1.
    pub column: u32,
    /// What is wrong: lower case, no full stop, input in backticks.
    pub message: String,
    /// The offending text, shortened, with bytes that are no UTF-8 replaced.
    pub text: String,
    /// What to write instead, when that is known.
    pub hint: Option<String>,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = match self.level {
            Level::Note => "note",
            Level::Warning => "warning",
            Level::Error => "error",
        };
        write!(out, "{}:{}:{}: {level}: {}", self.file, self.line, self.column, self.message)?;
        if let Some(hint) = &self.hint {
            write!(out, " ({hint})")?;
        }
        Ok(())
    }
}
