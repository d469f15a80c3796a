//! A short-lived token in which the gate tells an upstream who calls, signed with Ed25519 (RFC 8037).
//!
//! The upstream needs the public key only and can forge nothing. A token is signed anew when a third of its life
//! has passed, so a call costs a digest rather than a signature.

use std::{fmt, sync::Arc, time::Duration};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use portcullis_core::{
    clock::{Entropy, Timestamp},
    principal::Principal,
};
use serde::Serialize;
use zeroize::Zeroize;

use crate::{mechanisms::api_key::sha256, recent::Recent};

const REMEMBERED_MAX: usize = 8_192;
/// The shortest and longest lives of a token.
const LIFE_SECS: std::ops::RangeInclusive<u64> = 3..=3_600;

/// The key is not usable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SigningKeyError {
    /// Not PEM with an Ed25519 key in PKCS #8.
    #[error("the signing key is not an Ed25519 key in PKCS #8 PEM (`-----BEGIN PRIVATE KEY-----`)")]
    NotEd25519,
    /// The token would live too short or too long.
    #[error("an internal token lives 3 seconds to 1 hour; found {0} seconds")]
    Life(u64),
}

/// The gate's signing key.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    kid: Box<str>,
}

impl SigningKey {
    /// The key in a PEM text (RFC 5958, RFC 8410).
    ///
    /// # Errors
    /// When there is no Ed25519 key in it.
    pub fn from_pem(pem: &str) -> Result<Self, SigningKeyError> {
        let der = jsonwebtoken::EncodingKey::from_ed_pem(pem.as_bytes())
            .map_err(|_| SigningKeyError::NotEd25519)?;
        Ed25519KeyPair::from_pkcs8(der.as_bytes()).map(Self::of).map_err(|_| SigningKeyError::NotEd25519)
    }

    /// A new key that nobody else has; upstreams learn its public half from [`SigningKey::jwks`].
    ///
    /// # Errors
    /// Never, in practice: any 32 bytes are a key.
    pub fn generate(entropy: &dyn Entropy) -> Result<Self, SigningKeyError> {
        let mut seed = [0u8; 32];
        entropy.fill(&mut seed);
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| SigningKeyError::NotEd25519);
        seed.zeroize();
        pair.map(Self::of)
    }

    fn of(pair: Ed25519KeyPair) -> Self {
        // RFC 7638: the thumbprint of the required members in lexicographic order.
        let x = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
        let kid = URL_SAFE_NO_PAD
            .encode(sha256(format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#).as_bytes()));
        Self { pair, kid: kid.into() }
    }

    /// The public half as a key set, for upstreams.
    pub fn jwks(&self) -> String {
        let x = URL_SAFE_NO_PAD.encode(self.pair.public_key().as_ref());
        format!(
            r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","use":"sig","alg":"EdDSA","kid":"{}","x":"{x}"}}]}}"#,
            self.kid
        )
    }
}

/// What an upstream's tokens say beside who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InternalTokenSettings {
    /// `iss`.
    pub issuer: Arc<str>,
    /// `aud`: the upstream or API.
    pub audience: Arc<str>,
    /// How long a token lives: 3 s to 1 h.
    pub life: Duration,
}

/// Makes the tokens for one upstream.
pub struct InternalTokens {
    key: Arc<SigningKey>,
    settings: InternalTokenSettings,
    life_secs: u64,
    remembered: Recent<(Arc<str>, Timestamp)>,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: &'a str,
    provider: &'a str,
    mechanism: portcullis_core::principal::Mechanism,
    #[serde(skip_serializing_if = "Option::is_none")]
    credential: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    roles: &'a [Arc<str>],
    #[serde(skip_serializing_if = "String::is_empty")]
    scope: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iat: Option<u64>,
    exp: u64,
}

impl InternalTokens {
    /// Tokens signed with that key.
    ///
    /// # Errors
    /// When the tokens' life is out of bounds.
    pub fn new(key: Arc<SigningKey>, settings: InternalTokenSettings) -> Result<Self, SigningKeyError> {
        let life_secs = settings.life.as_secs();
        if !LIFE_SECS.contains(&life_secs) {
            return Err(SigningKeyError::Life(life_secs));
        }
        Ok(Self { key, settings, life_secs, remembered: Recent::new(REMEMBERED_MAX) })
    }

    /// A token for the caller; `None` when its own credential has ended.
    pub fn token(&self, principal: &Principal, now: Timestamp) -> Option<Arc<str>> {
        let credential_ends = principal.expires.map_or(u64::MAX, Timestamp::as_secs);
        // What does not depend on the present: one digest finds the token made a moment ago.
        let lasting = self.claims(principal, None, credential_ends)?;
        let digest = sha256(lasting.as_bytes());
        if let Some((token, until)) = self.remembered.find(&digest)
            && now < until
        {
            return Some(token);
        }
        let issued = now.as_secs();
        let expires = issued.saturating_add(self.life_secs).min(credential_ends);
        let life = expires.checked_sub(issued).filter(|secs| *secs > 0)?;
        let token: Arc<str> = self.sign(&self.claims(principal, Some(issued), expires)?).into();
        self.remembered.insert(digest, (Arc::clone(&token), now.plus(Duration::from_secs(life) / 3)));
        Some(token)
    }

    fn claims(&self, principal: &Principal, iat: Option<u64>, exp: u64) -> Option<String> {
        serde_json::to_string(&Claims {
            iss: &self.settings.issuer,
            aud: &self.settings.audience,
            sub: &principal.id,
            provider: &principal.provider,
            mechanism: principal.mechanism,
            credential: principal.credential.as_deref(),
            tenant: principal.tenant.as_deref(),
            roles: &principal.roles,
            scope: principal.scopes.join(" "),
            plan: principal.plan.as_deref(),
            iat,
            exp,
        })
        .ok()
    }

    fn sign(&self, claims: &str) -> String {
        let header = format!(r#"{{"alg":"EdDSA","typ":"JWT","kid":"{}"}}"#, self.key.kid);
        let mut token = URL_SAFE_NO_PAD.encode(header);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(claims, &mut token);
        let signature = self.key.pair.sign(token.as_bytes());
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        token
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("kid", &self.kid).finish_non_exhaustive()
    }
}

impl fmt::Debug for InternalTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InternalTokens").field("settings", &self.settings).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use portcullis_core::principal::Mechanism;

    use super::*;
    use crate::jose::{compact::Compact, json::Json, jwks::KeySet};

    struct Seed;

    impl Entropy for Seed {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(9);
        }
    }

    fn tokens(life: u64) -> Result<InternalTokens, SigningKeyError> {
        let settings = InternalTokenSettings {
            issuer: "portcullis".into(),
            audience: "orders".into(),
            life: Duration::from_secs(life),
        };
        InternalTokens::new(Arc::new(SigningKey::generate(&Seed).unwrap()), settings)
    }

    fn caller() -> Principal {
        Principal {
            id: "al\"i".into(),
            provider: "customers".into(),
            mechanism: Mechanism::Jwt,
            scopes: vec!["a".into(), "b".into()],
            roles: vec!["admin".into()],
            expires: Some(Timestamp::from_secs(1_050)),
            ..Principal::default()
        }
    }

    #[test]
    fn tells_who_calls_and_verifies_with_the_published_key() {
        let tokens = tokens(60).unwrap();
        let token = tokens.token(&caller(), Timestamp::from_secs(1_000)).unwrap();
        let compact = Compact::parse(&token).unwrap();
        let keys = KeySet::parse(tokens.key.jwks().as_bytes()).unwrap();
        keys.verify(
            compact.kid.as_deref(),
            compact.algorithm.unwrap(),
            compact.signed.as_bytes(),
            compact.signature,
        )
        .unwrap();
        let claim = |name: &str| compact.claims.member(name).cloned();
        assert_eq!(claim("sub"), Some(Json::String("al\"i".into())));
        assert_eq!(claim("scope"), Some(Json::String("a b".into())));
        assert_eq!(
            claim("exp"),
            Some(Json::Number(1_050.0)),
            "never longer than the caller's own credential"
        );
        assert_eq!(claim("tenant"), None);
    }

    #[test]
    fn signs_anew_only_after_a_third_of_the_life() {
        let tokens = tokens(60).unwrap();
        let caller = Principal { expires: None, ..caller() };
        let at = |secs| tokens.token(&caller, Timestamp::from_secs(secs)).unwrap();
        assert_eq!(at(1_000), at(1_019));
        assert_ne!(at(1_000), at(1_020));
        let other = Principal { roles: vec![], ..caller.clone() };
        assert_ne!(at(1_020), tokens.token(&other, Timestamp::from_secs(1_020)).unwrap());
    }

    #[test]
    fn vouches_for_nobody_whose_credential_has_ended() {
        assert_eq!(tokens(60).unwrap().token(&caller(), Timestamp::from_secs(1_050)), None);
    }

    #[test]
    fn refuses_unusable_keys_and_lives() {
        assert_eq!(SigningKey::from_pem("nonsense").unwrap_err(), SigningKeyError::NotEd25519);
        assert_eq!(tokens(2).unwrap_err(), SigningKeyError::Life(2));
        assert_eq!(tokens(3_601).unwrap_err(), SigningKeyError::Life(3_601));
    }
}
