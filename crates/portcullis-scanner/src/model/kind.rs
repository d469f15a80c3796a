//! What a JSON Schema says about a value: its kind, its members. All walks are bounded; cyclic schemas end.

use serde_json::Value;

use super::{Kind, Model};

/// References to references followed.
const HOPS_MAX: usize = 32;
/// Schemas composed into one that are looked at.
const STEPS_MAX: usize = 256;
/// Compositions inside one another.
const DEPTH_MAX: usize = 16;
/// Members of one object.
const MEMBERS_MAX: usize = 1_000;

/// A member of an object.
#[derive(Clone, Copy, Debug)]
pub struct Member<'m> {
    /// Its name.
    pub name: &'m str,
    /// Its schema.
    pub schema: &'m Value,
    /// Whether an object without it is wrong.
    pub required: bool,
}

/// The name in `$defs` that a schema refers to.
pub fn reference_name(schema: &Value) -> Option<&str> {
    let name = schema.get("$ref")?.as_str()?.strip_prefix("#/$defs/")?;
    Some(name.strip_prefix("in.").or_else(|| name.strip_prefix("out.")).unwrap_or(name))
}

/// The schema that a reference means; itself where it is none, or leads nowhere.
pub fn resolve<'m>(model: &'m Model, schema: &'m Value) -> &'m Value {
    let mut at = schema;
    for _ in 0..HOPS_MAX {
        let Some(text) = at.get("$ref").and_then(Value::as_str) else { return at };
        let Some(target) = text.strip_prefix('#').and_then(|it| model.schemas.pointer(it)) else { return at };
        at = target;
    }
    at
}

/// The kind of value that a schema describes.
pub fn of(model: &Model, schema: &Value) -> Kind {
    kind(model, schema, DEPTH_MAX, &mut { STEPS_MAX }).unwrap_or(Kind::Any)
}

/// `None`: it says nothing, or only null.
fn kind(model: &Model, schema: &Value, depth: usize, steps: &mut usize) -> Option<Kind> {
    *steps = steps.checked_sub(1)?;
    let depth = depth.checked_sub(1)?;
    let schema = resolve(model, schema).as_object()?;
    let said = match schema.get("type") {
        Some(Value::String(name)) => named(name),
        Some(Value::Array(names)) => agreed(names.iter().filter_map(Value::as_str).filter_map(named)),
        _ => None,
    };
    let is_file =
        |key: &str, is: &[&str]| schema.get(key).and_then(Value::as_str).is_some_and(|it| is.contains(&it));
    if said.is_none_or(|it| it == Kind::Text)
        && (is_file("format", &["binary", "file"])
            || is_file("contentMediaType", &["application/octet-stream"]))
    {
        return Some(Kind::File);
    }
    if said.is_some() {
        return said;
    }
    let values = schema.get("enum").and_then(Value::as_array).map(Vec::as_slice);
    let values = values.or_else(|| schema.get("const").map(std::slice::from_ref));
    if let Some(values) = values {
        return agreed(values.iter().filter_map(of_value));
    }
    let mut composed = Vec::new();
    for key in ["allOf", "anyOf", "oneOf"] {
        let parts = schema.get(key).and_then(Value::as_array);
        composed.extend(parts.into_iter().flatten().filter_map(|it| kind(model, it, depth, steps)));
    }
    if !composed.is_empty() {
        return agreed(composed.into_iter());
    }
    if schema.contains_key("properties") {
        Some(Kind::Record)
    } else if schema.contains_key("items") || schema.contains_key("prefixItems") {
        Some(Kind::List)
    } else {
        None
    }
}

fn named(name: &str) -> Option<Kind> {
    Some(match name {
        "string" => Kind::Text,
        "integer" => Kind::Integer,
        "number" => Kind::Number,
        "boolean" => Kind::Boolean,
        "array" => Kind::List,
        "object" => Kind::Record,
        _ => return None,
    })
}

/// The kind of a value; null has none.
pub fn of_value(value: &Value) -> Option<Kind> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(_) => Kind::Boolean,
        Value::Number(number) if number.is_f64() => Kind::Number,
        Value::Number(_) => Kind::Integer,
        Value::String(_) => Kind::Text,
        Value::Array(_) => Kind::List,
        Value::Object(_) => Kind::Record,
    })
}

/// The one kind that all are; [`Kind::Any`] where they differ. Whole numbers are numbers.
fn agreed(kinds: impl Iterator<Item = Kind>) -> Option<Kind> {
    kinds.reduce(|a, b| match (a, b) {
        (a, b) if a == b => a,
        (Kind::Integer, Kind::Number) | (Kind::Number, Kind::Integer) => Kind::Number,
        _ => Kind::Any,
    })
}

/// The members of an object, those of everything it is composed of included; each once, the first mention counts. A
/// member of one alternative among several is never required.
pub fn members<'m>(model: &'m Model, schema: &'m Value) -> Vec<Member<'m>> {
    let mut gathered = Gathered { members: Vec::new(), required: Vec::new(), steps: STEPS_MAX };
    gather(model, schema, false, DEPTH_MAX, &mut gathered);
    for member in &mut gathered.members {
        member.required = gathered.required.contains(&member.name);
    }
    gathered.members
}

/// The member of that name.
pub fn member<'m>(model: &'m Model, schema: &'m Value, name: &str) -> Option<&'m Value> {
    members(model, schema).into_iter().find(|it| it.name == name).map(|it| it.schema)
}

struct Gathered<'m> {
    members: Vec<Member<'m>>,
    required: Vec<&'m str>,
    steps: usize,
}

fn gather<'m>(model: &'m Model, schema: &'m Value, choice: bool, depth: usize, into: &mut Gathered<'m>) {
    let (Some(steps), Some(depth)) = (into.steps.checked_sub(1), depth.checked_sub(1)) else { return };
    into.steps = steps;
    // In 3.1 a reference may have neighbours.
    if schema.get("$ref").is_some() {
        let target = resolve(model, schema);
        if !std::ptr::eq(target, schema) {
            gather(model, target, choice, depth, into);
        }
    }
    let Some(object) = schema.as_object() else { return };
    for (name, schema) in object.get("properties").and_then(Value::as_object).into_iter().flatten() {
        if into.members.len() >= MEMBERS_MAX {
            break;
        }
        if !into.members.iter().any(|it| it.name == name) {
            into.members.push(Member { name, schema, required: false });
        }
    }
    if !choice {
        let names = object.get("required").and_then(Value::as_array);
        into.required.extend(names.into_iter().flatten().filter_map(Value::as_str));
    }
    for (key, choice) in [("allOf", choice), ("oneOf", true), ("anyOf", true)] {
        let parts = object.get(key).and_then(Value::as_array);
        for part in parts.into_iter().flatten() {
            gather(model, part, choice, depth, into);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn model() -> Model {
        let schemas = json!({"$defs": {
            "loop": {"$ref": "#/$defs/loop"},
            "pet": {"allOf": [{"$ref": "#/$defs/base"}, {"properties": {"tag": {"type": "string"}}}]},
            "base": {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}},
            "ring": {"allOf": [{"$ref": "#/$defs/ring"}]},
        }});
        Model { schemas, ..Model::default() }
    }

    #[test]
    fn reads_the_kind_off_a_schema() {
        for (schema, kind) in [
            (json!({"type": "string"}), Kind::Text),
            (json!({"type": ["integer", "null"]}), Kind::Integer),
            (json!({"anyOf": [{"type": "integer"}, {"type": "number"}]}), Kind::Number),
            (json!({"anyOf": [{"type": "integer"}, {"type": "string"}]}), Kind::Any),
            (json!({"type": "string", "format": "binary"}), Kind::File),
            (json!({"enum": ["a", null]}), Kind::Text),
            (json!({"const": true}), Kind::Boolean),
            (json!({"items": {}}), Kind::List),
            (json!({"$ref": "#/$defs/pet"}), Kind::Record),
            (json!({"$ref": "#/$defs/loop"}), Kind::Any),
            (json!({"$ref": "#/$defs/ring"}), Kind::Any),
            (json!({"$ref": "#/$defs/nowhere"}), Kind::Any),
            (json!(true), Kind::Any),
        ] {
            assert_eq!(of(&model(), &schema), kind, "{schema}");
        }
    }

    #[test]
    fn gathers_members_through_compositions() {
        let model = model();
        let schema = json!({"$ref": "#/$defs/pet"});
        let found: Vec<_> = members(&model, &schema).into_iter().map(|it| (it.name, it.required)).collect();
        assert_eq!(found, [("id", true), ("tag", false)]);
        let either = json!({"oneOf": [{"$ref": "#/$defs/base"}, {"$ref": "#/$defs/ring"}]});
        let found: Vec<_> = members(&model, &either).into_iter().map(|it| (it.name, it.required)).collect();
        assert_eq!(found, [("id", false)]);
    }
}
