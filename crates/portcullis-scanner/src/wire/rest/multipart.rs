//! `multipart/form-data` (RFC 7578).

use serde_json::Value;

use super::{form::style_of, parameter::text};
use crate::{
    model::{Kind, Model, kind},
    wire::Uncomposable,
};

/// Writes an object as the parts of a form; gives the boundary too, which stands nowhere in the parts.
pub(super) fn write(model: &Model, schema: &Value, value: &Value) -> Result<(String, Vec<u8>), Uncomposable> {
    let Some(members) = value.as_object() else {
        return Err(Uncomposable::Value("a multipart body must be an object".to_owned()));
    };
    let mut parts: Vec<(String, String)> = Vec::new();
    for (name, value) in members {
        let items = match value {
            Value::Array(items) => items.as_slice(),
            one => std::slice::from_ref(one),
        };
        for item in items {
            parts.push((head(model, schema, name, value, item), written(schema, name, item)));
        }
    }
    let boundary = boundary(&parts);
    let mut out = String::new();
    for (head, body) in &parts {
        out.push_str(&format!("--{boundary}\r\n{head}\r\n\r\n{body}\r\n"));
    }
    out.push_str(&format!("--{boundary}--\r\n"));
    Ok((boundary, out.into_bytes()))
}

fn head(model: &Model, schema: &Value, name: &str, whole: &Value, item: &Value) -> String {
    let name_text = quoted(name);
    let mut head = format!("Content-Disposition: form-data; name=\"{name_text}\"");
    let part = kind::member(model, schema, name);
    let of_items = || part.and_then(|it| kind::resolve(model, it).get("items"));
    let part_kind = match (whole, part) {
        (Value::Array(_), Some(_)) => of_items().map_or(Kind::Any, |it| kind::of(model, it)),
        (_, Some(part)) => kind::of(model, part),
        (_, None) => Kind::Any,
    };
    let declared = style_of(schema, name).and_then(|it| it.content);
    if part_kind == Kind::File {
        head.push_str(&format!("; filename=\"{name_text}.bin\""));
    }
    let media = match (declared, part_kind) {
        (Some(media), _) => Some(media),
        (None, Kind::File) => Some("application/octet-stream".to_owned()),
        (None, _) if item.is_object() || item.is_array() => Some("application/json".to_owned()),
        (None, _) => None,
    };
    if let Some(media) = media {
        head.push_str(&format!("\r\nContent-Type: {}", media.replace(['\r', '\n'], "")));
    }
    head
}

fn written(schema: &Value, name: &str, item: &Value) -> String {
    let json = style_of(schema, name).and_then(|it| it.content).is_some_and(|it| it.contains("json"));
    if json || item.is_object() || item.is_array() { item.to_string() } else { text(item) }
}

/// As browsers write a name (WHATWG HTML, multipart/form-data).
fn quoted(name: &str) -> String {
    name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

/// The first of a row of boundaries that is in no part.
fn boundary(parts: &[(String, String)]) -> String {
    let mut number = 0_u32;
    loop {
        let boundary = format!("portcullis-boundary-{number}");
        if !parts.iter().any(|(head, body)| head.contains(&boundary) || body.contains(&boundary)) {
            return boundary;
        }
        number = number.wrapping_add(1);
    }
}
