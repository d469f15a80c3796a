//! Parameters as OpenAPI writes them (OpenAPI 3.1 §4.8.12.2, RFC 6570): one place, one style, one value.

use serde_json::Value;

use crate::{
    model::Style,
    wire::draft::{Draft, encode},
};

/// A value as the text of a parameter: scalars plainly, what is inside of lists and objects as JSON.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// Name and explode of a style, the place's default filled in.
fn resolve<'s>(style: Option<&'s Style>, default: (&'static str, bool)) -> (&'s str, bool) {
    match style {
        Some(style) if !style.name.is_empty() => (&style.name, style.explode),
        Some(_) | None => default,
    }
}

/// The whole value in one media type, where the parameter says so.
fn content(value: &Value, style: Option<&Style>) -> Option<String> {
    let media = style?.content.as_deref()?;
    Some(if media.contains("json") { value.to_string() } else { text(value) })
}

/// `a,1,b,2` or `a=1,b=2`.
fn members(
    members: &serde_json::Map<String, Value>,
    explode: bool,
    write: impl Fn(&str) -> String,
) -> Vec<String> {
    let pair = |(key, value): (&String, &Value)| {
        let (key, value) = (write(key), write(&text(value)));
        if explode { vec![format!("{key}={value}")] } else { vec![key, value] }
    };
    members.iter().flat_map(pair).collect()
}

/// Writes a path parameter into the target.
pub(super) fn path(name: &str, value: &Value, style: Option<&Style>, into: &mut String) {
    if let Some(whole) = content(value, style) {
        return into.push_str(&encode(&whole));
    }
    let (style, explode) = resolve(style, ("simple", false));
    let parts: Vec<String> = match value {
        Value::Array(items) => items.iter().map(|it| encode(&text(it))).collect(),
        Value::Object(inner) => members(inner, explode, encode),
        scalar => vec![encode(&text(scalar))],
    };
    match style {
        "label" => {
            into.push('.');
            into.push_str(&parts.join(if explode { "." } else { "," }));
        }
        "matrix" if explode && value.is_array() => {
            parts.iter().for_each(|it| into.push_str(&format!(";{}={it}", encode(name))));
        }
        "matrix" if explode && value.is_object() => {
            parts.iter().for_each(|it| into.push_str(&format!(";{it}")))
        }
        "matrix" => into.push_str(&format!(";{}={}", encode(name), parts.join(","))),
        _ => into.push_str(&parts.join(",")),
    }
}

/// Adds a query parameter, or several.
pub(super) fn query(name: &str, value: &Value, style: Option<&Style>, draft: &mut Draft) {
    for (name, value) in query_pairs(name, value, style) {
        draft.push_query(name, value);
    }
}

/// The pairs of a query or form parameter, encoded.
pub(super) fn query_pairs(name: &str, value: &Value, style: Option<&Style>) -> Vec<(String, String)> {
    if let Some(whole) = content(value, style) {
        return vec![(encode(name), encode(&whole))];
    }
    let (style, explode) = resolve(style, ("form", true));
    let separator = match style {
        "spaceDelimited" => "%20",
        "pipeDelimited" => "%7C",
        "tsv" => "%09",
        _ => ",",
    };
    match value {
        Value::Object(_) if style == "deepObject" => {
            let mut pairs = Vec::new();
            deep(&encode(name), value, DEPTH_MAX, &mut pairs);
            pairs
        }
        Value::Array(items) if explode => items.iter().map(|it| (encode(name), encode(&text(it)))).collect(),
        Value::Object(inner) if explode => {
            inner.iter().map(|(key, it)| (encode(key), encode(&text(it)))).collect()
        }
        Value::Array(items) => {
            let parts: Vec<String> = items.iter().map(|it| encode(&text(it))).collect();
            vec![(encode(name), parts.join(separator))]
        }
        Value::Object(inner) => vec![(encode(name), members(inner, false, encode).join(separator))],
        scalar => vec![(encode(name), encode(&text(scalar)))],
    }
}

/// Brackets inside one another; what is deeper is written as JSON.
const DEPTH_MAX: usize = 16;

/// `a[x]=1`, and further brackets for what is inside: the standard stops at one level, servers do not.
fn deep(name: &str, value: &Value, depth: usize, pairs: &mut Vec<(String, String)>) {
    match (value, depth.checked_sub(1)) {
        (Value::Object(inner), Some(depth)) => {
            inner
                .iter()
                .for_each(|(key, it)| deep(&format!("{name}%5B{}%5D", encode(key)), it, depth, pairs));
        }
        (Value::Array(items), Some(_)) => {
            pairs.extend(items.iter().map(|it| (name.to_owned(), encode(&text(it)))));
        }
        (value, _) => pairs.push((name.to_owned(), encode(&text(value)))),
    }
}

/// The value of a header field.
pub(super) fn header(value: &Value, style: Option<&Style>) -> String {
    if let Some(whole) = content(value, style) {
        return whole;
    }
    let (_, explode) = resolve(style, ("simple", false));
    match value {
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(","),
        Value::Object(inner) => members(inner, explode, str::to_owned).join(","),
        scalar => text(scalar),
    }
}

/// Adds a cookie, or several. Cookies know no percent-encoding of their own; what would end one early gets it.
pub(super) fn cookie(name: &str, value: &Value, style: Option<&Style>, draft: &mut Draft) {
    let (_, explode) = resolve(style, ("form", true));
    let value = match (content(value, style), value) {
        (Some(whole), _) => whole,
        (None, Value::Array(items)) => items.iter().map(text).collect::<Vec<_>>().join(","),
        (None, Value::Object(inner)) if explode => {
            return inner.iter().for_each(|(key, it)| draft.push_cookie(key, guarded(&text(it))));
        }
        (None, Value::Object(inner)) => members(inner, false, str::to_owned).join(","),
        (None, scalar) => text(scalar),
    };
    draft.push_cookie(name, guarded(&value));
}

fn guarded(value: &str) -> String {
    use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
    const ENDS: &AsciiSet = &CONTROLS.add(b' ').add(b';').add(b'"');
    utf8_percent_encode(value, ENDS).to_string()
}
