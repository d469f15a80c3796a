//! One call as the handlers see it: decoded once, bounded, owned.

use std::{net::IpAddr, sync::Arc};

use bytes::Bytes;
use http::{HeaderMap, Method};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::{app::App, identity::Session, weakness::Weakness};

/// Query parameters, form fields and path segments beyond this many are not looked at.
const PAIRS_MAX: usize = 256;

/// A request, read to its end.
pub(crate) struct Call {
    pub(crate) method: Method,
    /// The target as it came, without decoding.
    pub(crate) target: String,
    pub(crate) segments: Vec<String>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) peer: IpAddr,
}

impl Call {
    pub(crate) fn new(head: http::request::Parts, body: Bytes, peer: IpAddr) -> Self {
        let segments = head.uri.path().split('/').skip(1).take(PAIRS_MAX).map(decode).collect();
        Self {
            method: head.method,
            target: head.uri.to_string(),
            segments,
            query: pairs(head.uri.query().unwrap_or_default()),
            headers: head.headers,
            body,
            peer,
        }
    }

    /// A header's text; one that is no text reads as absent.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|it| it.to_str().ok())
    }

    /// The media type without its parameters, in lower case.
    pub(crate) fn media_type(&self) -> String {
        let text = self.header("content-type").unwrap_or_default();
        text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    /// The body as text, whatever it says it is.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Everything a handler may look at. Owned, so that handlers that wait may keep it.
pub(crate) struct Cx {
    pub(crate) app: Arc<App>,
    pub(crate) call: Call,
    pub(crate) params: Vec<(&'static str, String)>,
    pub(crate) who: Option<Session>,
    /// The body as JSON (a form becomes an object of strings), null where there is none.
    pub(crate) json: Value,
}

impl Cx {
    /// Whether this weakness is switched on.
    pub(crate) fn on(&self, weakness: Weakness) -> bool {
        self.app.weaknesses.contains(weakness)
    }

    /// A parameter of the path, decoded.
    pub(crate) fn path(&self, name: &str) -> &str {
        self.params.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value)
    }

    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.call.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A top-level field of the body that is text.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.json.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// A top-level field of the body.
    pub(crate) fn field(&self, name: &str) -> &Value {
        self.json.get(name).unwrap_or(&Value::Null)
    }

    /// The caller's user id, 0 for nobody.
    pub(crate) fn me(&self) -> u64 {
        self.who.as_ref().map_or(0, |it| it.user)
    }
}

/// Decodes percent escapes; what is no UTF-8 is replaced.
pub(crate) fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// Splits `a=b&c=d`, with `+` as space.
pub(crate) fn pairs(text: &str) -> Vec<(String, String)> {
    let parts = text.split('&').filter(|it| !it.is_empty()).take(PAIRS_MAX);
    parts
        .map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (decode(&name.replace('+', " ")), decode(&value.replace('+', " ")))
        })
        .collect()
}
