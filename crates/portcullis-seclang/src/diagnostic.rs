//! What the loader has to say about rule text: errors, warnings and notes, each with its place.

use std::fmt;
use std::sync::Arc;

use crate::source::{FileId, Place};

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

/// Longest piece of offending text that a diagnostic repeats, in bytes.
const TEXT_BYTES_MAX: usize = 80;

/// How much one load says before it stops reading.
const DIAGNOSTICS_MAX: usize = 10_000;

/// Collects what one load has to say, and names its files.
#[derive(Debug, Default)]
pub(crate) struct Report {
    files: Vec<Arc<str>>,
    diagnostics: Vec<(Place, Diagnostic)>,
}

impl Report {
    /// Numbers a further source.
    pub(crate) fn open(&mut self, name: &str) -> FileId {
        let id = FileId(u32::try_from(self.files.len()).unwrap_or(u32::MAX));
        self.files.push(Arc::from(name));
        id
    }

    /// How many sources have been opened.
    pub(crate) fn file_count(&self) -> usize {
        self.files.len()
    }

    /// Whether so much has been said that reading on makes no sense.
    pub(crate) const fn is_full(&self) -> bool {
        self.diagnostics.len() >= DIAGNOSTICS_MAX
    }

    /// Name of a source.
    pub(crate) fn file_name(&self, file: FileId) -> Arc<str> {
        self.files.get(file.0 as usize).cloned().unwrap_or_else(|| Arc::from(""))
    }

    /// `file:line:column`, for messages that name a second place.
    pub(crate) fn describe(&self, place: Place) -> String {
        format!("{}:{}:{}", self.file_name(place.file), place.line, place.column)
    }

    /// Adds one diagnostic; an empty hint is none.
    pub(crate) fn push(&mut self, level: Level, place: Place, text: &[u8], message: String, hint: &str) {
        let diagnostic = Diagnostic {
            level,
            file: self.file_name(place.file),
            line: place.line,
            column: place.column,
            message,
            text: shown(text),
            hint: (!hint.is_empty()).then(|| hint.to_owned()),
        };
        self.diagnostics.push((place, diagnostic));
    }

    /// Everything said, in the order of the text, with the names of the files.
    pub(crate) fn finish(mut self) -> (Vec<Arc<str>>, Vec<Diagnostic>) {
        self.diagnostics.sort_by_key(|(place, _)| *place);
        let diagnostics = self.diagnostics.into_iter().map(|(_, diagnostic)| diagnostic).collect();
        (self.files, diagnostics)
    }
}

/// Bytes as they are shown in a message: shortened, and what is no UTF-8 replaced.
pub(crate) fn shown(text: &[u8]) -> String {
    match text.get(..TEXT_BYTES_MAX) {
        Some(start) if text.len() > TEXT_BYTES_MAX => format!("{}…", String::from_utf8_lossy(start)),
        _ => String::from_utf8_lossy(text).into_owned(),
    }
}
