//! The places in a schema where another schema stands. Everything else is data and must not be touched: a
//! property may well be called `format`.

use serde_json::{Map, Value};

/// How a subschema relates to the value its parent is applied to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Applies {
    /// To the same value: what it declares, the parent declares.
    InPlace,
    /// To a member or element of it.
    Below,
    /// To decide something: it may not be made stricter.
    AsTest,
}

/// Calls `visit` for every direct subschema.
pub(super) fn subschemas(schema: &mut Map<String, Value>, visit: &mut dyn FnMut(Applies, &mut Value)) {
    for (keyword, value) in schema {
        let (applies, shape) = match keyword.as_str() {
            "additionalProperties" | "unevaluatedProperties" | "items" | "unevaluatedItems" => {
                (Applies::Below, Shape::One)
            }
            "then" | "else" => (Applies::InPlace, Shape::One),
            "if" | "not" | "contains" | "propertyNames" | "contentSchema" => (Applies::AsTest, Shape::One),
            "properties" | "patternProperties" => (Applies::Below, Shape::Named),
            "dependentSchemas" => (Applies::InPlace, Shape::Named),
            "allOf" | "anyOf" | "oneOf" => (Applies::InPlace, Shape::List),
            "prefixItems" => (Applies::Below, Shape::List),
            _ => continue,
        };
        match (shape, value) {
            (Shape::One, value) => visit(applies, value),
            (Shape::Named, Value::Object(named)) => named.values_mut().for_each(|it| visit(applies, it)),
            (Shape::List, Value::Array(list)) => list.iter_mut().for_each(|it| visit(applies, it)),
            (Shape::Named | Shape::List, _) => {}
        }
    }
}

#[derive(Clone, Copy)]
enum Shape {
    One,
    Named,
    List,
}

/// Calls `visit` for every schema below `schema`, itself included, parents after their children.
pub(super) fn every(schema: &mut Value, visit: &mut dyn FnMut(&mut Map<String, Value>)) {
    if let Value::Object(map) = schema {
        subschemas(map, &mut |_, child| every(child, visit));
        visit(map);
    }
}

/// The name in `$defs` that a bundled reference points at.
pub(crate) fn definition(reference: &str) -> Option<&str> {
    reference.strip_prefix("#/$defs/").filter(|name| !name.contains('/'))
}
