//! Messages as JSON Schema, by the JSON mapping of proto3. 64-bit integers are numbers here: so are they read and
//! written by the wire.

use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value, json};

/// Messages of one description, at most; what is beyond is taken for anything.
const MESSAGES_MAX: usize = 20_000;

/// Which way a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// A request.
    In,
    /// An answer.
    Out,
}

/// What a message is referred to by.
pub(super) fn reference(message: &MessageDescriptor, way: Way) -> Value {
    known(message.full_name()).unwrap_or_else(|| json!({"$ref": format!("#/$defs/{}", name(message, way))}))
}

fn name(message: &MessageDescriptor, way: Way) -> String {
    let prefix = match way {
        Way::In => "input",
        Way::Out => "answer",
    };
    format!("{prefix}.{}", message.full_name())
}

/// Defines a message and all that it holds. A list of what is left to do, so that messages may hold each other.
pub(super) fn define(message: &MessageDescriptor, way: Way, into: &mut Map<String, Value>) {
    let mut left = vec![message.clone()];
    while let Some(message) = left.pop() {
        let name = name(&message, way);
        if known(message.full_name()).is_some() || into.contains_key(&name) || into.len() >= MESSAGES_MAX {
            continue;
        }
        let mut properties = Map::new();
        let mut required = Vec::new();
        for field in message.fields() {
            if field.is_required() {
                required.push(Value::from(field.json_name()));
            }
            properties.insert(field.json_name().to_owned(), self::field(&field, way, &mut left));
        }
        let open = way == Way::Out;
        into.insert(
            name,
            json!({"type": "object", "properties": properties, "required": required, "additionalProperties": open}),
        );
    }
}

fn field(field: &FieldDescriptor, way: Way, left: &mut Vec<MessageDescriptor>) -> Value {
    if field.is_map()
        && let Kind::Message(entry) = field.kind()
        && let Some(values) = entry.get_field(2)
    {
        return json!({"type": "object", "additionalProperties": kind(&values.kind(), way, left)});
    }
    let one = kind(&field.kind(), way, left);
    if field.is_list() { json!({"type": "array", "items": one}) } else { one }
}

fn kind(kind: &Kind, way: Way, left: &mut Vec<MessageDescriptor>) -> Value {
    match kind {
        Kind::Double | Kind::Float if way == Way::Out => json!({"type": ["number", "string"]}),
        Kind::Double | Kind::Float => json!({"type": "number"}),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => {
            json!({"type": "integer", "minimum": i32::MIN, "maximum": i32::MAX})
        }
        Kind::Uint32 | Kind::Fixed32 => json!({"type": "integer", "minimum": 0, "maximum": u32::MAX}),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => json!({"type": "integer"}),
        Kind::Uint64 | Kind::Fixed64 => json!({"type": "integer", "minimum": 0}),
        Kind::Bool => json!({"type": "boolean"}),
        Kind::String => json!({"type": "string"}),
        Kind::Bytes => {
            json!({"type": "string", "contentEncoding": "base64", "pattern": "^([A-Za-z0-9+/]{4}){0,8}$"})
        }
        // A number where the name is not known.
        Kind::Enum(_) if way == Way::Out => json!({"type": ["string", "integer"]}),
        Kind::Enum(of) => {
            let names: Vec<String> = of.values().map(|it| it.name().to_owned()).collect();
            json!({"type": "string", "enum": names})
        }
        Kind::Message(message) => {
            let reference = reference(message, way);
            if known(message.full_name()).is_none() {
                left.push(message.clone());
            }
            match way {
                Way::In => reference,
                Way::Out => json!({"anyOf": [reference, {"type": "null"}]}),
            }
        }
    }
}

/// Well-known messages have a JSON of their own.
fn known(name: &str) -> Option<Value> {
    let name = name.strip_prefix("google.protobuf.")?;
    Some(match name {
        "Timestamp" => json!({"type": "string", "format": "date-time"}),
        "Duration" => json!({"type": "string", "pattern": "^[0-9]{1,5}s$"}),
        "FieldMask" => json!({"type": "string", "pattern": "^[a-z]{1,12}$"}),
        "DoubleValue" | "FloatValue" => json!({"type": "number"}),
        "Int32Value" => json!({"type": "integer", "minimum": i32::MIN, "maximum": i32::MAX}),
        "UInt32Value" => json!({"type": "integer", "minimum": 0, "maximum": u32::MAX}),
        "Int64Value" => json!({"type": "integer"}),
        "UInt64Value" => json!({"type": "integer", "minimum": 0}),
        "BoolValue" => json!({"type": "boolean"}),
        "StringValue" | "BytesValue" => json!({"type": "string"}),
        "Struct" | "Any" | "Empty" => json!({"type": "object"}),
        "ListValue" => json!({"type": "array"}),
        "Value" | "NullValue" => Value::Bool(true),
        _ => return None,
    })
}
