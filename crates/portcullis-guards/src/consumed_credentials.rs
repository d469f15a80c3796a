//! Keeps from the upstream the credentials that the gate checks: an upstream that has no credential can leak none.
//!
//! What is taken out follows from what the route checks, never from how the check came out: where authentication only
//! reports, a wrong password or a revoked key goes no further than a good one. Tokens of an identity provider stay, for
//! they are the provider's and not the gate's.

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue, header::AUTHORIZATION};
use portcullis_core::{chain::Transform, context::Context, principal::Mechanism};
use smallvec::SmallVec;

/// Removes credentials that the gate checks.
#[derive(Clone, Debug)]
pub struct ConsumedCredentials {
    fields: Vec<HeaderName>,
    key_prefixes: Vec<Arc<str>>,
    passwords: Passwords,
}

/// Whether passwords are checked on this route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Passwords {
    Elsewhere,
    Here,
}

impl ConsumedCredentials {
    /// `fields` hold keys and nothing else, such as `X-API-Key`. They are removed under every name that a server may
    /// take for theirs: programs behind CGI or WSGI read `X_API_Key` as the same variable.
    pub const fn new(fields: Vec<HeaderName>) -> Self {
        Self { fields, key_prefixes: Vec::new(), passwords: Passwords::Elsewhere }
    }

    /// Keys of the gate begin with one of these. In `Authorization` they end here, tokens go on.
    #[must_use]
    pub fn with_key_prefixes(mut self, prefixes: Vec<Arc<str>>) -> Self {
        self.key_prefixes = prefixes;
        self
    }

    /// For a route that checks passwords: one that is sent ends at the gate, also where another credential said who
    /// calls.
    #[must_use]
    pub const fn with_passwords(mut self) -> Self {
        self.passwords = Passwords::Here;
        self
    }

    fn is_consumed_field(&self, name: &HeaderName) -> bool {
        let plain = |byte: u8| if byte == b'_' { b'-' } else { byte };
        let (name, len) = (name.as_str(), name.as_str().len());
        let mut fields = self.fields.iter().map(HeaderName::as_str).filter(|it| it.len() == len);
        fields.any(|it| it.bytes().map(plain).eq(name.bytes().map(plain)))
    }

    /// Whether the value of an `Authorization` field holds what the gate checks, however it is laid out: more
    /// forgiving than authentication, so that nothing passes on that an upstream can read and the gate could not.
    fn is_consumed_value(&self, value: &HeaderValue) -> bool {
        let is_separator = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b',' | b'=' | b'"');
        let mut words = value.as_bytes().split(is_separator).filter(|word| !word.is_empty()).peekable();
        let is_password = words.peek().is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"basic"));
        (is_password && self.passwords == Passwords::Here)
            || words.any(|word| self.key_prefixes.iter().any(|prefix| word.starts_with(prefix.as_bytes())))
    }
}

impl Transform for ConsumedCredentials {
    fn name(&self) -> &'static str {
        "consumed_credentials"
    }

    fn request(&self, cx: &Context, headers: &mut HeaderMap) {
        let gone: SmallVec<[HeaderName; 2]> =
            headers.keys().filter(|name| self.is_consumed_field(name)).cloned().collect();
        for name in gone {
            headers.remove(name);
        }
        let by_password = cx.notes.principal.as_ref().is_some_and(|it| it.mechanism == Mechanism::Basic);
        // Of several fields none is passed on: nobody knows which of them the upstream would believe.
        if by_password || headers.get_all(AUTHORIZATION).iter().any(|value| self.is_consumed_value(value)) {
            headers.remove(AUTHORIZATION);
        }
    }
}

#[cfg(test)]
mod tests {
    use portcullis_core::principal::Principal;

    use super::*;
    use crate::authenticate::test_context::context;

    fn left(transform: &ConsumedCredentials, by: Option<Mechanism>, sent: &[(&'static str, &str)]) -> String {
        let mut cx = context(sent);
        cx.notes.principal = by.map(|mechanism| Arc::new(Principal { mechanism, ..Principal::default() }));
        let mut headers = cx.request.headers.clone();
        transform.request(&cx, &mut headers);
        let mut lines: Vec<String> =
            headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
        lines.sort_unstable();
        lines.join("\n")
    }

    #[test]
    fn key_fields_end_here_in_every_spelling() {
        for configured in ["x-api-key", "x_api_key"] {
            let transform = ConsumedCredentials::new(vec![HeaderName::from_static(configured)]);
            let sent = [
                ("x-api-key", "1"),
                ("x_api_key", "2"),
                ("x-api_key", "3"),
                ("x_api-key", "4"),
                ("x-api-key2", "5"),
                ("x-apikey", "6"),
            ];
            for by in [None, Some(Mechanism::ApiKey), Some(Mechanism::Jwt)] {
                assert_eq!(left(&transform, by, &sent), "x-api-key2: 5\nx-apikey: 6", "{configured} {by:?}");
            }
        }
    }

    #[test]
    fn keys_in_authorization_end_here_whether_or_not_they_were_believed() {
        let transform =
            ConsumedCredentials::new(vec![]).with_key_prefixes(vec!["pcl_".into(), "acme_".into()]);
        for by in [None, Some(Mechanism::ApiKey), Some(Mechanism::Jwt), Some(Mechanism::Mtls)] {
            for value in [
                "Bearer pcl_x",
                "bearer   acme_x ",
                "Bearer\tpcl_x",
                "pcl_x",
                "Token pcl_x",
                "ApiKey key=\"pcl_x\"",
                "Bearer a, Bearer pcl_x",
            ] {
                assert_eq!(left(&transform, by, &[("authorization", value)]), "", "{value} {by:?}");
            }
            for value in ["Bearer eyJ.pcl_.x", "Basic cGNsXw==", "Bearer xpcl_"] {
                let sent = [("authorization", value)];
                assert_eq!(left(&transform, by, &sent), format!("authorization: {value}"), "{by:?}");
            }
        }
        let twice = [("authorization", "Bearer a"), ("authorization", "Bearer pcl_x")];
        assert_eq!(left(&transform, None, &twice), "");
    }

    #[test]
    fn a_password_is_never_passed_on() {
        let transform = ConsumedCredentials::new(vec![]);
        let sent = [("authorization", "x")];
        assert_eq!(left(&transform, Some(Mechanism::Basic), &sent), "");
        assert_eq!(left(&transform, Some(Mechanism::Jwt), &sent), "authorization: x");
        let sent = [("authorization", "bAsic x")];
        assert_eq!(left(&transform, None, &sent), "authorization: bAsic x", "nobody checks it here");
        let transform = transform.with_passwords();
        for by in [None, Some(Mechanism::ApiKey), Some(Mechanism::Basic)] {
            assert_eq!(left(&transform, by, &sent), "", "{by:?}");
        }
        let second = [("authorization", "Bearer x"), ("authorization", "Basic x")];
        assert_eq!(left(&transform, None, &second), "");
        let token = [("authorization", "Bearer x")];
        assert_eq!(left(&transform, Some(Mechanism::Jwt), &token), "authorization: Bearer x");
    }
}
