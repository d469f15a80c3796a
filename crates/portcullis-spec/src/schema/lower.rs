//! What OpenAPI means beyond JSON Schema, written in JSON Schema: integer formats become bounds, a
//! discriminator becomes a decision by the tag.

use serde_json::{Map, Number, Value, json};

use super::walk;
use crate::model::DISCRIMINATOR;

/// Rewrites every definition in place.
pub(super) fn lower(definitions: &mut Map<String, Value>) {
    for definition in definitions.values_mut() {
        walk::every(definition, &mut |schema| {
            bound_integer(schema);
            decide_by_tag(schema);
        });
    }
}

/// `format: int32` and `int64` are ranges (OpenAPI format registry); JSON Schema gives formats to strings only.
fn bound_integer(schema: &mut Map<String, Value>) {
    let range: (i64, i64) = match schema.get("format").and_then(Value::as_str) {
        Some("int8") => (i8::MIN.into(), i8::MAX.into()),
        Some("uint8") => (0, u8::MAX.into()),
        Some("int16") => (i16::MIN.into(), i16::MAX.into()),
        Some("uint16") => (0, u16::MAX.into()),
        Some("int32") => (i32::MIN.into(), i32::MAX.into()),
        Some("uint32") => (0, u32::MAX.into()),
        Some("int64") => (i64::MIN, i64::MAX),
        _ => return,
    };
    let whole = match schema.get("type") {
        Some(Value::String(only)) => only == "integer" || only == "number",
        Some(Value::Array(several)) => several.iter().any(|it| it == "integer" || it == "number"),
        _ => false,
    };
    schema.shift_remove("format");
    if whole {
        tighten(schema, "minimum", range.0, f64::max);
        tighten(schema, "maximum", range.1, f64::min);
    }
}

/// Sets a bound unless a tighter one stands there.
fn tighten(schema: &mut Map<String, Value>, keyword: &str, bound: i64, tighter: fn(f64, f64) -> f64) {
    let written = schema.get(keyword).and_then(Value::as_f64);
    #[expect(clippy::cast_precision_loss, reason = "only decides which of two bounds is kept")]
    let ours = bound as f64;
    if written.is_none_or(|written| tighter(written, ours) != written) {
        schema.insert(keyword.to_owned(), Value::Number(Number::from(bound)));
    }
}

/// A known tag decides alone which alternative must hold. An unknown one is refused where the document maps tags to all
/// alternatives; elsewhere it leaves it to the alternatives themselves, as a missing one does, because documents whose
/// implicit names do not fit their tags are common.
fn decide_by_tag(schema: &mut Map<String, Value>) {
    let Some(discriminator) = schema.shift_remove(DISCRIMINATOR) else { return };
    let (Some(property), Some(mapping)) = (
        discriminator.get("property").and_then(Value::as_str),
        discriminator.get("mapping").and_then(Value::as_object),
    ) else {
        return;
    };
    let Some(keyword) = ["oneOf", "anyOf"].into_iter().find(|keyword| schema.contains_key(*keyword)) else {
        return;
    };
    if mapping.is_empty() || schema.contains_key("if") {
        return;
    }
    let Some(alternatives) = schema.shift_remove(keyword) else { return };
    let mut tags = Vec::new();
    let mut tagged = Vec::new();
    for (tag, target) in mapping {
        // One branch a tag, each requiring its own constant: the form that `jsonschema` dispatches by a lookup.
        tags.push(Value::from(tag.as_str()));
        tagged.push(json!({
            "required": [property],
            "properties": { property: { "const": tag } },
            "allOf": [{ "$ref": target }],
        }));
    }
    let known = json!({ property: { "enum": tags } });
    schema.insert("if".into(), json!({ "required": [property], "properties": &known }));
    schema.insert("then".into(), json!({ "oneOf": tagged }));
    let mut otherwise = json!({ keyword: alternatives });
    if discriminator.get("complete") == Some(&Value::Bool(true)) {
        otherwise =
            json!({ "if": { "required": [property] }, "then": { "properties": known }, "else": otherwise });
    }
    schema.insert("else".into(), otherwise);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(schema: Value) -> Value {
        let mut definitions = Map::new();
        definitions.insert("x".into(), schema);
        lower(&mut definitions);
        definitions.shift_remove("x").unwrap_or_default()
    }

    #[test]
    fn keeps_the_tighter_bound() {
        assert_eq!(
            check(json!({"type": "integer", "format": "int32", "minimum": 1})),
            json!({"type": "integer", "minimum": 1, "maximum": 2_147_483_647})
        );
        assert_eq!(
            check(json!({"type": "integer", "format": "int32", "maximum": 1e12, "minimum": -1e12})),
            json!({"type": "integer", "minimum": -2_147_483_648_i64, "maximum": 2_147_483_647})
        );
    }

    #[test]
    fn leaves_properties_alone_that_are_called_like_keywords() {
        let schema = json!({"properties": {"format": {"const": "int32"}, "type": {"type": "string"}}});
        assert_eq!(check(schema.clone()), schema);
    }
}
