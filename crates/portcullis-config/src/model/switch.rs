//! `off`, or how it is on.

use schemars::{Schema, SchemaGenerator, json_schema};

use crate::{
    read::{Read, Reader},
    source::Span,
    yaml::Node,
};

/// `off`, or the settings of what is on.
#[derive(Clone, Debug, PartialEq)]
pub enum Switch<T> {
    /// Not at work.
    Off,
    /// At work, like this.
    On(T),
}

impl<T> Switch<T> {
    /// The settings where it is on.
    pub fn on(&self) -> Option<&T> {
        match self {
            Self::Off => None,
            Self::On(it) => Some(it),
        }
    }
}

impl<T: Read> Read for Switch<T> {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        Self::read_at(node.span, node, reader)
    }

    fn read_at(key: Span, node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        match node.scalar() {
            Some("off") => Some(Self::Off),
            _ => T::read_at(key, node, reader).map(Self::On),
        }
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "const": "off" }, T::schema(generator)] })
    }
}
