//! Bodies of a collection.

use serde_json::{Map, Value, json};

use super::{entries, headers, variables::Variables};
use crate::model::{har::gather, infer::value_of_text};

/// The body with its media type; `None` for an empty one.
///
/// # Errors
/// What it is that cannot be read, for a note.
pub(super) fn read(
    body: &Value,
    request: &Value,
    variables: &Variables,
) -> Result<Option<(String, Value)>, String> {
    if body.get("disabled") == Some(&Value::Bool(true)) {
        return Ok(None);
    }
    let mode = body.get("mode").and_then(Value::as_str).unwrap_or("raw");
    match mode {
        "raw" => Ok(raw(body, request, variables)),
        "urlencoded" => {
            Ok(Some(("application/x-www-form-urlencoded".to_owned(), form(body.get(mode), variables))))
        }
        "formdata" => Ok(Some(("multipart/form-data".to_owned(), form(body.get(mode), variables)))),
        "graphql" => Ok(Some(("application/json".to_owned(), graphql(body.get(mode), variables)))),
        "file" => Ok(Some(("application/octet-stream".to_owned(), Value::from("file")))),
        other => Err(format!("a body of mode `{other}` is not known")),
    }
}

fn raw(body: &Value, request: &Value, variables: &Variables) -> Option<(String, Value)> {
    let text = body.get("raw").and_then(Value::as_str).filter(|it| !it.trim().is_empty())?;
    let language = body.pointer("/options/raw/language").and_then(Value::as_str).unwrap_or_default();
    let declared = headers(request.get("header"), variables)
        .into_iter()
        .find(|(name, _)| name == "content-type")
        .map(|(_, value)| value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
    let json = json_of(text, variables);
    let media = match (declared, language) {
        (Some(media), _) => media,
        (None, "json") => "application/json".to_owned(),
        (None, "xml") => "application/xml".to_owned(),
        (None, "html") => "text/html".to_owned(),
        (None, _) if json.is_some() => "application/json".to_owned(),
        (None, _) => "text/plain".to_owned(),
    };
    let value = match json.filter(|_| media.contains("json")) {
        Some(value) => value,
        None => Value::from(variables.fill(text)),
    };
    Some((media, value))
}

/// A body that is JSON once its variables are put in: an unknown one may stand where a text, or any value, stands.
fn json_of(text: &str, variables: &Variables) -> Option<Value> {
    let parse =
        |text: String| serde_json::from_str::<Value>(&text).ok().filter(|it| it.is_object() || it.is_array());
    parse(variables.fill_json(text)).or_else(|| parse(variables.fill_json(&without_comments(text))))
}

/// Postman lets comments stand in a JSON body, a line each.
fn without_comments(text: &str) -> String {
    text.lines().filter(|it| !it.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn form(list: Option<&Value>, variables: &Variables) -> Value {
    let mut members = Map::new();
    for (name, value) in entries(list) {
        gather(&mut members, name, value_of_text(&variables.fill(&value)));
    }
    Value::Object(members)
}

fn graphql(details: Option<&Value>, variables: &Variables) -> Value {
    let text = |key: &str| details.and_then(|it| it.get(key)).and_then(Value::as_str).unwrap_or_default();
    let inner = json_of(text("variables"), variables).unwrap_or_else(|| json!({}));
    json!({"query": variables.fill(text("query")), "variables": inner})
}
