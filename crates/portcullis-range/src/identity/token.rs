//! JSON Web Tokens (RFC 7519): the right way, and each of the known wrong ways behind its switch.

use aws_lc_rs::{
    hmac, rand,
    signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, RsaPublicKeyComponents},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::{
    app::App,
    engines::{fetch, files},
    state::dice::Dice,
    weakness::Weakness,
};

const PRIVATE: &[u8] = include_bytes!("../../keys/signing.pkcs8.der");
/// The public half, as operators publish it.
pub(crate) const PUBLIC_PEM: &str = include_str!("../../keys/signing.public.pem");
const MODULUS: &str = include_str!("../../keys/signing.modulus.txt");

/// The longest token that is looked at, in bytes.
const TOKEN_BYTES_MAX: usize = 8 << 10;

/// The key that a careless team picks for HS256.
const WEAK_KEY: &[u8] = b"secret";

/// Signing keys. The RSA key is fixed, so that one seed gives one sequence of tokens.
pub(crate) struct Keys {
    rsa: RsaKeyPair,
    mobile: Vec<u8>,
}

impl Keys {
    /// # Errors
    /// The embedded key is unusable.
    pub(crate) fn new(weak: bool, dice: &mut Dice) -> Result<Self, String> {
        let rsa = RsaKeyPair::from_pkcs8(PRIVATE).map_err(|error| error.to_string())?;
        let strong = dice.bytes();
        Ok(Self { rsa, mobile: if weak { WEAK_KEY.to_vec() } else { strong } })
    }
}

/// The public key as a key set (RFC 7517).
pub(crate) fn key_set() -> Value {
    json!({"keys": [{
        "kty": "RSA", "use": "sig", "alg": "RS256", "kid": "market-1", "n": MODULUS.trim(), "e": "AQAB"
    }]})
}

/// Which of the two services signs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    /// RS256, for everything but the mobile service.
    Main,
    /// HS256, for the mobile service alone.
    Mobile,
}

/// A fresh token for this user.
pub(crate) fn issue(app: &App, user: &Value, ttl_secs: i64, family: Family) -> String {
    let now = app.now();
    let jti = app.state().dice.uuid();
    let claims = json!({
        "iss": "https://market.harbour.example", "sub": user.get("username"), "role": user.get("role"),
        "gen": user.get("sessions_from"), "iat": now, "exp": now.saturating_add(ttl_secs), "jti": jti
    });
    let (alg, kid) = match family {
        Family::Main => ("RS256", "market-1"),
        Family::Mobile => ("HS256", "mobile-1"),
    };
    let head = json!({"alg": alg, "typ": "JWT", "kid": kid});
    let signed = format!("{}.{}", encode(head.to_string()), encode(claims.to_string()));
    let signature = match family {
        Family::Mobile => hs256(&app.keys.mobile, &signed),
        Family::Main => {
            let mut out = vec![0; app.keys.rsa.public_modulus_len()];
            let random = rand::SystemRandom::new();
            let _ = app.keys.rsa.sign(&RSA_PKCS1_SHA256, &random, signed.as_bytes(), &mut out);
            out
        }
    };
    format!("{signed}.{}", encode(signature))
}

/// The claims of a token that this service believes.
pub(crate) async fn verify(app: &App, token: &str, mobile: bool) -> Option<Value> {
    if token.len() > TOKEN_BYTES_MAX {
        return None;
    }
    let (signed, signature) = token.rsplit_once('.')?;
    let (head, claims) = signed.split_once('.')?;
    let head: Value = serde_json::from_slice(&decode(head)?).ok()?;
    let claims: Value = serde_json::from_slice(&decode(claims)?).ok()?;
    let signature = decode(signature)?;
    if !believable(app, &head, signed, &signature, mobile).await {
        return None;
    }
    let expiry = claims.get("exp").and_then(Value::as_i64);
    let fresh = expiry.is_some_and(|it| it > app.now());
    (fresh || app.weaknesses.contains(Weakness::JwtExpIgnored)).then_some(claims)
}

async fn believable(app: &App, head: &Value, signed: &str, signature: &[u8], mobile: bool) -> bool {
    let on = |weakness| app.weaknesses.contains(weakness);
    let alg = head.get("alg").and_then(Value::as_str).unwrap_or_default();
    if alg.eq_ignore_ascii_case("none") {
        return on(Weakness::JwtAlgNone) && signature.is_empty();
    }
    match alg {
        "RS256" => {
            if !mobile && on(Weakness::JwtSignatureIgnored) {
                return true;
            }
            if on(Weakness::JwtEmbeddedKey)
                && let Some(key) = head.get("jwk")
                && rs256(key, signed, signature)
            {
                return true;
            }
            if on(Weakness::JwtJkuFetched)
                && let Some(url) = head.get("jku").and_then(Value::as_str)
            {
                let set = fetch::get(url, 0)
                    .await
                    .ok()
                    .and_then(|it| serde_json::from_slice::<Value>(&it.body).ok());
                let keys = set.as_ref().and_then(|it| it.get("keys")).and_then(Value::as_array);
                if keys.into_iter().flatten().take(8).any(|key| rs256(key, signed, signature)) {
                    return true;
                }
            }
            key_set()
                .get("keys")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .any(|it| rs256(it, signed, signature))
        }
        "HS256" if mobile => {
            let kid = head.get("kid").and_then(Value::as_str).unwrap_or_default();
            mobile_keys(app, kid).iter().any(|key| hs256_fits(key, signed, signature))
        }
        "HS256" if on(Weakness::JwtAlgConfusion) => [PUBLIC_PEM, PUBLIC_PEM.trim_end()]
            .iter()
            .any(|key| hs256_fits(key.as_bytes(), signed, signature)),
        _ => false,
    }
}

/// The keys that a key id can stand for.
fn mobile_keys(app: &App, kid: &str) -> Vec<Vec<u8>> {
    let mut keys = Vec::new();
    if kid == "mobile-1" {
        keys.push(app.keys.mobile.clone());
    }
    if app.weaknesses.contains(Weakness::JwtKidPath)
        && let Some(content) = files::read(&format!("/srv/market/keys/{kid}"))
    {
        keys.push(content.as_bytes().to_vec());
    }
    if app.weaknesses.contains(Weakness::JwtKidInjection) {
        let query = format!("SELECT secret FROM signing_keys WHERE kid = '{kid}'");
        let rows = app.sql.select(&query, &[]).unwrap_or_default();
        let texts = rows.iter().filter_map(|row| row.get("secret").and_then(Value::as_str));
        keys.extend(texts.map(|it| it.as_bytes().to_vec()));
    }
    keys
}

fn rs256(key: &Value, signed: &str, signature: &[u8]) -> bool {
    let part = |name| key.get(name).and_then(Value::as_str).and_then(decode);
    let (Some(n), Some(e)) = (part("n"), part("e")) else { return false };
    RsaPublicKeyComponents { n: &n, e: &e }
        .verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), signature)
        .is_ok()
}

fn hs256(key: &[u8], signed: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), signed.as_bytes()).as_ref().to_vec()
}

fn hs256_fits(key: &[u8], signed: &str, signature: &[u8]) -> bool {
    hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, key), signed.as_bytes(), signature).is_ok()
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}
