//! GraphQL types as JSON Schema: what an argument takes, what an answer holds.

use serde_json::{Map, Value, json};

use super::schema::{Schema, Type, TypeRef};

/// Marks a field in an answer's schema that cannot be asked for without arguments.
pub(crate) const NEEDS_ARGUMENTS: &str = "x-needs-arguments";

/// Which way a value goes; types that go both ways have a schema for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// In a request: what may be left out is left out, never null.
    In,
    /// In an answer: null where the type allows it, and only what was asked for is there.
    Out,
}

impl Way {
    const fn prefix(self) -> &'static str {
        match self {
            Self::In => "input",
            Self::Out => "answer",
        }
    }
}

/// The JSON Schema of a type where it is used.
pub(super) fn used(schema: &Schema, of: &TypeRef, way: Way) -> Value {
    let (of, nullable) = match of {
        TypeRef::NonNull(inner) => (inner.as_ref(), false),
        TypeRef::Named(_) | TypeRef::List(_) => (of, way == Way::Out),
    };
    let inner = match of {
        TypeRef::List(item) => json!({"type": "array", "items": used(schema, item, way)}),
        TypeRef::NonNull(inner) => used(schema, inner, way),
        TypeRef::Named(name) => named(schema, name, way),
    };
    if nullable { or_null(inner) } else { inner }
}

fn or_null(schema: Value) -> Value {
    match schema.get("type").and_then(Value::as_str).map(str::to_owned) {
        Some(of) => {
            let mut schema = schema;
            if let Some(members) = schema.as_object_mut() {
                members.insert("type".to_owned(), json!([of, "null"]));
            }
            schema
        }
        None if schema == Value::Bool(true) => schema,
        None => json!({"anyOf": [schema, {"type": "null"}]}),
    }
}

fn named(schema: &Schema, name: &str, way: Way) -> Value {
    if matches!(
        schema.types.get(name),
        Some(Type::Object(_) | Type::Union(_) | Type::Enum(_) | Type::Input(_))
    ) {
        return json!({"$ref": format!("#/$defs/{}.{name}", way.prefix())});
    }
    match name {
        "Int" => json!({"type": "integer", "minimum": i32::MIN, "maximum": i32::MAX}),
        "Float" => json!({"type": "number"}),
        "Boolean" => json!({"type": "boolean"}),
        "String" => json!({"type": "string"}),
        // Servers take numbers for it too and some answer with them (§3.5.5 says text).
        "ID" if way == Way::Out => json!({"type": ["string", "integer", "null"]}),
        "ID" => json!({"type": "string"}),
        _ => scalar(name, way),
    }
}

/// What the name of a server's own scalar tells. In answers nothing is claimed of it.
fn scalar(name: &str, way: Way) -> Value {
    if way == Way::Out {
        return Value::Bool(true);
    }
    match name.to_ascii_lowercase().as_str() {
        "datetime" | "timestamp" | "isodatetime" => json!({"type": "string", "format": "date-time"}),
        "date" => json!({"type": "string", "format": "date"}),
        "time" => json!({"type": "string", "format": "time"}),
        "uuid" | "guid" => json!({"type": "string", "format": "uuid"}),
        "email" | "emailaddress" => json!({"type": "string", "format": "email"}),
        "url" | "uri" => json!({"type": "string", "format": "uri"}),
        "long" | "bigint" | "positiveint" | "nonnegativeint" | "int64" => json!({"type": "integer"}),
        "decimal" | "bigdecimal" | "double" => json!({"type": "number"}),
        _ => Value::Bool(true),
    }
}

/// `$defs` of all types that go this way.
pub(super) fn definitions(schema: &Schema, way: Way, into: &mut Map<String, Value>) {
    for (name, of) in &schema.types {
        let definition = match of {
            Type::Enum(values) => json!({"type": "string", "enum": values}),
            Type::Input(fields) if way == Way::In => {
                let mut properties = Map::new();
                for field in fields {
                    let mut own = used(schema, &field.of, way);
                    if let (Some(default), Some(members)) = (&field.default, own.as_object_mut()) {
                        members.insert("default".to_owned(), default.clone());
                    }
                    properties.insert(field.name.clone(), own);
                }
                let required: Vec<&str> =
                    fields.iter().filter(|it| it.is_required()).map(|it| it.name.as_str()).collect();
                json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
            }
            Type::Object(fields) if way == Way::Out => {
                let mut properties = Map::new();
                for field in fields {
                    let mut own = used(schema, &field.of, way);
                    if let Some(members) = own.as_object_mut().filter(|_| !field.is_free()) {
                        // Whoever builds selections of these must leave it out.
                        members.insert(NEEDS_ARGUMENTS.to_owned(), Value::Bool(true));
                    }
                    properties.insert(field.name.clone(), own);
                }
                json!({"type": "object", "properties": properties})
            }
            Type::Union(members) if way == Way::Out => {
                let members: Vec<Value> = members.iter().map(|name| named(schema, name, way)).collect();
                if members.is_empty() { Value::Bool(true) } else { json!({"anyOf": members}) }
            }
            Type::Scalar | Type::Input(_) | Type::Object(_) | Type::Union(_) => continue,
        };
        into.insert(format!("{}.{name}", way.prefix()), definition);
    }
}
