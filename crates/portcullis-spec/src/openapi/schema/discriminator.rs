//! Discriminators: which of the alternatives a value is decides one of its properties.

use serde_json::{Map, Value, json};

use super::DEFS;
use crate::{
    model::DISCRIMINATOR,
    openapi::{node::Node, reader::Reader, reference},
};

impl<'a> Reader<'a> {
    /// Writes the discriminator of a `oneOf` or `anyOf`, implicit names resolved.
    pub(super) fn discriminator(&mut self, node: &Node<'a>, out: &mut Map<String, Value>) {
        let Some(found) = node.get("discriminator") else { return };
        let alternatives =
            ["oneOf", "anyOf"].iter().find_map(|key| node.get(key).filter(|it| it.value.is_array()));
        let Some(alternatives) = alternatives else { return };
        // Swagger 2.0 names the property and nothing else.
        let Some(property) = found.value.as_str().or_else(|| found.text("propertyName")) else {
            return self.warn(&found, "`discriminator` needs a `propertyName`: it is left out");
        };
        let mut mapping = Map::new();
        for alternative in alternatives.items() {
            let Some(text) = reference::reference(&alternative) else { continue };
            let (Some(name), Some(target)) =
                (text.rsplit('/').next(), self.definition_named(&alternative, text))
            else {
                continue;
            };
            mapping.insert(name.to_owned(), Value::String(target));
        }
        self.explicit_mapping(node, &found, &mut mapping);
        out.insert(DISCRIMINATOR.to_owned(), json!({"property": property, "mapping": mapping}));
    }

    /// Adds what `mapping` says to the names that hold without it.
    pub(super) fn explicit_mapping(
        &mut self,
        node: &Node<'a>,
        found: &Node<'a>,
        mapping: &mut Map<String, Value>,
    ) {
        let declared = found.get("mapping");
        for (value, target) in declared.iter().flat_map(Node::members) {
            let Some(text) = target.value.as_str() else {
                self.warn(&target, "`mapping` maps to schema names: this is left out");
                continue;
            };
            // A bare word is a name in the components, or else a file.
            let named = format!("#/components/schemas/{text}");
            let text = if !text.contains(['/', '#'])
                && reference::target(self.files, node.file, &named, 32).is_ok()
            {
                named.as_str()
            } else {
                text
            };
            match self.definition_named(&target, text) {
                Some(definition) => drop(mapping.insert(value.to_owned(), Value::String(definition))),
                None => self
                    .warn(&target, format!("`mapping` to `{text}`, which does not exist: this is left out")),
            }
        }
    }

    /// The definition that a reference leads to, as a reference to it.
    pub(super) fn definition_named(&mut self, node: &Node<'a>, text: &str) -> Option<String> {
        let target = reference::target(self.files, node.file, text, 32).ok()?;
        let target = self.pure_target(&target).ok()?.unwrap_or(target);
        let index = self.define(&target);
        self.schemas.definitions.get(index).map(|it| format!("{DEFS}{}", it.name))
    }
}
