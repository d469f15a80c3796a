//! Cross-origin calls (WHATWG Fetch §3.2): preflights are answered at the gate, answers carry the permission.

use http::{
    HeaderMap, HeaderName, HeaderValue, Method,
    header::{
        ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
        ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
        ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
    },
};

/// Which origins may call an API from a browser, and how.
#[derive(Clone, Debug, Default)]
pub struct Cors {
    /// The origins allowed.
    pub origins: Origins,
    /// Request fields a page may set beyond the safe ones; none allows none.
    pub headers: Box<[HeaderName]>,
    /// Response fields a page may read beyond the safe ones.
    pub exposed: Option<HeaderValue>,
    /// Whether cookies and client certificates may go along. Never together with [`Origins::Any`] (CWE-942):
    /// then it is not sent.
    pub credentials: Credentials,
    /// Seconds a browser may remember a preflight.
    pub max_age_secs: u32,
}

/// The origins that may call.
#[derive(Clone, Debug, Default)]
pub enum Origins {
    /// No one.
    #[default]
    None,
    /// Every one.
    Any,
    /// These, each `scheme://host[:port]`, compared byte by byte.
    Listed(Box<[HeaderValue]>),
}

/// Whether a browser may send its credentials along.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Credentials {
    /// No.
    #[default]
    Omit,
    /// Yes.
    Include,
}

/// Whether this is a preflight: `OPTIONS` that names an origin and a method.
pub fn is_preflight(method: &Method, headers: &HeaderMap) -> bool {
    method == Method::OPTIONS
        && headers.contains_key(ORIGIN)
        && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

impl Cors {
    /// Writes the permission that a preflight asks for; nothing when the origin, the method or one of the fields
    /// is not allowed, which a browser reads as a refusal. `methods` are those of the path asked for.
    pub fn preflight(&self, asked: &HeaderMap, methods: &[&str], answer: &mut HeaderMap) {
        answer.append(VARY, HeaderValue::from_static("Origin"));
        let Some(origin) = self.allowed(asked.get(ORIGIN)) else {
            return;
        };
        let wanted = asked.get(ACCESS_CONTROL_REQUEST_METHOD).map(HeaderValue::as_bytes).unwrap_or_default();
        if !methods.iter().any(|method| *method == "*" || method.as_bytes() == wanted) {
            return;
        }
        if !self.fields_allowed(asked) {
            return;
        }
        answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        if let Some(wanted) = asked.get(ACCESS_CONTROL_REQUEST_METHOD) {
            answer.insert(ACCESS_CONTROL_ALLOW_METHODS, wanted.clone());
        }
        if let Some(fields) = asked.get(ACCESS_CONTROL_REQUEST_HEADERS) {
            answer.insert(ACCESS_CONTROL_ALLOW_HEADERS, fields.clone());
        }
        if self.sends_credentials() {
            answer.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
        answer.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from(self.max_age_secs));
    }

    /// Replaces whatever the upstream said about origins by what is configured here.
    pub fn answer(&self, origin: Option<&HeaderValue>, answer: &mut HeaderMap) {
        for name in [
            ACCESS_CONTROL_ALLOW_ORIGIN,
            ACCESS_CONTROL_ALLOW_CREDENTIALS,
            ACCESS_CONTROL_ALLOW_METHODS,
            ACCESS_CONTROL_ALLOW_HEADERS,
            ACCESS_CONTROL_EXPOSE_HEADERS,
            ACCESS_CONTROL_MAX_AGE,
        ] {
            answer.remove(name);
        }
        answer.append(VARY, HeaderValue::from_static("Origin"));
        let Some(origin) = self.allowed(origin) else {
            return;
        };
        answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        if let Some(exposed) = &self.exposed {
            answer.insert(ACCESS_CONTROL_EXPOSE_HEADERS, exposed.clone());
        }
        if self.sends_credentials() {
            answer.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
    }

    fn sends_credentials(&self) -> bool {
        self.credentials == Credentials::Include && !matches!(self.origins, Origins::Any)
    }

    fn allowed(&self, origin: Option<&HeaderValue>) -> Option<HeaderValue> {
        let origin = origin?;
        match &self.origins {
            Origins::Any => Some(HeaderValue::from_static("*")),
            Origins::None => None,
            Origins::Listed(list) => list.iter().find(|it| *it == origin).cloned(),
        }
    }

    fn fields_allowed(&self, asked: &HeaderMap) -> bool {
        asked.get_all(ACCESS_CONTROL_REQUEST_HEADERS).iter().all(|value| {
            value.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii).all(|name| {
                name.is_empty()
                    || self.headers.iter().any(|it| it.as_str().as_bytes().eq_ignore_ascii_case(name))
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cors(origins: Origins) -> Cors {
        Cors {
            origins,
            headers: [HeaderName::from_static("x-api-key"), http::header::CONTENT_TYPE].into(),
            exposed: None,
            credentials: Credentials::Include,
            max_age_secs: 600,
        }
    }

    fn listed() -> Cors {
        cors(Origins::Listed([HeaderValue::from_static("https://shop.example")].into()))
    }

    fn preflight(cors: &Cors, origin: &'static str, method: &'static str, fields: &'static str) -> HeaderMap {
        let mut asked = HeaderMap::new();
        asked.insert(ORIGIN, HeaderValue::from_static(origin));
        asked.insert(ACCESS_CONTROL_REQUEST_METHOD, HeaderValue::from_static(method));
        if !fields.is_empty() {
            asked.insert(ACCESS_CONTROL_REQUEST_HEADERS, HeaderValue::from_static(fields));
        }
        assert!(is_preflight(&Method::OPTIONS, &asked));
        let mut answer = HeaderMap::new();
        cors.preflight(&asked, &["GET", "PUT"], &mut answer);
        answer
    }

    #[test]
    fn permits_what_is_listed() {
        let answer = preflight(&listed(), "https://shop.example", "PUT", "X-Api-Key, content-type");
        assert_eq!(answer[ACCESS_CONTROL_ALLOW_ORIGIN], "https://shop.example");
        assert_eq!(answer[ACCESS_CONTROL_ALLOW_METHODS], "PUT");
        assert_eq!(answer[ACCESS_CONTROL_ALLOW_CREDENTIALS], "true");
    }

    #[test]
    fn permits_nothing_else() {
        for (origin, method, fields) in [
            ("https://evil.example", "PUT", ""),
            ("null", "PUT", ""),
            ("https://shop.example.evil", "PUT", ""),
            ("https://shop.example", "DELETE", ""),
            ("https://shop.example", "PUT", "x-secret"),
        ] {
            let answer = preflight(&listed(), origin, method, fields);
            assert!(!answer.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN), "{origin} {method} {fields}");
        }
    }

    #[test]
    fn never_sends_credentials_to_any_origin() {
        let answer = preflight(&cors(Origins::Any), "https://a.example", "GET", "");
        assert_eq!(answer[ACCESS_CONTROL_ALLOW_ORIGIN], "*");
        assert!(!answer.contains_key(ACCESS_CONTROL_ALLOW_CREDENTIALS));
    }

    #[test]
    fn replaces_what_the_upstream_said() {
        let mut answer = HeaderMap::new();
        answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        listed().answer(Some(&HeaderValue::from_static("https://evil.example")), &mut answer);
        assert!(!answer.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN));
        assert_eq!(answer[VARY], "Origin");
    }
}
