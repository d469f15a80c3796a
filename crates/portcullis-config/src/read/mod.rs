//! Reads the tree into the typed model. A mistake is noted and reading goes on, so that all are shown at once.

mod basic;
mod fields;
mod keys;
mod names;
mod suggest;
mod words;

use jiff::civil::Date;
use schemars::{Schema, SchemaGenerator};

pub use basic::{Elsewhere, Listed, Located};
pub use names::{ListenerName, PlanName, ProviderName, UpstreamName};
pub(crate) use {
    basic::text_schema,
    fields::{Fields, Refused},
    keys::{ObjectSchema, add_property, keys, object_schema, sentence},
    names::Names,
    words::{one_of, word_schema, words},
};

use crate::{
    codes::{self, Code},
    diagnostic::Diagnostic,
    model::{Provider, Upstream},
    source::{Origin, Sources, Span},
    yaml::Node,
};

/// Remarks gathered about one configuration.
const DIAGNOSTICS_MAX: usize = 1_000;

/// A type that can be written in a configuration.
pub(crate) trait Read: Sized {
    /// Whether a key of this type must be given when it has no default.
    const REQUIRED: bool = true;

    /// Reads a value. `None` means that at least one mistake was noted.
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self>;

    /// Reads the value of a key; differs from [`Read::read`] for types that remember their place.
    fn read_at(_key: Span, node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        Self::read(node, reader)
    }

    /// What an absent key means; `None` when it must be given.
    fn absent() -> Option<Self> {
        None
    }

    /// The type in the JSON Schema.
    fn schema(generator: &mut SchemaGenerator) -> Schema;
}

/// What reading needs and gathers.
pub(crate) struct Reader<'a> {
    pub(crate) sources: &'a Sources,
    pub(crate) names: Names,
    pub(crate) today: Date,
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// The keys on the way to the value being read.
    pub(crate) path: Vec<String>,
    /// Providers written where a name could stand, named by their path.
    pub(crate) inline_providers: Vec<(String, Provider)>,
    /// Upstreams written as a URL where a name could stand, named by it.
    pub(crate) inline_upstreams: Vec<(String, Upstream)>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(sources: &'a Sources, names: Names, today: Date) -> Self {
        Self {
            sources,
            names,
            today,
            diagnostics: Vec::new(),
            path: Vec::new(),
            inline_providers: Vec::new(),
            inline_upstreams: Vec::new(),
        }
    }

    /// Notes a mistake or a weakness.
    pub(crate) fn note(&mut self, code: &'static Code, span: Span, message: impl Into<String>) {
        self.push(Diagnostic::new(code, message), span);
    }

    /// Notes a mistake or a weakness and how to mend it.
    pub(crate) fn advise(
        &mut self,
        code: &'static Code,
        span: Span,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        // Names in a hint come from files too: see [`Diagnostic::new`].
        let hint = Some(hint.into().replace(char::is_control, "\u{fffd}"));
        self.push(Diagnostic { hint, ..Diagnostic::new(code, message) }, span);
    }

    /// Notes a diagnostic at its place.
    pub(crate) fn push(&mut self, diagnostic: Diagnostic, span: Span) {
        let origin = Some(self.sources.origin(span));
        let diagnostic = match self.diagnostics.len() {
            ..DIAGNOSTICS_MAX => diagnostic,
            DIAGNOSTICS_MAX => {
                Diagnostic::new(&codes::TOO_LARGE, "too many mistakes; what follows is not shown")
            }
            _ => return,
        };
        self.diagnostics.push(Diagnostic { span: Some(span), origin, ..diagnostic });
    }

    /// Notes a value of the wrong shape.
    pub(crate) fn wrong_type<T>(&mut self, node: &Node, expected: &str) -> Option<T> {
        self.note(&codes::WRONG_TYPE, node.span, format!("expected {expected}, found {}", node.kind()));
        None
    }

    /// The text of a single value, or a note.
    pub(crate) fn scalar<'n>(&mut self, node: &'n Node, expected: &str) -> Option<&'n str> {
        match node.scalar() {
            Some(text) => Some(text),
            None => self.wrong_type(node, expected),
        }
    }

    /// Parses a single value by `parse`, whose error says what is wrong with it.
    pub(crate) fn parsed<T, E: std::fmt::Display>(
        &mut self,
        node: &Node,
        expected: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = self.scalar(node, expected)?;
        match parse(text) {
            Ok(value) => Some(value),
            Err(error) => {
                let text: String = text.chars().take(80).collect();
                self.note(&codes::BAD_VALUE, node.span, format!("`{text}` is no {expected}: {error}"));
                None
            }
        }
    }

    pub(crate) fn origin(&self, span: Span) -> Origin {
        self.sources.origin(span)
    }

    /// The path of the value being read: `apis.orders.auth`.
    pub(crate) fn here(&self) -> String {
        self.path.join(".")
    }
}
