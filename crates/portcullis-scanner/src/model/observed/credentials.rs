//! What in a call is a credential, by where it stands and how it is called.

use crate::model::{Place, Scheme};

/// Parts of names of what proves who calls.
const KEYS: &[&str] = &[
    "apikey",
    "authtoken",
    "accesstoken",
    "authkey",
    "subscriptionkey",
    "sessiontoken",
    "idtoken",
    "clientsecret",
    "xtoken",
    "jwt",
    "bearer",
];
/// Names of session cookies that say so otherwise.
const SESSIONS: &[&str] = &["sid", "sess", "session", "sessid", "auth", "token", "jwt", "remember"];

/// The scheme of a header field, where it carries a credential; its name is lower case.
pub fn carried_in_header(name: &str, value: &str) -> Option<Scheme> {
    if matches!(name, "authorization" | "proxy-authorization") {
        let scheme = value.split_whitespace().next().unwrap_or_default().to_ascii_lowercase();
        return Some(match scheme.as_str() {
            "bearer" => Scheme::Bearer,
            "basic" => Scheme::Basic,
            "digest" | "negotiate" | "ntlm" | "hawk" | "aws4-hmac-sha256" | "signature" => {
                Scheme::Other(format!("HTTP {scheme}"))
            }
            _ => Scheme::Key(Place::Header(name.into())),
        });
    }
    says_key(name).then(|| Scheme::Key(Place::Header(name.into())))
}

/// The scheme of a query parameter, where it carries a credential.
pub fn carried_in_query(name: &str) -> Option<Scheme> {
    let lower = name.to_ascii_lowercase();
    let is = says_key(&lower) || matches!(lower.as_str(), "token" | "auth" | "sig" | "signature");
    is.then(|| Scheme::Key(Place::Query(name.into())))
}

/// The scheme of a cookie, where it carries a credential.
pub fn carried_in_cookie(name: &str) -> Option<Scheme> {
    let lower = name.to_ascii_lowercase();
    // Tokens against forged requests prove nothing about who calls.
    if lower.contains("csrf") || lower.contains("xsrf") {
        return None;
    }
    let mut parts = lower.split(|it: char| !it.is_alphanumeric());
    let is = says_key(&lower)
        || parts.any(|it| SESSIONS.contains(&it))
        || ["sessionid", "sessid", "sess_id", "session_id"].iter().any(|it| lower.contains(it));
    is.then(|| Scheme::Key(Place::Cookie(name.into())))
}

fn says_key(name: &str) -> bool {
    let plain: String = name.chars().filter(|it| it.is_alphanumeric()).collect();
    let plain = plain.to_lowercase();
    KEYS.iter().any(|it| plain.contains(it))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_known_by_place_and_name() {
        assert_eq!(carried_in_header("authorization", "Bearer x"), Some(Scheme::Bearer));
        assert_eq!(carried_in_header("authorization", "basic x"), Some(Scheme::Basic));
        assert_eq!(
            carried_in_header("authorization", "abc"),
            Some(Scheme::Key(Place::Header("authorization".into())))
        );
        assert!(carried_in_header("x-api-key", "1").is_some());
        assert!(carried_in_header("ocp-apim-subscription-key", "1").is_some());
        assert_eq!(carried_in_header("x-request-id", "1"), None);
        assert!(carried_in_query("api_key").is_some());
        assert!(carried_in_query("access_token").is_some());
        assert_eq!(carried_in_query("page_token_size"), None);
        for cookie in ["PHPSESSID", "connect.sid", "JSESSIONID", "session", "auth-token", "my_session_id"] {
            assert!(carried_in_cookie(cookie).is_some(), "{cookie}");
        }
        for cookie in ["theme", "csrftoken", "XSRF-TOKEN", "lang", "inside"] {
            assert_eq!(carried_in_cookie(cookie), None, "{cookie}");
        }
    }
}
