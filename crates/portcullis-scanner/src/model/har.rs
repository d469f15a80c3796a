//! HAR 1.2: recorded calls, as browsers and proxies save them.
//!
//! Only calls of one server are taken: that of the base URL, or the one called most. What a page is made of (styles,
//! scripts, images, fonts) is left out. Credentials never enter the model; [`sessions`] gives them apart.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::{
    Model, Note,
    observed::{self, Observed, Seen, Segment, carried_in_cookie, carried_in_header, carried_in_query},
    server::origin,
};
use crate::identity::Session;

/// Sessions given, at most.
const SESSIONS_MAX: usize = 16;

/// Why a text is no HAR file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HarError {
    /// It is no JSON.
    #[error("line {line}, column {column}: {message}")]
    Json {
        /// Counted from one.
        line: usize,
        /// Counted from one.
        column: usize,
        /// What the parser says.
        message: String,
    },
    /// It lacks something.
    #[error("`{pointer}`: {message}")]
    Shape {
        /// Where: a JSON pointer.
        pointer: String,
        /// What is wrong.
        message: String,
    },
    /// No entry is a call of an API.
    #[error("none of its {0} entries is a call of an API")]
    Empty(usize),
}

impl From<serde_json::Error> for HarError {
    fn from(error: serde_json::Error) -> Self {
        let whole = error.to_string();
        let end = whole.rfind(" at line ").unwrap_or(whole.len());
        let message = whole.get(..end).unwrap_or_default().to_owned();
        Self::Json { line: error.line(), column: error.column(), message }
    }
}

/// The model of a HAR file. `base` names the server whose calls are meant.
///
/// # Errors
/// It is no HAR file, or has no call in it.
pub fn read(text: &[u8], base: Option<&str>) -> Result<Model, HarError> {
    let (entries, servers) = calls(text, base)?;
    let observed: Vec<Observed> = entries.calls.iter().map(|it| it.observed.clone()).collect();
    let mut model = observed::model("", &observed);
    model.servers = servers;
    model.notes = entries.notes;
    if observed.len() > observed::CALLS_MAX {
        let text = format!("only the first {} calls are read", observed::CALLS_MAX);
        model.notes.push(Note { place: String::new(), text });
    }
    Ok(model)
}

/// The credentials that calls in a HAR file carry: each once, those used most first.
///
/// # Errors
/// As [`read`].
pub fn sessions(text: &[u8], base: Option<&str>) -> Result<Vec<Session>, HarError> {
    let (entries, _) = calls(text, base)?;
    let mut found: Vec<(Session, usize)> = Vec::new();
    for session in entries.calls.into_iter().map(|it| it.session).filter(|it| !it.secret.is_empty()) {
        if let Some((_, count)) = found.iter_mut().find(|(own, _)| *own == session) {
            *count += 1;
        } else if found.len() < SESSIONS_MAX {
            found.push((session, 1));
        }
    }
    found.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    Ok(found.into_iter().map(|(session, _)| session).collect())
}

/// A call, and what it carried to prove who makes it.
struct Recorded {
    observed: Observed,
    session: Session,
}

struct Entries {
    calls: Vec<Recorded>,
    notes: Vec<Note>,
}

fn calls(text: &[u8], base: Option<&str>) -> Result<(Entries, Vec<String>), HarError> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let root: Value = serde_json::from_slice(text)?;
    let shape = |pointer: &str, message: &str| HarError::Shape {
        pointer: pointer.to_owned(),
        message: message.to_owned(),
    };
    let log = root.get("log").ok_or_else(|| shape("/log", "is missing: this is no HAR file"))?;
    let entries = log.get("entries").and_then(Value::as_array);
    let entries = entries.ok_or_else(|| shape("/log/entries", "must be an array"))?;
    let mut origins: BTreeMap<String, usize> = BTreeMap::new();
    let candidates: Vec<(usize, &Value, String)> = entries
        .iter()
        .enumerate()
        .filter(|(_, it)| is_call(it))
        .filter_map(|(at, it)| Some((at, it, origin(url_of(it)?)?)))
        .collect();
    for (_, _, origin) in &candidates {
        *origins.entry(origin.clone()).or_default() += 1;
    }
    let wanted = base.and_then(origin).filter(|it| origins.contains_key(it));
    // The most calls; of equals, the first by name.
    let most = || origins.iter().max_by_key(|(name, count)| (**count, std::cmp::Reverse((*name).clone())));
    let server =
        wanted.or_else(|| most().map(|(name, _)| name.clone())).ok_or(HarError::Empty(entries.len()))?;
    let mut read = Entries { calls: Vec::new(), notes: Vec::new() };
    for (at, entry, own) in &candidates {
        if *own != server {
            continue;
        }
        match recorded(entry) {
            Ok(call) => read.calls.push(call),
            Err(text) => read.notes.push(Note { place: format!("/log/entries/{at}"), text }),
        }
    }
    if read.calls.is_empty() {
        return Err(HarError::Empty(entries.len()));
    }
    let others = candidates.iter().filter(|(_, _, own)| *own != server).count();
    for (count, what) in
        [(others, "go to other servers"), (entries.len() - candidates.len(), "are no calls of an API")]
    {
        if count > 0 {
            read.notes
                .push(Note { place: "/log/entries".to_owned(), text: format!("{count} entries {what}") });
        }
    }
    Ok((read, vec![server]))
}

fn text<'v>(value: &'v Value, pointer: &str) -> Option<&'v str> {
    value.pointer(pointer)?.as_str()
}

fn url_of(entry: &Value) -> Option<&str> {
    text(entry, "/request/url")
}

/// Whether an entry is a call rather than a part of a page.
fn is_call(entry: &Value) -> bool {
    let method = text(entry, "/request/method").unwrap_or_default();
    let preflight = method == "OPTIONS" && has_header(entry, "access-control-request-method");
    let media = media_of(text(entry, "/response/content/mimeType").unwrap_or_default());
    let asset = ["image/", "font/", "audio/", "video/"].iter().any(|it| media.starts_with(it))
        || ["text/css", "text/javascript", "application/javascript", "application/wasm"]
            .contains(&media.as_str())
        || media.contains("font");
    !(method.is_empty() || preflight || (asset && method == "GET"))
}

fn has_header(entry: &Value, name: &str) -> bool {
    pairs(entry.pointer("/request/headers")).iter().any(|(own, _)| own.eq_ignore_ascii_case(name))
}

/// A list of `{name, value}`.
fn pairs(list: Option<&Value>) -> Vec<(&str, &str)> {
    let list = list.and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(|it| {
            Some((it.get("name")?.as_str()?, it.get("value").and_then(Value::as_str).unwrap_or_default()))
        })
        .collect()
}

fn media_of(field: &str) -> String {
    field.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn recorded(entry: &Value) -> Result<Recorded, String> {
    let url = url_of(entry).unwrap_or_default();
    let (_, rest) = url.split_once("://").ok_or("its URL is not absolute")?;
    let rest = rest.split('#').next().unwrap_or_default();
    let (before, query) = rest.split_once('?').unwrap_or((rest, ""));
    let path = before.split_once('/').map_or("", |(_, path)| path);
    let method = text(entry, "/request/method").unwrap_or_default();
    if method.is_empty() || !method.bytes().all(|it| it.is_ascii_alphabetic() || it == b'-' || it == b'_') {
        return Err(format!("`{method}` is no method"));
    }
    let mut observed = Observed {
        method: method.to_ascii_uppercase(),
        segments: if path.is_empty() {
            Vec::new()
        } else {
            path.split('/').map(|it| Segment::Literal(decoded(it))).collect()
        },
        ..Observed::default()
    };
    let mut session = Session::default();
    let mut schemes = Vec::new();
    for pair in query.split('&').filter(|it| !it.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decoded(&name.replace('+', " ")), decoded(&value.replace('+', " ")));
        match carried_in_query(&name) {
            Some(scheme) => {
                keep(&mut session.secret, &value);
                session.query.push((name, value));
                schemes.push(scheme);
            }
            None => observed.query.push((name, value)),
        }
    }
    for (name, value) in pairs(entry.pointer("/request/headers")) {
        let name = name.to_ascii_lowercase();
        if name == "cookie" {
            for pair in value.split(';') {
                let (name, value) = pair.trim().split_once('=').unwrap_or((pair.trim(), ""));
                match carried_in_cookie(name) {
                    Some(scheme) => {
                        keep(&mut session.secret, value);
                        session.cookies.push((name.to_owned(), value.to_owned()));
                        schemes.push(scheme);
                    }
                    None if name.is_empty() => {}
                    None => observed.cookies.push((name.to_owned(), value.to_owned())),
                }
            }
        } else if let Some(scheme) = carried_in_header(&name, value) {
            let secret = value.split_once(' ').map_or(value, |(_, secret)| secret);
            keep(&mut session.secret, secret);
            session.headers.push((name, value.to_owned()));
            schemes.push(scheme);
        } else if !is_transport(&name) {
            observed.headers.push((name, value.to_owned()));
        }
    }
    schemes.sort_by_key(|it| format!("{it:?}"));
    schemes.dedup();
    observed.presents = Some(schemes);
    observed.body = entry.pointer("/request/postData").and_then(posted);
    observed.answer = answered(entry);
    Ok(Recorded { observed, session })
}

/// The first secret met stands for the session.
fn keep(secret: &mut String, found: &str) {
    if secret.is_empty() {
        found.clone_into(secret);
    }
}

/// Header fields that a client sends by itself, whatever is asked.
fn is_transport(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "host",
        "user-agent",
        "connection",
        "origin",
        "referer",
        "cache-control",
        "pragma",
        "te",
        "dnt",
        "priority",
        "expect",
        "date",
        "from",
        "via",
        "forwarded",
        "traceparent",
        "tracestate",
        "keep-alive",
        "proxy-connection",
        "transfer-encoding",
        "upgrade",
        "upgrade-insecure-requests",
        "x-requested-with",
        "cookie",
        "range",
    ];
    const BEGIN: &[&str] = &[":", "accept", "content-", "sec-", "if-", "x-forwarded-", "access-control-"];
    NAMES.contains(&name) || BEGIN.iter().any(|it| name.starts_with(it))
}

/// The body of a request.
fn posted(data: &Value) -> Option<(String, Value)> {
    let media = media_of(data.get("mimeType").and_then(Value::as_str).unwrap_or_default());
    let text = data.get("text").and_then(Value::as_str).unwrap_or_default();
    let params = pairs(data.get("params"));
    if text.is_empty() && params.is_empty() {
        return None;
    }
    let media = if media.is_empty() { "application/json".to_owned() } else { media };
    let form = media == "application/x-www-form-urlencoded" || media == "multipart/form-data";
    let value = if form {
        let mut members = Map::new();
        let written: Vec<(String, String)> = if params.is_empty() && media.starts_with("application/") {
            text.split('&')
                .filter(|it| !it.is_empty())
                .map(|pair| {
                    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                    (decoded(&name.replace('+', " ")), decoded(&value.replace('+', " ")))
                })
                .collect()
        } else {
            params.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        for (name, value) in written {
            gather(&mut members, name, super::infer::value_of_text(&value));
        }
        Value::Object(members)
    } else {
        serde_json::from_str(text).unwrap_or_else(|_| Value::from(text))
    };
    Some((media, value))
}

/// A field that comes again makes a list.
pub(super) fn gather(members: &mut Map<String, Value>, name: String, value: Value) {
    match members.get_mut(&name) {
        Some(Value::Array(items)) => items.push(value),
        Some(one) => *one = Value::Array(vec![one.take(), value]),
        None => drop(members.insert(name, value)),
    }
}

fn answered(entry: &Value) -> Option<Seen> {
    let status = entry.pointer("/response/status")?.as_u64()?;
    let status = u16::try_from(status).ok().filter(|it| (100..600).contains(it))?;
    let media = media_of(text(entry, "/response/content/mimeType").unwrap_or_default());
    let written = text(entry, "/response/content/text").unwrap_or_default();
    let json = match text(entry, "/response/content/encoding") {
        Some("base64") => STANDARD.decode(written).ok().and_then(|it| serde_json::from_slice(&it).ok()),
        Some(_) | None => serde_json::from_str(written).ok(),
    };
    Some(Seen { status, media, json })
}

#[cfg(test)]
mod tests;
