//! A body in its media type.

use bytes::Bytes;
use serde_json::Value;

use super::{form, multipart, parameter::text, xml};
use crate::{
    model::{Model, Operation},
    wire::Uncomposable,
};

/// A body as it is sent.
pub(super) struct Written {
    /// For `Content-Type`.
    pub(super) media: String,
    pub(super) bytes: Bytes,
}

/// Writes the value in the media type asked for, or the operation's first, or as JSON.
pub(super) fn write(
    model: &Model,
    operation: Option<&Operation>,
    media: Option<&str>,
    value: &Value,
) -> Result<Written, Uncomposable> {
    let declared = operation.and_then(|it| it.body.as_ref());
    let media = media.or_else(|| declared.and_then(|it| it.media.first()).map(String::as_str));
    let media = concrete(media.unwrap_or("application/json"), value);
    let plain = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let schema = declared.map_or(&Value::Bool(true), |it| &it.schema);
    let (media, bytes) = match plain.as_str() {
        "application/x-www-form-urlencoded" => (media, form::write(schema, value).into_bytes()),
        it if it.starts_with("multipart/") => {
            let (boundary, bytes) = multipart::write(model, schema, value)?;
            (format!("{plain}; boundary={boundary}"), bytes)
        }
        "application/xml" | "text/xml" => (media, xml::write(model, schema, value).into_bytes()),
        it if it.ends_with("+xml") => (media, xml::write(model, schema, value).into_bytes()),
        it if it == "application/json" || it.ends_with("+json") || it.ends_with("/json") => {
            (media, value.to_string().into_bytes())
        }
        "application/x-ndjson" | "application/jsonl" | "application/json-lines" => {
            let lines: Vec<String> = match value {
                Value::Array(items) => items.iter().map(Value::to_string).collect(),
                other => vec![other.to_string()],
            };
            (media, (lines.join("\n") + "\n").into_bytes())
        }
        // Text, bytes, and what nobody knows: a string as it stands.
        _ => (media, text(value).into_bytes()),
    };
    Ok(Written { media, bytes: bytes.into() })
}

/// A media type for a range, or for nothing.
fn concrete(media: &str, value: &Value) -> String {
    match media {
        "" | "*" | "*/*" | "application/*" if value.is_string() => "application/octet-stream".to_owned(),
        "" | "*" | "*/*" | "application/*" => "application/json".to_owned(),
        "text/*" => "text/plain".to_owned(),
        "multipart/*" => "multipart/form-data".to_owned(),
        other => other.replace('*', "octet-stream"),
    }
}
