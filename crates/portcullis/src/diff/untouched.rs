//! Schemas that say the same in two documents, references included. Most schemas of a changed document did not
//! change, and to walk from each of thousands of operations through all that its schema refers to takes seconds.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// Where schemas lie in a bundle.
const DEFINITIONS: &str = "/$defs/";

/// The pointers (`/$defs/NAME`) at which both bundles hold the same, whatever is referred to included.
pub(super) fn untouched(old: &Value, new: &Value) -> BTreeSet<String> {
    let definitions = |bundle: &Value| bundle.get("$defs").and_then(Value::as_object).cloned();
    let (Some(old), Some(new)) = (definitions(old), definitions(new)) else { return BTreeSet::new() };
    let pointer = |name: &str| format!("{DEFINITIONS}{}", name.replace('~', "~0").replace('/', "~1"));
    let mut same = BTreeSet::new();
    let mut touched = Vec::new();
    let mut users: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, schema) in &old {
        let pointer = pointer(name);
        let mut references = Vec::new();
        if new.get(name) == Some(schema) && collect(schema, &mut references) {
            for reference in references {
                users.entry(reference).or_default().push(pointer.clone());
            }
            same.insert(pointer);
        } else {
            touched.push(pointer);
        }
    }
    // A reference to what neither holds is a change for all that is known.
    touched.extend(users.keys().filter(|it| !same.contains(*it)).cloned());
    while let Some(pointer) = touched.pop() {
        for user in users.remove(&pointer).unwrap_or_default() {
            if same.remove(&user) {
                touched.push(user);
            }
        }
    }
    same
}

/// Gathers the schemas that a schema refers to; whether all of them are whole schemas of the bundle.
fn collect(schema: &Value, found: &mut Vec<String>) -> bool {
    match schema {
        Value::Object(members) => members.iter().all(|(key, value)| match value {
            Value::String(reference) if key == "$ref" => {
                let pointer = reference.strip_prefix('#').filter(|it| it.starts_with(DEFINITIONS));
                found.extend(pointer.map(ToOwned::to_owned));
                pointer.is_some()
            }
            value => collect(value, found),
        }),
        Value::Array(items) => items.iter().all(|it| collect(it, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_change_touches_whatever_refers_to_it() {
        let bundle = |max: u32| {
            json!({ "$defs": {
                "leaf": { "maximum": max },
                "user": { "items": { "$ref": "#/$defs/leaf" } },
                "user/of": { "properties": { "a": { "$ref": "#/$defs/user" } } },
                "round": { "anyOf": [{ "$ref": "#/$defs/about" }] },
                "about": { "not": { "$ref": "#/$defs/round" } },
                "lost": { "$ref": "#/$defs/nowhere" },
                "inside": { "$ref": "#/elsewhere" },
            } })
        };
        let kept = |a: &Value, b: &Value| untouched(a, b).into_iter().collect::<Vec<_>>().join(" ");
        assert_eq!(kept(&bundle(1), &bundle(2)), "/$defs/about /$defs/round");
        let all = "/$defs/about /$defs/leaf /$defs/round /$defs/user /$defs/user~1of";
        assert_eq!(kept(&bundle(1), &bundle(1)), all);
        assert_eq!(kept(&json!({}), &bundle(1)), "");
    }
}
