//! JSON Web Tokens as a forger sees them: taken apart without a key, put together with any.

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

/// Bytes of a token that is looked at, at most.
const TOKEN_BYTES_MAX: usize = 16 * 1024;

/// A token taken apart; nothing is verified.
#[derive(Clone, Debug, PartialEq)]
pub struct Token {
    /// The header.
    pub header: Map<String, Value>,
    /// The claims.
    pub claims: Map<String, Value>,
    /// What was signed: header and claims as they stood.
    pub signed: String,
    /// The signature.
    pub signature: Vec<u8>,
}

/// A hash that HMAC signatures are made with (RFC 7518 §3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    /// HS256.
    Sha256,
    /// HS384.
    Sha384,
    /// HS512.
    Sha512,
}

impl Hash {
    /// The hash of an `alg`, where it is an HMAC one.
    pub fn of(alg: &str) -> Option<Self> {
        match alg {
            "HS256" => Some(Self::Sha256),
            "HS384" => Some(Self::Sha384),
            "HS512" => Some(Self::Sha512),
            _ => None,
        }
    }

    fn algorithm(self) -> hmac::Algorithm {
        match self {
            Self::Sha256 => hmac::HMAC_SHA256,
            Self::Sha384 => hmac::HMAC_SHA384,
            Self::Sha512 => hmac::HMAC_SHA512,
        }
    }
}

impl Token {
    /// A token in compact form; `None` where it is none.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > TOKEN_BYTES_MAX {
            return None;
        }
        let (signed, signature) = text.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let part = |text: &str| -> Option<Map<String, Value>> {
            let bytes = URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()?;
            serde_json::from_slice(&bytes).ok()
        };
        let signature = URL_SAFE_NO_PAD.decode(signature.trim_end_matches('=')).ok()?;
        Some(Self { header: part(header)?, claims: part(claims)?, signed: signed.to_owned(), signature })
    }

    /// The algorithm it names.
    pub fn alg(&self) -> &str {
        self.header.get("alg").and_then(Value::as_str).unwrap_or_default()
    }

    /// Whether this HMAC key made its signature.
    pub fn signed_by(&self, key: &[u8]) -> bool {
        let Some(hash) = Hash::of(self.alg()) else { return false };
        let key = hmac::Key::new(hash.algorithm(), key);
        hmac::verify(&key, self.signed.as_bytes(), &self.signature).is_ok()
    }
}

/// The first two parts of a token.
pub fn unsigned(header: &Map<String, Value>, claims: &Map<String, Value>) -> String {
    let part = |map: &Map<String, Value>| URL_SAFE_NO_PAD.encode(serde_json::to_vec(map).unwrap_or_default());
    format!("{}.{}", part(header), part(claims))
}

/// A token with a signature of an HMAC key.
pub fn sign(header: &Map<String, Value>, claims: &Map<String, Value>, hash: Hash, key: &[u8]) -> String {
    let signed = unsigned(header, claims);
    let tag = hmac::sign(&hmac::Key::new(hash.algorithm(), key), signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag.as_ref()))
}

/// The claims of one that name somebody else: those of `mine`, each that differs from `theirs` taken from there, apart
/// from what only tells one token from another.
pub fn as_another(mine: &Map<String, Value>, theirs: &Map<String, Value>) -> Map<String, Value> {
    let mut claims = mine.clone();
    for (name, value) in theirs {
        if !matches!(name.as_str(), "iat" | "exp" | "nbf" | "jti" | "auth_time" | "sid") {
            claims.insert(name.clone(), value.clone());
        }
    }
    claims
}

/// The public key of an RSA or EC JWK as PEM text (SubjectPublicKeyInfo), as servers keep it: what a verifier that
/// confuses algorithms would take as an HMAC key. RSA only.
pub fn pem_of(jwk: &Value) -> Option<String> {
    let number = |name: &str| URL_SAFE_NO_PAD.decode(jwk.get(name)?.as_str()?.trim_end_matches('=')).ok();
    let (n, e) = (number("n")?, number("e")?);
    let key = sequence(&[integer(&n), integer(&e)].concat());
    // rsaEncryption, 1.2.840.113549.1.1.1 with NULL parameters (RFC 3279 §2.3.1).
    let algorithm =
        [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];
    let mut bits = vec![0];
    bits.extend_from_slice(&key);
    let info = sequence(&[algorithm.to_vec(), tagged(0x03, &bits)].concat());
    let text = base64::engine::general_purpose::STANDARD.encode(info);
    let mut pem = String::from("-----BEGIN PUBLIC KEY-----\n");
    for (at, letter) in text.chars().enumerate() {
        if at > 0 && at % 64 == 0 {
            pem.push('\n');
        }
        pem.push(letter);
    }
    pem.push_str("\n-----END PUBLIC KEY-----\n");
    Some(pem)
}

fn sequence(content: &[u8]) -> Vec<u8> {
    tagged(0x30, content)
}

fn integer(bytes: &[u8]) -> Vec<u8> {
    let mut content = Vec::with_capacity(bytes.len() + 1);
    if bytes.first().is_some_and(|first| *first >= 0x80) {
        content.push(0);
    }
    content.extend_from_slice(bytes);
    tagged(0x02, &content)
}

/// One DER element (X.690 §8.1); lengths up to 64 KiB, far above any key.
fn tagged(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().min(0xffff);
    let mut out = vec![tag];
    if length < 0x80 {
        out.push(length as u8);
    } else if length < 0x100 {
        out.extend_from_slice(&[0x81, length as u8]);
    } else {
        out.extend_from_slice(&[0x82, (length >> 8) as u8, (length & 0xff) as u8]);
    }
    out.extend_from_slice(content);
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn signs_what_it_can_take_apart() {
        let text = sign(&map(json!({"alg": "HS256"})), &map(json!({"sub": "a"})), Hash::Sha256, b"secret");
        let token = Token::parse(&text).unwrap();
        assert_eq!(token.claims, map(json!({"sub": "a"})));
        assert!(token.signed_by(b"secret"));
        assert!(!token.signed_by(b"Secret"));
    }

    #[test]
    fn takes_no_other_text_for_a_token() {
        for text in ["", "a.b.c", "token", "a.b", &"x".repeat(20_000)] {
            assert_eq!(Token::parse(text), None, "{text}");
        }
    }

    #[test]
    fn keeps_times_when_it_names_another() {
        let claims =
            as_another(&map(json!({"sub": 1, "exp": 5})), &map(json!({"sub": 2, "exp": 9, "role": "x"})));
        assert_eq!(claims, map(json!({"sub": 2, "exp": 5, "role": "x"})));
    }

    #[test]
    fn writes_a_public_key_as_pem() {
        let pem = pem_of(&json!({"kty": "RSA", "n": "AQAB", "e": "AQAB"})).unwrap();
        assert!(pem.starts_with("-----BEGIN PUBLIC KEY-----\nMB"), "{pem}");
        assert_eq!(pem_of(&json!({"kty": "EC"})), None);
    }
}
