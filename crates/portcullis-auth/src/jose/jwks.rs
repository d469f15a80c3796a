//! A provider's signing keys (RFC 7517 JWK Set), checked when they arrive rather than when they are used.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::DecodingKey;

use crate::{
    jose::{
        algorithm::Algorithm,
        json::{Json, JsonFault},
    },
    refusal::{Fault, excerpt},
};

/// The largest document taken, in bytes; the fetcher must stop there.
pub const JWKS_BYTES_MAX: usize = 512 * 1024;
/// The most keys in a set.
const KEYS_MAX: usize = 256;
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// The usable keys of one provider.
#[derive(Debug)]
pub struct KeySet {
    keys: Vec<VerifyingKey>,
    /// The keys left out, and why: for the operator.
    pub left_out: Vec<LeftOut>,
}

/// A key that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Its place in the set, counted from 0.
    pub index: usize,
    /// Its id, cut; empty when it has none.
    pub kid: Box<str>,
    /// Why.
    pub why: &'static str,
}

struct VerifyingKey {
    kid: Option<Box<str>>,
    family: Family,
    /// `alg`, where the key is for one algorithm only.
    only: Option<Algorithm>,
    key: DecodingKey,
}

impl std::fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VerifyingKey")
            .field("kid", &self.kid)
            .field("family", &self.family)
            .finish_non_exhaustive()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Rsa,
    P256,
    P384,
    Ed25519,
}

impl Family {
    const fn fits(self, algorithm: Algorithm) -> bool {
        match algorithm {
            Algorithm::Rs256
            | Algorithm::Rs384
            | Algorithm::Rs512
            | Algorithm::Ps256
            | Algorithm::Ps384
            | Algorithm::Ps512 => matches!(self, Self::Rsa),
            Algorithm::Es256 => matches!(self, Self::P256),
            Algorithm::Es384 => matches!(self, Self::P384),
            Algorithm::EdDsa => matches!(self, Self::Ed25519),
        }
    }
}

/// A key set that cannot be taken at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JwksError {
    /// Larger than any honest set.
    #[error("the key set is larger than {JWKS_BYTES_MAX} bytes")]
    TooLarge,
    /// Not JSON.
    #[error("the key set is not JSON")]
    NotJson,
    /// A member occurs twice.
    #[error("the key set names a member twice")]
    MemberRepeated,
    /// There is no array `keys`.
    #[error("the key set has no array `keys`")]
    NoKeys,
    /// More keys than any honest set has.
    #[error("the key set has more than {KEYS_MAX} keys")]
    TooMany,
    /// None can be used.
    #[error("the key set has no usable signing key{}", first_reason(.0))]
    NoneUsable(Vec<LeftOut>),
}

fn first_reason(left_out: &[LeftOut]) -> String {
    match left_out {
        [first, ..] => format!(" (key `{}`: {})", first.kid, first.why),
        [] => String::new(),
    }
}

impl KeySet {
    /// Reads a set. Keys for encryption, of unsupported kinds, too weak, symmetric or private are left out: a
    /// published secret vouches for nothing.
    ///
    /// # Errors
    /// When the document is no key set, or no key in it can be used.
    pub fn parse(document: &[u8]) -> Result<Self, JwksError> {
        if document.len() > JWKS_BYTES_MAX {
            return Err(JwksError::TooLarge);
        }
        let json = Json::parse(document).map_err(|fault| match fault {
            JsonFault::Malformed => JwksError::NotJson,
            JsonFault::MemberRepeated => JwksError::MemberRepeated,
        })?;
        let entries = json.member("keys").and_then(Json::as_array).ok_or(JwksError::NoKeys)?;
        if entries.len() > KEYS_MAX {
            return Err(JwksError::TooMany);
        }
        let mut keys = Vec::new();
        let mut left_out = Vec::new();
        for (index, entry) in entries.iter().enumerate() {
            match read(entry) {
                Ok(key) => keys.push(key),
                Err(why) => {
                    let kid =
                        entry.member("kid").and_then(Json::as_str).map(excerpt).unwrap_or_default().into();
                    left_out.push(LeftOut { index, kid, why });
                }
            }
        }
        if keys.is_empty() { Err(JwksError::NoneUsable(left_out)) } else { Ok(Self { keys, left_out }) }
    }

    /// How many keys can be used; never zero.
    #[expect(clippy::len_without_is_empty, reason = "an empty set is not made")]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Verifies a signature with the one key that fits: the one named, or, when none is named, the only one for
    /// that algorithm.
    ///
    /// # Errors
    /// When no key or more than one fits, or the signature does not verify.
    pub fn verify(
        &self,
        kid: Option<&str>,
        algorithm: Algorithm,
        signed: &[u8],
        signature: &str,
    ) -> Result<(), Fault> {
        let key = self.select(kid, algorithm)?;
        match jsonwebtoken::crypto::verify(signature, signed, &key.key, algorithm.library()) {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => Err(Fault::SignatureInvalid),
        }
    }

    fn select(&self, kid: Option<&str>, algorithm: Algorithm) -> Result<&VerifyingKey, Fault> {
        let named = || self.keys.iter().filter(|key| kid.is_none() || key.kid.as_deref() == kid);
        let mut fitting =
            named().filter(|key| key.family.fits(algorithm) && key.only.is_none_or(|only| only == algorithm));
        match (fitting.next(), fitting.next()) {
            (Some(key), None) => Ok(key),
            (Some(_), Some(_)) => Err(Fault::SigningKeyAmbiguous),
            (None, _) if kid.is_some() && named().next().is_some() => Err(Fault::SigningKeyUnfit),
            (None, _) => Err(Fault::SigningKeyUnknown),
        }
    }
}

fn read(entry: &Json) -> Result<VerifyingKey, &'static str> {
    let text = |name: &str| match entry.member(name) {
        None => Ok(None),
        Some(Json::String(text)) => Ok(Some(&**text)),
        Some(_) => Err("a member has the wrong type"),
    };
    if ["d", "k", "p", "q", "priv"].iter().any(|name| entry.member(name).is_some()) {
        return Err("it is a secret or private key, and everybody can read it");
    }
    if text("use")?.is_some_and(|it| it != "sig") {
        return Err("its `use` is not `sig`");
    }
    if let Some(operations) = entry.member("key_ops") {
        let operations = operations.as_array().ok_or("a member has the wrong type")?;
        if !operations.iter().any(|it| it.as_str() == Some("verify")) {
            return Err("its `key_ops` do not include `verify`");
        }
    }
    let bytes = |name: &str| -> Result<Vec<u8>, &'static str> {
        let text = text(name)?.ok_or("a member is missing")?;
        URL_SAFE_NO_PAD.decode(text).map_err(|_| "a member is not base64url")
    };
    let (family, key) = match (text("kty")?, text("crv")?) {
        (Some("RSA"), _) => (Family::Rsa, rsa(&bytes("n")?, &bytes("e")?)?),
        (Some("EC"), Some("P-256")) => (Family::P256, curve_point(&bytes("x")?, &bytes("y")?, 32)?),
        (Some("EC"), Some("P-384")) => (Family::P384, curve_point(&bytes("x")?, &bytes("y")?, 48)?),
        (Some("OKP"), Some("Ed25519")) => (Family::Ed25519, ed25519(&bytes("x")?)?),
        (Some("oct"), _) => return Err("it is a shared secret"),
        (Some(_), _) => return Err("its type or curve is not supported"),
        (None, _) => return Err("it has no `kty`"),
    };
    let only = match text("alg")? {
        None => None,
        Some(name) => {
            let algorithm = name.parse().map_err(|_| "its `alg` is not supported")?;
            if !family.fits(algorithm) {
                return Err("its `alg` does not fit its type");
            }
            Some(algorithm)
        }
    };
    Ok(VerifyingKey { kid: text("kid")?.map(Box::from), family, only, key })
}

fn rsa(modulus: &[u8], exponent: &[u8]) -> Result<DecodingKey, &'static str> {
    let modulus = trimmed(modulus);
    let exponent = trimmed(exponent);
    let top_zeros = modulus.first().map_or(0, |byte| usize::try_from(byte.leading_zeros()).unwrap_or(0));
    if !RSA_BITS.contains(&(modulus.len() * 8).saturating_sub(top_zeros)) {
        return Err("its modulus is not 2048 to 8192 bits long");
    }
    // An exponent of 1 would make every message its own signature.
    if exponent.len() > 4 || exponent.last().is_none_or(|low| low % 2 == 0) || exponent == [1] {
        return Err("its exponent cannot be trusted");
    }
    Ok(DecodingKey::from_rsa_raw_components(modulus, exponent))
}

fn trimmed(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}

fn curve_point(x: &[u8], y: &[u8], len: usize) -> Result<DecodingKey, &'static str> {
    if x.len() != len || y.len() != len {
        return Err("its coordinates have the wrong length");
    }
    Ok(DecodingKey::from_ec_der(&[&[4], x, y].concat()))
}

fn ed25519(x: &[u8]) -> Result<DecodingKey, &'static str> {
    if x.len() != 32 {
        return Err("its coordinate has the wrong length");
    }
    Ok(DecodingKey::from_ed_der(x))
}

#[cfg(test)]
mod tests {
    use super::*;

    const X32: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE";

    fn left_out(key: &str) -> String {
        match KeySet::parse(format!(r#"{{"keys":[{key}]}}"#).as_bytes()) {
            Ok(set) => format!("{} usable", set.len()),
            Err(JwksError::NoneUsable(left_out)) => left_out[0].why.to_owned(),
            Err(other) => other.to_string(),
        }
    }

    #[test]
    fn leaves_out_what_cannot_be_trusted() {
        let n = |bytes: usize| URL_SAFE_NO_PAD.encode(vec![0xff; bytes]);
        let ed = format!(r#""kty":"OKP","crv":"Ed25519","x":"{X32}""#);
        for (key, expected) in [
            (format!("{{{ed}}}"), "1 usable"),
            (format!(r#"{{{ed},"use":"sig","alg":"EdDSA","key_ops":["verify"]}}"#), "1 usable"),
            (format!(r#"{{{ed},"alg":"Ed25519"}}"#), "1 usable"),
            (format!(r#"{{{ed},"use":"enc"}}"#), "its `use` is not `sig`"),
            (format!(r#"{{{ed},"key_ops":["sign"]}}"#), "its `key_ops` do not include `verify`"),
            (format!(r#"{{{ed},"alg":"RS256"}}"#), "its `alg` does not fit its type"),
            (format!(r#"{{{ed},"alg":"HS256"}}"#), "its `alg` is not supported"),
            (format!(r#"{{{ed},"kid":7}}"#), "a member has the wrong type"),
            (format!(r#"{{{ed},"d":"AA"}}"#), "it is a secret or private key, and everybody can read it"),
            (
                r#"{"kty":"oct","k":"AAAA"}"#.into(),
                "it is a secret or private key, and everybody can read it",
            ),
            (r#"{"kty":"oct"}"#.into(), "it is a shared secret"),
            (r#"{"kty":"OKP","crv":"Ed25519","x":"AA"}"#.into(), "its coordinate has the wrong length"),
            (format!(r#"{{"kty":"EC","crv":"P-256","x":"{X32}","y":"{X32}"}}"#), "1 usable"),
            (
                format!(r#"{{"kty":"EC","crv":"P-384","x":"{X32}","y":"{X32}"}}"#),
                "its coordinates have the wrong length",
            ),
            (
                format!(r#"{{"kty":"EC","crv":"secp256k1","x":"{X32}","y":"{X32}"}}"#),
                "its type or curve is not supported",
            ),
            (format!(r#"{{"kty":"RSA","n":"{}","e":"AQAB"}}"#, n(256)), "1 usable"),
            (
                format!(r#"{{"kty":"RSA","n":"{}","e":"AQAB"}}"#, n(128)),
                "its modulus is not 2048 to 8192 bits long",
            ),
            (format!(r#"{{"kty":"RSA","n":"{}","e":"AQ"}}"#, n(256)), "its exponent cannot be trusted"),
            (format!(r#"{{"kty":"RSA","n":"{}=","e":"AQAB"}}"#, n(256)), "a member is not base64url"),
            (r#"{"kty":"RSA","e":"AQAB"}"#.into(), "a member is missing"),
            ("{}".into(), "it has no `kty`"),
            ("7".into(), "it has no `kty`"),
        ] {
            assert_eq!(left_out(&key), expected, "{key}");
        }
    }

    #[test]
    fn refuses_documents_that_are_no_key_set() {
        for (text, expected) in [
            ("", "the key set is not JSON"),
            ("{}", "the key set has no array `keys`"),
            (r#"{"keys":{}}"#, "the key set has no array `keys`"),
            (r#"{"keys":[]}"#, "the key set has no usable signing key"),
            (r#"{"keys":[],"keys":[]}"#, "the key set names a member twice"),
            ("<html>", "the key set is not JSON"),
        ] {
            assert_eq!(KeySet::parse(text.as_bytes()).unwrap_err().to_string(), expected, "{text}");
        }
        let many = format!(r#"{{"keys":[{}]}}"#, vec!["{}"; 257].join(","));
        assert_eq!(KeySet::parse(many.as_bytes()).unwrap_err(), JwksError::TooMany);
        assert_eq!(KeySet::parse(&vec![b' '; JWKS_BYTES_MAX + 1]).unwrap_err(), JwksError::TooLarge);
    }

    #[test]
    fn selects_by_id_and_algorithm() {
        let ed = |kid: &str| format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{X32}"{kid}}}"#);
        let p256 = format!(r#"{{"kty":"EC","crv":"P-256","x":"{X32}","y":"{X32}","kid":"b"}}"#);
        let set = |keys: &[String]| {
            KeySet::parse(format!(r#"{{"keys":[{}]}}"#, keys.join(",")).as_bytes()).unwrap()
        };
        let select = |set: &KeySet, kid, algorithm| match set.select(kid, algorithm) {
            Ok(key) => format!("{:?}", key.family),
            Err(fault) => fault.facts().0.to_owned(),
        };
        let two = set(&[ed(r#","kid":"a""#), p256]);
        assert_eq!(select(&two, Some("a"), Algorithm::EdDsa), "Ed25519");
        assert_eq!(select(&two, Some("a"), Algorithm::Es256), "auth/key_unfit");
        assert_eq!(select(&two, Some("c"), Algorithm::Es256), "auth/key_unknown");
        assert_eq!(select(&two, None, Algorithm::Es256), "P256");
        assert_eq!(select(&two, None, Algorithm::Rs256), "auth/key_unknown");
        let same = set(&[ed(r#","kid":"a""#), ed(r#","kid":"a""#)]);
        assert_eq!(select(&same, Some("a"), Algorithm::EdDsa), "auth/key_ambiguous");
        assert_eq!(select(&same, None, Algorithm::EdDsa), "auth/key_ambiguous");
    }
}
