//! Keywords whose value is a number or a count.

use serde_json::{Map, Number, Value};

use crate::openapi::{
    node::{Node, kind},
    reader::Reader,
};

impl<'a> Reader<'a> {
    /// `maximum` with `exclusiveMaximum`, likewise the minima: a boolean before 3.1, a number since.
    pub(super) fn limits(&mut self, node: &Node<'a>, out: &mut Map<String, Value>) {
        for (inclusive, exclusive) in [("maximum", "exclusiveMaximum"), ("minimum", "exclusiveMinimum")] {
            let bound = self.number(node, inclusive);
            let strict = match node.value.get(exclusive) {
                None => None,
                Some(Value::Bool(strict)) => Some(*strict),
                Some(_) => {
                    if let Some(number) = self.number(node, exclusive) {
                        out.insert(exclusive.to_owned(), Value::Number(number));
                    }
                    None
                }
            };
            if let Some(bound) = bound {
                let key = if strict == Some(true) { exclusive } else { inclusive };
                out.insert(key.to_owned(), Value::Number(bound));
            }
        }
        if let Some(step) = self.number(node, "multipleOf") {
            if step.as_f64().is_some_and(|it| it > 0.0) {
                out.insert("multipleOf".to_owned(), Value::Number(step));
            } else {
                self.warn(node, "`multipleOf` must be greater than 0: it is left out");
            }
        }
    }

    fn number(&mut self, node: &Node<'a>, key: &str) -> Option<Number> {
        let found = node.value.get(key)?;
        if let Value::Number(number) = found {
            return Some(number.clone());
        }
        let repaired = found.as_str().and_then(|text| text.trim().parse().ok());
        self.repaired(node, key, found, "a number", repaired.is_some());
        repaired
    }

    /// A keyword that counts characters, items or members.
    pub(super) fn count(&mut self, node: &Node<'a>, key: &str, out: &mut Map<String, Value>) {
        let Some(found) = node.value.get(key) else { return };
        let count = match found {
            Value::Number(number) => whole(number),
            Value::String(text) => {
                let count = text.trim().parse().ok();
                self.repaired(node, key, found, "a number", count.is_some());
                count
            }
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
                return self.repaired(node, key, found, "a number", false);
            }
        };
        match count {
            Some(count) => drop(out.insert(key.to_owned(), Value::from(count))),
            None if found.is_number() => {
                let place = node.child(key, found);
                self.warn(&place, format!("`{key}` must be a whole number of at least 0: it is left out"));
            }
            None => {}
        }
    }

    fn repaired(&mut self, node: &Node<'a>, key: &str, found: &'a Value, wanted: &str, repaired: bool) {
        let place = node.child(key, found);
        let outcome = if repaired { "it is read as one" } else { "it is left out" };
        self.warn(&place, format!("`{key}` must be {wanted}, not {}: {outcome}", kind(found)));
    }
}

fn whole(number: &Number) -> Option<u64> {
    number.as_u64().or_else(|| {
        let float = number.as_f64()?;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be in range")]
        ((0.0..9e15).contains(&float) && float.fract() == 0.0).then_some(float as u64)
    })
}
