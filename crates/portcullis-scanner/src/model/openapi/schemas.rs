//! The two bundles of a description as one: `in.NAME` for what clients send, `out.NAME` for what the API answers.

use portcullis_spec::model::{Document, SchemaRef};
use serde_json::{Map, Value, json};

const DEFS: &str = "#/$defs/";

/// The schema of something sent.
pub(super) fn request(schema: &SchemaRef) -> Value {
    json!({"$ref": format!("{DEFS}in.{}", schema.name())})
}

/// The schema of something answered.
pub(super) fn answer(schema: &SchemaRef) -> Value {
    json!({"$ref": format!("{DEFS}out.{}", schema.name())})
}

/// One bundle of both.
pub(super) fn bundle(document: &Document) -> Value {
    let mut defs = Map::new();
    for (bundle, prefix) in [(&document.request_schemas, "in."), (&document.response_schemas, "out.")] {
        for (name, schema) in bundle.get("$defs").and_then(Value::as_object).into_iter().flatten() {
            let mut schema = schema.clone();
            rename(&mut schema, prefix);
            defs.insert(format!("{prefix}{name}"), schema);
        }
    }
    json!({ "$defs": defs })
}

/// Lets the references inside point to names with the prefix. The description's own depth bound bounds the walk.
fn rename(at: &mut Value, prefix: &str) {
    match at {
        Value::Object(members) => {
            for (key, value) in members {
                match (key.as_str(), value) {
                    ("examples" | "default" | "enum" | "const" | "xml", _) => {}
                    ("$ref", Value::String(text)) => moved(text, prefix),
                    ("mapping", Value::Object(targets)) => {
                        for target in targets.values_mut() {
                            if let Value::String(text) = target {
                                moved(text, prefix);
                            } else {
                                // A property that happens to have this name.
                                rename(target, prefix);
                            }
                        }
                    }
                    (_, value) => rename(value, prefix),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|it| rename(it, prefix)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn moved(text: &mut String, prefix: &str) {
    if let Some(name) = text.strip_prefix(DEFS) {
        *text = format!("{DEFS}{prefix}{name}");
    }
}
