//! Whether the description declares a member of an answer.

use serde_json::Value;

use crate::{
    call::unescape,
    model::{DeclaredAnswer, Model, Operation},
};

/// References and compositions followed on the way to one member, at most.
const STEPS_MAX: usize = 64;

/// Whether the answers declared for a status name the member at this pointer. `None`: nothing is declared about it.
pub fn declares(model: &Model, operation: &Operation, status: u16, pointer: &str) -> Option<bool> {
    let of = |wanted: &str| operation.answers.iter().find(|it| it.status == wanted);
    let answer: &DeclaredAnswer =
        of(&status.to_string()).or_else(|| of(&format!("{}XX", status / 100))).or_else(|| of("default"))?;
    let schema = answer.schema.as_ref()?;
    let tokens: Vec<String> = pointer.split('/').skip(1).map(unescape).collect();
    let mut steps = STEPS_MAX;
    walk(model, schema, &tokens, &mut steps)
}

fn walk(model: &Model, schema: &Value, tokens: &[String], steps: &mut usize) -> Option<bool> {
    *steps = steps.checked_sub(1)?;
    let Value::Object(schema) = schema else { return None };
    if let Some(to) = schema.get("$ref").and_then(Value::as_str) {
        return walk(model, model.schemas.pointer(to.strip_prefix('#')?)?, tokens, steps);
    }
    let Some((token, rest)) = tokens.split_first() else { return Some(true) };
    let mut known = None;
    for key in ["allOf", "anyOf", "oneOf"] {
        for part in schema.get(key).and_then(Value::as_array).into_iter().flatten() {
            match walk(model, part, tokens, steps) {
                Some(true) => return Some(true),
                Some(false) => known = Some(false),
                None => {}
            }
        }
    }
    if let Some(items) = schema.get("items").filter(|_| token.bytes().all(|it| it.is_ascii_digit())) {
        return walk(model, items, rest, steps).or(known);
    }
    let properties = schema.get("properties").and_then(Value::as_object).filter(|it| !it.is_empty());
    match properties {
        Some(properties) => match properties.get(token) {
            Some(inner) => walk(model, inner, rest, steps).or(Some(true)),
            None => Some(false),
        },
        None => known,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{model::Effect, script::rehearse::Stage};

    #[test]
    fn follows_lists_references_and_compositions() {
        let mut world = Stage::new().op("GET /a", Effect::Reads, json!([])).world;
        world.model.schemas = json!({"$defs": {"a": {"properties": {"x": true}}}});
        world.model.operations[0].answers.push(DeclaredAnswer {
            status: "200".to_owned(),
            media: Vec::new(),
            schema: Some(json!({"type": "array", "items": {"allOf": [{"$ref": "#/$defs/a"}]}})),
            headers: Vec::new(),
        });
        let says = |pointer| declares(&world.model, &world.model.operations[0], 200, pointer);
        assert_eq!(says("/0/x"), Some(true));
        assert_eq!(says("/3/y"), Some(false));
        assert_eq!(declares(&world.model, &world.model.operations[0], 404, "/0/x"), None);
    }
}
