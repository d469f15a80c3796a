//! Reads the answer to an introspection (GraphQL October 2021 §4).

use serde_json::Value;

use super::schema::{Argument, Field, Schema, Type, TypeRef, WRAPPERS_MAX};

/// What asks a server for its schema: no more than the model needs, so that servers of all ages answer it.
pub const INTROSPECTION: &str = "query IntrospectionQuery { __schema { queryType { name } mutationType { name } types { \
kind name fields(includeDeprecated: true) { name description isDeprecated args { ...InputValue } type { ...TypeRef } } \
inputFields { ...InputValue } enumValues(includeDeprecated: true) { name } possibleTypes { name } } } } \
fragment InputValue on __InputValue { name defaultValue type { ...TypeRef } } \
fragment TypeRef on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name \
ofType { kind name ofType { kind name ofType { kind name } } } } } } } }";

/// Types, and fields of one type, at most.
const MEMBERS_MAX: usize = 20_000;

/// The schema in an answer.
pub(super) fn read(answer: &Value) -> Option<Schema> {
    let root = ["/data/__schema", "/__schema", ""]
        .iter()
        .find_map(|at| answer.pointer(at).filter(|it| it.get("types").is_some()))?;
    let name_at = |at: &str| root.pointer(at).and_then(Value::as_str).map(str::to_owned);
    let mut schema = Schema {
        query: name_at("/queryType/name"),
        mutation: name_at("/mutationType/name"),
        ..Schema::default()
    };
    for it in list(root, "types") {
        let (Some(name), Some(kind)) = (text(it, "name"), text(it, "kind")) else { continue };
        if name.starts_with("__") {
            continue;
        }
        let of = match kind {
            "OBJECT" | "INTERFACE" => Type::Object(list(it, "fields").filter_map(field).collect()),
            "UNION" => Type::Union(names(it, "possibleTypes")),
            "ENUM" => Type::Enum(names(it, "enumValues")),
            "INPUT_OBJECT" => Type::Input(list(it, "inputFields").filter_map(argument).collect()),
            _ => Type::Scalar,
        };
        schema.types.insert(name.to_owned(), of);
    }
    Some(schema)
}

fn list<'v>(value: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> {
    value.get(name).and_then(Value::as_array).into_iter().flatten().take(MEMBERS_MAX)
}

fn text<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    value.get(name)?.as_str()
}

fn names(value: &Value, list_name: &str) -> Vec<String> {
    list(value, list_name).filter_map(|it| text(it, "name")).map(str::to_owned).collect()
}

fn field(value: &Value) -> Option<Field> {
    Some(Field {
        name: text(value, "name")?.to_owned(),
        arguments: list(value, "args").filter_map(argument).collect(),
        of: type_ref(value.get("type")?, 0)?,
        description: text(value, "description").unwrap_or_default().to_owned(),
        deprecated: value.get("isDeprecated").and_then(Value::as_bool).unwrap_or_default(),
    })
}

fn argument(value: &Value) -> Option<Argument> {
    let default = text(value, "defaultValue").map(|written| {
        // A default is written in GraphQL; what is no JSON is the name of an enumeration's value.
        serde_json::from_str(written).unwrap_or_else(|_| Value::from(written))
    });
    Some(Argument { name: text(value, "name")?.to_owned(), of: type_ref(value.get("type")?, 0)?, default })
}

fn type_ref(value: &Value, depth: usize) -> Option<TypeRef> {
    if depth > 2 * WRAPPERS_MAX {
        return None;
    }
    let inner = || type_ref(value.get("ofType")?, depth + 1).map(Box::new);
    match text(value, "kind")? {
        "NON_NULL" => Some(TypeRef::NonNull(inner()?)),
        "LIST" => Some(TypeRef::List(inner()?)),
        _ => Some(TypeRef::Named(text(value, "name")?.to_owned())),
    }
}
