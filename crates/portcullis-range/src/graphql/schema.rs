//! The schema: one table, from which come SDL, introspection and the checks of a query.

use std::fmt::Write as _;

use serde_json::{Value, json};

/// A field: its name, its arguments with their types, its own type.
pub(crate) struct FieldOf {
    pub(crate) name: &'static str,
    pub(crate) arguments: &'static [(&'static str, &'static str)],
    pub(crate) kind: &'static str,
}

const fn field(
    name: &'static str,
    arguments: &'static [(&'static str, &'static str)],
    kind: &'static str,
) -> FieldOf {
    FieldOf { name, arguments, kind }
}

/// Object types and their fields.
pub(crate) const TYPES: &[(&str, &[FieldOf])] = &[
    (
        "Query",
        &[
            field("products", &[("search", "String"), ("first", "Int")], "[Product!]!"),
            field("product", &[("id", "ID!")], "Product"),
            field("order", &[("id", "ID!")], "Order"),
            field("me", &[], "User"),
            field("people", &[], "[User!]!"),
            field("notes", &[], "[Note!]!"),
            field("auditLog", &[], "[AuditEntry!]!"),
            field("ping", &[("host", "String!")], "String"),
            field("preview", &[("url", "String!")], "String"),
            field("share", &[("amount", "Int!"), ("divisor", "Int!")], "Int"),
        ],
    ),
    (
        "Mutation",
        &[
            field("login", &[("username", "String!"), ("password", "String!")], "Login"),
            field("writeNote", &[("text", "String!")], "Note"),
            field("setRole", &[("username", "String!"), ("role", "String!")], "User"),
        ],
    ),
    (
        "Product",
        &[
            field("id", &[], "ID!"),
            field("name", &[], "String!"),
            field("category", &[], "String!"),
            field("price", &[], "Float!"),
            field("related", &[], "[Product!]!"),
        ],
    ),
    (
        "User",
        &[
            field("id", &[], "ID!"),
            field("username", &[], "String!"),
            field("displayName", &[], "String"),
            field("role", &[], "String"),
            field("passwordHash", &[], "String"),
            field("orders", &[], "[Order!]!"),
        ],
    ),
    (
        "Order",
        &[
            field("id", &[], "ID!"),
            field("shippingAddress", &[], "String"),
            field("quantity", &[], "Int"),
            field("owner", &[], "User"),
        ],
    ),
    ("Note", &[field("id", &[], "ID!"), field("text", &[], "String!")]),
    ("AuditEntry", &[field("id", &[], "ID!"), field("text", &[], "String!")]),
    ("Login", &[field("token", &[], "String!")]),
];

const SCALARS: &[&str] = &["ID", "String", "Int", "Float", "Boolean"];

/// The fields of a type; none for scalars.
pub(crate) fn fields(kind: &str) -> Option<&'static [FieldOf]> {
    TYPES.iter().find(|(name, _)| *name == kind).map(|(_, fields)| *fields)
}

/// A type without its marks for lists and non-null.
pub(crate) fn bare(kind: &str) -> &str {
    kind.trim_matches(['[', ']', '!'])
}

/// The schema in SDL.
pub(crate) fn sdl() -> String {
    let mut out = String::new();
    for (name, fields) in TYPES {
        let _ = writeln!(out, "type {name} {{");
        for field in *fields {
            let arguments: Vec<String> =
                field.arguments.iter().map(|(name, kind)| format!("{name}: {kind}")).collect();
            let arguments =
                if arguments.is_empty() { String::new() } else { format!("({})", arguments.join(", ")) };
            let _ = writeln!(out, "  {}{arguments}: {}", field.name, field.kind);
        }
        out.push_str("}\n\n");
    }
    out
}

/// What `__schema` answers, whole.
pub(crate) fn introspection() -> Value {
    let objects = TYPES.iter().map(|(name, fields)| {
        let fields: Value = fields
            .iter()
            .map(|field| {
                let arguments: Value = field
                    .arguments
                    .iter()
                    .map(|(name, kind)| json!({"name": name, "description": null, "type": reference(kind), "defaultValue": null}))
                    .collect();
                json!({
                    "name": field.name, "description": null, "args": arguments, "type": reference(field.kind),
                    "isDeprecated": false, "deprecationReason": null
                })
            })
            .collect();
        described("OBJECT", name, fields, json!([]))
    });
    let scalars = SCALARS.iter().map(|name| described("SCALAR", name, Value::Null, Value::Null));
    let types: Value = objects.chain(scalars).collect();
    json!({
        "queryType": {"name": "Query", "kind": "OBJECT"}, "mutationType": {"name": "Mutation", "kind": "OBJECT"}, "subscriptionType": null,
        "description": null, "types": types, "directives": [
            {"name": "include", "description": null, "isRepeatable": false, "locations": ["FIELD"], "args": [
                {"name": "if", "description": null, "type": reference("Boolean!"), "defaultValue": null}
            ]},
            {"name": "skip", "description": null, "isRepeatable": false, "locations": ["FIELD"], "args": [
                {"name": "if", "description": null, "type": reference("Boolean!"), "defaultValue": null}
            ]}
        ]
    })
}

fn described(kind: &str, name: &str, fields: Value, interfaces: Value) -> Value {
    json!({
        "kind": kind, "name": name, "description": null, "specifiedByURL": null, "fields": fields,
        "interfaces": interfaces, "possibleTypes": null, "enumValues": null, "inputFields": null
    })
}

fn reference(kind: &str) -> Value {
    if let Some(inner) = kind.strip_suffix('!') {
        return json!({"kind": "NON_NULL", "name": null, "ofType": reference(inner)});
    }
    if let Some(inner) = kind.strip_prefix('[').and_then(|it| it.strip_suffix(']')) {
        return json!({"kind": "LIST", "name": null, "ofType": reference(inner)});
    }
    let sort = if SCALARS.contains(&kind) { "SCALAR" } else { "OBJECT" };
    json!({"kind": sort, "name": kind, "ofType": null})
}

/// The name nearest to a wrong one, if one is near.
pub(crate) fn nearest<'a>(wrong: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let near = names.map(|name| (distance(wrong, name), name)).min_by_key(|it| it.0)?;
    let bound = (wrong.chars().count() * 2 / 5).max(2);
    (near.0 <= bound).then_some(near.1)
}

/// Edits between two names (Levenshtein).
fn distance(one: &str, two: &str) -> usize {
    let two: Vec<char> = two.chars().collect();
    let mut row: Vec<usize> = (0..=two.len()).collect();
    for (at, character) in one.chars().take(100).enumerate() {
        let mut next = vec![at + 1];
        for ((other, above), diagonal) in two.iter().zip(row.iter().skip(1)).zip(row.iter()) {
            let left = next.last().copied().unwrap_or_default();
            next.push((above + 1).min(left + 1).min(diagonal + usize::from(*other != character)));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_sdl_and_finds_near_names() {
        assert!(sdl().contains("  products(search: String, first: Int): [Product!]!\n"));
        assert_eq!(nearest("prodcts", ["products", "people"].into_iter()), Some("products"));
        assert_eq!(nearest("zzzzzz", ["products", "people"].into_iter()), None);
        assert_eq!(reference("[Note!]!")["ofType"]["ofType"]["ofType"]["name"], "Note");
    }
}
