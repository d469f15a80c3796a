//! The values and names of a parsed body.

use bytes::Bytes;
use portcullis_leaves::{Elements, Kind, Limits, Members, Tree, Value};
use smallvec::SmallVec;

use crate::{
    decode::{Layer, Layers},
    field::is_query,
    inspector::{Judging, Spot},
    leaf::{Field, Where},
    place::Place,
};

/// The bounds on a JSON text within a string: it stands in a value, so it is small.
const WITHIN: Limits = Limits {
    depth_max: 16,
    members_max: 500,
    keys_max: 2_000,
    elements_max: 2_000,
    values_max: 10_000,
    string_bytes_max: 1 << 20,
    name_bytes_max: 1_024,
    number_bytes_max: 256,
    fields_max: 0,
    parts_max: 0,
    part_header_bytes_max: 0,
};

/// An object or array that is being walked, and the name above its contents.
enum Open<'t> {
    Members(Members<'t>, &'t str),
    Elements(Elements<'t>, &'t str),
}

impl<'t> Open<'t> {
    fn name(&self) -> &'t str {
        match self {
            Self::Members(_, name) | Self::Elements(_, name) => name,
        }
    }
}

impl Judging<'_> {
    /// Looks at all strings of a parsed body and the names of its members. A value of which `proven` says that the
    /// schema proves it an integer, a UUID, a date or one of a list is not looked at.
    pub fn tree(&mut self, tree: &Tree, proven: &dyn Fn(Value<'_>) -> bool) {
        let body = Spot::named(Where::Body, "");
        self.walk(&body, None, tree.root(), proven);
    }

    /// A string that is a JSON text has its own strings looked at.
    pub(crate) fn json_inside(&mut self, spot: &Spot<'_>, text: &[u8], layers: Layers) {
        let text = text.trim_ascii();
        let is_enclosed = matches!(text, [b'{', .., b'}'] | [b'[', .., b']']);
        // One text within another is what APIs do; a third is not opened.
        let is_nested = layers.iter().filter(|layer| *layer == Layer::Json).count() > 1;
        if !is_enclosed || is_nested || layers.is_full() {
            return;
        }
        if let Ok(tree) = Tree::from_json(Bytes::copy_from_slice(text), &WITHIN) {
            let inside = Spot { layers: layers.with(Layer::Json), parent: spot.name, name: "", ..*spot };
            self.walk(&inside, Some(&spot.place), tree.root(), &|_| false);
        }
    }

    fn walk<'t>(
        &mut self,
        base: &Spot<'t>,
        outer: Option<&'t Place<'t>>,
        root: Value<'t>,
        proven: &dyn Fn(Value<'_>) -> bool,
    ) {
        let mut open: SmallVec<[Open<'t>; 16]> = SmallVec::new();
        let place = |value| match outer {
            Some(outer) => Place::Within(outer, value),
            None => Place::Node(value),
        };
        let (mut value, mut name, mut parent) = (root, base.name, base.parent);
        loop {
            match value.kind() {
                Kind::String if !proven(value) => {
                    let text = value.as_str().unwrap_or_default();
                    let spot = Spot { name, parent, place: place(value), ..*base };
                    if !self.is_graphql(&spot, text) {
                        self.value(&spot, text.as_bytes());
                    }
                }
                Kind::Object => open.push(Open::Members(value.members(), name)),
                Kind::Array => open.push(Open::Elements(value.elements(), name)),
                Kind::String | Kind::Null | Kind::Bool | Kind::Number => {}
            }
            let next = loop {
                match open.last_mut() {
                    None => return,
                    Some(Open::Members(members, above)) => {
                        if let Some((name, value)) = members.next() {
                            break (value, name, *above, true);
                        }
                    }
                    Some(Open::Elements(elements, above)) => {
                        if let Some(value) = elements.next() {
                            break (value, *above, *above, false);
                        }
                    }
                }
                open.pop();
            };
            let is_member;
            (value, name, parent, is_member) = next;
            if is_member {
                // A member called like an operator is at home in a query, however deep.
                let asked = name.starts_with('$')
                    && (is_query(base.parent) || open.iter().any(|it| is_query(it.name())));
                let declared = if asked { Some(Field::Query) } else { base.declared };
                let spot = Spot { at: Where::Name, name, parent, place: place(value), declared, ..*base };
                self.value(&spot, name.as_bytes());
            }
        }
    }
}
