//! The backend of the suite, as its authors' own behaves: everything is answered with an empty 200, but for `/reflect`,
//! which answers what the request's body asks for.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::{client::base64, front::Received};

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The header fields.
    pub fields: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// Adds to what was asked for what an HTTP library adds: the length, and a media type told from the first bytes.
    #[must_use]
    pub fn new(status: u16, mut fields: Vec<(String, String)>, body: Vec<u8>) -> Self {
        let has_type = fields.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        if !has_type && !body.is_empty() {
            fields.push(("Content-Type".to_owned(), media_type(&body).to_owned()));
        }
        fields.push(("Content-Length".to_owned(), body.len().to_string()));
        fields.push(("Date".to_owned(), "Tue, 24 Nov 2026 12:00:00 GMT".to_owned()));
        Self { status, fields, body }
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Reflection {
    status: u16,
    headers: BTreeMap<String, String>,
    body: String,
    #[serde(rename = "encodedBody")]
    encoded_body: String,
}

/// What the backend answers to a request.
#[must_use]
pub fn answer(request: &Received) -> Answer {
    let path = request.target.split(|byte| *byte == b'?').next().unwrap_or_default();
    if request.method != b"POST" || !(path == b"/reflect" || path.starts_with(b"/reflect/")) {
        return Answer::new(200, Vec::new(), Vec::new());
    }
    let Ok(asked) = serde_json::from_slice::<Reflection>(&request.body) else {
        return Answer::new(400, Vec::new(), b"Invalid JSON in request body".to_vec());
    };
    let body =
        if asked.body.is_empty() { base64(&asked.encoded_body) } else { Some(asked.body.into_bytes()) };
    let Some(body) = body else {
        return Answer::new(400, Vec::new(), b"Invalid base64 in request body".to_vec());
    };
    let status = if asked.status == 0 { 200 } else { asked.status };
    Answer::new(status, asked.headers.into_iter().collect(), body)
}

/// The few outcomes of the WHATWG's sniffing that text can have.
fn media_type(body: &[u8]) -> &'static str {
    const TAGS: &[&str] = &[
        "<!doctype html",
        "<html",
        "<head",
        "<script",
        "<iframe",
        "<h1",
        "<div",
        "<font",
        "<table",
        "<a",
        "<style",
        "<title",
        "<b",
        "<body",
        "<br",
        "<p",
    ];
    let start = body.trim_ascii_start();
    let is_tag = |tag: &&str| {
        start.get(..tag.len()).is_some_and(|it| it.eq_ignore_ascii_case(tag.as_bytes()))
            && matches!(start.get(tag.len()), Some(b' ' | b'>'))
    };
    if TAGS.iter().any(is_tag) || start.starts_with(b"<!--") {
        "text/html; charset=utf-8"
    } else if start.starts_with(b"<?xml") {
        "text/xml; charset=utf-8"
    } else if body.starts_with(b"\x89PNG") {
        "image/png"
    } else if body.starts_with(b"GIF8") {
        "image/gif"
    } else if body.iter().take(512).any(|byte| matches!(byte, 0..=8 | 11 | 14..=26 | 28..=31)) {
        "application/octet-stream"
    } else {
        "text/plain; charset=utf-8"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(method: &str, target: &str, body: &str) -> Answer {
        let (method, target, body) = (method.into(), target.into(), body.into());
        answer(&Received { method, target, body, ..Received::default() })
    }

    #[test]
    fn answers_what_it_is_asked_to_answer() {
        let reflected =
            asked("POST", "/reflect", r#"{"status": 503, "body": "<html> oh", "headers": {"A": "b"}}"#);
        assert_eq!((reflected.status, &reflected.body[..]), (503, &b"<html> oh"[..]));
        let field = |name: &str| reflected.fields.iter().find(|it| it.0 == name).map(|it| it.1.as_str());
        assert_eq!((field("A"), field("Content-Length")), (Some("b"), Some("9")));
        assert_eq!(field("Content-Type"), Some("text/html; charset=utf-8"));
        assert_eq!(asked("POST", "/reflect?a", r#"{"encodedBody": "AAE="}"#).body, [0, 1]);
    }

    #[test]
    fn answers_everything_else_with_nothing() {
        for (method, target) in [("GET", "/reflect"), ("POST", "/reflected"), ("POST", "/")] {
            let answer = asked(method, target, "{}");
            assert_eq!((answer.status, answer.body.len()), (200, 0), "{method} {target}");
        }
    }

    #[test]
    fn refuses_what_it_cannot_read() {
        for body in ["", "[", r#"{"encodedBody": "?"}"#] {
            assert_eq!(asked("POST", "/reflect/", body).status, 400, "{body}");
        }
    }
}
