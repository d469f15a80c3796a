//! Who may call.

use std::sync::Arc;

use schemars::{Schema, SchemaGenerator, json_schema};

use super::provider::Provider;
use crate::{
    codes,
    read::{Listed, ProviderName, Read, Reader},
    yaml::{Node, Value},
};

/// Who may call.
#[derive(Clone, Debug, PartialEq)]
pub enum Auth {
    /// Whoever the specification's security admits.
    Spec,
    /// Everybody.
    Anonymous,
    /// Whoever one of the providers vouches for.
    Any {
        /// The providers, in the order they are tried.
        of: Vec<ProviderName>,
        /// Whether calls without any credential pass too; wrong credentials never do.
        or_anonymous: bool,
    },
    /// Whoever all of the providers vouch for; the first one says who it is.
    All {
        /// The providers.
        of: Vec<ProviderName>,
    },
}

impl Read for Auth {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        match &node.value {
            Value::Scalar(word) if word == "spec" => Some(Self::Spec),
            Value::Scalar(word) if word == "anonymous" => Some(Self::Anonymous),
            Value::Scalar(_) => {
                Some(Self::Any { of: vec![ProviderName::read(node, reader)?], or_anonymous: false })
            }
            Value::List(items) => any(node, items, reader),
            Value::Map(entries) => match entries.as_slice() {
                [only] if only.key == "any" => match &only.value.value {
                    Value::List(items) => any(&only.value, items, reader),
                    Value::Null | Value::Scalar(_) | Value::Map(_) => {
                        reader.wrong_type(&only.value, "a list of providers")
                    }
                },
                [only] if only.key == "all" => {
                    Listed::<ProviderName>::read(&only.value, reader).map(|Listed(of)| Self::All { of })
                }
                _ => {
                    // A provider in place of a name; it is named by where it stands.
                    let provider = Provider::read(node, reader)?;
                    let name = reader.here();
                    reader.inline_providers.push((name.clone(), provider));
                    Some(Self::Any { of: vec![ProviderName(name.into())], or_anonymous: false })
                }
            },
            Value::Null => {
                let message = "say who may call: a provider, `spec`, or `anonymous` for everybody";
                reader.note(&codes::BAD_VALUE, node.span, message);
                None
            }
        }
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        let names = json_schema!({ "type": "array", "items": { "type": "string" }, "minItems": 1 });
        let provider = Provider::schema(generator);
        json_schema!({ "anyOf": [
            { "type": "string", "title": "`spec`, `anonymous` or the name of a provider" },
            names,
            { "type": "object", "properties": { "any": names }, "required": ["any"], "additionalProperties": false },
            { "type": "object", "properties": { "all": names }, "required": ["all"], "additionalProperties": false },
            provider,
        ] })
    }
}

/// Reads a list of which one is enough; `anonymous` among them lets calls without a credential pass.
fn any(node: &Node, items: &[Node], reader: &mut Reader<'_>) -> Option<Auth> {
    let or_anonymous = items.iter().any(|item| item.scalar() == Some("anonymous"));
    let named = items.iter().filter(|item| item.scalar() != Some("anonymous"));
    let read: Vec<_> = named.map(|item| ProviderName::read(item, reader)).collect();
    let of: Vec<ProviderName> = read.into_iter().collect::<Option<_>>()?;
    if of.is_empty() {
        let message = "the list names no provider; write `anonymous` alone to let everybody call";
        reader.note(&codes::BAD_VALUE, node.span, message);
        return None;
    }
    Some(Auth::Any { of, or_anonymous })
}

impl std::fmt::Display for Auth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let list = |of: &[ProviderName]| of.iter().map(|it| Arc::clone(it)).collect::<Vec<_>>().join(", ");
        match self {
            Self::Spec => f.write_str("spec"),
            Self::Anonymous => f.write_str("anonymous"),
            Self::Any { of, or_anonymous: false } => write!(f, "[{}]", list(of)),
            Self::Any { of, or_anonymous: true } => write!(f, "[{}, anonymous]", list(of)),
            Self::All { of } => write!(f, "{{ all: [{}] }}", list(of)),
        }
    }
}
