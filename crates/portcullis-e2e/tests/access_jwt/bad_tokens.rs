//! Tokens that are expired, forged, meant for others, or try to talk the gate into something.

use http::Method;
use portcullis_e2e::{Caller, SigningKey, base64url, now_secs, rules, unsigned};
use serde_json::{Value, json};

use super::{Stage, claims, claims_with};

#[tokio::test]
async fn claims_that_do_not_hold_are_refused() {
    let key = SigningKey::ed25519("k");
    let stage = Stage::of(&[&key], "").await;
    let now = now_secs();
    for (change, rule) in [
        (json!({ "exp": now - 10 }), "auth/token_expired"),
        (json!({ "exp": null }), "auth/expiry_missing"),
        (json!({ "exp": "tomorrow" }), "auth/claim_malformed"),
        (json!({ "exp": now * 1_000 }), "auth/claim_malformed"),
        (json!({ "nbf": now + 60 }), "auth/token_not_yet_valid"),
        (json!({ "iat": now + 60 }), "auth/issued_in_future"),
        (json!({ "iss": "https://evil.example.com" }), "auth/issuer_wrong"),
        (json!({ "iss": "https://login.example.com/" }), "auth/issuer_wrong"),
        (json!({ "iss": null }), "auth/issuer_wrong"),
        (json!({ "aud": "billing" }), "auth/audience_wrong"),
        (json!({ "aud": ["billing", "Orders"] }), "auth/audience_wrong"),
        (json!({ "aud": null }), "auth/audience_wrong"),
        (json!({ "sub": null }), "auth/claim_missing"),
        (json!({ "sub": 7 }), "auth/claim_malformed"),
        (json!({ "sub": "alice\r\nX-Admin: 1" }), "auth/claim_malformed"),
        (
            json!({ "cnf": { "jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" } }),
            "auth/binding_unsupported",
        ),
        (json!({ "cnf": { "x5t#S256": base64url(&[7; 32]) } }), "auth/binding_wrong"),
    ] {
        stage.assert_bad(&key.token(&claims_with(&change)), 401, rule).await;
    }
    stage.assert_good(&key.token(&claims_with(&json!({ "exp": now + 60, "nbf": now + 2 })))).await;
    assert_eq!(stage.upstream.seen().len(), 1, "none of the bad ones reached the upstream");
}

#[tokio::test]
async fn forged_signatures_are_refused() {
    let rsa = SigningKey::rsa("rsa");
    let ec = SigningKey::p256("ec");
    let stage = Stage::of(&[&rsa, &ec], "").await;
    let good = ec.token(&claims());
    let (signed, signature) = good.rsplit_once('.').expect("three parts");

    // Another claim under the same signature, and the same claims under another key of that name.
    let other = unsigned(
        &json!({ "alg": "ES256", "typ": "JWT", "kid": "ec" }),
        &claims_with(&json!({ "sub": "root" })),
    );
    stage.assert_bad(&format!("{other}.{signature}"), 401, "auth/signature_invalid").await;
    stage.assert_bad(&SigningKey::p256("ec").token(&claims()), 401, "auth/signature_invalid").await;
    stage.assert_bad(&format!("{signed}.{}", base64url(&[0; 64])), 401, "auth/signature_invalid").await;
    stage.assert_bad(&format!("{signed}."), 401, "auth/signature_invalid").await;

    // `none` in every spelling, and the public key as an HMAC secret.
    for none in ["none", "None", "NONE", "nOnE"] {
        let header = json!({ "alg": none, "typ": "JWT", "kid": "ec" });
        let rule = "auth/algorithm_not_allowed";
        stage.assert_bad(&format!("{}.", unsigned(&header, &claims())), 401, rule).await;
        stage.assert_bad(&format!("{}.{signature}", unsigned(&header, &claims())), 401, rule).await;
    }
    let header = unsigned(&json!({ "alg": "HS256", "typ": "JWT", "kid": "rsa" }), &claims());
    let secret = rsa.jwk().to_string();
    let hmac = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret.as_bytes());
    let tag = aws_lc_rs::hmac::sign(&hmac, header.as_bytes());
    let confused = format!("{header}.{}", base64url(tag.as_ref()));
    stage.assert_bad(&confused, 401, "auth/algorithm_not_allowed").await;

    // A key used with the algorithm of another kind.
    let header = json!({ "alg": "RS256", "typ": "JWT", "kid": "ec" });
    stage.assert_bad(&rsa.token_with(&header, &claims()), 401, "auth/key_unfit").await;
    let not_listed = json!({ "alg": "PS256", "typ": "JWT", "kid": "rsa" });
    stage.assert_bad(&rsa.token_with(&not_listed, &claims()), 401, "auth/algorithm_not_allowed").await;
    assert_eq!(stage.upstream.seen().len(), 0);
    stage.assert_good(&good).await;
}

#[tokio::test]
async fn headers_that_bring_keys_or_extensions_are_refused() {
    let key = SigningKey::ed25519("k");
    let stage = Stage::of(&[&key], "").await;
    let own = SigningKey::ed25519("mine");
    for (more, rule) in [
        (json!({ "jwk": own.jwk() }), "auth/key_in_header"),
        (json!({ "jku": stage.keys.url() }), "auth/key_in_header"),
        (json!({ "x5u": stage.keys.url() }), "auth/key_in_header"),
        (json!({ "x5c": ["MIIB"] }), "auth/key_in_header"),
        (json!({ "crit": ["exp"], "exp": 1 }), "auth/critical_header"),
        (json!({ "b64": false, "crit": ["b64"] }), "auth/critical_header"),
    ] {
        let mut header = json!({ "alg": "EdDSA", "typ": "JWT", "kid": "mine" });
        for (name, value) in more.as_object().expect("an object") {
            header[name] = value.clone();
        }
        stage.assert_bad(&own.token_with(&header, &claims()), 401, rule).await;
        header["kid"] = "k".into();
        stage.assert_bad(&key.token_with(&header, &claims()), 401, rule).await;
    }
    assert_eq!(stage.keys.asked(), 1, "no address out of a token is ever asked");
}

#[tokio::test]
async fn what_is_no_token_is_refused() {
    let key = SigningKey::ed25519("k");
    let stage = Stage::of(&[&key], "").await;
    let good = key.token(&claims());
    let parts: Vec<&str> = good.split('.').collect();
    let twice = format!("{}.{}.{}", parts[0], base64url(br#"{"sub":"alice","sub":"root"}"#), parts[2]);
    for (token, rule) in [
        ("an-opaque-token".to_owned(), "auth/token_malformed"),
        ("a.b".to_owned(), "auth/token_malformed"),
        (format!("{good}.x"), "auth/token_malformed"),
        (format!("{good}="), "auth/token_malformed"),
        (format!("{}.{}.{}", parts[0], base64url(b"not json"), parts[2]), "auth/token_malformed"),
        (format!("{}.{}.{}", parts[0], base64url(b"[1]"), parts[2]), "auth/token_malformed"),
        (format!("{}.{}.{}", base64url(b"{}"), parts[1], parts[2]), "auth/token_malformed"),
        (twice, "auth/token_member_repeated"),
    ] {
        stage.assert_bad(&token, 401, rule).await;
    }
    let oversized = key.token(&claims_with(&json!({ "padding": "x".repeat(20_000) })));
    stage.assert_bad(&oversized, 401, "auth/credential_oversized").await;
    stage.assert_good(&good).await;
}

#[tokio::test]
async fn two_credentials_are_one_too_many() {
    let key = SigningKey::ed25519("k");
    let stage = Stage::of(&[&key], "").await;
    let good = format!("Bearer {}", key.token(&claims()));
    for second in [good.as_str(), "Bearer x", "Basic YTpi"] {
        let both = [("authorization", good.as_str()), ("authorization", second)];
        let mut caller = Caller::of(stage.gate.address());
        let refused = caller.call(Method::GET, "/orders", &both, "").await;
        stage.gate.assert_refused(&refused, 400, "auth/authorization_repeated").await;
    }
    // In a query a token counts for nothing (RFC 9700 §2.1), and is not recorded.
    let token = key.token(&claims());
    let refused = Caller::of(stage.gate.address()).get(&format!("/orders?access_token={token}")).await;
    stage.gate.assert_refused(&refused, 401, "auth/credential_missing").await;
    stage.gate.assert_nowhere(&token);
    assert_eq!(stage.upstream.seen().len(), 0);
}

#[tokio::test]
async fn refusals_challenge_as_bearer_tokens_do() {
    let key = SigningKey::ed25519("k");
    let stage = Stage::of(&[&key], "    scopes: [orders.read]\n").await;
    let mut caller = Caller::of(stage.gate.address());
    let bare = caller.get("/orders").await;
    let bare_challenge = bare.header("www-authenticate").to_owned();
    assert!(bare_challenge.starts_with("Bearer realm="), "{bare_challenge}");
    assert!(!bare_challenge.contains("error"), "RFC 6750 §3.1: {bare_challenge}");
    let invalid = stage.ask("nonsense").await;
    assert!(invalid.header("www-authenticate").contains(r#"error="invalid_token""#));
    let event = stage.gate.only_event_of(&invalid.reference()).await;
    assert_eq!(rules(&event), ["auth/token_malformed"], "one reason, the right one");
    assert_eq!(event["outcome"]["denied"], Value::from("unauthenticated"));
}
