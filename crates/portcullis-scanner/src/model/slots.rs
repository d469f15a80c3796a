//! The leaf slots of an operation: its parameters, and its body walked down to what holds no further parts.

use serde_json::Value;

use super::{Kind, Model, Operation, Place, Slot, Style, kind};
use crate::call::escape;

/// Parts inside one another.
const DEPTH_MAX: usize = 8;
/// Slots of one operation.
const SLOTS_MAX: usize = 300;
/// Values taken from one schema.
const EXAMPLES_MAX: usize = 8;

/// Every leaf slot: parameters in their order, then the parts of the body. A list is entered at `/0`; a schema that
/// contains itself ends where it comes back.
pub fn leaf_slots(model: &Model, operation: &Operation) -> Vec<Slot> {
    let mut slots: Vec<Slot> = operation.parameters.iter().take(SLOTS_MAX).cloned().collect();
    if let Some(body) = &operation.body {
        let mut walk = Walk { model, slots: &mut slots, open: Vec::new(), shown: &body.examples };
        walk.part(&body.schema, &mut String::new(), body.required);
    }
    slots
}

/// The values that a schema itself shows: examples first, then the default, then what it enumerates.
pub fn shown_by(model: &Model, schema: &Value) -> Vec<Value> {
    let mut values: Vec<Value> = Vec::new();
    for schema in [schema, kind::resolve(model, schema)] {
        let list = |key: &str| schema.get(key).and_then(Value::as_array).into_iter().flatten();
        let one = |key: &str| schema.get(key).into_iter();
        let all = list("examples").chain(one("default")).chain(one("const")).chain(list("enum"));
        for value in all.filter(|it| !it.is_null()) {
            if values.len() < EXAMPLES_MAX && !values.contains(value) {
                values.push(value.clone());
            }
        }
    }
    values
}

struct Walk<'w> {
    model: &'w Model,
    slots: &'w mut Vec<Slot>,
    /// Definitions the walk is inside of.
    open: Vec<&'w str>,
    /// Whole bodies that the input shows.
    shown: &'w [Value],
}

impl<'w> Walk<'w> {
    fn part(&mut self, schema: &'w Value, pointer: &mut String, required: bool) {
        if self.slots.len() >= SLOTS_MAX {
            return;
        }
        let name = schema.get("$ref").and_then(Value::as_str);
        if name.is_some_and(|it| self.open.contains(&it)) {
            return;
        }
        self.open.extend(name);
        self.inside(schema, pointer, required);
        if name.is_some() {
            self.open.pop();
        }
    }

    fn inside(&mut self, schema: &'w Value, pointer: &mut String, required: bool) {
        let model = self.model;
        let resolved = kind::resolve(model, schema);
        let kind = kind::of(model, schema);
        let length = pointer.len();
        let deeper = pointer.bytes().filter(|it| *it == b'/').count() < DEPTH_MAX;
        let members = if deeper && matches!(kind, Kind::Record | Kind::Any) {
            kind::members(model, schema)
        } else {
            Vec::new()
        };
        if !members.is_empty() {
            for member in members {
                pointer.push('/');
                pointer.push_str(&escape(member.name));
                self.part(member.schema, pointer, required && member.required);
                pointer.truncate(length);
            }
            return;
        }
        let items = resolved.get("items").or_else(|| resolved.get("prefixItems").and_then(|it| it.get(0)));
        if let (true, Kind::List | Kind::Any, Some(items)) = (deeper, kind, items) {
            pointer.push_str("/0");
            self.part(items, pointer, required);
            pointer.truncate(length);
            return;
        }
        let mut examples = shown_by(model, schema);
        for value in self.shown.iter().filter_map(|it| it.pointer(pointer)) {
            if examples.len() < EXAMPLES_MAX && !examples.contains(value) {
                examples.push(value.clone());
            }
        }
        self.slots.push(Slot {
            place: Place::Body(pointer.as_str().into()),
            schema: resolved.clone(),
            kind,
            required,
            style: Style::default(),
            examples,
        });
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::{Body, Effect, Wire};

    fn slots(schema: Value, schemas: Value) -> Vec<(String, Kind, bool)> {
        let model = Model { schemas: json!({ "$defs": schemas }), ..Model::default() };
        let operation = Operation {
            id: "POST /a".into(),
            name: String::new(),
            wire: Wire::Rest { method: "POST".to_owned(), path: "/a".to_owned() },
            effect: Effect::Creates,
            parameters: Vec::new(),
            body: Some(Body { media: Vec::new(), schema, required: true, examples: Vec::new() }),
            answers: Vec::new(),
            security: None,
            examples: Vec::new(),
            links: Vec::new(),
            words: Vec::new(),
            deprecated: false,
        };
        leaf_slots(&model, &operation)
            .into_iter()
            .map(|it| (it.place.to_string(), it.kind, it.required))
            .collect()
    }

    fn slot(place: &str, kind: Kind, required: bool) -> (String, Kind, bool) {
        (place.to_owned(), kind, required)
    }

    #[test]
    fn walks_a_body_down_to_its_leaves() {
        let found = slots(
            json!({"$ref": "#/$defs/order"}),
            json!({
                "order": {"type": "object", "required": ["lines"], "properties": {
                    "lines": {"type": "array", "items": {"$ref": "#/$defs/line"}},
                    "a/b": {"type": ["boolean", "null"]},
                    "extra": {"type": "object"},
                }},
                "line": {"type": "object", "required": ["sku"], "properties": {
                    "sku": {"type": "string"}, "count": {"type": "integer"}}},
            }),
        );
        assert_eq!(
            found,
            [
                slot("body:/lines/0/sku", Kind::Text, true),
                slot("body:/lines/0/count", Kind::Integer, false),
                slot("body:/a~1b", Kind::Boolean, false),
                slot("body:/extra", Kind::Record, false),
            ]
        );
    }

    #[test]
    fn a_schema_that_contains_itself_ends() {
        let found = slots(
            json!({"$ref": "#/$defs/node"}),
            json!({"node": {"type": "object", "properties": {
                "name": {"type": "string"},
                "children": {"type": "array", "items": {"$ref": "#/$defs/node"}}}}}),
        );
        assert_eq!(found, [slot("body:/name", Kind::Text, false)]);
    }

    #[test]
    fn a_wide_and_deep_body_is_bounded() {
        let members: serde_json::Map<String, Value> =
            (0..2_000).map(|it| (format!("m{it}"), json!({"type": "string"}))).collect();
        assert_eq!(slots(json!({"type": "object", "properties": members}), json!({})).len(), SLOTS_MAX);
        let deep = (0..40).fold(json!({"type": "string"}), |inner, _| json!({"properties": {"x": inner}}));
        assert_eq!(slots(deep, json!({})), [slot(&format!("body:{}", "/x".repeat(8)), Kind::Record, false)]);
    }

    #[test]
    fn a_scalar_body_is_one_slot() {
        assert_eq!(slots(json!({"type": "string"}), json!({})), [slot("body:", Kind::Text, true)]);
        assert_eq!(slots(json!(true), json!({})), [slot("body:", Kind::Any, true)]);
    }
}
