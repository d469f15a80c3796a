//! Tokens that were good and no longer are.

use portcullis_e2e::{SigningKey, now_secs, until_status};
use serde_json::json;

use super::{Stage, claims_with};

#[tokio::test]
async fn a_revoked_token_cannot_be_replayed() {
    let key = SigningKey::ed25519("k");
    let stage = Stage::of(&[&key], "").await;
    let first = key.token(&claims_with(&json!({ "jti": "first" })));
    let second = key.token(&claims_with(&json!({ "jti": "second" })));
    stage.assert_good(&first).await;
    stage.assert_good(&second).await;

    stage.gate.write("revoked", "jti first\n");
    stage.gate.reload_well();
    stage.assert_bad(&first, 401, "auth/token_revoked").await;
    stage.assert_good(&second).await;

    stage.gate.write("revoked", "jti first\nsub alice\n");
    stage.gate.reload_well();
    stage.assert_bad(&second, 401, "auth/token_revoked").await;
    stage.assert_good(&key.token(&claims_with(&json!({ "sub": "bob" })))).await;

    // Whoever signs in anew after the incident gets through.
    let later = now_secs() - 60;
    stage.gate.write("revoked", format!("sub alice before {later}\n"));
    stage.gate.reload_well();
    stage.assert_good(&second).await;
    let old = key.token(&claims_with(&json!({ "iat": later - 60 })));
    stage.assert_bad(&old, 401, "auth/token_revoked").await;
}

#[tokio::test]
async fn the_revocation_file_is_watched() {
    let key = SigningKey::ed25519("k");
    let stage = Stage::of(&[&key], "").await;
    let token = key.token(&claims_with(&json!({})));
    stage.assert_good(&token).await;
    stage.gate.write("revoked", "jti token-1\n");
    let refused = until_status(401, || stage.ask(&token)).await;
    stage.gate.assert_refused(&refused, 401, "auth/token_revoked").await;
}

#[tokio::test]
async fn a_broken_revocation_file_is_refused_and_the_old_list_stays() {
    let key = SigningKey::ed25519("k");
    let stage = Stage::of(&[&key], "").await;
    let token = key.token(&claims_with(&json!({})));
    stage.gate.write("revoked", "jti token-1\n");
    stage.gate.reload_well();
    stage.assert_bad(&token, 401, "auth/token_revoked").await;
    stage.gate.write("revoked", "jti token-9\nban everybody\n");
    let refused = stage.gate.reload();
    assert_ne!(refused.code, 0);
    let said = format!("{}{}", refused.stdout, refused.stderr);
    assert!(said.contains("revoked:2"), "the line is named: {said}");
    stage.assert_bad(&token, 401, "auth/token_revoked").await;
}
