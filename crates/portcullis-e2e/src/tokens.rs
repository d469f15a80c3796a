//! Signing keys and tokens made by the tests themselves, so that no library's good manners stand between a test and
//! a bad token.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::{KeyPair as RsaKeyPair, KeySize},
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    },
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// A signing key with its id.
pub struct SigningKey {
    /// The `kid`.
    pub kid: String,
    pair: Pair,
}

enum Pair {
    Ed25519(Ed25519KeyPair),
    P256(EcdsaKeyPair),
    Rsa(RsaKeyPair),
}

impl SigningKey {
    /// For `EdDSA`.
    pub fn ed25519(kid: &str) -> Self {
        Self { kid: kid.into(), pair: Pair::Ed25519(Ed25519KeyPair::generate().expect("a key")) }
    }

    /// For `ES256`.
    pub fn p256(kid: &str) -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key");
        Self { kid: kid.into(), pair: Pair::P256(pair) }
    }

    /// For `RS256`.
    pub fn rsa(kid: &str) -> Self {
        Self { kid: kid.into(), pair: Pair::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).expect("a key")) }
    }

    /// Its algorithm.
    pub fn alg(&self) -> &'static str {
        match self.pair {
            Pair::Ed25519(_) => "EdDSA",
            Pair::P256(_) => "ES256",
            Pair::Rsa(_) => "RS256",
        }
    }

    /// The public half as a JSON Web Key.
    pub fn jwk(&self) -> Value {
        let mut jwk = match &self.pair {
            Pair::Ed25519(pair) => json!({
                "kty": "OKP", "crv": "Ed25519", "x": base64url(pair.public_key().as_ref()),
            }),
            Pair::P256(pair) => {
                // SEC 1 §2.3.3: 4, then both coordinates.
                let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
                json!({ "kty": "EC", "crv": "P-256", "x": base64url(x), "y": base64url(y) })
            }
            Pair::Rsa(pair) => json!({
                "kty": "RSA",
                "n": base64url(pair.public_key().modulus().big_endian_without_leading_zero()),
                "e": base64url(pair.public_key().exponent().big_endian_without_leading_zero()),
            }),
        };
        jwk["kid"] = self.kid.as_str().into();
        jwk["use"] = "sig".into();
        jwk["alg"] = self.alg().into();
        jwk
    }

    /// A token with an honest header.
    pub fn token(&self, claims: &Value) -> String {
        self.token_with(&json!({ "alg": self.alg(), "typ": "JWT", "kid": self.kid }), claims)
    }

    /// A well-signed token with any header.
    pub fn token_with(&self, header: &Value, claims: &Value) -> String {
        let signed = unsigned(header, claims);
        let signature = match &self.pair {
            Pair::Ed25519(pair) => pair.sign(signed.as_bytes()).as_ref().to_vec(),
            Pair::P256(pair) => {
                let signature = pair.sign(&SystemRandom::new(), signed.as_bytes());
                signature.expect("a signature").as_ref().to_vec()
            }
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
                    .expect("a signature");
                signature
            }
        };
        format!("{signed}.{}", base64url(&signature))
    }
}

/// The first two parts of a token.
pub fn unsigned(header: &Value, claims: &Value) -> String {
    format!("{}.{}", base64url(header.to_string().as_bytes()), base64url(claims.to_string().as_bytes()))
}

/// A key set of these keys.
pub fn key_set(keys: &[&SigningKey]) -> Value {
    json!({ "keys": keys.iter().map(|key| key.jwk()).collect::<Vec<_>>() })
}

/// RFC 4648 §5 without padding.
pub fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The bytes of RFC 4648 §5 without padding.
pub fn from_base64url(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).expect("base64url")
}

/// Seconds since the Unix epoch.
pub fn now_secs() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs()
}
