//! Text with macros, `%{TX.score}`, taken apart once.

use super::variable::Variable;
use crate::source::Place;

/// Text that may hold macros. Segments alternate freely; two texts never stand side by side, and none is empty.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Template {
    /// The pieces in order; none for empty text.
    pub segments: Vec<Segment>,
}

/// One piece of a template.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Segment {
    /// Bytes as they are.
    Text(Box<[u8]>),
    /// A value filled in when the rule runs; empty when there is none.
    Macro(Reference),
}

/// A variable named in a macro: `%{REMOTE_ADDR}`, `%{tx.score}`, `%{REQUEST_HEADERS:Host}`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reference {
    /// Which variable.
    pub variable: Variable,
    /// The key within a collection, as written.
    pub key: Option<Box<[u8]>>,
    /// Where the macro begins.
    pub place: Place,
}

impl Template {
    /// Text without macros.
    #[must_use]
    pub fn literal(text: impl Into<Box<[u8]>>) -> Self {
        let text = text.into();
        Self { segments: if text.is_empty() { Vec::new() } else { vec![Segment::Text(text)] } }
    }

    /// The text, when there is no macro in it; empty text for an empty template.
    #[must_use]
    pub fn as_literal(&self) -> Option<&[u8]> {
        match self.segments.as_slice() {
            [] => Some(&[]),
            [Segment::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// The macros in order.
    pub fn references(&self) -> impl Iterator<Item = &Reference> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Text(_) => None,
            Segment::Macro(reference) => Some(reference),
        })
    }
}
