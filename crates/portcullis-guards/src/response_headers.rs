//! Sets and removes configured header fields, towards the upstream and towards clients.

use http::{HeaderMap, HeaderName, HeaderValue, header};
use portcullis_core::{chain::Transform, context::Context};

/// Fields that frame a message or steer its connection: changing them here would make two programs read two
/// messages out of one (CWE-444).
const FRAMING: [HeaderName; 8] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::HOST,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    HeaderName::from_static("keep-alive"),
];

/// What is changed in one direction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeaderEdits {
    /// Fields removed, all values of them. Done first.
    pub remove: Vec<HeaderName>,
    /// Fields set, in place of all values that are there.
    pub set: Vec<(HeaderName, HeaderValue)>,
}

impl HeaderEdits {
    /// Whether nothing is changed.
    pub fn is_empty(&self) -> bool {
        self.remove.is_empty() && self.set.is_empty()
    }

    fn apply(&self, headers: &mut HeaderMap) {
        for name in &self.remove {
            headers.remove(name);
        }
        for (name, value) in &self.set {
            headers.insert(name.clone(), value.clone());
        }
    }

    fn framing(&self) -> Option<&HeaderName> {
        self.remove.iter().chain(self.set.iter().map(|(name, _)| name)).find(|name| FRAMING.contains(name))
    }
}

/// A field that may not be set or removed by configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the header field `{0}` frames the message and cannot be set or removed")]
pub struct FramingField(pub HeaderName);

/// Sets and removes header fields.
#[derive(Clone, Debug)]
pub struct ConfiguredHeaders {
    request: HeaderEdits,
    response: HeaderEdits,
}

impl ConfiguredHeaders {
    /// A transform with its edits towards the upstream and towards clients.
    ///
    /// # Errors
    /// When a field frames the message or steers its connection.
    pub fn new(request: HeaderEdits, response: HeaderEdits) -> Result<Self, FramingField> {
        match request.framing().or_else(|| response.framing()) {
            Some(name) => Err(FramingField(name.clone())),
            None => Ok(Self { request, response }),
        }
    }
}

impl Transform for ConfiguredHeaders {
    fn name(&self) -> &'static str {
        "headers"
    }

    fn request(&self, _cx: &Context, headers: &mut HeaderMap) {
        self.request.apply(headers);
    }

    fn response(&self, _cx: &Context, headers: &mut HeaderMap) {
        self.response.apply(headers);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rate_limit::testing::call;

    fn edits(remove: &[&str], set: &[(&'static str, &'static str)]) -> HeaderEdits {
        HeaderEdits {
            remove: remove.iter().map(|it| it.parse().unwrap()).collect(),
            set: set.iter().map(|(n, v)| (HeaderName::from_static(n), HeaderValue::from_static(v))).collect(),
        }
    }

    #[test]
    fn replaces_all_values_and_touches_nothing_else() {
        let transform = ConfiguredHeaders::new(
            edits(&["X-Debug"], &[]),
            edits(&["x-old"], &[("x-frame-options", "DENY")]),
        )
        .unwrap();
        let mut headers = HeaderMap::new();
        for (name, value) in
            [("x-debug", "1"), ("x-old", "1"), ("x-old", "2"), ("x-frame-options", "ALLOW"), ("a", "b")]
        {
            headers.append(name, HeaderValue::from_static(value));
        }
        let mut request = headers.clone();
        transform.request(&call("192.0.2.1"), &mut request);
        assert!(!request.contains_key("x-debug") && request.contains_key("x-old"));
        transform.response(&call("192.0.2.1"), &mut headers);
        assert!(!headers.contains_key("x-old"));
        assert_eq!(headers.get_all("x-frame-options").iter().collect::<Vec<_>>(), ["DENY"]);
        assert_eq!(headers["a"], "b");
    }

    #[test]
    fn framing_fields_are_refused() {
        for name in ["Content-Length", "transfer-encoding", "Host", "connection", "keep-alive"] {
            let refused = ConfiguredHeaders::new(edits(&[name], &[]), HeaderEdits::default());
            assert_eq!(refused.unwrap_err().0.as_str(), name.to_ascii_lowercase());
        }
    }
}
