//! Request bodies: one type, in every media type that has it.

use portcullis_spec::{
    model::{Encoding, MediaTypeObject, Operation as Described},
    shown::ShownOperation,
};
use serde_json::{Map, Value, json};

use super::{EXAMPLES_MAX, schemas, style};
use crate::model::{Body, ENCODING, Model, Note, slots};

/// The body of an operation.
pub(super) fn body(
    model: &mut Model,
    described: &Described,
    shown: &ShownOperation,
    id: &str,
) -> Option<Body> {
    let declared = described.body.as_ref()?;
    let Some(chosen) = choose(&declared.content) else {
        return Some(Body {
            media: vec!["application/json".to_owned()],
            schema: Value::Bool(true),
            required: declared.required,
            examples: Vec::new(),
        });
    };
    // The chosen one first: it is what a call is written in unless it says otherwise.
    let mut media = vec![chosen.range.clone()];
    for other in declared.content.iter().filter(|it| it.range != chosen.range) {
        if other.schema == chosen.schema {
            media.push(other.range.clone());
        } else {
            model.notes.push(Note {
                place: described.pointer.clone(),
                text: format!(
                    "a body in `{}` is of another type than in `{}` and is not tried (`{id}`)",
                    other.range, chosen.range
                ),
            });
        }
    }
    let mut schema = match &chosen.schema {
        Some(it) => schemas::request(it),
        None => Value::Bool(true),
    };
    let mut values: Vec<Value> = Vec::new();
    let given =
        shown.bodies.iter().filter(|it| media.contains(&it.media)).map(|it| parsed(&it.value, &it.media));
    for value in given.chain(slots::shown_by(model, &schema)) {
        if values.len() < EXAMPLES_MAX && !values.contains(&value) {
            values.push(value);
        }
    }
    if let (Value::Object(members), Some(encoding)) = (&mut schema, encoding(&chosen.encoding)) {
        members.insert(ENCODING.to_owned(), encoding);
    }
    Some(Body { media, schema, required: declared.required, examples: values })
}

/// The media type to write in: JSON, then forms, then what comes first.
fn choose(content: &[MediaTypeObject]) -> Option<&MediaTypeObject> {
    let tests: [fn(&str) -> bool; 4] = [
        |it| it == "application/json",
        |it| it.ends_with("json") || it == "*/*" || it == "*" || it == "application/*",
        |it| it == "application/x-www-form-urlencoded",
        |it| it.starts_with("multipart/"),
    ];
    tests.iter().find_map(|test| content.iter().find(|it| test(&it.range))).or_else(|| content.first())
}

/// An example written as text in a media type that is JSON.
pub(super) fn parsed(value: &Value, media: &str) -> Value {
    match value {
        Value::String(text) if media.contains("json") && text.trim_start().starts_with(['{', '[']) => {
            serde_json::from_str(text).unwrap_or_else(|_| value.clone())
        }
        other => other.clone(),
    }
}

fn encoding(declared: &std::collections::BTreeMap<String, Encoding>) -> Option<Value> {
    let mut out = Map::new();
    for (name, it) in declared {
        let mut one = Map::new();
        if let Some(own) = it.style {
            one.insert("style".to_owned(), Value::from(style(own)));
            one.insert("explode".to_owned(), Value::Bool(it.explode));
        }
        if let Some(media) = it.content_types.first() {
            one.insert("content".to_owned(), Value::from(media.clone()));
        }
        if !one.is_empty() {
            out.insert(name.clone(), Value::Object(one));
        }
    }
    (!out.is_empty()).then(|| json!(out))
}
