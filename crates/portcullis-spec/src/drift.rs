//! Does one schema admit what another refuses? For comparing two versions of a document before the newer one goes
//! live: containment is proven, and what cannot be proven counts as looser.

use std::collections::BTreeSet;

use jsonschema::canonical::{self, CanonicalSchema};
use serde_json::{Map, Value};

use crate::model::SchemaRef;

/// Values in one schema with its references written out; more is not looked into.
const NODES_MAX: usize = 20_000;

/// How the second schema stands to the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drift {
    /// They say the same.
    Same,
    /// Whatever the second admits, the first admitted too.
    Tighter,
    /// The second may admit something that the first refused: it does, or the opposite cannot be proven.
    Looser,
}

/// A schema in its bundle; `None` is a schema that admits everything.
#[derive(Clone, Copy, Debug)]
pub struct Placed<'a> {
    /// `Document::request_schemas` or `Document::response_schemas`.
    pub bundle: &'a Value,
    /// The place in it.
    pub schema: Option<&'a SchemaRef>,
}

/// Compares what two schemas admit.
pub fn compare(before: Placed<'_>, after: Placed<'_>) -> Drift {
    match (resolve(before), resolve(after)) {
        (None, None) => Drift::Same,
        (None, Some(_)) => Drift::Tighter,
        (Some(_), None) => Drift::Looser,
        (Some(old), Some(new)) => {
            if same(old, before.bundle, new, after.bundle, &mut BTreeSet::new()) {
                return Drift::Same;
            }
            let written_out = written_out(before.bundle, old).zip(written_out(after.bundle, new));
            let forms = written_out.and_then(|(old, new)| canonical_form(&old).zip(canonical_form(&new)));
            let proven = forms
                .is_some_and(|(old, new)| old.covers(&new).is_ok_and(|it| it == canonical::Containment::Yes));
            if proven { Drift::Tighter } else { Drift::Looser }
        }
    }
}

fn canonical_form(schema: &Value) -> Option<CanonicalSchema> {
    jsonschema::canonicalize(schema).ok()
}

fn resolve<'a>(placed: Placed<'a>) -> Option<&'a Value> {
    placed.schema.and_then(|it| placed.bundle.pointer(it.pointer()))
}

/// Whether two schemas are written alike, references followed. A pair met again on the way is taken as alike:
/// if it is not, the first visit says so.
fn same(
    old: &Value,
    old_bundle: &Value,
    new: &Value,
    new_bundle: &Value,
    met: &mut BTreeSet<(String, String)>,
) -> bool {
    match (old, new) {
        (Value::Object(a), Value::Object(b)) => {
            if let (Some(Value::String(x)), Some(Value::String(y))) = (a.get("$ref"), b.get("$ref")) {
                let rest = a.len() == b.len()
                    && a.iter()
                        .filter(|(key, _)| *key != "$ref")
                        .all(|(key, value)| b.get(key) == Some(value));
                if !rest {
                    return false;
                }
                if !met.insert((x.clone(), y.clone())) {
                    return true;
                }
                let targets = target(old_bundle, x).zip(target(new_bundle, y));
                return targets.is_some_and(|(x, y)| same(x, old_bundle, y, new_bundle, met));
            }
            a.len() == b.len()
                && a.iter()
                    .all(|(key, x)| b.get(key).is_some_and(|y| same(x, old_bundle, y, new_bundle, met)))
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(x, y)| same(x, old_bundle, y, new_bundle, met))
        }
        _ => old == new,
    }
}

fn target<'a>(bundle: &'a Value, reference: &str) -> Option<&'a Value> {
    bundle.pointer(reference.strip_prefix('#')?)
}

/// The schema with every reference written out; `None` when it goes round in a circle or grows too large.
fn written_out(bundle: &Value, schema: &Value) -> Option<Value> {
    let mut nodes = 0;
    write_out(bundle, schema, &mut Vec::new(), &mut nodes)
}

fn write_out(bundle: &Value, schema: &Value, inside: &mut Vec<String>, nodes: &mut usize) -> Option<Value> {
    *nodes += 1;
    if *nodes > NODES_MAX {
        return None;
    }
    match schema {
        Value::Object(members) => {
            let mut written = Map::new();
            for (key, value) in members {
                if key != "$ref" {
                    written.insert(key.clone(), write_out(bundle, value, inside, nodes)?);
                }
            }
            let Some(Value::String(reference)) = members.get("$ref") else {
                return Some(Value::Object(written));
            };
            if inside.contains(reference) {
                return None;
            }
            inside.push(reference.clone());
            let inner = write_out(bundle, target(bundle, reference)?, inside, nodes)?;
            inside.pop();
            if written.is_empty() {
                return Some(inner);
            }
            Some(serde_json::json!({ "allOf": [inner, Value::Object(written)] }))
        }
        Value::Array(items) => items
            .iter()
            .map(|it| write_out(bundle, it, inside, nodes))
            .collect::<Option<Vec<_>>>()
            .map(Value::Array),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Some(schema.clone()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn drift(before: Value, after: Value) -> Drift {
        let place = SchemaRef("/$defs/it".into());
        let bundle = |schema| json!({ "$defs": { "it": schema, "tree": { "type": "object", "properties": { "next": { "$ref": "#/$defs/tree" } } } } });
        let (before, after) = (bundle(before), bundle(after));
        compare(
            Placed { bundle: &before, schema: Some(&place) },
            Placed { bundle: &after, schema: Some(&place) },
        )
    }

    #[test]
    fn tells_tighter_from_looser() {
        for (before, after, expected) in [
            (
                json!({ "type": "string", "maxLength": 5 }),
                json!({ "type": "string", "maxLength": 5 }),
                Drift::Same,
            ),
            (
                json!({ "type": "string", "maxLength": 5 }),
                json!({ "type": "string", "maxLength": 4 }),
                Drift::Tighter,
            ),
            (
                json!({ "type": "string", "maxLength": 5 }),
                json!({ "type": "string", "maxLength": 6 }),
                Drift::Looser,
            ),
            (json!({ "type": "string", "maxLength": 5 }), json!({ "type": "string" }), Drift::Looser),
            (json!({ "type": "integer" }), json!({ "type": ["integer", "string"] }), Drift::Looser),
            (json!({ "enum": ["a", "b"] }), json!({ "enum": ["a"] }), Drift::Tighter),
            (json!({ "$ref": "#/$defs/tree" }), json!({ "$ref": "#/$defs/tree" }), Drift::Same),
        ] {
            assert_eq!(drift(before.clone(), after.clone()), expected, "{before} → {after}");
        }
    }

    #[test]
    fn a_field_that_is_no_longer_required_is_looser() {
        let before =
            json!({ "type": "object", "required": ["a"], "properties": { "a": { "type": "string" } } });
        let after = json!({ "type": "object", "properties": { "a": { "type": "string" } } });
        assert_eq!(drift(before, after), Drift::Looser);
    }

    #[test]
    fn no_schema_admits_everything() {
        let bundle = json!({ "$defs": { "it": { "type": "string" } } });
        let place = SchemaRef("/$defs/it".into());
        let (none, some) =
            (Placed { bundle: &bundle, schema: None }, Placed { bundle: &bundle, schema: Some(&place) });
        assert_eq!(compare(some, none), Drift::Looser);
        assert_eq!(compare(none, some), Drift::Tighter);
    }
}
