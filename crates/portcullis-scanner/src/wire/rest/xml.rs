//! XML, as OpenAPI's `xml` objects shape it (OpenAPI 3.1 §4.8.26).

use quick_xml::escape::escape;
use serde_json::Value;

use crate::model::{Model, kind};

/// Elements inside one another; what is deeper is written as text.
const DEPTH_MAX: usize = 64;

/// Writes a value as a document.
pub(super) fn write(model: &Model, schema: &Value, value: &Value) -> String {
    // A string is a document already, on purpose or because nobody knows its shape.
    if let Value::String(text) = value {
        return text.clone();
    }
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
    // A schema written in place is named for its place in the description, which is no name for an element.
    let name = kind::reference_name(schema).filter(|it| !it.starts_with('-')).unwrap_or("root");
    element(model, schema, name, value, DEPTH_MAX, &mut out);
    out
}

/// What the `xml` object of a schema says.
fn says<'m>(model: &'m Model, schema: &'m Value, key: &str) -> Option<&'m Value> {
    let at = |it: &'m Value| it.get("xml")?.get(key);
    at(schema).or_else(|| at(kind::resolve(model, schema)))
}

fn flag(model: &Model, schema: &Value, key: &str) -> bool {
    says(model, schema, key) == Some(&Value::Bool(true))
}

/// The name of an element, its prefix in front.
fn name_of(model: &Model, schema: &Value, default: &str) -> String {
    let name = says(model, schema, "name").and_then(Value::as_str).unwrap_or(default);
    match says(model, schema, "prefix").and_then(Value::as_str) {
        Some(prefix) if !prefix.is_empty() => format!("{}:{}", usable(prefix), usable(name)),
        Some(_) | None => usable(name),
    }
}

/// The name with `_` for what cannot stand in one.
fn usable(name: &str) -> String {
    let mut out: String = name
        .chars()
        .map(|it| if it.is_alphanumeric() || matches!(it, '_' | '-' | '.') { it } else { '_' })
        .collect();
    if out.starts_with(|it: char| !it.is_alphabetic() && it != '_') {
        out.insert(0, '_');
    }
    out
}

fn element(model: &Model, schema: &Value, default: &str, value: &Value, depth: usize, out: &mut String) {
    let name = name_of(model, schema, default);
    out.push('<');
    out.push_str(&name);
    if let Some(namespace) = says(model, schema, "namespace").and_then(Value::as_str) {
        let prefix = says(model, schema, "prefix").and_then(Value::as_str).unwrap_or_default();
        let colon = if prefix.is_empty() { "" } else { ":" };
        out.push_str(&format!(
            " xmlns{colon}{}=\"{}\"",
            if prefix.is_empty() { String::new() } else { usable(prefix) },
            escape(namespace)
        ));
    }
    match value {
        Value::Object(members) if depth > 0 => {
            let schema_of = |key: &str| property(model, schema, key);
            for (key, member) in members {
                let inner = schema_of(key);
                if flag(model, inner, "attribute") {
                    let name = name_of(model, inner, key);
                    out.push_str(&format!(" {name}=\"{}\"", escape(super::parameter::text(member))));
                }
            }
            out.push('>');
            for (key, member) in members {
                let inner = schema_of(key);
                if !flag(model, inner, "attribute") {
                    child(model, inner, key, member, depth - 1, out);
                }
            }
        }
        Value::Array(items) if depth > 0 => {
            out.push('>');
            let (inner, name) = items_of(model, schema, default);
            items.iter().for_each(|item| element(model, inner, name, item, depth - 1, out));
        }
        scalar => {
            out.push('>');
            out.push_str(&escape(super::parameter::text(scalar)));
        }
    }
    out.push_str(&format!("</{name}>"));
}

/// A member: a list is as many elements, in one around them where the schema wraps it.
fn child(model: &Model, schema: &Value, key: &str, value: &Value, depth: usize, out: &mut String) {
    match value {
        Value::Array(items) if !flag(model, schema, "wrapped") => {
            let (inner, _) = items_of(model, schema, key);
            items.iter().for_each(|item| element(model, inner, key, item, depth, out));
        }
        value => element(model, schema, key, value, depth, out),
    }
}

fn items_of<'m>(model: &'m Model, schema: &'m Value, name: &'m str) -> (&'m Value, &'m str) {
    static ANY: Value = Value::Bool(true);
    (kind::resolve(model, schema).get("items").unwrap_or(&ANY), name)
}

fn property<'m>(model: &'m Model, schema: &'m Value, name: &str) -> &'m Value {
    static ANY: Value = Value::Bool(true);
    kind::member(model, schema, name).unwrap_or(&ANY)
}
