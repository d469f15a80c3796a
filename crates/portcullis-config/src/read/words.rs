//! Declares a choice between words once: the enum, how it is read, and its JSON Schema.

use schemars::{Schema, json_schema};
use serde_json::Value;

use super::{Reader, suggest};
use crate::{codes, yaml::Node};

/// Declares enums whose variants are single words of the language.
macro_rules! words {
    (
        $(#[doc = $doc:literal])*
        pub enum $name:ident {
            $( $(#[doc = $variant_doc:literal])* $variant:ident = $word:literal, )*
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
        pub enum $name {
            $( $(#[doc = $variant_doc])* #[serde(rename = $word)] $variant, )*
        }

        impl $name {
            /// The word as it is written.
            pub const fn word(self) -> &'static str {
                match self {
                    $( Self::$variant => $word, )*
                }
            }
        }

        impl $crate::read::Read for $name {
            fn read(node: &$crate::yaml::Node, reader: &mut $crate::read::Reader<'_>) -> Option<Self> {
                $crate::read::one_of(node, &[$( ($word, Self::$variant) ),*], reader)
            }

            fn schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                $crate::read::word_schema(&[$( ($word, &[$($variant_doc),*]) ),*])
            }
        }
    };
}
pub(crate) use words;

/// Reads one of a few words.
pub(crate) fn one_of<T: Copy>(node: &Node, words: &[(&str, T)], reader: &mut Reader<'_>) -> Option<T> {
    let list = words.iter().map(|(word, _)| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    let text = reader.scalar(node, &format!("one of {list}"))?;
    if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
        return Some(*value);
    }
    let text: String = text.chars().take(80).collect();
    let message = format!("`{text}` is not one of {list}");
    match suggest::suggestion(&text, words.iter().map(|(word, _)| *word)) {
        Some(hint) => reader.advise(&codes::BAD_WORD, node.span, message, hint),
        None => reader.note(&codes::BAD_WORD, node.span, message),
    }
    None
}

/// The schema of a choice between words.
pub(crate) fn word_schema(words: &[(&str, &[&str])]) -> Schema {
    let choices: Vec<Value> = words
        .iter()
        .map(|(word, doc)| {
            let mut choice = json_schema!({ "const": *word });
            choice.insert("description".to_owned(), Value::from(super::sentence(doc)));
            choice.to_value()
        })
        .collect();
    json_schema!({ "oneOf": choices })
}
