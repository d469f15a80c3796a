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
        let mut explicit = Map::new();
        self.explicit_mapping(node, &found, &mut explicit);
        let mut complete = true;
        for alternative in alternatives.items() {
            let named = reference::reference(&alternative).and_then(|text| {
                Some((text.rsplit('/').next()?, self.definition_named(&alternative, text)?))
            });
            let target = named.map(|(name, target)| (name, Value::String(target)));
            complete &= target.as_ref().is_some_and(|(_, it)| explicit.values().any(|known| known == it));
            if let Some((name, target)) = target {
                mapping.insert(name.to_owned(), target);
            }
        }
        mapping.extend(explicit);
        let mut written = json!({"property": property, "mapping": mapping});
        if complete && let Value::Object(written) = &mut written {
            written.insert("complete".to_owned(), Value::Bool(true));
        }
        out.insert(DISCRIMINATOR.to_owned(), written);
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
