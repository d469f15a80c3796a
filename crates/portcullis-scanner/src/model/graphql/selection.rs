//! What to ask for of a field's type: everything that ends in scalars within a bounded depth and needs no arguments.

use super::schema::{Schema, Type};

/// How many objects deep a selection goes.
const DEPTH_MAX: usize = 3;
/// Fields of one selection, all depths together.
const FIELDS_MAX: usize = 150;

/// The selection on a type, braces included; empty for a leaf.
pub(super) fn of(schema: &Schema, name: &str) -> String {
    let mut left = FIELDS_MAX;
    set(schema, name, &mut Vec::new(), &mut left).unwrap_or_default()
}

/// `None` for a leaf. The path of types from the root keeps cycles out and bounds the depth.
fn set<'s>(schema: &'s Schema, name: &'s str, path: &mut Vec<&'s str>, left: &mut usize) -> Option<String> {
    match schema.types.get(name) {
        Some(Type::Object(_)) => {
            let mut parts = object(schema, name, path, left);
            if parts.is_empty() {
                parts.push("__typename".to_owned());
            }
            Some(format!("{{ {} }}", parts.join(" ")))
        }
        Some(Type::Union(members)) => {
            let mut parts = vec!["__typename".to_owned()];
            let mut seen: Vec<(&str, String)> = Vec::new();
            for member in members.iter().take(20) {
                let inner = leaves(schema, member, &mut seen, left);
                if !inner.is_empty() {
                    parts.push(format!("... on {member} {{ {} }}", inner.join(" ")));
                }
            }
            Some(format!("{{ {} }}", parts.join(" ")))
        }
        Some(Type::Scalar | Type::Enum(_) | Type::Input(_)) | None => None,
    }
}

fn object<'s>(schema: &'s Schema, name: &'s str, path: &mut Vec<&'s str>, left: &mut usize) -> Vec<String> {
    let mut parts = Vec::new();
    path.push(name);
    // Leaves first: they are worth more than what is deep, should the bound be reached.
    let (leaves, deep): (Vec<_>, Vec<_>) =
        schema.fields(name).iter().filter(|field| field.is_free()).partition(|field| {
            !matches!(schema.types.get(field.of.name()), Some(Type::Object(_) | Type::Union(_)))
        });
    for field in leaves.into_iter().chain(deep) {
        let inner = field.of.name();
        if *left == 0 {
            break;
        }
        match schema.types.get(inner) {
            Some(Type::Object(_) | Type::Union(_)) => {
                if path.len() >= DEPTH_MAX || path.contains(&inner) {
                    continue;
                }
                *left -= 1;
                if let Some(selection) = set(schema, inner, path, left) {
                    parts.push(format!("{} {selection}", field.name));
                }
            }
            Some(Type::Scalar | Type::Enum(_) | Type::Input(_)) | None => {
                *left -= 1;
                parts.push(field.name.clone());
            }
        }
    }
    path.pop();
    parts
}

/// The leaves of one member of a union. A name that an earlier member has with another type cannot be asked for beside
/// it (§5.3.2).
fn leaves<'s>(
    schema: &'s Schema,
    name: &str,
    seen: &mut Vec<(&'s str, String)>,
    left: &mut usize,
) -> Vec<String> {
    let mut parts = Vec::new();
    for field in schema.fields(name).iter().filter(|field| field.is_free()) {
        let is_leaf = !matches!(schema.types.get(field.of.name()), Some(Type::Object(_) | Type::Union(_)));
        let of = field.of.to_string();
        let conflicts = seen.iter().any(|(own, other)| *own == field.name && *other != of);
        if *left == 0 || !is_leaf || conflicts {
            continue;
        }
        *left -= 1;
        seen.push((&field.name, of));
        parts.push(field.name.clone());
    }
    parts
}
