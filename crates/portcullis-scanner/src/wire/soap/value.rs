//! Values as elements and back, led by the schema that the WSDL gave: order, namespaces, lists, numbers.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::Uncomposable;
use crate::model::wsdl::tree::Element;

/// How deep a value may nest.
const DEPTH_MAX: usize = 48;
/// How many references may follow each other.
const REFERENCES_MAX: usize = 16;
const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// Writes an element with this value.
pub(super) fn write(
    root: &Value,
    schema: &Value,
    name: &str,
    namespace: &str,
    value: &Value,
    into: &mut String,
) -> Result<(), Uncomposable> {
    Writer { root }.element(schema, name, namespace, None, value, into, 0)
}

struct Writer<'w> {
    root: &'w Value,
}

impl Writer<'_> {
    #[expect(
        clippy::too_many_arguments,
        reason = "an element is its type, name, namespaces, value and place"
    )]
    fn element(
        &self,
        schema: &Value,
        name: &str,
        namespace: &str,
        around: Option<&str>,
        value: &Value,
        into: &mut String,
        depth: usize,
    ) -> Result<(), Uncomposable> {
        if depth > DEPTH_MAX {
            return Err(Uncomposable::Value("the value is too deep for an envelope".to_owned()));
        }
        if !is_name(name) {
            return Err(Uncomposable::Value(format!("`{name}` cannot be the name of an element")));
        }
        if let Value::Array(items) = value {
            let item = resolve(self.root, schema).get("items").cloned().unwrap_or(Value::Null);
            return items
                .iter()
                .try_for_each(|it| self.element(&item, name, namespace, around, it, into, depth + 1));
        }
        // Writing to a string cannot fail.
        let _ = write!(into, "<{name}");
        if around != Some(namespace) {
            let _ = write!(into, " xmlns=\"{}\"", escaped(namespace));
        }
        match value {
            Value::Null => {
                let _ = write!(into, " xmlns:xsi=\"{XSI}\" xsi:nil=\"true\"/>");
                return Ok(());
            }
            Value::Object(members) => {
                let schema = resolve(self.root, schema);
                let known = schema.get("properties").and_then(Value::as_object);
                for (key, member) in members {
                    if let Some(attribute) = key.strip_prefix('@') {
                        if !is_name(attribute) {
                            return Err(Uncomposable::Value(format!(
                                "`{attribute}` cannot be the name of an attribute"
                            )));
                        }
                        let _ = write!(into, " {attribute}=\"{}\"", escaped(&scalar(member)?));
                    }
                }
                into.push('>');
                if let Some(text) = members.get("#text") {
                    into.push_str(&escaped(&scalar(text)?));
                }
                // The schema's order first: sequences have one. What it does not know comes behind.
                let ordered = known.into_iter().flat_map(Map::keys).filter(|key| members.contains_key(*key));
                let unknown = members.keys().filter(|key| known.is_none_or(|it| !it.contains_key(*key)));
                for key in ordered.chain(unknown).filter(|key| !key.starts_with(['@', '#'])) {
                    let of = known.and_then(|it| it.get(key)).unwrap_or(&Value::Null);
                    let inner = of.pointer("/xml/namespace").and_then(Value::as_str).unwrap_or(namespace);
                    let member = members.get(key).unwrap_or(&Value::Null);
                    self.element(of, key, inner, Some(namespace), member, into, depth + 1)?;
                }
            }
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                into.push('>');
                into.push_str(&escaped(&scalar(value)?));
            }
        }
        let _ = write!(into, "</{name}>");
        Ok(())
    }
}

fn scalar(value: &Value) -> Result<String, Uncomposable> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    // XML 1.0 §2.2 has no way to write these.
    if text.chars().any(
        |it| matches!(it, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}'),
    ) {
        return Err(Uncomposable::Value("XML cannot hold this control character".to_owned()));
    }
    Ok(text)
}

/// Text as character data or the value of an attribute.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\r' => escaped.push_str("&#13;"),
            _ => escaped.push(letter),
        }
    }
    escaped
}

fn is_name(text: &str) -> bool {
    let mut letters = text.chars();
    letters.next().is_some_and(|it| it.is_alphabetic() || it == '_')
        && letters.all(|it| it.is_alphanumeric() || matches!(it, '_' | '-' | '.'))
}

/// A schema behind its references and the alternative that is not null.
fn resolve<'s>(root: &'s Value, schema: &'s Value) -> &'s Value {
    let mut at = schema;
    for _ in 0..REFERENCES_MAX {
        let next = match at.get("$ref").and_then(Value::as_str) {
            Some(reference) => root.pointer(reference.trim_start_matches('#')),
            None => at.get("anyOf").and_then(Value::as_array).and_then(|it| it.first()),
        };
        match next {
            Some(next) => at = next,
            None => return at,
        }
    }
    at
}

/// The content of an element by its schema.
pub(super) fn read(root: &Value, schema: &Value, element: &Element) -> Value {
    let schema = resolve(root, schema);
    let is_nil = element.attributes.iter().any(|(namespace, name, value)| {
        namespace == XSI && name == "nil" && matches!(value.as_str(), "true" | "1")
    });
    if is_nil {
        return Value::Null;
    }
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
        return match schema.get("type").and_then(Value::as_str) {
            Some(of) if element.children.is_empty() => typed(of, &element.text),
            Some(_) | None => plain(element),
        };
    };
    let mut members = Map::new();
    for (_, name, value) in element.attributes.iter().filter(|(namespace, ..)| namespace != XSI) {
        members.insert(format!("@{name}"), json!(value));
    }
    if let Some(of) = properties.get("#text") {
        let of = resolve(root, of).get("type").and_then(Value::as_str).unwrap_or("string");
        members.insert("#text".to_owned(), typed(of, &element.text));
    }
    for child in &element.children {
        let of = properties.get(&child.name).map(|it| resolve(root, it));
        let items = of
            .filter(|it| it.get("type").and_then(Value::as_str) == Some("array"))
            .and_then(|it| it.get("items"));
        match (items, members.get_mut(&child.name)) {
            (Some(items), Some(Value::Array(list))) => list.push(read(root, items, child)),
            (Some(items), _) => {
                members.insert(child.name.clone(), json!([read(root, items, child)]));
            }
            (None, _) => {
                members
                    .insert(child.name.clone(), of.map_or_else(|| plain(child), |of| read(root, of, child)));
            }
        }
    }
    Value::Object(members)
}

fn typed(of: &str, text: &str) -> Value {
    let trimmed = text.trim();
    match of {
        "boolean" if matches!(trimmed, "true" | "1") => Value::Bool(true),
        "boolean" if matches!(trimmed, "false" | "0") => Value::Bool(false),
        "integer" | "number" => serde_json::from_str(trimmed.trim_start_matches('+'))
            .ok()
            .filter(Value::is_number)
            .unwrap_or_else(|| json!(text)),
        _ => json!(text),
    }
}

/// An element without a schema: text, or an object of its children; what comes more than once is a list.
pub(super) fn plain(element: &Element) -> Value {
    if element.children.is_empty() {
        return json!(element.text);
    }
    let mut members = Map::new();
    for child in &element.children {
        let value = plain(child);
        match members.get_mut(&child.name) {
            Some(Value::Array(list)) => list.push(value),
            Some(first) => *first = json!([first.take(), value]),
            None => drop(members.insert(child.name.clone(), value)),
        }
    }
    Value::Object(members)
}
