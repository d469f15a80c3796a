//! Unknown fields refused: an object schema that declares properties and says nothing of others is closed.
//!
//! A definition that others are composed of (`allOf`) must stay open, or no composition would ever hold; the same
//! definition used as the schema of a whole value must be closed. So each that is used whole gets a closed twin.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::walk::{self, Applies};

/// Closes every definition's members, and makes the closed twins of `roots`, which are renamed in place.
pub(super) fn close(definitions: &mut Map<String, Value>, roots: &mut [String]) {
    let mut twins = Twins { open: definitions.clone(), wanted: Vec::new(), known: Map::new() };
    for definition in definitions.values_mut() {
        close_members(definition, &mut twins);
    }
    for root in roots {
        *root = twins.of(root);
    }
    while let Some((name, twin)) = twins.wanted.pop() {
        let mut schema = twins.open.get(&name).cloned().unwrap_or(Value::Bool(true));
        close_whole(&mut schema, &mut twins);
        definitions.insert(twin, schema);
    }
}

struct Twins {
    /// The definitions as they were.
    open: Map<String, Value>,
    /// Definition and twin, still to be made.
    wanted: Vec<(String, String)>,
    /// Twins by definition.
    known: Map<String, Value>,
}

impl Twins {
    /// The name of the closed twin.
    fn of(&mut self, name: &str) -> String {
        if let Some(Value::String(twin)) = self.known.get(name) {
            return twin.clone();
        }
        let mut twin = format!("{name}.closed");
        while self.open.contains_key(&twin) {
            twin.push('_');
        }
        self.known.insert(name.to_owned(), Value::from(twin.as_str()));
        self.wanted.push((name.to_owned(), twin.clone()));
        twin
    }
}

/// Closes what stands below a schema, not itself.
fn close_members(schema: &mut Value, twins: &mut Twins) {
    if let Value::Object(map) = schema {
        walk::subschemas(map, &mut |applies, child| match applies {
            Applies::Below => close_whole(child, twins),
            Applies::InPlace => close_members(child, twins),
            Applies::AsTest => {}
        });
    }
}

/// Closes a schema that a whole value must satisfy.
fn close_whole(schema: &mut Value, twins: &mut Twins) {
    close_members(schema, twins);
    let Value::Object(map) = schema else { return };
    if let (1, Some(Value::String(reference))) = (map.len(), map.get("$ref")) {
        if let Some(name) = walk::definition(reference) {
            let twin = twins.of(name);
            map.insert("$ref".into(), Value::from(format!("#/$defs/{twin}")));
        }
        return;
    }
    if map.contains_key("additionalProperties") || map.contains_key("unevaluatedProperties") {
        return;
    }
    let composed =
        ["$ref", "allOf", "anyOf", "oneOf", "if", "dependentSchemas"].iter().any(|it| map.contains_key(*it));
    if !composed {
        if map.get("properties").and_then(Value::as_object).is_some_and(|it| !it.is_empty()) {
            map.insert("additionalProperties".into(), Value::Bool(false));
        }
    } else if declares_properties(map, &twins.open, &mut HashSet::new()) {
        map.insert("unevaluatedProperties".into(), Value::Bool(false));
    }
}

/// Whether a schema, or any that applies in the same place, declares properties. Each definition is looked at
/// once, so a cycle of references ends.
fn declares_properties<'a>(
    map: &'a Map<String, Value>,
    open: &'a Map<String, Value>,
    seen: &mut HashSet<&'a str>,
) -> bool {
    if map.get("properties").and_then(Value::as_object).is_some_and(|it| !it.is_empty()) {
        return true;
    }
    if let Some(name) = map.get("$ref").and_then(Value::as_str).and_then(walk::definition)
        && seen.insert(name)
        && let Some(Value::Object(target)) = open.get(name)
        && declares_properties(target, open, seen)
    {
        return true;
    }
    let listed =
        ["allOf", "anyOf", "oneOf"].iter().filter_map(|keyword| map.get(*keyword)?.as_array()).flatten();
    let single = ["then", "else"].iter().filter_map(|keyword| map.get(*keyword));
    listed.chain(single).filter_map(Value::as_object).any(|it| declares_properties(it, open, seen))
}
