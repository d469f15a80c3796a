//! `application/x-www-form-urlencoded` (OpenAPI 3.1 §4.8.14.4; WHATWG URL §5).

use serde_json::Value;

use super::parameter::{query_pairs, text};
use crate::model::{ENCODING, Style};

/// Writes an object as a form. Anything else stands as it is: a wrong body on purpose.
pub(super) fn write(schema: &Value, value: &Value) -> String {
    let Some(members) = value.as_object() else { return text(value) };
    let pairs = members.iter().flat_map(|(name, value)| {
        let style = style_of(schema, name);
        // An object without a style of its own goes as JSON (§4.8.15.1.1).
        let json = style.is_none() && value.is_object();
        let content = Style { content: Some("application/json".to_owned()), ..Style::default() };
        query_pairs(name, value, if json { Some(&content) } else { style.as_ref() })
    });
    pairs.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

/// How a property of a form is written, where its body says so.
pub(super) fn style_of(schema: &Value, name: &str) -> Option<Style> {
    let encoding = schema.get(ENCODING)?.get(name)?;
    Some(Style {
        name: encoding.get("style").and_then(Value::as_str).unwrap_or_default().to_owned(),
        explode: encoding.get("explode").and_then(Value::as_bool).unwrap_or_default(),
        content: encoding.get("content").and_then(Value::as_str).map(str::to_owned),
    })
}
