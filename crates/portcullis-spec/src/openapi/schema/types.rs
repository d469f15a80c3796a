//! `type`, `enum` and `nullable`.

use serde_json::{Map, Value};

use crate::openapi::{
    node::{Node, kind},
    reader::Reader,
};

const TYPES: [&str; 7] = ["string", "number", "integer", "boolean", "array", "object", "null"];

impl<'a> Reader<'a> {
    /// Writes `type` and `enum`; null is added where `nullable` asks for it. Returns false when null cannot be
    /// let in that way, because other keywords of the same schema forbid it.
    pub(super) fn types(&mut self, node: &Node<'a>, nullable: bool, out: &mut Map<String, Value>) -> bool {
        let mut types = self.type_list(node);
        let mut values = self.enumeration(node, &types);
        if nullable {
            let composed = ["$ref", "allOf", "anyOf", "oneOf", "not", "const", "if"];
            if composed.iter().any(|key| node.value.get(key).is_some()) {
                write(types, values, out);
                return false;
            }
            if !types.is_empty() && !types.contains(&"null") {
                types.push("null");
            }
            if let Some(values) = &mut values
                && !values.contains(&Value::Null)
            {
                values.push(Value::Null);
            }
        }
        write(types, values, out);
        true
    }

    /// The types named; none where every type is accepted.
    fn type_list(&mut self, node: &Node<'a>) -> Vec<&'static str> {
        let Some(found) = node.value.get("type") else {
            return Vec::new();
        };
        let here = node.child("type", found);
        let mut types = Vec::new();
        let single = std::slice::from_ref(found);
        for value in found.as_array().map_or(single, Vec::as_slice) {
            let named = match value {
                Value::String(name) => self.type_name(&here, name),
                // YAML writes the type `null` and the value null alike.
                Value::Null if found.is_array() => Some("null"),
                _ => {
                    self.warn(&here, format!("`type` must be a string, not {}: it is left out", kind(value)));
                    None
                }
            };
            match named {
                Some(name) if types.contains(&name) => {}
                Some(name) => types.push(name),
                // One that accepts anything, or is not known, makes the others say nothing.
                None => return Vec::new(),
            }
        }
        types
    }

    fn type_name(&mut self, here: &Node<'a>, name: &str) -> Option<&'static str> {
        if let Some(known) = TYPES.iter().find(|it| **it == name) {
            return Some(known);
        }
        let lower = name.to_ascii_lowercase();
        let meant = match lower.as_str() {
            "any" | "file" | "" | "mixed" => {
                if lower != "file" {
                    self.warn(here, format!("type `{name}` is not known: every type is accepted"));
                }
                return None;
            }
            "int" | "int32" | "int64" | "long" => Some("integer"),
            "bool" => Some("boolean"),
            "float" | "double" | "decimal" => Some("number"),
            "str" | "text" | "uuid" | "date" | "datetime" | "date-time" => Some("string"),
            "list" => Some("array"),
            "map" => Some("object"),
            other => TYPES.iter().find(|it| **it == other).copied(),
        };
        match meant {
            Some(meant) => self.warn(here, format!("type `{name}` is not known: `{meant}` is taken")),
            None => self.warn(here, format!("type `{name}` is not known: every type is accepted")),
        }
        meant
    }

    fn enumeration(&mut self, node: &Node<'a>, types: &[&'static str]) -> Option<Vec<Value>> {
        let found = node.value.get("enum")?;
        let here = node.child("enum", found);
        let Some(values) = found.as_array() else {
            self.warn(&here, format!("`enum` must be an array, not {}: it is left out", kind(found)));
            return None;
        };
        if values.is_empty() {
            self.warn(&here, "`enum` is empty: it is left out");
            return None;
        }
        let mut repaired = false;
        let mut list: Vec<Value> = Vec::with_capacity(values.len());
        for value in values {
            let value = match (types, value) {
                // Unquoted in YAML: `enum: [1, 2]` of a string.
                (["string"] | ["string", "null"], Value::Number(_) | Value::Bool(_)) => {
                    repaired = true;
                    Value::String(value.to_string())
                }
                (["integer" | "number"] | ["integer" | "number", "null"], Value::String(text)) => {
                    match text.parse::<serde_json::Number>() {
                        Ok(number) => {
                            repaired = true;
                            Value::Number(number)
                        }
                        Err(_) => value.clone(),
                    }
                }
                _ => value.clone(),
            };
            if !list.contains(&value) {
                list.push(value);
            }
        }
        if repaired {
            self.warn(&here, "values of `enum` do not have the schema's `type`: they are converted");
        }
        Some(list)
    }
}

fn write(types: Vec<&'static str>, values: Option<Vec<Value>>, out: &mut Map<String, Value>) {
    match types.as_slice() {
        [] => {}
        [one] => drop(out.insert("type".to_owned(), Value::from(*one))),
        _ => drop(out.insert("type".to_owned(), Value::from(types))),
    }
    if let Some(values) = values {
        out.insert("enum".to_owned(), Value::Array(values));
    }
}
