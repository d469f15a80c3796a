//! GraphQL documents: their string values and comments are texts, their own syntax is not.

use portcullis_leaves::{Limits, graphql};

use crate::{
    class::Class,
    inspector::{Judging, Spot},
    leaf::{Field, Where},
};

/// Shorter documents do not pay for being told apart.
const BYTES_MIN: usize = 3;

/// Whether a document is expected in a field of that name.
pub(super) fn names_graphql(name: &str) -> bool {
    matches!(name, "query" | "mutation" | "subscription" | "document")
}

impl Judging<'_> {
    /// Whether the value is a GraphQL document by its field and grammar; if so, it has been looked at.
    pub(crate) fn is_graphql(&mut self, spot: &Spot<'_>, text: &str) -> bool {
        names_graphql(spot.name) && matches!(spot.at, Where::Body | Where::Query) && self.graphql(spot, text)
    }

    /// Looks at a document's texts; `false` when the value is none.
    pub(crate) fn graphql(&mut self, spot: &Spot<'_>, text: &str) -> bool {
        let text = text.trim_start_matches('\u{feff}');
        let first = text.trim_start().bytes().next();
        if text.len() < BYTES_MIN || !matches!(first, Some(b'{' | b'#' | b'q' | b'm' | b's' | b'f')) {
            return false;
        }
        // Twice over a text that is one, so that a text that is none is not looked at in halves.
        if graphql::texts(text, &Limits::default(), &mut |_| {}).is_err() {
            return false;
        }
        let only = self.inspector.of_class(Class::Graphql);
        self.value(&Spot { only, declared: Some(Field::Query), ..*spot }, text.as_bytes());
        let inside = graphql::texts(text, &Limits::default(), &mut |it| {
            self.value(&Spot { name: it.name, parent: spot.name, ..*spot }, it.text.as_bytes());
        });
        inside.is_ok()
    }
}
