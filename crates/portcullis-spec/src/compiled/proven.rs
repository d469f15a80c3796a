//! What the schemas prove of values: a value that passed as an integer, a UUID, a date or one of a list can hold no
//! attack, so nothing needs to look for one.
//!
//! Proven is what follows from `properties`, `items` and `allOf` alone; alternatives prove nothing here.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::model::{Operation, ParameterLocation, SchemaRef};

/// Levels of a schema that are followed.
const DEPTH_MAX: usize = 12;
/// Schemas visited for one operation: a recursive document ends here.
const VISITS_MAX: usize = 4_000;
/// Places kept for one operation.
const PLACES_MAX: usize = 1_000;

/// The places of an operation whose values are proven harmless.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Proven {
    query: BTreeSet<Box<str>>,
    /// Steps by `/`; `*` is any item.
    body: BTreeSet<Box<str>>,
}

impl Proven {
    /// Reads an operation's schemas. A place of the body counts only if every media type of it proves it.
    pub(super) fn of(operation: &Operation, schemas: &Value) -> Self {
        let mut walk = Walk { schemas, visits: 0 };
        let mut proven = Self::default();
        for parameter in &operation.parameters {
            let proves = |schema: &SchemaRef| walk.proves(schemas.pointer(schema.pointer()), DEPTH_MAX);
            // Of an array or object the parts are what is sent.
            if parameter.location == ParameterLocation::Query
                && parameter.content.is_none()
                && parameter.schema.as_ref().is_some_and(proves)
            {
                proven.query.insert(parameter.name.as_str().into());
            }
        }
        let mut contents = operation.body.iter().flat_map(|body| &body.content).map(|media| {
            let mut places = BTreeSet::new();
            if let Some(schema) = &media.schema {
                walk.places(schemas.pointer(schema.pointer()), "", DEPTH_MAX, &mut places);
            }
            places
        });
        if let Some(first) = contents.next() {
            proven.body = contents.fold(first, |all, places| &all & &places);
        }
        proven
    }

    /// Whether the value of this query parameter is proven.
    pub(super) fn query(&self, name: &str) -> bool {
        self.query.contains(name)
    }

    /// Whether the value at this JSON pointer is proven.
    pub(super) fn body(&self, pointer: &str) -> bool {
        if self.body.is_empty() {
            return false;
        }
        if self.body.contains(pointer) {
            return true;
        }
        // Numbers are items of arrays; a member whose name is one is not taken for it, because its place was looked up
        // as it stands first and the schema names no items there.
        let generic = pointer.split('/').map(|step| match step.parse::<u32>() {
            Ok(_) => "*",
            Err(_) => step,
        });
        self.body.contains(generic.collect::<Vec<_>>().join("/").as_str())
    }
}

struct Walk<'a> {
    schemas: &'a Value,
    visits: usize,
}

impl<'a> Walk<'a> {
    fn resolve(&self, schema: Option<&'a Value>) -> Option<&'a Value> {
        let mut schema = schema?;
        for _ in 0..DEPTH_MAX {
            let Some(reference) = schema.get("$ref").and_then(Value::as_str) else { return Some(schema) };
            schema = self.schemas.pointer(reference.strip_prefix('#')?)?;
        }
        None
    }

    /// Whether a schema lets nothing pass but harmless scalars.
    fn proves(&mut self, schema: Option<&'a Value>, depth: usize) -> bool {
        self.visits += 1;
        if depth == 0 || self.visits > VISITS_MAX {
            return false;
        }
        let Some(schema) = self.resolve(schema) else { return false };
        let word = |key: &str| schema.get(key).and_then(Value::as_str);
        let listed = schema.get("enum").is_some_and(Value::is_array) || schema.get("const").is_some();
        let kind = match schema.get("type") {
            Some(Value::String(kind)) => matches!(kind.as_str(), "integer" | "number" | "boolean" | "null"),
            Some(Value::Array(kinds)) => kinds
                .iter()
                .all(|kind| matches!(kind.as_str(), Some("integer" | "number" | "boolean" | "null"))),
            _ => false,
        };
        let is_text = match schema.get("type") {
            Some(Value::String(kind)) => kind == "string",
            Some(Value::Array(kinds)) => {
                kinds.iter().all(|kind| matches!(kind.as_str(), Some("string" | "null")))
            }
            _ => false,
        };
        let formatted = is_text
            && matches!(word("format"), Some("uuid" | "date" | "date-time" | "time" | "ipv4" | "ipv6"));
        listed
            || kind
            || formatted
            || schema
                .get("allOf")
                .and_then(Value::as_array)
                .is_some_and(|all| all.iter().any(|part| self.proves(Some(part), depth - 1)))
    }

    /// The proven places below a schema.
    fn places(&mut self, schema: Option<&'a Value>, at: &str, depth: usize, places: &mut BTreeSet<Box<str>>) {
        if depth == 0 || self.visits > VISITS_MAX || places.len() >= PLACES_MAX {
            return;
        }
        if self.proves(schema, depth) {
            places.insert(at.into());
            return;
        }
        let Some(schema) = self.resolve(schema) else { return };
        for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let step = name.replace('~', "~0").replace('/', "~1");
            self.places(Some(property), &format!("{at}/{step}"), depth - 1, places);
        }
        if schema.get("prefixItems").is_none() {
            let items = schema.get("items").filter(|items| items.is_object());
            if items.is_some() {
                self.places(items, &format!("{at}/*"), depth - 1, places);
            }
        }
        for part in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            self.places(Some(part), at, depth - 1, places);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn places(schema: Value) -> Vec<String> {
        let schemas = json!({ "$defs": {
            "it": schema,
            "Id": { "type": "string", "format": "uuid" },
            "Tree": { "properties": { "id": { "$ref": "#/$defs/Id" }, "below": { "$ref": "#/$defs/Tree" } } },
        } });
        let mut found = BTreeSet::new();
        Walk { schemas: &schemas, visits: 0 }.places(schemas.pointer("/$defs/it"), "", 5, &mut found);
        found.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn follows_properties_items_and_all_of_alone() {
        assert_eq!(
            places(json!({ "properties": {
                "id": { "$ref": "#/$defs/Id" },
                "kind": { "enum": ["a", "b"] },
                "count": { "type": ["integer", "null"] },
                "note": { "type": "string" },
                "day": { "format": "date" },
                "any": { "oneOf": [{ "type": "integer" }, { "type": "string" }] },
                "lines": { "items": { "properties": { "at": { "type": "string", "format": "date-time" } } } },
                "a/b": { "allOf": [{ "maxLength": 3 }, { "const": "x" }] },
            } })),
            ["/a~1b", "/count", "/id", "/kind", "/lines/*/at"]
        );
        assert_eq!(places(json!({ "prefixItems": [{}], "items": { "type": "integer" } })), [""; 0]);
    }

    #[test]
    fn a_recursive_schema_ends() {
        assert_eq!(places(json!({ "$ref": "#/$defs/Tree" })).len(), 4);
        assert_eq!(places(json!({ "$ref": "#/$defs/it" })), [""; 0]);
    }

    #[test]
    fn an_item_is_found_by_its_number() {
        let proven = Proven { query: BTreeSet::new(), body: ["/lines/*/at".into()].into() };
        assert!(proven.body("/lines/17/at"));
        assert!(!proven.body("/lines/x/at"));
        assert!(!proven.body("/lines/17"));
    }
}
