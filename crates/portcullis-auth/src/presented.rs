//! What a request presents as credentials. Only header fields, cookies and the connection are read: a credential
//! in a URL ends in logs and histories (RFC 9700 §2.1, CWE-598), so the query is not even looked at.

use http::{HeaderMap, HeaderName, header};
use portcullis_core::{
    context::{ClientCertificate, Context, TlsSession},
    verdict::Place,
};

use crate::refusal::Fault;

/// The longest credential that is looked at, in bytes: a JWT of the largest identity providers fits thrice.
pub const CREDENTIAL_BYTES_MAX: usize = 16 * 1024;

/// The places of a request in which credentials may be.
#[derive(Clone, Copy)]
pub struct Presented<'a> {
    headers: &'a HeaderMap,
    tls: Option<&'a TlsSession>,
}

/// The value of the `Authorization` field, split at the scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Authorization<'a> {
    /// The scheme as sent; compare it without regard to case (RFC 9110 §11.1).
    pub scheme: &'a str,
    /// What follows the scheme and its spaces.
    pub credential: &'a str,
}

impl<'a> Presented<'a> {
    /// The credentials of a request that came over a connection with that TLS session.
    pub const fn new(headers: &'a HeaderMap, tls: Option<&'a TlsSession>) -> Self {
        Self { headers, tls }
    }

    /// The credentials of an exchange.
    pub fn of(cx: &'a Context) -> Self {
        Self::new(&cx.request.headers, cx.client.tls.as_deref())
    }

    /// The `Authorization` field; `None` when there is none.
    ///
    /// # Errors
    /// When it is repeated, oversized, or not visible ASCII.
    pub fn authorization(&self) -> Result<Option<Authorization<'a>>, Fault> {
        let mut values = self.headers.get_all(header::AUTHORIZATION).iter();
        let Some(value) = values.next() else { return Ok(None) };
        if values.next().is_some() {
            return Err(Fault::AuthorizationRepeated);
        }
        let text = bounded(value)?;
        let (scheme, rest) = text.split_once(' ').unwrap_or((text, ""));
        Ok(Some(Authorization { scheme, credential: rest.trim_matches(' ') }))
    }

    /// The credential of the `Authorization` field if it is of that scheme.
    ///
    /// # Errors
    /// As [`Presented::authorization`].
    pub fn scheme(&self, scheme: &str) -> Result<Option<&'a str>, Fault> {
        Ok(self.authorization()?.filter(|it| it.scheme.eq_ignore_ascii_case(scheme)).map(|it| it.credential))
    }

    /// The value of a header field; `None` when there is none.
    ///
    /// # Errors
    /// When it is repeated, oversized, or not visible ASCII.
    pub fn header(&self, name: &HeaderName) -> Result<Option<&'a str>, Fault> {
        let mut values = self.headers.get_all(name).iter();
        let Some(value) = values.next() else { return Ok(None) };
        if values.next().is_some() {
            return Err(Fault::CredentialRepeated);
        }
        bounded(value).map(Some)
    }

    /// The value of a cookie (RFC 6265 §4.2.1); `None` when there is none.
    ///
    /// # Errors
    /// When it is repeated, oversized, or not visible ASCII.
    pub fn cookie(&self, name: &str) -> Result<Option<&'a str>, Fault> {
        let mut found = None;
        for value in self.headers.get_all(header::COOKIE) {
            let Ok(text) = value.to_str() else { continue };
            for pair in text.split(';') {
                let Some((key, value)) = pair.split_once('=') else { continue };
                if key.trim() != name {
                    continue;
                }
                if found.is_some() {
                    return Err(Fault::CredentialRepeated);
                }
                if value.len() > CREDENTIAL_BYTES_MAX {
                    return Err(Fault::CredentialOversized);
                }
                found = Some(value.trim());
            }
        }
        Ok(found)
    }

    /// The verified client certificate of the connection.
    pub fn certificate(&self) -> Option<&'a ClientCertificate> {
        self.tls.and_then(|tls| tls.client_certificate.as_ref())
    }
}

/// The `Authorization` field as a place.
pub fn authorization_place() -> Place {
    Place::Header("authorization".into())
}

fn bounded(value: &http::HeaderValue) -> Result<&str, Fault> {
    if value.len() > CREDENTIAL_BYTES_MAX {
        return Err(Fault::CredentialOversized);
    }
    value.to_str().map_err(|_| Fault::CredentialMalformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn splits_scheme_and_credential() {
        let map = headers(&[("authorization", "bEaReR   abc ")]);
        let presented = Presented::new(&map, None);
        assert_eq!(presented.scheme("Bearer"), Ok(Some("abc")));
        assert_eq!(presented.scheme("Basic"), Ok(None));
    }

    #[test]
    fn refuses_two_authorization_fields() {
        let map = headers(&[("authorization", "Bearer a"), ("authorization", "Basic b")]);
        assert_eq!(Presented::new(&map, None).authorization(), Err(Fault::AuthorizationRepeated));
    }

    #[test]
    fn refuses_oversized_values() {
        let map = headers(&[("authorization", &"x".repeat(CREDENTIAL_BYTES_MAX + 1))]);
        assert_eq!(Presented::new(&map, None).authorization(), Err(Fault::CredentialOversized));
    }

    #[test]
    fn finds_a_cookie_among_others_and_refuses_two() {
        let map = headers(&[("cookie", "a=1; key=x; b=2")]);
        assert_eq!(Presented::new(&map, None).cookie("key"), Ok(Some("x")));
        let map = headers(&[("cookie", "key=x"), ("cookie", "key=y")]);
        assert_eq!(Presented::new(&map, None).cookie("key"), Err(Fault::CredentialRepeated));
    }
}
