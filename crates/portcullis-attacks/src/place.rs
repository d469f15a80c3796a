//! Where a value stands, written out only once something was found there.

use portcullis_leaves::Value;

/// The place of a value within its part of the request.
#[derive(Clone, Copy)]
pub(crate) enum Place<'a> {
    /// A name says it: of a parameter, a header, an element.
    Name(&'a str),
    /// A value of the body's tree.
    Node(Value<'a>),
    /// A value within a JSON text within a string.
    Within(&'a Place<'a>, Value<'a>),
}

impl Place<'_> {
    /// The place in words: a name, or a JSON pointer (RFC 6901), `#` before the one into a string's own text.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Name(name) => (*name).to_owned(),
            Self::Node(value) => value.pointer(),
            Self::Within(outer, value) => format!("{}#{}", outer.text(), value.pointer()),
        }
    }
}
