//! Reading a tree.

use std::ops::Range;

use crate::{
    number::Number,
    pointer,
    tape::{Node, Tag},
    tree::Tree,
};

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool,
    /// Any number, integers among them.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

/// One value of a [`Tree`]: a reference and an index, free to copy.
#[derive(Clone, Copy)]
pub struct Value<'t> {
    tree: &'t Tree,
    index: u32,
}

impl<'t> Value<'t> {
    pub(crate) fn new(tree: &'t Tree, index: u32) -> Self {
        Self { tree, index }
    }

    /// What it is.
    pub fn kind(self) -> Kind {
        match self.node().tag() {
            Tag::Null => Kind::Null,
            Tag::False | Tag::True => Kind::Bool,
            Tag::Number => Kind::Number,
            Tag::String | Tag::Name => Kind::String,
            Tag::Array => Kind::Array,
            Tag::Object => Kind::Object,
        }
    }

    /// Whether it is `null`.
    pub fn is_null(self) -> bool {
        self.kind() == Kind::Null
    }

    /// The string, unescaped; `None` for any other kind.
    pub fn as_str(self) -> Option<&'t str> {
        let node = self.node();
        (node.tag() == Tag::String).then(|| self.tree.text(node))
    }

    /// The truth value; `None` for any other kind.
    pub fn as_bool(self) -> Option<bool> {
        match self.node().tag() {
            Tag::False => Some(false),
            Tag::True => Some(true),
            Tag::Null | Tag::Number | Tag::String | Tag::Array | Tag::Object | Tag::Name => None,
        }
    }

    /// The number, as written and not yet converted; `None` for any other kind.
    pub fn number(self) -> Option<Number<'t>> {
        let node = self.node();
        (node.tag() == Tag::Number).then(|| Number::new(self.tree.text(node), node.is_written_as_integer()))
    }

    /// Members of an object or elements of an array; 0 for a scalar.
    pub fn len(self) -> usize {
        let node = self.node();
        match node.tag() {
            Tag::Array | Tag::Object => node.len(),
            Tag::Null | Tag::False | Tag::True | Tag::Number | Tag::String | Tag::Name => 0,
        }
    }

    /// Whether [`Value::len`] is 0.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The members of an object in document order; none for any other kind. O(1) a step.
    pub fn members(self) -> Members<'t> {
        let (next, left) = self.contents(Tag::Object);
        Members { tree: self.tree, next, left }
    }

    /// The elements of an array in order; none for any other kind. O(1) a step.
    pub fn elements(self) -> Elements<'t> {
        let (next, left) = self.contents(Tag::Array);
        Elements { tree: self.tree, next, left }
    }

    /// The object's member of that name. Linear in the number of members.
    pub fn get(self, name: &str) -> Option<Self> {
        let (mut index, left) = self.contents(Tag::Object);
        for _ in 0..left {
            let node = self.tree.node(index);
            let value = index + 1;
            if node.len() == name.len() && self.tree.text(node) == name {
                return Some(Self::new(self.tree, value));
            }
            index = self.tree.node(value).end(value);
        }
        None
    }

    /// What tells this value from the others of its tree: its place on the tape.
    pub fn index(self) -> u32 {
        self.index
    }

    /// The tree it belongs to.
    pub fn tree(self) -> &'t Tree {
        self.tree
    }

    /// The name under which it is a member of its object; `None` for elements and the root. O(1).
    pub fn name(self) -> Option<&'t str> {
        let before = self.tree.node(self.index.checked_sub(1)?);
        (before.tag() == Tag::Name).then(|| self.tree.text(before))
    }

    /// The JSON pointer to it (RFC 6901). Walks the tree from the root: for explanations, not for the common path.
    pub fn pointer(self) -> String {
        pointer::to(self.tree.root(), self.index)
    }

    /// All scalars at or below this value, in document order.
    pub fn leaves(self) -> Leaves<'t> {
        Leaves { tree: self.tree, next: self.index, end: self.end() }
    }

    /// The bytes of [`Tree::source`] that it was read from, quotes and brackets included; `None` for a built tree.
    pub fn span(self) -> Option<Range<usize>> {
        let node = self.node();
        (node.source_end != 0).then_some(node.source_start as usize..node.source_end as usize)
    }

    /// At most `bytes_max` bytes of it, for evidence: a string unescaped, anything else as written. Not redacted.
    pub fn excerpt(self, bytes_max: usize) -> &'t str {
        let node = self.node();
        let whole = match node.tag() {
            Tag::Null => "null",
            Tag::False => "false",
            Tag::True => "true",
            Tag::Number | Tag::String | Tag::Name => self.tree.text(node),
            Tag::Array | Tag::Object => match self.span() {
                Some(span) => self.tree.source().get(span).unwrap_or_default(),
                None if node.tag() == Tag::Array => "[…]",
                None => "{…}",
            },
        };
        whole.get(..whole.floor_char_boundary(bytes_max)).unwrap_or_default()
    }

    pub(crate) fn node(self) -> Node {
        self.tree.node(self.index)
    }

    /// The index after its last node.
    pub(crate) fn end(self) -> u32 {
        self.node().end(self.index)
    }

    /// The first index and the number of the contents of a container of kind `tag`.
    fn contents(self, tag: Tag) -> (u32, u32) {
        let node = self.node();
        if node.tag() == tag { (self.index + 1, node.len() as u32) } else { (0, 0) }
    }
}

impl std::fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.kind() {
            Kind::Object => f.debug_map().entries(self.members()).finish(),
            Kind::Array => f.debug_list().entries(self.elements()).finish(),
            Kind::String => std::fmt::Debug::fmt(self.as_str().unwrap_or_default(), f),
            Kind::Null | Kind::Bool | Kind::Number => f.write_str(self.excerpt(usize::MAX)),
        }
    }
}

/// Iterates over the members of an object.
#[derive(Clone, Debug)]
pub struct Members<'t> {
    tree: &'t Tree,
    next: u32,
    left: u32,
}

impl<'t> Iterator for Members<'t> {
    type Item = (&'t str, Value<'t>);

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let name = self.tree.text(self.tree.node(self.next));
        let value = Value::new(self.tree, self.next + 1);
        self.next = value.end();
        Some((name, value))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left as usize, Some(self.left as usize))
    }
}

impl ExactSizeIterator for Members<'_> {}

/// Iterates over the elements of an array.
#[derive(Clone, Debug)]
pub struct Elements<'t> {
    tree: &'t Tree,
    next: u32,
    left: u32,
}

impl<'t> Iterator for Elements<'t> {
    type Item = Value<'t>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let value = Value::new(self.tree, self.next);
        self.next = value.end();
        Some(value)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left as usize, Some(self.left as usize))
    }
}

impl ExactSizeIterator for Elements<'_> {}

/// Iterates over scalars in document order.
#[derive(Clone, Debug)]
pub struct Leaves<'t> {
    tree: &'t Tree,
    next: u32,
    end: u32,
}

impl<'t> Iterator for Leaves<'t> {
    type Item = Value<'t>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.next < self.end {
            let index = self.next;
            self.next += 1;
            match self.tree.node(index).tag() {
                Tag::Null | Tag::False | Tag::True | Tag::Number | Tag::String => {
                    return Some(Value::new(self.tree, index));
                }
                Tag::Array | Tag::Object | Tag::Name => {}
            }
        }
        None
    }
}
