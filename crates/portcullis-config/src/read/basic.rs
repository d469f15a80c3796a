//! Reading of plain types and collections.

use std::{collections::BTreeMap, sync::Arc};

use portcullis_core::chain::Mode;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::Value as Json;

use super::{Read, Reader, one_of, word_schema};
use crate::{
    codes,
    source::{Origin, Span},
    yaml::{Node, Value},
};

/// A value that knows where it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// The place of its key.
    pub origin: Origin,
}

impl<T: Read> Read for Located<T> {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        Self::read_at(node.span, node, reader)
    }

    fn read_at(key: Span, node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let origin = reader.origin(key);
        T::read_at(key, node, reader).map(|value| Self { value, origin })
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        T::schema(generator)
    }
}

impl<T: Read> Read for Option<T> {
    const REQUIRED: bool = false;

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        T::read(node, reader).map(Some)
    }

    fn read_at(key: Span, node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        T::read_at(key, node, reader).map(Some)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        T::schema(generator)
    }
}

impl<T: Read> Read for Box<T> {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        T::read(node, reader).map(Box::new)
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        T::schema(generator)
    }
}

/// A list; a single value stands for a list of one.
impl<T: Read> Read for Vec<T> {
    const REQUIRED: bool = false;

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        match &node.value {
            Value::Null => reader.wrong_type(node, "a list"),
            Value::Scalar(_) | Value::Map(_) => T::read(node, reader).map(|it| vec![it]),
            Value::List(items) => {
                // Every item is read, so that every mistake is seen.
                let read: Vec<_> = items.iter().map(|item| T::read(item, reader)).collect();
                read.into_iter().collect()
            }
        }
    }

    fn absent() -> Option<Self> {
        Some(Self::new())
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        one_or_many(T::schema(generator))
    }
}

/// A list that is not empty; a single value stands for a list of one.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed<T>(pub Vec<T>);

impl<T> std::ops::Deref for Listed<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T: Read> Read for Listed<T> {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let items = Vec::read(node, reader)?;
        if items.is_empty() {
            reader.note(&codes::BAD_VALUE, node.span, "the list must not be empty");
            return None;
        }
        Some(Self(items))
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        one_or_many(T::schema(generator))
    }
}

/// A key whose value is read elsewhere: included documents are merged, and the short form of a listener has become
/// the listener `main`, before the configuration is read. Kept for its documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elsewhere<T>(std::marker::PhantomData<T>);

impl<T: Read> Read for Elsewhere<T> {
    const REQUIRED: bool = false;

    fn read(_: &Node, _: &mut Reader<'_>) -> Option<Self> {
        Some(Self(std::marker::PhantomData))
    }

    fn absent() -> Option<Self> {
        Some(Self(std::marker::PhantomData))
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        T::schema(generator)
    }
}

/// Definitions by name.
impl<T: Read> Read for BTreeMap<Arc<str>, T> {
    const REQUIRED: bool = false;

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let entries = match &node.value {
            Value::Map(entries) => entries.as_slice(),
            Value::Null => &[],
            Value::Scalar(_) | Value::List(_) => return reader.wrong_type(node, "a mapping of names"),
        };
        let mut map = Self::new();
        for entry in entries {
            reader.path.push(entry.key.clone());
            // What could not be read is left out; its mistakes are noted.
            if let Some(value) = T::read_at(entry.key_span, &entry.value, reader) {
                map.insert(entry.key.as_str().into(), value);
            }
            reader.path.pop();
        }
        Some(map)
    }

    fn absent() -> Option<Self> {
        Some(Self::new())
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object", "additionalProperties": T::schema(generator) })
    }
}

impl Read for Arc<str> {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let text = reader.scalar(node, "a text")?;
        if text.chars().any(char::is_control) {
            reader.note(&codes::BAD_VALUE, node.span, "the text holds a control character");
            return None;
        }
        Some(text.into())
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

impl Read for bool {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        match reader.scalar(node, "`true` or `false`")? {
            "true" => Some(true),
            "false" => Some(false),
            other => {
                let message =
                    format!("`{}` is neither `true` nor `false`", other.chars().take(80).collect::<String>());
                let meant = match other.to_ascii_lowercase().as_str() {
                    "yes" | "on" | "y" => Some("true"),
                    "no" | "off" | "n" => Some("false"),
                    _ => None,
                };
                match meant {
                    Some(word) => {
                        reader.advise(&codes::BAD_WORD, node.span, message, format!("write `{word}`"))
                    }
                    None => reader.note(&codes::BAD_WORD, node.span, message),
                }
                None
            }
        }
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "boolean" })
    }
}

impl Read for u32 {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        reader.parsed(node, "whole number", str::parse::<u32>)
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 0 })
    }
}

/// What a refusal does.
impl Read for Mode {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        one_of(node, &[("block", Self::Block), ("report", Self::Report), ("off", Self::Off)], reader)
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        word_schema(&[
            ("block", &["Refuse."]),
            ("report", &["Let pass and record what would have been refused."]),
            ("off", &["Do not look."]),
        ])
    }
}

/// The schema of a text with a form.
pub(crate) fn text_schema(description: &str, pattern: Option<&str>) -> Schema {
    let mut schema = json_schema!({ "type": "string", "title": description });
    if let Some(pattern) = pattern {
        schema.insert("pattern".to_owned(), Json::from(pattern));
    }
    schema
}

/// The schema of a list for which a single value may stand.
pub(crate) fn one_or_many(item: Schema) -> Schema {
    json_schema!({ "anyOf": [item.clone(), { "type": "array", "items": item }] })
}
