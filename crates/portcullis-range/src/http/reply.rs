//! One answer, before it is written to the wire.

use serde_json::{Value, json};

/// Status, fields and body. Fields keep their order and may repeat.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn new(status: u16, media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: vec![("content-type".to_owned(), media_type.to_owned())], body: body.into() }
    }

    pub(crate) fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    pub(crate) fn json(status: u16, value: &Value) -> Self {
        Self::new(status, "application/json", value.to_string())
    }

    pub(crate) fn ok(value: &Value) -> Self {
        Self::json(200, value)
    }

    pub(crate) fn text(status: u16, text: impl Into<String>) -> Self {
        Self::new(status, "text/plain; charset=utf-8", text.into())
    }

    pub(crate) fn html(status: u16, text: impl Into<String>) -> Self {
        Self::new(status, "text/html; charset=utf-8", text.into())
    }

    /// An error in the form of RFC 9457.
    pub(crate) fn problem(status: u16, detail: &str) -> Self {
        let title = http::StatusCode::from_u16(status).ok().and_then(|it| it.canonical_reason());
        let value = json!({
            "type": "about:blank",
            "title": title.unwrap_or("Error"),
            "status": status,
            "detail": detail,
        });
        Self::new(status, "application/problem+json", value.to_string())
    }

    pub(crate) fn not_found() -> Self {
        Self::problem(404, "no such resource")
    }

    pub(crate) fn invalid(detail: &str) -> Self {
        Self::problem(400, detail)
    }

    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_ascii_lowercase(), value.into()));
        self
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.headers.iter().any(|(key, _)| key == name)
    }
}

/// Escapes text for HTML, in element content and in quoted attributes alike.
pub(crate) fn escape_html(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}
