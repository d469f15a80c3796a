//! Values of a tape compared as JSON Schema compares: numbers by value, objects without order.

use std::{
    collections::HashSet,
    hash::{BuildHasher as _, Hash, Hasher, RandomState},
};

use portcullis_leaves::{Kind, Number, Value};

/// Whether no two elements of an array are equal (`uniqueItems`).
pub(super) fn are_unique(array: Value<'_>) -> bool {
    let chance = RandomState::new();
    let mut seen = HashSet::with_capacity(array.len());
    array.elements().all(|value| seen.insert(ByContent { value, chance: &chance }))
}

/// A value by its whole content. The hash reaches as deep as equality does and no one outside knows its key: a body of
/// elements that hash alike would be compared each with each (CWE-407).
struct ByContent<'a> {
    value: Value<'a>,
    chance: &'a RandomState,
}

impl PartialEq for ByContent<'_> {
    fn eq(&self, other: &Self) -> bool {
        equals(self.value, other.value)
    }
}

impl Eq for ByContent<'_> {}

impl Hash for ByContent<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash(self.value, self.chance, state);
    }
}

fn hash<H: Hasher>(value: Value<'_>, chance: &RandomState, state: &mut H) {
    match value.kind() {
        Kind::Null => state.write_u8(0),
        Kind::Bool => (1_u8, value.as_bool()).hash(state),
        // Equal numbers have equal nearest doubles, however they are written; zero has two.
        Kind::Number => {
            let number = value.number().and_then(Number::as_f64).unwrap_or(f64::INFINITY);
            (2_u8, (number + 0.0).to_bits()).hash(state);
        }
        Kind::String => (3_u8, value.as_str()).hash(state),
        Kind::Array => {
            (4_u8, value.len()).hash(state);
            for element in value.elements() {
                hash(element, chance, state);
            }
        }
        // Each member is hashed by itself, and the sum knows no order.
        Kind::Object => {
            let sum = value.members().fold(0_u64, |sum, (name, member)| {
                let mut own = chance.build_hasher();
                name.hash(&mut own);
                hash(member, chance, &mut own);
                sum.wrapping_add(own.finish())
            });
            (5_u8, value.len(), sum).hash(state);
        }
    }
}

fn equals(left: Value<'_>, right: Value<'_>) -> bool {
    if left.kind() != right.kind() {
        return false;
    }
    match left.kind() {
        Kind::Null => true,
        Kind::Bool => left.as_bool() == right.as_bool(),
        Kind::Number => match (left.number(), right.number()) {
            (Some(left), Some(right)) => numbers_equal(left, right),
            _ => false,
        },
        Kind::String => left.as_str() == right.as_str(),
        Kind::Array => {
            left.len() == right.len() && left.elements().zip(right.elements()).all(|(l, r)| equals(l, r))
        }
        Kind::Object => {
            left.len() == right.len()
                && left.members().all(|(name, member)| right.get(name).is_some_and(|it| equals(member, it)))
        }
    }
}

fn numbers_equal(left: Number<'_>, right: Number<'_>) -> bool {
    if left.as_str() == right.as_str() {
        return true;
    }
    match (left.as_i64(), right.as_i64()) {
        (Some(left), Some(right)) => left == right,
        _ => match (left.as_u64(), right.as_u64()) {
            (Some(left), Some(right)) => left == right,
            _ => left.as_f64() == right.as_f64(),
        },
    }
}

/// Whether the value is what a schema says (`const`, `enum`).
pub(super) fn equals_json(value: Value<'_>, expected: &serde_json::Value) -> bool {
    match expected {
        serde_json::Value::Null => value.kind() == Kind::Null,
        serde_json::Value::Bool(expected) => value.as_bool() == Some(*expected),
        serde_json::Value::Number(expected) => {
            value.number().is_some_and(|number| match (number.as_i64(), expected.as_i64()) {
                (Some(left), Some(right)) => left == right,
                _ => match (number.as_u64(), expected.as_u64()) {
                    (Some(left), Some(right)) => left == right,
                    _ => number.as_f64() == expected.as_f64(),
                },
            })
        }
        serde_json::Value::String(expected) => value.as_str() == Some(expected),
        serde_json::Value::Array(expected) => {
            value.kind() == Kind::Array
                && value.len() == expected.len()
                && value.elements().zip(expected).all(|(value, expected)| equals_json(value, expected))
        }
        serde_json::Value::Object(expected) => {
            value.kind() == Kind::Object
                && value.len() == expected.len()
                && value
                    .members()
                    .all(|(name, member)| expected.get(name).is_some_and(|it| equals_json(member, it)))
        }
    }
}

#[cfg(test)]
mod tests {
    use portcullis_leaves::{Limits, Tree};

    use super::*;

    fn unique(body: &str) -> bool {
        are_unique(Tree::from_json(body.to_owned(), &Limits::default()).expect("a JSON text").root())
    }

    #[test]
    fn equal_content_is_found_however_it_is_written() {
        for body in [
            "[1, 1.0]",
            "[0, -0.0]",
            r#"[{"a": 1, "b": [2]}, {"b": [2.0], "a": 1}]"#,
            r#"["a", "\u0061"]"#,
            r#"[{"a": {"b": 1}}, {"a": {"b": 1}}]"#,
        ] {
            assert!(!unique(body), "{body}");
        }
        for body in [r#"[1, "1", true, null, [1], {"a": 1}, {"b": 1}, {"a": 2}, {}]"#, "[]", "[[], {}]"] {
            assert!(unique(body), "{body}");
        }
    }

    #[test]
    fn elements_that_differ_deep_down_hash_differently() {
        let elements: Vec<String> = ["Aa", "BB"]
            .iter()
            .flat_map(|name| (0..100).map(move |n| format!(r#"{{"a": {{"{name}": {n}, "b": "{name}"}}}}"#)))
            .collect();
        let tree =
            Tree::from_json(format!("[{}]", elements.join(",")), &Limits::default()).expect("a JSON text");
        let chance = RandomState::new();
        let hashes: HashSet<u64> = tree
            .root()
            .elements()
            .map(|value| chance.hash_one(ByContent { value, chance: &chance }))
            .collect();
        assert_eq!(hashes.len(), elements.len());
    }
}
