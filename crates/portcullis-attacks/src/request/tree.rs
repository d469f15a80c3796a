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
    request::graphql::names_graphql,
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
        let mut clean = CleanNames::new();
        let (mut value, mut name, mut parent) = (root, base.name, base.parent);
        loop {
            match value.kind() {
                Kind::String if !proven(value) => {
                    let text = value.as_str().unwrap_or_default();
                    let may_be_graphql = names_graphql(name);
                    // Most values need no more than a look, nor to know where they stand.
                    let seen = self.first_look(base.only, text.as_bytes());
                    if may_be_graphql || seen.is_some() {
                        let spot = Spot { name, parent, place: place(value), ..*base };
                        if !(may_be_graphql && self.is_graphql(&spot, text))
                            && let Some(seen) = seen
                        {
                            self.readings(&spot, text.as_bytes(), seen);
                        }
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
                if clean.has(name, parent, asked) {
                    continue;
                }
                let Some(seen) = self.first_look(base.only, name.as_bytes()) else {
                    clean.keep(name, parent, asked);
                    continue;
                };
                let declared = if asked { Some(Field::Query) } else { base.declared };
                let spot = Spot { at: Where::Name, name, parent, place: place(value), declared, ..*base };
                let hits = self.hits;
                self.readings(&spot, name.as_bytes(), seen);
                if self.hits == hits {
                    clean.keep(name, parent, asked);
                }
            }
        }
    }
}

/// Names of members in which nothing was found, with the name above them and whether they ask: the objects of a list
/// all have the same, and what is found in a name depends on nothing else.
struct CleanNames<'t> {
    slots: [(&'t str, &'t str, bool); SLOTS],
}

/// How many names are kept: more than most objects have members.
const SLOTS: usize = 32;

impl<'t> CleanNames<'t> {
    fn new() -> Self {
        // In a name of no bytes nothing is found either.
        Self { slots: [("", "", false); SLOTS] }
    }

    fn has(&self, name: &str, parent: &str, asked: bool) -> bool {
        self.slots.get(slot(name)) == Some(&(name, parent, asked))
    }

    fn keep(&mut self, name: &'t str, parent: &'t str, asked: bool) {
        if let Some(slot) = self.slots.get_mut(slot(name)) {
            *slot = (name, parent, asked);
        }
    }
}

/// Where a name is kept, by its length and ends.
fn slot(name: &str) -> usize {
    let (first, last) = match name.as_bytes() {
        [] => (0, 0),
        [only] => (*only, *only),
        [first, .., last] => (*first, *last),
    };
    (name.len() + usize::from(first) * 3 + usize::from(last) * 7) % SLOTS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspector::{Inspector, Settings};

    #[test]
    fn a_name_is_clean_only_where_it_was_kept() {
        let mut clean = CleanNames::new();
        assert!(!clean.has("price", "lines", false));
        clean.keep("price", "lines", false);
        assert!(clean.has("price", "lines", false));
        assert!(!clean.has("price", "line", false) && !clean.has("price", "lines", true));
        assert!(!clean.has("prise", "lines", false) && !clean.has("pr1ce", "lines", false));
    }

    #[test]
    fn a_name_that_is_an_attack_is_found_each_time() {
        let attack = "1 union select password from users--";
        let body = format!(r#"[{{"ok":1}},{{"ok":2,"{attack}":1}},{{"ok":3,"{attack}":1}}]"#);
        let tree = Tree::from_json(body, &Limits::default()).unwrap();
        let inspector = Inspector::new(&Settings::default());
        let found = std::cell::RefCell::new(Vec::new());
        let filter = |it: &crate::Candidate<'_>| {
            found.borrow_mut().push(it.place.to_owned());
            false
        };
        let mut judging = inspector.judge(&filter);
        judging.tree(&tree, &|_| false);
        assert!(!judging.finish().is_attack);
        for item in 1..=2 {
            assert!(found.borrow().iter().any(|place| place.starts_with(&format!("/{item}/"))));
        }
    }
}
