//! The reference of the language in Markdown, made from its schema.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use crate::{codes, diagnostic::Severity, schema::schema};

/// The reference of all keys.
pub fn reference() -> String {
    let schema = schema();
    let mut text = String::from(
        "# Configuration reference\n\nGenerated from the source: every key with its meaning, default and example.\n",
    );
    section(&mut text, "The document", &schema);
    let definitions = schema.get("$defs").and_then(Value::as_object);
    for (name, definition) in definitions.into_iter().flatten() {
        section(&mut text, name, definition);
    }
    text
}

/// The reference of all remarks that `portcullis check` can make.
pub fn codes_reference() -> String {
    let mut text = String::from(
        "# Remarks of `portcullis check`\n\nGenerated from the source. `portcullis explain PCnnnn` prints the same.\n",
    );
    for code in codes::ALL {
        let severity = match code.severity {
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        let _infallible =
            write!(text, "\n## {}: {}\n\n*{severity}*. {}\n", code.id, code.title, code.explanation);
    }
    text
}

fn section(text: &mut String, name: &str, schema: &Value) {
    let description = schema.get("description").and_then(Value::as_str).unwrap_or_default();
    let _infallible = write!(text, "\n## {name}\n\n{description}\n");
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return };
    let required = schema.get("required").and_then(Value::as_array);
    text.push_str("\n| key | value | default | meaning |\n|---|---|---|---|\n");
    for (key, property) in properties {
        let needed = required.is_some_and(|it| it.iter().any(|it| it.as_str() == Some(key)));
        let default = match property.get("default") {
            Some(value) => format!("`{}`", written(value)),
            None if needed => "**required**".to_owned(),
            None => "–".to_owned(),
        };
        let mut meaning = property.get("description").and_then(Value::as_str).unwrap_or_default().to_owned();
        for choice in property.get("oneOf").and_then(Value::as_array).into_iter().flatten() {
            if let (Some(word), Some(doc)) =
                (choice.get("const"), choice.get("description").and_then(Value::as_str))
            {
                let _infallible = write!(meaning, "<br>`{}`: {doc}", written(word));
            }
        }
        let examples = property.get("examples").and_then(Value::as_array);
        if let Some(example) = examples.and_then(|it| it.first()) {
            let _infallible = write!(meaning, "<br>Example: `{key}: {}`", written(example));
        }
        let kind = kind(property).replace('|', "\\|");
        let _infallible =
            writeln!(text, "| `{key}` | {kind} | {default} | {} |", meaning.replace('|', "\\|"));
    }
}

/// What may be written, in a few words.
fn kind(schema: &Value) -> String {
    if let Some(name) = schema.get("$ref").and_then(Value::as_str).and_then(|it| it.rsplit('/').next()) {
        return format!("[{name}](#{})", name.to_lowercase());
    }
    if let Some(word) = schema.get("const") {
        return format!("`{}`", written(word));
    }
    if let Some(words) = schema.get("enum").and_then(Value::as_array) {
        return words.iter().map(|it| format!("`{}`", written(it))).collect::<Vec<_>>().join(" or ");
    }
    if let Some(title) = schema.get("title").and_then(Value::as_str) {
        return title.to_owned();
    }
    for choice in ["anyOf", "oneOf"] {
        if let Some(choices) = schema.get(choice).and_then(Value::as_array) {
            let mut kinds: Vec<String> = choices.iter().map(kind).collect();
            kinds.dedup();
            return kinds.join(" or ");
        }
    }
    match schema.get("type").and_then(Value::as_str) {
        Some("array") => format!("list of {}", schema.get("items").map(kind).unwrap_or_default()),
        Some("object") => object_kind(schema),
        Some("string") => "text".to_owned(),
        Some("boolean") => "`true` or `false`".to_owned(),
        Some("integer") => "number".to_owned(),
        other => other.unwrap_or("any").to_owned(),
    }
}

fn object_kind(schema: &Value) -> String {
    if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        let members: Vec<_> = properties.iter().map(|(key, it)| format!("{key}: {}", kind(it))).collect();
        return format!("{{ {} }}", members.join(", "));
    }
    match schema.get("additionalProperties") {
        Some(it) if it.is_object() => format!("{{ NAME: {} }}", kind(it)),
        _ => "mapping".to_owned(),
    }
}

/// A JSON value as it would be written in YAML on one line.
fn written(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(it) => it.to_string(),
        Value::Number(it) => it.to_string(),
        Value::String(it) => quoted(it),
        Value::Array(items) => format!("[{}]", items.iter().map(written).collect::<Vec<_>>().join(", ")),
        Value::Object(members) if members.is_empty() => "{}".to_owned(),
        Value::Object(members) => format!("{{ {} }}", pairs(members)),
    }
}

fn pairs(members: &Map<String, Value>) -> String {
    members.iter().map(|(key, it)| format!("{}: {}", quoted(key), written(it))).collect::<Vec<_>>().join(", ")
}

/// Quotes what a plain YAML scalar cannot hold.
fn quoted(text: &str) -> String {
    let risky = text.is_empty() || text.contains(": ") || text.contains(['{', '}', '[', ']', '#', ',']);
    if risky || text.starts_with(['*', '&', '!', '%', '@', '`', ':']) {
        format!("\"{text}\"")
    } else {
        text.to_owned()
    }
}
