//! One schema of any version as JSON Schema 2020-12: what validates is kept, what describes is dropped, what is
//! written wrongly is repaired or left out with a warning.

use serde_json::{Map, Value};

use super::DEFS;
use crate::{
    model::SpecVersion,
    openapi::{
        node::{Node, kind},
        reader::Reader,
        reference,
    },
};

/// What is read as a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// A schema.
    Schema,
    /// A Swagger 2.0 parameter, whose `required` is its own and no list of properties.
    SwaggerParameter,
}

/// Whether a keyword only describes.
pub(super) fn is_annotation(key: &str) -> bool {
    matches!(
        key,
        "title"
            | "description"
            | "default"
            | "example"
            | "examples"
            | "externalDocs"
            | "xml"
            | "deprecated"
            | "$comment"
            | "$schema"
            | "$id"
            | "$anchor"
            | "$dynamicAnchor"
            | "$defs"
            | "definitions"
            | "summary"
    ) || key.starts_with("x-")
}

/// Keywords that count something.
const COUNTS: [&str; 8] = [
    "maxLength",
    "minLength",
    "maxItems",
    "minItems",
    "maxProperties",
    "minProperties",
    "maxContains",
    "minContains",
];

/// Keywords of one schema each.
const SINGLE: [&str; 8] =
    ["not", "if", "then", "else", "contains", "propertyNames", "unevaluatedItems", "unevaluatedProperties"];

impl<'a> Reader<'a> {
    pub(super) fn normalise(&mut self, node: &Node<'a>, role: Role) -> Value {
        self.schemas.nodes += 1;
        if self.schemas.nodes > self.options.limits.nodes_max {
            self.spoil(node, "the schemas of the document have too many nodes", None);
            return Value::Bool(false);
        }
        match node.value {
            Value::Object(members) => self.normalise_object(node, members, role),
            Value::Bool(all) => Value::Bool(*all),
            Value::Null => {
                self.warn(node, "a schema without content: everything is accepted");
                Value::Bool(true)
            }
            other => {
                self.spoil(node, format!("a schema must be an object, not {}", kind(other)), None);
                Value::Bool(false)
            }
        }
    }

    fn normalise_object(&mut self, node: &Node<'a>, members: &'a Map<String, Value>, role: Role) -> Value {
        let mut out = Map::new();
        let nullable = self.schema_flag(node, "nullable") || self.schema_flag(node, "x-nullable");
        let refers = reference::reference(node);
        if let Some(text) = refers {
            out.insert("$ref".to_owned(), self.refer(node, text));
        }
        // Before 3.1, what stands beside a reference says nothing, but everybody means these three.
        let alone = refers.is_some() && self.version != SpecVersion::OpenApi31;
        let mut null_fits = !nullable;
        if !alone {
            null_fits = self.types(node, nullable, &mut out);
            self.limits(node, &mut out);
            for (key, value) in members {
                self.keyword(node, key, value, role, &mut out);
            }
            self.discriminator(node, &mut out);
            if self.options.keep_examples {
                keep_examples(members, &mut out);
            }
        }
        let out = if null_fits || !nullable {
            out
        } else {
            let mut wrapped = Map::new();
            let null = Value::Object(Map::from_iter([("type".to_owned(), Value::from("null"))]));
            wrapped.insert("anyOf".to_owned(), Value::Array(vec![Value::Object(out), null]));
            wrapped
        };
        let mut out = out;
        for key in ["readOnly", "writeOnly"] {
            if self.schema_flag(node, key) {
                out.insert(key.to_owned(), Value::Bool(true));
            }
        }
        Value::Object(out)
    }

    /// A reference to the definition that `text` leads to.
    fn refer(&mut self, node: &Node<'a>, text: &str) -> Value {
        let target = reference::target(self.files, node.file, text, 32)
            .and_then(|target| Ok(self.pure_target(&target)?.unwrap_or(target)));
        match target {
            Ok(target) => {
                let index = self.define(&target);
                let name = self.schemas.definitions.get(index).map_or("", |it| &it.name);
                Value::String(format!("{DEFS}{name}"))
            }
            Err(dangling) => {
                self.spoil(node, dangling.message, dangling.hint);
                Value::from(DEFS)
            }
        }
    }

    fn keyword(
        &mut self,
        node: &Node<'a>,
        key: &str,
        value: &'a Value,
        role: Role,
        out: &mut Map<String, Value>,
    ) {
        match key {
            "format" => match value {
                Value::String(_) => drop(out.insert(key.to_owned(), value.clone())),
                other => self.leave_out(node, key, value, &format!("must be a string, not {}", kind(other))),
            },
            "pattern" => match value {
                Value::String(pattern) => {
                    if let Some(usable) = self.pattern(&node.child(key, value), pattern) {
                        out.insert(key.to_owned(), Value::String(usable));
                    }
                }
                other => self.leave_out(node, key, value, &format!("must be a string, not {}", kind(other))),
            },
            "const" => drop(out.insert(key.to_owned(), value.clone())),
            "uniqueItems" => match value {
                Value::Bool(_) => drop(out.insert(key.to_owned(), value.clone())),
                other => {
                    self.leave_out(node, key, value, &format!("must be true or false, not {}", kind(other)))
                }
            },
            "required" if role == Role::SwaggerParameter => {}
            "required" => self.required(node, value, out),
            "properties" | "patternProperties" | "dependentSchemas" => self.schema_map(node, key, value, out),
            "allOf" | "anyOf" | "oneOf" | "prefixItems" => self.schema_list(node, key, value, out),
            "items" => self.items(node, value, out),
            "additionalProperties" => match value {
                Value::Bool(_) | Value::Object(_) => {
                    let inner = self.normalise(&node.child(key, value), Role::Schema);
                    out.insert(key.to_owned(), inner);
                }
                other => {
                    self.leave_out(
                        node,
                        key,
                        value,
                        &format!("must be a schema or a boolean, not {}", kind(other)),
                    );
                }
            },
            "dependentRequired" | "dependencies" => self.dependencies(node, key, value, out),
            "$dynamicRef" | "$recursiveRef" => {
                let place = node.child(key, value);
                self.warn(&place, format!("`{key}` is read as `$ref`: its dynamic scope is not followed"));
                if let Some(text) = value.as_str() {
                    let target = self.refer(&place, text);
                    let inner = Value::Object(Map::from_iter([("$ref".to_owned(), target)]));
                    conjoin(out, inner);
                }
            }
            key if SINGLE.contains(&key) => {
                let inner = self.normalise(&node.child(key, value), Role::Schema);
                out.insert(key.to_owned(), inner);
            }
            key if COUNTS.contains(&key) => self.count(node, key, out),
            _ => self.unknown_keyword(node, key, value),
        }
    }

    fn required(&mut self, node: &Node<'a>, value: &'a Value, out: &mut Map<String, Value>) {
        let names: Vec<&str> = match value {
            Value::Array(items) => {
                if items.iter().any(|it| !it.is_string()) {
                    let place = node.child("required", value);
                    self.warn(&place, "`required` lists names: what is no string is left out");
                }
                items.iter().filter_map(Value::as_str).collect()
            }
            Value::String(name) => {
                let place = node.child("required", value);
                self.warn(&place, "`required` must be an array: it is read as a list of this one");
                vec![name]
            }
            other => {
                let wrong = format!("must be an array of property names, not {}", kind(other));
                return self.leave_out(node, "required", value, &wrong);
            }
        };
        let mut list: Vec<Value> = Vec::with_capacity(names.len());
        for name in names {
            if !list.iter().any(|it| it == name) {
                list.push(Value::from(name));
            }
        }
        if !list.is_empty() {
            out.insert("required".to_owned(), Value::Array(list));
        }
    }

    fn schema_map(&mut self, node: &Node<'a>, key: &str, value: &'a Value, out: &mut Map<String, Value>) {
        let Value::Object(members) = value else {
            return self.leave_out(node, key, value, &format!("must be an object, not {}", kind(value)));
        };
        let place = node.child(key, value);
        let mut schemas = Map::new();
        for (name, schema) in members {
            let child = place.child(name, schema);
            let name = if key == "patternProperties" {
                let Some(usable) = self.pattern(&child, name) else { continue };
                usable
            } else {
                name.clone()
            };
            let schema = self.normalise(&child, Role::Schema);
            schemas.insert(name, schema);
        }
        out.insert(key.to_owned(), Value::Object(schemas));
    }

    fn schema_list(&mut self, node: &Node<'a>, key: &str, value: &'a Value, out: &mut Map<String, Value>) {
        let place = node.child(key, value);
        let schemas: Vec<Value> = match value {
            Value::Array(_) => place.items().map(|it| self.normalise(&it, Role::Schema)).collect(),
            Value::Object(_) => {
                self.warn(&place, format!("`{key}` must be an array: it is read as a list of this one"));
                vec![self.normalise(&place, Role::Schema)]
            }
            other => {
                return self.leave_out(node, key, value, &format!("must be an array, not {}", kind(other)));
            }
        };
        if schemas.is_empty() {
            return self.leave_out(node, key, value, "is empty");
        }
        if key == "allOf" {
            schemas.into_iter().for_each(|schema| conjoin(out, schema));
        } else {
            out.insert(key.to_owned(), Value::Array(schemas));
        }
    }

    fn items(&mut self, node: &Node<'a>, value: &'a Value, out: &mut Map<String, Value>) {
        let place = node.child("items", value);
        match value {
            Value::Array(items) if items.is_empty() => self.leave_out(node, "items", value, "is empty"),
            Value::Array(_) => {
                self.warn(&place, "`items` must be a schema: a list of them is read as `prefixItems`");
                let schemas = place.items().map(|it| self.normalise(&it, Role::Schema)).collect();
                out.insert("prefixItems".to_owned(), Value::Array(schemas));
            }
            _ => {
                let schema = self.normalise(&place, Role::Schema);
                out.insert("items".to_owned(), schema);
            }
        }
    }

    /// `dependentRequired`, and `dependencies` of JSON Schema before 2019-09, which may hold schemas too.
    fn dependencies(&mut self, node: &Node<'a>, key: &str, value: &'a Value, out: &mut Map<String, Value>) {
        let place = node.child(key, value);
        let mut names = Map::new();
        for (name, dependency) in place.members() {
            if dependency.value.is_array() {
                let mut list: Vec<Value> = Vec::new();
                for wanted in dependency.items().filter(|it| it.value.is_string()) {
                    if !list.contains(wanted.value) {
                        list.push(wanted.value.clone());
                    }
                }
                names.insert(name.to_owned(), Value::Array(list));
            } else if key == "dependencies" {
                let schema = self.normalise(&dependency, Role::Schema);
                let when = Value::Object(Map::from_iter([("required".to_owned(), Value::from(vec![name]))]));
                conjoin(
                    out,
                    Value::Object(Map::from_iter([("if".to_owned(), when), ("then".to_owned(), schema)])),
                );
            } else {
                self.leave_out(node, key, value, "maps names to arrays of names");
            }
        }
        if !names.is_empty() {
            out.insert("dependentRequired".to_owned(), Value::Object(names));
        }
    }

    fn schema_flag(&mut self, node: &Node<'a>, key: &str) -> bool {
        node.value.get(key).is_some() && self.flag(node, key)
    }

    fn leave_out(&mut self, node: &Node<'a>, key: &str, value: &'a Value, wrong: &str) {
        let place = node.child(key, value);
        self.warn(&place, format!("`{key}` {wrong}: it is left out"));
    }

    /// A keyword in the wrong case is a mistake worth naming; any other unknown one says nothing, as the standard
    /// has it.
    fn unknown_keyword(&mut self, node: &Node<'a>, key: &str, value: &'a Value) {
        const KNOWN: [&str; 18] = [
            "type",
            "enum",
            "format",
            "pattern",
            "required",
            "properties",
            "items",
            "allOf",
            "anyOf",
            "oneOf",
            "additionalProperties",
            "nullable",
            "readOnly",
            "writeOnly",
            "maximum",
            "minimum",
            "uniqueItems",
            "multipleOf",
        ];
        let meant = KNOWN.iter().chain(&COUNTS).chain(&SINGLE).find(|it| it.eq_ignore_ascii_case(key));
        if let Some(meant) = meant.filter(|it| **it != key) {
            let place = node.child(key, value);
            self.warn(&place, format!("`{key}` is no keyword and says nothing: `{meant}` may be meant"));
        }
    }
}

/// Keeps what helps to make values and validates nothing.
fn keep_examples(members: &Map<String, Value>, out: &mut Map<String, Value>) {
    let mut examples: Vec<Value> = Vec::new();
    for key in ["example", "x-example"] {
        examples.extend(members.get(key).cloned());
    }
    if let Some(Value::Array(list)) = members.get("examples") {
        examples.extend(list.iter().cloned());
    }
    examples.retain(|it| !it.is_null());
    if !examples.is_empty() {
        out.insert("examples".to_owned(), Value::Array(examples));
    }
    for key in ["default", "xml", "contentMediaType"] {
        if let Some(value) = members.get(key) {
            out.insert(key.to_owned(), value.clone());
        }
    }
    if members.get("type").and_then(Value::as_str) == Some("file") {
        out.insert("format".to_owned(), Value::from("binary"));
    }
}

/// Adds a schema that must hold as well.
pub(super) fn conjoin(out: &mut Map<String, Value>, schema: Value) {
    match out.get_mut("allOf") {
        Some(Value::Array(all)) => all.push(schema),
        Some(_) | None => drop(out.insert("allOf".to_owned(), Value::Array(vec![schema]))),
    }
}
