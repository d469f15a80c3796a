//! Operations of an API that are set apart from the rest of it.

use std::collections::BTreeMap;

use schemars::{Schema, SchemaGenerator, json_schema};

use super::settings::Settings;
use crate::{
    codes,
    read::{Read, Reader},
    source::{Origin, Span},
    units::OperationKey,
    yaml::{Node, Value},
};

/// The settings of one operation, or of all operations with a tag.
#[derive(Clone, Debug, PartialEq)]
pub struct Operation {
    /// Where it is written, for a remark when the specification has no such operation.
    pub origin: Origin,
    pub(crate) span: Span,
    /// The settings.
    pub settings: Settings,
}

/// Settings by operation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Operations(pub BTreeMap<OperationKey, Operation>);

impl Read for Operations {
    const REQUIRED: bool = false;

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let entries = match &node.value {
            Value::Map(entries) => entries.as_slice(),
            Value::Null => &[],
            Value::Scalar(_) | Value::List(_) => return reader.wrong_type(node, "a mapping of operations"),
        };
        let mut map = BTreeMap::new();
        for entry in entries {
            let key = Node { span: entry.key_span, value: Value::Scalar(entry.key.clone()) };
            let key = OperationKey::read(&key, reader);
            reader.path.push(entry.key.clone());
            let settings = Settings::read(&entry.value, reader);
            reader.path.pop();
            let (Some(key), Some(settings)) = (key, settings) else { continue };
            let origin = reader.origin(entry.key_span);
            let written = key.to_string();
            if map.insert(key, Operation { origin, span: entry.key_span, settings }).is_some() {
                reader.note(&codes::DUPLICATE_KEY, entry.key_span, format!("`{written}` is given twice"));
            }
        }
        Some(Self(map))
    }

    fn absent() -> Option<Self> {
        Some(Self::default())
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object", "additionalProperties": Settings::schema(generator) })
    }
}
