//! Provider metadata (OpenID Connect Discovery 1.0 §4, RFC 8414): where a provider's keys are.

use http::Uri;

use crate::{
    jose::json::{Json, JsonFault},
    refusal::excerpt,
};

/// The largest document taken, in bytes; the fetcher must stop there.
pub const DISCOVERY_BYTES_MAX: usize = 256 * 1024;

/// What discovery is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discovery {
    /// Where the keys are.
    pub jwks_uri: Uri,
}

/// Metadata that cannot be believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DiscoveryError {
    /// Larger than any honest document.
    #[error("the metadata is larger than {DISCOVERY_BYTES_MAX} bytes")]
    TooLarge,
    /// Not a JSON object.
    #[error("the metadata is not a JSON object")]
    NotJson,
    /// A member occurs twice.
    #[error("the metadata names a member twice")]
    MemberRepeated,
    /// A member that is needed is not there.
    #[error("the metadata has no string `{0}`")]
    Missing(&'static str),
    /// It speaks for somebody else (mix-up, OpenID Connect Discovery 1.0 §4.3).
    #[error("the metadata is for issuer `{0}`, not for the configured one")]
    IssuerDiffers(Box<str>),
    /// Neither HTTPS nor on this machine.
    #[error("`{0}` is not an https URL (http is taken for loopback addresses only)")]
    NotSecure(Box<str>),
    /// The issuer's URL cannot be extended.
    #[error("an issuer is an https URL without query and fragment; found `{0}`")]
    NotAnIssuer(Box<str>),
}

/// Where an issuer publishes its metadata.
///
/// # Errors
/// When the issuer is not a URL without query and fragment, or neither HTTPS nor loopback.
pub fn metadata_url(issuer: &str) -> Result<Uri, DiscoveryError> {
    if issuer.contains(['?', '#']) {
        return Err(DiscoveryError::NotAnIssuer(excerpt(issuer).into()));
    }
    secure(&format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/')))
        .map_err(|_| DiscoveryError::NotAnIssuer(excerpt(issuer).into()))
}

/// Reads a provider's metadata and checks that it speaks for that issuer, character by character.
///
/// # Errors
/// What makes it unbelievable.
pub fn parse(document: &[u8], issuer: &str) -> Result<Discovery, DiscoveryError> {
    if document.len() > DISCOVERY_BYTES_MAX {
        return Err(DiscoveryError::TooLarge);
    }
    let json = match Json::parse(document) {
        Ok(json @ Json::Object(_)) => json,
        Ok(_) | Err(JsonFault::Malformed) => return Err(DiscoveryError::NotJson),
        Err(JsonFault::MemberRepeated) => return Err(DiscoveryError::MemberRepeated),
    };
    let text = |name| json.member(name).and_then(Json::as_str).ok_or(DiscoveryError::Missing(name));
    let found = text("issuer")?;
    if found != issuer {
        return Err(DiscoveryError::IssuerDiffers(excerpt(found).into()));
    }
    Ok(Discovery { jwks_uri: secure(text("jwks_uri")?)? })
}

/// A URL from which keys may be fetched: HTTPS, or HTTP to this very machine.
///
/// # Errors
/// When it is neither.
pub fn secure(url: &str) -> Result<Uri, DiscoveryError> {
    let refused = || DiscoveryError::NotSecure(excerpt(url).into());
    let uri: Uri = url.parse().map_err(|_| refused())?;
    let authority = uri.authority().ok_or_else(refused)?;
    let is_taken = !authority.as_str().contains('@')
        && !authority.host().is_empty()
        && match uri.scheme_str() {
            Some("https") => true,
            Some("http") => is_loopback(authority.host()),
            _ => false,
        };
    if is_taken { Ok(uri) } else { Err(refused()) }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || bare.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn believes_only_the_issuer_itself() {
        let check = |text: &str| match parse(text.as_bytes(), "https://login.example") {
            Ok(it) => it.jwks_uri.to_string(),
            Err(error) => error.to_string(),
        };
        insta::assert_snapshot!([
            r#"{"issuer":"https://login.example","jwks_uri":"https://keys.example/jwks"}"#,
            r#"{"issuer":"https://login.example/","jwks_uri":"https://keys.example/jwks"}"#,
            r#"{"issuer":"https://login.example","jwks_uri":"http://keys.example/jwks"}"#,
            r#"{"issuer":"https://login.example","jwks_uri":"http://127.0.0.1:8080/jwks"}"#,
            r#"{"issuer":"https://login.example","jwks_uri":"http://[::1]:8080/jwks"}"#,
            r#"{"issuer":"https://login.example","jwks_uri":"https://a@keys.example/"}"#,
            r#"{"issuer":"https://login.example","jwks_uri":"file:///etc/passwd"}"#,
            r#"{"issuer":"https://login.example"}"#,
            r#"{"issuer":"https://login.example","issuer":"x"}"#,
            "[]",
        ].map(check).join("\n"), @r"
        https://keys.example/jwks
        the metadata is for issuer `https://login.example/`, not for the configured one
        `http://keys.example/jwks` is not an https URL (http is taken for loopback addresses only)
        http://127.0.0.1:8080/jwks
        http://[::1]:8080/jwks
        `https://a@keys.example/` is not an https URL (http is taken for loopback addresses only)
        `file:///etc/passwd` is not an https URL (http is taken for loopback addresses only)
        the metadata has no string `jwks_uri`
        the metadata names a member twice
        the metadata is not a JSON object
        ");
    }

    #[test]
    fn extends_the_issuer() {
        for (issuer, expected) in [
            ("https://login.example", Some("https://login.example/.well-known/openid-configuration")),
            ("https://login.example/a/", Some("https://login.example/a/.well-known/openid-configuration")),
            ("http://localhost:9", Some("http://localhost:9/.well-known/openid-configuration")),
            ("http://login.example", None),
            ("https://login.example?x", None),
            ("https://login.example#x", None),
            ("login.example", None),
        ] {
            assert_eq!(metadata_url(issuer).ok().map(|it| it.to_string()).as_deref(), expected, "{issuer}");
        }
    }
}
