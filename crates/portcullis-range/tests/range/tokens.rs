//! Tokens that should not be believed.

use aws_lc_rs::{
    hmac, rand,
    rsa::{KeyPair, KeySize},
    signature::{KeyPair as _, RSA_PKCS1_SHA256},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::client::{Client, Listener, twins};

const LATER: i64 = 9_999_999_999;

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn unsigned(head: &Value, subject: &str, exp: i64) -> String {
    format!("{}.{}", part(head), part(&json!({"sub": subject, "exp": exp, "jti": "forged"})))
}

fn hs256(head: &Value, key: &[u8]) -> String {
    let signed = unsigned(head, "bob", LATER);
    let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

async fn is_bob(client: &Client, token: &str) -> bool {
    client.call(token, "GET", "/me", Value::Null).await.json()["username"] == "bob"
}

async fn reads_bobs_inbox(client: &Client, token: &str) -> bool {
    client.call(token, "GET", "/mobile/inbox", Value::Null).await.status == 200
}

#[tokio::test]
async fn forged_tokens_are_believed() {
    twins("jwt-alg-none", async |client| {
        is_bob(client, &format!("{}.", unsigned(&json!({"alg": "None"}), "bob", LATER))).await
    })
    .await;
    twins("jwt-signature-ignored", async |client| {
        is_bob(client, &format!("{}.AAAA", unsigned(&json!({"alg": "RS256"}), "bob", LATER))).await
    })
    .await;
    twins("jwt-alg-confusion", async |client| {
        let pem = client.get("/.well-known/token-key.pem").await.body;
        is_bob(client, &hs256(&json!({"alg": "HS256"}), &pem)).await
    })
    .await;
    twins("jwt-weak-key", async |client| {
        reads_bobs_inbox(client, &hs256(&json!({"alg": "HS256", "kid": "mobile-1"}), b"secret")).await
    })
    .await;
    twins("jwt-kid-path", async |client| {
        reads_bobs_inbox(client, &hs256(&json!({"alg": "HS256", "kid": "../../../dev/null"}), b"")).await
    })
    .await;
    twins("jwt-kid-injection", async |client| {
        let kid = "x' UNION SELECT 'canary' -- ";
        reads_bobs_inbox(client, &hs256(&json!({"alg": "HS256", "kid": kid}), b"canary")).await
    })
    .await;
}

#[tokio::test]
async fn keys_are_taken_from_the_attacker() {
    let pair = KeyPair::generate(KeySize::Rsa2048).expect("a key");
    let public = pair.public_key();
    let field = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let key = json!({
        "kty": "RSA", "n": field(public.modulus().big_endian_without_leading_zero()),
        "e": field(public.exponent().big_endian_without_leading_zero())
    });
    let sign = |head: Value| {
        let signed = unsigned(&head, "bob", LATER);
        let mut signature = vec![0; pair.public_modulus_len()];
        let random = rand::SystemRandom::new();
        pair.sign(&RSA_PKCS1_SHA256, &random, signed.as_bytes(), &mut signature).expect("signs");
        format!("{signed}.{}", field(&signature))
    };
    twins("jwt-embedded-key", async |client| {
        is_bob(client, &sign(json!({"alg": "RS256", "jwk": key}))).await
    })
    .await;
    twins("jwt-jku-fetched", async |client| {
        let listener = Listener::start("application/json", &json!({"keys": [key]}).to_string()).await;
        // Where signatures are ignored anyway, the fetch is what shows the weakness.
        is_bob(client, &sign(json!({"alg": "RS256", "jku": listener.url("/keys")}))).await
    })
    .await;
}

#[tokio::test]
async fn expired_tokens_are_believed() {
    twins("jwt-exp-ignored", async |client| {
        let token = client.login("bob").await;
        assert!(is_bob(client, &token).await);
        client.range.advance(3_600);
        is_bob(client, &token).await
    })
    .await;
}

#[tokio::test]
async fn a_token_of_one_family_is_none_of_the_other() {
    let client = Client::start(portcullis_range::Weaknesses::none(), Vec::new()).await;
    let body = json!({"username": "bob", "password": "Quiet-Lantern-42"});
    let answer = client.post("/auth/mobile/login", &body).await;
    let mobile = answer.json()["access_token"].as_str().expect("a token").to_owned();
    assert!(reads_bobs_inbox(&client, &mobile).await);
    assert!(!is_bob(&client, &mobile).await);
}
