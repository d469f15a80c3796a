//! Schemas that inherit: a base with a discriminator stands for every schema that has it in its `allOf`.
//!
//! The base then becomes two definitions: `Pet`, one of the heirs or a plain pet, decided by the tag; and
//! `Pet.base`, what every heir has in common. Heirs refer to the latter, or the two would refer to each other
//! without end. The same untying is done for a base that lists its heirs in its own `oneOf`.

use hashbrown::{HashMap, HashSet};
use serde_json::{Map, Value, json};

use super::DEFS;
use crate::{
    model::DISCRIMINATOR,
    openapi::{node::Node, reader::Reader, reference},
};

/// A schema that has another in its `allOf`.
#[derive(Clone)]
pub(super) struct Heir<'a> {
    name: &'a str,
    node: Node<'a>,
}

impl<'a> Reader<'a> {
    /// The value of a definition: where it is a base with a discriminator and no alternatives of its own, it
    /// becomes its heirs' alternatives.
    pub(super) fn with_heirs(&mut self, index: usize, node: &Node<'a>, value: Value) -> Value {
        let Some(found) = node.get("discriminator") else { return value };
        if node.value.get("oneOf").is_some() || node.value.get("anyOf").is_some() {
            return value;
        }
        let Some(property) = found.value.as_str().or_else(|| found.text("propertyName")) else {
            self.warn(&found, "`discriminator` needs a `propertyName`: it is left out");
            return value;
        };
        let heirs = self.descendants(node);
        if heirs.is_empty() {
            return value;
        }
        let base = self.add_base(index, value);
        let mut alternatives = Vec::with_capacity(heirs.len() + 1);
        let mut mapping = Map::new();
        for heir in heirs {
            let child = self.define(&heir.node);
            let text = self.reference_to(child);
            alternatives.push(json!({"$ref": text}));
            mapping.insert(heir.name.to_owned(), Value::String(text));
        }
        let own = self.reference_to(base);
        alternatives.push(json!({"$ref": own}));
        if let Some(name) = node.pointer.rsplit('/').next() {
            mapping.insert(name.to_owned(), Value::String(own.clone()));
        }
        self.explicit_mapping(node, &found, &mut mapping);
        // A value mapped to the base itself means the plain one, not the choice among heirs again.
        let itself = self.reference_to(index);
        for target in mapping.values_mut().filter(|it| **it == itself) {
            *target = Value::String(own.clone());
        }
        json!({"anyOf": alternatives, DISCRIMINATOR: {"property": property, "mapping": mapping}})
    }

    /// Lets heirs refer to what their base says of itself.
    pub(super) fn untie(&mut self) {
        self.split_alternatives();
        let bases: HashMap<String, String> = self
            .schemas
            .bases
            .iter()
            .map(|(whole, base)| (self.reference_to(*whole), self.reference_to(*base)))
            .collect();
        if bases.is_empty() {
            return;
        }
        for definition in &mut self.schemas.definitions {
            if !is_component(&definition.pointer) {
                continue;
            }
            let parts = definition.value.get_mut("allOf").and_then(Value::as_array_mut);
            for part in parts.into_iter().flatten() {
                if let Some(Value::String(text)) = part.get_mut("$ref")
                    && let Some(base) = bases.get(text.as_str())
                {
                    text.clone_from(base);
                }
            }
        }
    }

    /// Gives a base to every definition whose own alternatives have it in their `allOf`.
    fn split_alternatives(&mut self) {
        let mut split = Vec::new();
        for (index, definition) in self.schemas.definitions.iter().enumerate() {
            let itself = self.reference_to(index);
            let refers_back = |alternative: &Value| {
                let name =
                    alternative.get("$ref").and_then(Value::as_str).and_then(|it| it.strip_prefix(DEFS));
                let heir = name.and_then(|it| self.schemas.by_name.get(it));
                let parts = heir
                    .and_then(|it| self.schemas.definitions.get(*it))
                    .and_then(|it| it.value.get("allOf"));
                let mut parts = parts.and_then(Value::as_array).into_iter().flatten();
                parts.any(|it| it.get("$ref").and_then(Value::as_str) == Some(itself.as_str()))
            };
            let mut alternatives = ["oneOf", "anyOf"]
                .iter()
                .filter_map(|key| definition.value.get(key).and_then(Value::as_array))
                .flatten();
            if !self.schemas.bases.contains_key(&index) && alternatives.any(refers_back) {
                split.push((index, definition.value.clone()));
            }
        }
        for (index, mut value) in split {
            if let Value::Object(members) = &mut value {
                members.retain(|key, _| !matches!(key.as_str(), "oneOf" | "anyOf" | DISCRIMINATOR));
            }
            self.add_base(index, value);
        }
    }

    fn add_base(&mut self, index: usize, value: Value) -> usize {
        static NOTHING: Value = Value::Null;
        let (file, pointer, name) = match self.schemas.definitions.get(index) {
            Some(it) => (it.file, it.pointer.clone(), it.name.clone()),
            None => (0, String::new(), "schema".into()),
        };
        let named = Node { file: 0, pointer: format!("/{name}.base"), value: &NOTHING };
        let base = self.add(value, &named, Vec::new());
        if let Some(definition) = self.schemas.definitions.get_mut(base) {
            // It stands where the whole stands.
            definition.file = file;
            definition.pointer = pointer;
        }
        self.schemas.bases.insert(index, base);
        base
    }

    fn reference_to(&self, index: usize) -> String {
        format!("{DEFS}{}", self.schemas.definitions.get(index).map_or("", |it| &it.name))
    }

    /// Everything that inherits from the node, at whatever distance.
    fn descendants(&mut self, node: &Node<'a>) -> Vec<Heir<'a>> {
        if self.schemas.heirs.is_none() {
            self.schemas.heirs = Some(self.find_heirs());
        }
        let Some(heirs) = &self.schemas.heirs else { return Vec::new() };
        let mut found: Vec<Heir<'a>> = Vec::new();
        let mut seen: HashSet<usize> = HashSet::new();
        seen.insert(node.address());
        let mut next = vec![node.address()];
        while let Some(address) = next.pop() {
            for heir in heirs.get(&address).into_iter().flatten() {
                if seen.insert(heir.node.address()) {
                    next.push(heir.node.address());
                    found.push(heir.clone());
                }
            }
        }
        found
    }

    fn find_heirs(&self) -> HashMap<usize, Vec<Heir<'a>>> {
        let mut heirs: HashMap<usize, Vec<Heir<'a>>> = HashMap::new();
        for (index, file) in self.files.all.iter().enumerate() {
            let root = Node { file: index, pointer: String::new(), value: &file.value };
            let components = root.get("components").and_then(|it| it.get("schemas"));
            for (name, node) in components.iter().chain(&root.get("definitions")).flat_map(Node::members) {
                for part in node.get("allOf").iter().flat_map(Node::items) {
                    let Some(text) = reference::reference(&part) else { continue };
                    if let Ok(target) = reference::target(self.files, index, text, 32) {
                        heirs.entry(target.address()).or_default().push(Heir { name, node: node.clone() });
                    }
                }
            }
        }
        heirs
    }
}

/// Whether a schema stands where schemas are given names: only those inherit, any other `allOf` of one reference
/// is a way to write something beside it.
fn is_component(pointer: &str) -> bool {
    ["/components/schemas/", "/definitions/"]
        .iter()
        .any(|prefix| pointer.strip_prefix(prefix).is_some_and(|name| !name.contains('/')))
}
