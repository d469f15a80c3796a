//! The compact form of a JWS (RFC 7515 §7.1), taken apart strictly.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{
    jose::{
        algorithm::Algorithm,
        json::{Json, JsonFault},
    },
    presented::CREDENTIAL_BYTES_MAX,
    refusal::Fault,
};

/// The longest key id, in bytes.
const KID_BYTES_MAX: usize = 256;

/// A token taken apart, nothing of it verified.
#[derive(Debug)]
pub struct Compact<'a> {
    /// The first two parts with their dot: what is signed.
    pub signed: &'a str,
    /// The signature, base64url.
    pub signature: &'a str,
    /// `alg`; `None` when it is `none` or not supported.
    pub algorithm: Option<Algorithm>,
    /// `alg` as sent.
    pub algorithm_name: Box<str>,
    /// `kid`.
    pub kid: Option<Box<str>>,
    /// `typ` as sent.
    pub typ: Option<Box<str>>,
    /// The claims.
    pub claims: Json,
}

/// Header members that bring or point at a key: never followed, and no honest access token has them.
const KEY_MEMBERS: [&str; 4] = ["jku", "jwk", "x5u", "x5c"];
/// Header members that change what is signed or how the payload is read (RFC 7797, RFC 7516).
const MEANING_MEMBERS: [&str; 4] = ["crit", "b64", "zip", "enc"];

impl<'a> Compact<'a> {
    /// Takes a token apart. Parts must be base64url without padding, white space or stray bits in the last digit, so
    /// that one token has one spelling.
    ///
    /// # Errors
    /// What is wrong with its form.
    pub fn parse(token: &'a str) -> Result<Self, Fault> {
        if token.len() > CREDENTIAL_BYTES_MAX {
            return Err(Fault::CredentialOversized);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(Fault::TokenMalformed)?;
        let (header, payload) = signed.split_once('.').ok_or(Fault::TokenMalformed)?;
        if payload.contains('.') {
            return Err(Fault::TokenMalformed);
        }
        let header = object(header)?;
        refuse_members(&header)?;
        let algorithm_name: Box<str> = required(&header, "alg")?.into();
        let kid = optional(&header, "kid")?;
        if kid.as_ref().is_some_and(|kid| kid.len() > KID_BYTES_MAX) {
            return Err(Fault::TokenMalformed);
        }
        let algorithm = algorithm_name.parse().ok();
        if algorithm.is_some() {
            let bytes = URL_SAFE_NO_PAD.decode(signature).map_err(|_| Fault::TokenMalformed)?;
            if bytes.is_empty() {
                return Err(Fault::SignatureInvalid);
            }
        }
        let typ = optional(&header, "typ")?;
        Ok(Self { signed, signature, algorithm, algorithm_name, kid, typ, claims: object(payload)? })
    }

    /// Whether `typ` is that media type, with or without `application/`, in any case (RFC 7515 §4.1.9).
    pub fn is_typ(&self, expected: &str) -> bool {
        let bare = |text: &'_ str| match text.get(..12) {
            Some(prefix) if prefix.eq_ignore_ascii_case("application/") => {
                text.get(12..).unwrap_or("").to_owned()
            }
            _ => text.to_owned(),
        };
        self.typ.as_deref().is_some_and(|typ| bare(typ).eq_ignore_ascii_case(&bare(expected)))
    }
}

fn object(part: &str) -> Result<Json, Fault> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| Fault::TokenMalformed)?;
    match Json::parse(&bytes) {
        Ok(object @ Json::Object(_)) => Ok(object),
        Ok(_) | Err(JsonFault::Malformed) => Err(Fault::TokenMalformed),
        Err(JsonFault::MemberRepeated) => Err(Fault::TokenMemberRepeated),
    }
}

fn refuse_members(header: &Json) -> Result<(), Fault> {
    if KEY_MEMBERS.iter().any(|name| header.member(name).is_some()) {
        return Err(Fault::KeyInHeader);
    }
    if MEANING_MEMBERS.iter().any(|name| header.member(name).is_some()) {
        return Err(Fault::CriticalHeader);
    }
    Ok(())
}

fn required<'j>(header: &'j Json, name: &str) -> Result<&'j str, Fault> {
    header.member(name).and_then(Json::as_str).ok_or(Fault::TokenMalformed)
}

fn optional(header: &Json, name: &str) -> Result<Option<Box<str>>, Fault> {
    match header.member(name) {
        None => Ok(None),
        Some(Json::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(Fault::TokenMalformed),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn token(header: &str, payload: &str) -> String {
        format!("{}.{}.c2ln", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload))
    }

    fn verdict(token: &str) -> String {
        match Compact::parse(token) {
            Ok(it) => format!("{} {:?}", it.algorithm_name, it.algorithm.is_some()),
            Err(fault) => fault.facts().0.to_owned(),
        }
    }

    #[test]
    fn takes_strict_tokens_only() {
        let good = token(r#"{"alg":"ES256"}"#, "{}");
        for (token, expected) in [
            (good.clone(), "ES256 true"),
            (token(r#"{"alg":"none"}"#, "{}").replace("c2ln", ""), "none false"),
            (token(r#"{"alg":"HS256"}"#, "{}"), "HS256 false"),
            (good.replace("c2ln", ""), "auth/signature_invalid"),
            (good.replace("c2ln", "c2lnZ"), "auth/token_malformed"),
            // `YR` and `YQ` decode to the same byte; only the canonical `YQ` is taken.
            (good.replace("c2ln", "YQ"), "ES256 true"),
            (good.replace("c2ln", "YR"), "auth/token_malformed"),
            (good.replace("c2ln", "YQ=="), "auth/token_malformed"),
            (good.replace("c2ln", "c2ln\n"), "auth/token_malformed"),
            (good.replace("c2ln", "c2+n"), "auth/token_malformed"),
            (format!("{good}.x"), "auth/token_malformed"),
            (format!("{good}.x.y"), "auth/token_malformed"),
            ("abc".into(), "auth/token_malformed"),
            (String::new(), "auth/token_malformed"),
            ("..".into(), "auth/token_malformed"),
            (r#"{"payload":"e30","signatures":[]}"#.into(), "auth/token_malformed"),
            (token("[]", "{}"), "auth/token_malformed"),
            (token("{}", "{}"), "auth/token_malformed"),
            (token(r#"{"alg":1}"#, "{}"), "auth/token_malformed"),
            (token(r#"{"alg":"ES256","kid":1}"#, "{}"), "auth/token_malformed"),
            (token(r#"{"alg":"ES256"}"#, "[]"), "auth/token_malformed"),
            (token(r#"{"alg":"none","alg":"ES256"}"#, "{}"), "auth/token_member_repeated"),
            (token(r#"{"alg":"ES256"}"#, r#"{"sub":"a","sub":"b"}"#), "auth/token_member_repeated"),
            (token(r#"{"alg":"ES256","crit":["exp"]}"#, "{}"), "auth/critical_header"),
            (token(r#"{"alg":"ES256","b64":false}"#, "{}"), "auth/critical_header"),
            (token(r#"{"alg":"ES256","jku":"https://evil.example"}"#, "{}"), "auth/key_in_header"),
            (token(r#"{"alg":"ES256","jwk":{}}"#, "{}"), "auth/key_in_header"),
            (token(r#"{"alg":"ES256","x5u":"https://evil.example"}"#, "{}"), "auth/key_in_header"),
            (token(r#"{"alg":"ES256","x5c":[]}"#, "{}"), "auth/key_in_header"),
            (
                token(r#"{"alg":"ES256"}"#, &format!(r#"{{"a":"{}"}}"#, "x".repeat(CREDENTIAL_BYTES_MAX))),
                "auth/credential_oversized",
            ),
        ] {
            assert_eq!(verdict(&token), expected, "{token}");
        }
    }

    #[test]
    fn compares_types_as_media_types() {
        let token = token(r#"{"alg":"ES256","typ":"application/AT+jwt"}"#, "{}");
        let compact = Compact::parse(&token).unwrap();
        assert!(compact.is_typ("at+jwt"));
        assert!(!compact.is_typ("JWT"));
    }

    proptest! {
        #[test]
        fn never_panics_on_garbage(text in "[A-Za-z0-9_.=-]{0,200}|\\PC{0,100}") {
            let _ = Compact::parse(&text);
        }

        #[test]
        fn never_panics_on_garbage_inside(header in "\\PC{0,60}", payload in "\\PC{0,60}") {
            let _ = Compact::parse(&token(&header, &payload));
        }
    }
}
