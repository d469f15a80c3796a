//! Where in a text a JSON pointer leads, found by one walk over the text for all pointers asked.

use hashbrown::HashMap;
use serde_saphyr::granit_parser::{Event, Parser};

use super::{node::escape, text};
use crate::model::Position;

/// The positions of the keys (items, for arrays) that the pointers name; where one is not written in the text, as
/// under a YAML alias, that of its nearest ancestor.
pub(super) fn locate<'p>(text: &str, pointers: impl Iterator<Item = &'p str>) -> Vec<(String, Position)> {
    let mut wanted: HashMap<&str, Option<Position>> = HashMap::new();
    let mut asked = Vec::new();
    for pointer in pointers {
        asked.push(pointer);
        let mut ancestor = Some(pointer);
        while let Some(it) = ancestor {
            if wanted.insert(it, None).is_some() {
                break;
            }
            ancestor = it.rfind('/').and_then(|slash| it.get(..slash));
        }
    }
    if asked.is_empty() {
        return Vec::new();
    }
    let mut walk = Walk { wanted, path: String::new(), open: Vec::new() };
    walk.run(text);
    asked.sort_unstable();
    asked.dedup();
    asked
        .into_iter()
        .filter_map(|pointer| {
            let mut at = pointer;
            loop {
                if let Some(Some(position)) = walk.wanted.get(at) {
                    return Some((pointer.to_owned(), *position));
                }
                at = at.get(..at.rfind('/')?)?;
            }
        })
        .collect()
}

/// An open collection and the length of the path to it.
struct Open {
    is_map: bool,
    /// In a map: whether the next scalar is a key.
    key_next: bool,
    items: usize,
    length: usize,
}

struct Walk<'p> {
    wanted: HashMap<&'p str, Option<Position>>,
    path: String,
    open: Vec<Open>,
}

impl Walk<'_> {
    fn run(&mut self, text: &str) {
        // Both notations: JSON is YAML but for tabs between tokens, which no position is worth refusing for.
        let spaced;
        let text = if text::is_json(text) && text.contains('\t') {
            spaced = text.replace('\t', " ");
            &spaced
        } else {
            text
        };
        for event in Parser::new_from_str(text) {
            let Ok((event, span)) = event else {
                return;
            };
            let position = Position { line: span.start.line(), column: span.start.col() + 1 };
            match event {
                Event::Scalar(value, ..) => self.scalar(&value, position),
                Event::Alias(..) => {
                    self.begin(position);
                    self.end();
                }
                Event::MappingStart(..) => {
                    self.begin(position);
                    self.push(true);
                }
                Event::SequenceStart(..) => {
                    self.begin(position);
                    self.push(false);
                }
                Event::MappingEnd | Event::SequenceEnd => {
                    self.open.pop();
                    self.end();
                }
                _ => {}
            }
        }
    }

    fn push(&mut self, is_map: bool) {
        self.open.push(Open { is_map, key_next: is_map, items: 0, length: self.path.len() });
    }

    fn scalar(&mut self, value: &str, position: Position) {
        if let Some(open) = self.open.last_mut().filter(|it| it.is_map && it.key_next) {
            open.key_next = false;
            self.path.truncate(open.length);
            self.path.push('/');
            self.path.push_str(&escape(value));
            self.found(position);
            return;
        }
        self.begin(position);
        self.end();
    }

    /// A value begins: an item gets its index; a member has its key already.
    fn begin(&mut self, position: Position) {
        match self.open.last_mut() {
            Some(open) if !open.is_map => {
                self.path.truncate(open.length);
                self.path.push('/');
                self.path.push_str(&open.items.to_string());
                open.items += 1;
                self.found(position);
            }
            // A collection as a key: no pointer leads there.
            Some(open) if open.key_next => open.key_next = false,
            Some(_) => {}
            None => self.found(position),
        }
    }

    /// A value ended.
    fn end(&mut self) {
        if let Some(open) = self.open.last_mut() {
            open.key_next = open.is_map;
            self.path.truncate(open.length);
        }
    }

    fn found(&mut self, position: Position) {
        if let Some(slot) = self.wanted.get_mut(self.path.as_str()) {
            slot.get_or_insert(position);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, pointer: &str, line: usize, column: usize) {
        assert_eq!(
            locate(text, [pointer].into_iter()),
            [(pointer.to_owned(), Position { line, column })],
            "{pointer} in {text}"
        );
    }

    #[test]
    fn finds_keys_and_items() {
        let yaml = "a:\n  b/c:\n    - x\n    - y: 1\n  200: z\n";
        check(yaml, "/a", 1, 1);
        check(yaml, "/a/b~1c", 2, 3);
        check(yaml, "/a/b~1c/1", 4, 7);
        check(yaml, "/a/b~1c/1/y", 4, 7);
        check(yaml, "/a/200", 5, 3);
        let json = "{\"a\": {\n\t\"b/c\": [1,\n  {\"y\": 2}]}}";
        check(json, "/a/b~1c", 2, 2);
        check(json, "/a/b~1c/1/y", 3, 4);
    }

    #[test]
    fn falls_back_to_the_nearest_ancestor() {
        check("a: &x {b: 1}\nc: *x\n", "/c/b", 2, 1);
    }
}
