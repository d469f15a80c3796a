//! A parsed body.

use bytes::Bytes;

use crate::{
    builder::{BuildError, TreeBuilder},
    json,
    limits::Limits,
    pointer,
    tape::{Node, Tape},
    value::Value,
};

/// One body as a tape of nodes, 16 bytes a value. Owned, immutable and shareable between threads.
///
/// The text is kept as `str` (taken over from the body where nobody else holds it, else copied once), because safe
/// code could not otherwise read a string of it without validating UTF-8 again each time.
#[derive(Debug)]
pub struct Tree {
    source: String,
    side: String,
    /// Never empty: the root is node 0.
    nodes: Vec<Node>,
}

impl Tree {
    pub(crate) fn new(source: String, tape: Tape) -> Self {
        Self { source, side: tape.side, nodes: tape.nodes }
    }

    /// The outermost value.
    pub fn root(&self) -> Value<'_> {
        Value::new(self, 0)
    }

    /// The value that a JSON pointer names (RFC 6901); the empty pointer names the root.
    pub fn resolve(&self, pointer: &str) -> Option<Value<'_>> {
        pointer::resolve(self.root(), pointer)
    }

    /// The value of that [`Value::index`]; `None` when it names no value of this tree.
    pub fn value(&self, index: u32) -> Option<Value<'_>> {
        let node = self.nodes.get(index as usize)?;
        (node.tag() != crate::tape::Tag::Name).then(|| Value::new(self, index))
    }

    /// The document as it was read; empty for a tree that was built by hand.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// A tree of one string: a `text/plain` body, a parameter.
    pub fn from_text(text: &str, limits: &Limits) -> Result<Self, BuildError> {
        let mut builder = TreeBuilder::new(limits);
        builder.string(text)?;
        builder.finish()
    }

    /// Parses a JSON text; the same as [`json::parse`].
    pub fn from_json(body: impl Into<Bytes>, limits: &Limits) -> Result<Self, json::ParseError> {
        json::parse(body.into(), limits)
    }

    pub(crate) fn node(&self, index: u32) -> Node {
        self.nodes.get(index as usize).copied().unwrap_or(Node::NULL)
    }

    pub(crate) fn text(&self, node: Node) -> &str {
        node.text(&self.source, &self.side)
    }
}

const _: () = {
    const fn shareable<T: Send + Sync + 'static>() {}
    shareable::<Tree>();
};
