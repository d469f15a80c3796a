//! An issuer of tokens for tests: signs anything, forgeries too.

use std::sync::Arc;

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::KeySize,
    signature::{
        self, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
        KeyPair, RsaKeyPair, RsaPublicKeyComponents,
    },
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use portcullis_core::{clock::Timestamp, ports::Keys, principal::Principal};

pub(crate) fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) enum TestKey {
    Rsa(Box<RsaKeyPair>),
    P256(Box<EcdsaKeyPair>),
    P384(Box<EcdsaKeyPair>),
    Ed(Ed25519KeyPair),
}

impl TestKey {
    pub(crate) fn rsa() -> Self {
        Self::Rsa(Box::new(RsaKeyPair::generate(KeySize::Rsa2048).unwrap()))
    }

    pub(crate) fn p256() -> Self {
        Self::P256(Box::new(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap()))
    }

    pub(crate) fn p384() -> Self {
        Self::P384(Box::new(EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap()))
    }

    pub(crate) fn ed() -> Self {
        Self::Ed(Ed25519KeyPair::generate().unwrap())
    }

    /// The public half as a JWK with that id, `more` being further members such as `,"use":"sig"`.
    pub(crate) fn jwk(&self, kid: &str, more: &str) -> String {
        let point = |key: &EcdsaKeyPair, curve: &str, len: usize| {
            let point = key.public_key().as_ref();
            format!(
                r#""kty":"EC","crv":"{curve}","x":"{}","y":"{}""#,
                b64(&point[1..=len]),
                b64(&point[len + 1..])
            )
        };
        let members = match self {
            Self::Rsa(key) => {
                let public = RsaPublicKeyComponents::<Vec<u8>>::from(key.public_key());
                format!(r#""kty":"RSA","n":"{}","e":"{}""#, b64(public.n), b64(public.e))
            }
            Self::P256(key) => point(key, "P-256", 32),
            Self::P384(key) => point(key, "P-384", 48),
            Self::Ed(key) => {
                format!(r#""kty":"OKP","crv":"Ed25519","x":"{}""#, b64(key.public_key().as_ref()))
            }
        };
        format!(r#"{{{members},"kid":"{kid}"{more}}}"#)
    }

    /// A token with that header and those claims, signed in the way of `alg` whatever the header says.
    pub(crate) fn token(&self, alg: &str, header: &str, claims: &str) -> String {
        let signed = format!("{}.{}", b64(header), b64(claims));
        let signature = self.sign(alg, signed.as_bytes());
        format!("{signed}.{}", b64(signature))
    }

    fn sign(&self, alg: &str, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Rsa(key) => {
                let encoding: &'static dyn signature::RsaEncoding = match alg {
                    "RS256" => &signature::RSA_PKCS1_SHA256,
                    "RS384" => &signature::RSA_PKCS1_SHA384,
                    "RS512" => &signature::RSA_PKCS1_SHA512,
                    "PS256" => &signature::RSA_PSS_SHA256,
                    "PS384" => &signature::RSA_PSS_SHA384,
                    "PS512" => &signature::RSA_PSS_SHA512,
                    other => panic!("{other}"),
                };
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(encoding, &random, message, &mut signature).unwrap();
                signature
            }
            Self::P256(key) | Self::P384(key) => key.sign(&random, message).unwrap().as_ref().to_vec(),
            Self::Ed(key) => key.sign(message).as_ref().to_vec(),
        }
    }
}

pub(crate) fn key_set(jwks: &[String]) -> String {
    format!(r#"{{"keys":[{}]}}"#, jwks.join(","))
}

/// Knows one key.
pub(crate) struct OneKey(pub(crate) [u8; 32], pub(crate) Arc<Principal>);

impl Keys for OneKey {
    fn find(&self, sha256: &[u8; 32], now: Timestamp) -> Option<Arc<Principal>> {
        (*sha256 == self.0 && self.1.expires.is_none_or(|end| now < end)).then(|| Arc::clone(&self.1))
    }
}

/// Not random at all.
pub(crate) struct Seed(pub(crate) u8);

impl portcullis_core::clock::Entropy for Seed {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(self.0);
    }
}
