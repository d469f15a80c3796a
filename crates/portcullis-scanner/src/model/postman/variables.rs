//! `{{variables}}`: put in where their value is known, else left by their name.

use std::collections::BTreeMap;

use serde_json::Value;

/// Variables inside of the values of variables.
const HOPS_MAX: usize = 5;
/// Characters that a text may grow to.
const LENGTH_MAX: usize = 1 << 20;

/// Variables in reach.
#[derive(Clone, Debug, Default)]
pub(super) struct Variables {
    values: BTreeMap<String, String>,
}

impl Variables {
    pub(super) fn of(list: Option<&Value>) -> Self {
        let mut variables = Self::default();
        variables.add(list);
        variables
    }

    /// Adds those of a list of `{key, value}`; inner ones hide outer ones.
    pub(super) fn add(&mut self, list: Option<&Value>) {
        for it in list.and_then(Value::as_array).into_iter().flatten() {
            let key = it.get("key").or_else(|| it.get("id")).and_then(Value::as_str);
            let value = match it.get("value") {
                Some(Value::String(text)) => text.clone(),
                None | Some(Value::Null) => continue,
                Some(other) => other.to_string(),
            };
            if let Some(key) = key.filter(|_| !value.is_empty()) {
                self.values.insert(key.to_owned(), value);
            }
        }
    }

    /// The text with all known ones put in; an unknown one is left standing.
    pub(super) fn put_in(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for _ in 0..HOPS_MAX {
            let next = each(&text, |name| self.value(name).unwrap_or_else(|| format!("{{{{{name}}}}}")));
            if next == text || next.len() > LENGTH_MAX {
                break;
            }
            text = next;
        }
        text
    }

    /// The text with all put in, unknown ones by their bare name.
    pub(super) fn fill(&self, text: &str) -> String {
        each(&self.put_in(text), str::to_owned)
    }

    /// The text of a JSON body with all put in: an unknown one that stands outside of a text becomes one.
    pub(super) fn fill_json(&self, text: &str) -> String {
        let text = self.put_in(text);
        let mut out = String::with_capacity(text.len());
        let mut rest = text.as_str();
        let mut inside = false;
        while let Some((before, after)) = rest.split_once("{{") {
            inside = ends_inside_a_text(before, inside);
            out.push_str(before);
            let Some((name, after)) = after.split_once("}}").filter(|(name, _)| is_name(name)) else {
                // Two objects that open at once.
                out.push_str("{{");
                rest = after;
                continue;
            };
            if inside {
                out.push_str(name.trim());
            } else {
                out.push_str(&Value::from(name.trim()).to_string());
            }
            rest = after;
        }
        out.push_str(rest);
        out
    }

    fn value(&self, name: &str) -> Option<String> {
        if let Some(value) = self.values.get(name) {
            return Some(value.clone());
        }
        // What Postman makes up for each call: one value of the kind.
        let kind = name.strip_prefix('$')?.to_ascii_lowercase();
        Some(match kind.as_str() {
            "guid" | "randomuuid" => "6fa459ea-ee8a-4ca4-894e-db77e160355e".to_owned(),
            "timestamp" => "1767225600".to_owned(),
            "isotimestamp" => "2026-01-01T00:00:00Z".to_owned(),
            "randomint" => "7".to_owned(),
            "randomboolean" => "true".to_owned(),
            it if it.contains("email") => "someone@example.com".to_owned(),
            it if it.contains("url") => "https://example.com/".to_owned(),
            it if it.contains("date") => "2026-01-01".to_owned(),
            _ => return None,
        })
    }
}

fn is_name(text: &str) -> bool {
    !text.contains(['{', '"', '\n', ':'])
}

/// Whether the end of this much JSON stands inside of a text.
fn ends_inside_a_text(text: &str, mut inside: bool) -> bool {
    let mut escaped = false;
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if inside => escaped = true,
            b'"' => inside = !inside,
            _ => {}
        }
    }
    inside
}

/// The text with every `{{name}}` replaced.
fn each(text: &str, replace: impl Fn(&str) -> String) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((name, after)) = after.split_once("}}") else {
            out.push_str(before);
            out.push_str("{{");
            rest = after;
            continue;
        };
        out.push_str(before);
        out.push_str(&replace(name.trim()));
        rest = after;
    }
    out.push_str(rest);
    out
}
