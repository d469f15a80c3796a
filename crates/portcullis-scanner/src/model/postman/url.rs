//! URLs of a collection: a text, or an object of parts.

use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::{entries, variables::Variables};
use crate::model::observed::Segment;

/// A URL taken apart.
pub(super) struct Url {
    /// `scheme://host`, where it is known.
    pub(super) server: Option<String>,
    pub(super) segments: Vec<Segment>,
    pub(super) query: Vec<(String, String)>,
}

/// Reads one; `None` where there is none.
pub(super) fn read(url: &Value, variables: &Variables) -> Option<Url> {
    let raw = match url {
        Value::String(text) => text.clone(),
        object => match object.get("raw").and_then(Value::as_str) {
            Some(raw) if !raw.is_empty() => raw.to_owned(),
            Some(_) | None => of_parts(object)?,
        },
    };
    let values = entries(url.get("variable"));
    let raw = variables.put_in(raw.trim());
    let (server, rest) = split(&raw);
    let rest = rest.split('#').next().unwrap_or_default();
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let segments = path.trim_start_matches('/');
    let segments = if segments.is_empty() {
        Vec::new()
    } else {
        segments.split('/').map(|it| segment(it, &values, variables)).collect()
    };
    // The list knows what is disabled; the text does not.
    let listed = url.get("query").and_then(Value::as_array).is_some();
    let query: Vec<(String, String)> = if listed {
        entries(url.get("query")).into_iter().map(|(key, value)| (key, variables.fill(&value))).collect()
    } else {
        let pairs = query.split('&').filter(|it| !it.is_empty());
        pairs
            .map(|it| it.split_once('=').unwrap_or((it, "")))
            .map(|(key, value)| (decoded(key), decoded(&variables.fill(value))))
            .collect()
    };
    Some(Url { server, segments, query })
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn of_parts(url: &Value) -> Option<String> {
    let joined = |key: &str, separator: &str| match url.get(key)? {
        Value::String(text) => Some(text.clone()),
        Value::Array(parts) => {
            let text = |it: &Value| it.as_str().or_else(|| it.get("value")?.as_str()).map(str::to_owned);
            Some(parts.iter().filter_map(text).collect::<Vec<_>>().join(separator))
        }
        _ => None,
    };
    let host = joined("host", ".")?;
    let protocol = url.get("protocol").and_then(Value::as_str).map_or(String::new(), |it| format!("{it}://"));
    let port = url.get("port").and_then(Value::as_str).map_or(String::new(), |it| format!(":{it}"));
    let path = joined("path", "/").unwrap_or_default();
    Some(format!("{protocol}{host}{port}/{}", path.trim_start_matches('/')))
}

/// The server, and what stands behind it. An unknown variable in front stands for a server nobody named.
fn split(raw: &str) -> (Option<String>, &str) {
    if let Some((scheme, rest)) = raw.split_once("://") {
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let known = !authority.contains("{{") && !scheme.contains("{{");
        return (known.then(|| format!("{scheme}://{authority}")), rest);
    }
    if raw.starts_with('/') {
        return (None, raw);
    }
    let end = raw.find(['/', '?', '#']).unwrap_or(raw.len());
    let (authority, rest) = raw.split_at_checked(end).unwrap_or((raw, ""));
    if authority.contains("{{") {
        return (None, rest);
    }
    // What Postman does with a host alone.
    (Some(format!("http://{authority}")), rest)
}

/// `:id` and `{{id}}` are parameters; all else is text.
fn segment(text: &str, values: &[(String, String)], variables: &Variables) -> Segment {
    if let Some(name) = text.strip_prefix(':').filter(|it| !it.is_empty()) {
        let value = values.iter().find(|(key, _)| key == name).map(|(_, value)| variables.fill(value));
        return Segment::Named(usable(name), value.filter(|it| !it.is_empty()));
    }
    if let Some(name) = text.strip_prefix("{{").and_then(|it| it.strip_suffix("}}")) {
        return Segment::Named(usable(name), None);
    }
    Segment::Literal(decoded(&variables.fill(text)))
}

fn usable(name: &str) -> String {
    name.chars().map(|it| if matches!(it, '{' | '}' | '/') { '_' } else { it }).collect()
}
