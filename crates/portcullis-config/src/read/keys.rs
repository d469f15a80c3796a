//! Declares a mapping of the language once: the struct, how it is read, and its JSON Schema.

use schemars::{Schema, json_schema};
use serde_json::{Map, Value};

use super::fields::written_default;
use crate::{source::Span, yaml};

/// Declares structs whose fields are the keys of a mapping. A key is written
/// `name: Type = "default";` or, without a default, `name: Type => "example";`.
/// `..name: Type;` takes the keys of another declared struct into the same mapping.
macro_rules! keys {
    (
        $(#[doc = $doc:literal])*
        pub struct $name:ident {
            $(
                $(#[doc = $field_doc:literal])*
                $field:ident : $ty:ty $(= $default:literal)? $(=> $example:literal)? ;
            )*
            $( ..$(#[doc = $rest_doc:literal])* $rest:ident : $rest_ty:ty ; )?
        }
        $( later $later:expr ; )?
        $( refuse $refuse:expr ; )?
        $( check $check:path ; )?
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name {
            $( $(#[doc = $field_doc])* pub $field: $ty, )*
            $( $(#[doc = $rest_doc])* pub $rest: $rest_ty, )?
        }

        impl $name {
            #[allow(dead_code, reason = "each declared struct can be taken into another mapping; few are")]
            pub(crate) fn take(
                fields: &mut $crate::read::Fields<'_>,
                reader: &mut $crate::read::Reader<'_>,
            ) -> Option<Self> {
                $( let $field = fields.take::<$ty>(stringify!($field), keys!(@default $($default)?), reader); )*
                $( let $rest = <$rest_ty>::take(fields, reader); )?
                let it = Self { $( $field: $field?, )* $( $rest: $rest?, )? };
                $( if fields.whole() { $check(&it, fields, reader); } )?
                Some(it)
            }

            pub(crate) fn properties(
                object: &mut $crate::read::ObjectSchema,
                generator: &mut schemars::SchemaGenerator,
            ) {
                $(
                    let schema = <$ty as $crate::read::Read>::schema(generator);
                    $crate::read::add_property(
                        object,
                        stringify!($field),
                        &[$($field_doc),*],
                        schema,
                        keys!(@default $($default)?),
                        keys!(@default $($example)?),
                        <$ty as $crate::read::Read>::REQUIRED,
                    );
                )*
                $( <$rest_ty>::properties(object, generator); )?
            }
        }

        impl $crate::read::Read for $name {
            fn read(node: &$crate::yaml::Node, reader: &mut $crate::read::Reader<'_>) -> Option<Self> {
                Self::read_at(node.span, node, reader)
            }

            fn read_at(
                key: $crate::source::Span,
                node: &$crate::yaml::Node,
                reader: &mut $crate::read::Reader<'_>,
            ) -> Option<Self> {
                let mut fields = $crate::read::Fields::open(node, reader)?;
                fields.span = key;
                $( fields.later($later); )?
                $( fields.refuse($refuse); )?
                let it = Self::take(&mut fields, reader);
                fields.finish(reader);
                it
            }

            fn schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                generator.subschema_for::<Self>()
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let mut object = $crate::read::ObjectSchema::default();
                Self::properties(&mut object, generator);
                $crate::read::object_schema(&[$($doc),*], object)
            }
        }
    };
    (@default) => { None };
    (@default $default:literal) => { Some($default) };
}
pub(crate) use keys;

/// The properties of a mapping, gathered.
#[derive(Default)]
pub(crate) struct ObjectSchema {
    properties: Map<String, Value>,
    required: Vec<Value>,
}

/// Adds one key to the schema of a mapping.
pub(crate) fn add_property(
    object: &mut ObjectSchema,
    key: &str,
    doc: &[&str],
    mut schema: Schema,
    default: Option<&str>,
    example: Option<&str>,
    required: bool,
) {
    schema.insert("description".to_owned(), Value::from(sentence(doc)));
    if let Some(default) = default {
        schema.insert("default".to_owned(), plain(&written_default(default, Span::default())));
    }
    if let Some(example) = example {
        schema.insert(
            "examples".to_owned(),
            Value::from(vec![plain(&written_default(example, Span::default()))]),
        );
    }
    if required && default.is_none() {
        object.required.push(Value::from(key));
    }
    object.properties.insert(key.to_owned(), schema.to_value());
}

/// The schema of a mapping.
pub(crate) fn object_schema(doc: &[&str], object: ObjectSchema) -> Schema {
    let mut schema = json_schema!({ "type": "object", "description": sentence(doc) });
    schema.insert("properties".to_owned(), Value::Object(object.properties));
    if !object.required.is_empty() {
        schema.insert("required".to_owned(), Value::from(object.required));
    }
    schema.insert("additionalProperties".to_owned(), Value::from(false));
    schema
}

/// Doc comment lines as one paragraph.
pub(crate) fn sentence(doc: &[&str]) -> String {
    doc.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ")
}

/// A tree as JSON, for defaults and examples in the schema.
fn plain(node: &yaml::Node) -> Value {
    match &node.value {
        yaml::Value::Null => Value::Null,
        yaml::Value::Scalar(text) => match text.as_str() {
            "true" => Value::from(true),
            "false" => Value::from(false),
            // `1.3` must stay text: it is a word of the language.
            _ => text.parse::<u64>().map_or_else(|_| Value::from(text.as_str()), Value::from),
        },
        yaml::Value::List(items) => items.iter().map(plain).collect(),
        yaml::Value::Map(entries) => {
            let members = entries.iter().map(|entry| (entry.key.clone(), plain(&entry.value)));
            Value::Object(members.collect())
        }
    }
}
