//! What the description allows at a place, and values just inside and just outside of it.

use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::{Map, Value, json};

/// A validator of one schema of the model, `$ref`s into its document; `None` where it cannot be compiled: then nothing
/// is concluded from it.
pub(crate) fn validator(schemas: &Value, schema: &Value) -> Option<Validator> {
    let mut root = schemas.as_object().cloned().unwrap_or_default();
    root.insert("allOf".to_owned(), json!([schema]));
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .with_pattern_options(PatternOptions::regex())
        .build(&Value::Object(root))
        .ok()
}

/// The keywords that hold at a schema, `$ref`s followed eight deep at most.
pub(crate) fn keywords(schemas: &Value, schema: &Value) -> Map<String, Value> {
    let mut merged = Map::new();
    let mut at = schema;
    for _ in 0..8 {
        let Some(own) = at.as_object() else { break };
        for (key, value) in own {
            merged.entry(key.clone()).or_insert_with(|| value.clone());
        }
        let next = own.get("$ref").and_then(Value::as_str).and_then(|it| it.strip_prefix('#'));
        match next.and_then(|pointer| schemas.pointer(pointer)) {
            Some(next) => at = next,
            None => break,
        }
    }
    merged
}

/// Values inside of what is allowed, at its edges; the most telling first.
pub(crate) fn inside(keywords: &Map<String, Value>) -> Vec<Value> {
    if let Some(values) = keywords.get("enum").and_then(Value::as_array) {
        return values.iter().take(8).cloned().collect();
    }
    let bound = |key: &str| keywords.get(key).and_then(Value::as_i64);
    match (kind(keywords), bound("minimum"), bound("maximum")) {
        ("integer", Some(low), Some(high)) if high.saturating_sub(low) <= 16 => {
            (low..=high).map(Value::from).collect()
        }
        ("integer", low, high) => {
            let edges = [low, low.map(|it| it.saturating_add(1)), high.map(|it| it.saturating_sub(1)), high];
            edges.into_iter().flatten().map(Value::from).collect()
        }
        ("boolean", ..) => vec![json!(true), json!(false)],
        _ => Vec::new(),
    }
}

/// A value outside of what is allowed, with what is wrong with it. `typed`: the place tells text from numbers (a JSON
/// body), so another type is wrong.
pub(crate) fn outside(keywords: &Map<String, Value>, typed: bool, word: &str) -> Vec<(&'static str, Value)> {
    let mut values = Vec::new();
    let number = |key: &str| keywords.get(key).and_then(Value::as_i64);
    if keywords.contains_key("enum") {
        values.push(("a value that is not in the list", Value::from(word)));
    }
    match kind(keywords) {
        "integer" | "number" => {
            if let Some(low) = number("minimum") {
                values.push(("less than the minimum", Value::from(low.saturating_sub(1))));
            }
            if let Some(high) = number("maximum") {
                values.push(("more than the maximum", Value::from(high.saturating_add(1))));
            }
            values.push(("text in place of a number", Value::from(word)));
        }
        "string" => {
            if keywords.contains_key("pattern") || keywords.contains_key("format") {
                values.push(("text that does not fit the pattern", Value::from(format!("\u{1}{word} <>"))));
            }
            if let Some(most) = number("maxLength").filter(|it| (1..10_000).contains(it)) {
                let text = "x".repeat(usize::try_from(most).unwrap_or_default() + 1);
                values.push(("text that is too long", Value::from(text)));
            }
            if typed {
                values.push(("a list in place of text", json!([word])));
            }
        }
        "boolean" => values.push(("text in place of a truth value", Value::from(word))),
        "array" | "object" if typed => values.push(("text in place of a list or object", Value::from(word))),
        _ => {}
    }
    values
}

/// The one type that is allowed beside null, where it is one.
fn kind(keywords: &Map<String, Value>) -> &str {
    match keywords.get("type") {
        Some(Value::String(kind)) => kind,
        Some(Value::Array(kinds)) => {
            let mut own = kinds.iter().filter_map(Value::as_str).filter(|it| *it != "null");
            match (own.next(), own.next()) {
                (Some(kind), None) => kind,
                _ => "",
            }
        }
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_references_and_survives_circles() {
        let schemas = json!({"$defs": {"A": {"$ref": "#/$defs/A"}, "N": {"type": "integer", "maximum": 3}}});
        assert_eq!(keywords(&schemas, &json!({"$ref": "#/$defs/N"})).get("maximum"), Some(&json!(3)));
        assert_eq!(keywords(&schemas, &json!({"$ref": "#/$defs/A"})).len(), 1);
        let validator = validator(&schemas, &json!({"$ref": "#/$defs/N"})).unwrap();
        assert!(validator.is_valid(&json!(3)) && !validator.is_valid(&json!(4)));
    }

    #[test]
    fn values_are_inside_and_outside() {
        let schemas = json!({});
        for schema in [
            json!({"type": "integer", "minimum": 1, "maximum": 12}),
            json!({"enum": ["a", "b"], "type": "string"}),
            json!({"type": "string", "pattern": "^[a-z]+$", "maxLength": 4}),
            json!({"type": "boolean"}),
        ] {
            let validator = validator(&schemas, &schema).unwrap();
            let keywords = keywords(&schemas, &schema);
            assert!(inside(&keywords).iter().all(|it| validator.is_valid(it)), "{schema}");
            let outside = outside(&keywords, true, "word");
            assert!(!outside.is_empty() && outside.iter().all(|(_, it)| !validator.is_valid(it)), "{schema}");
        }
    }
}
