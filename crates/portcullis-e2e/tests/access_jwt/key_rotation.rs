//! Signing keys that change, and a key server that fails.

use portcullis_e2e::{SigningKey, until_status};

use super::{Stage, claims};

#[tokio::test]
async fn a_new_key_is_fetched_once_for_all_who_wait() {
    let (old, new) = (SigningKey::ed25519("old"), SigningKey::p256("new"));
    let stage = Stage::of(&[&old], "").await;
    stage.assert_good(&old.token(&claims())).await;
    let asked = stage.keys.asked();
    stage.keys.publish(&[&new]);
    let token = new.token(&claims());
    let (a, b, c, d) =
        tokio::join!(stage.ask(&token), stage.ask(&token), stage.ask(&token), stage.ask(&token));
    assert_eq!([a.status, b.status, c.status, d.status], [200; 4], "{}", stage.gate.log());
    assert_eq!(stage.keys.asked(), asked + 1, "one refresh for all of them");
    // The old key is no longer published: what it signed is not believed, remembered or not.
    stage.assert_bad(&old.token(&claims()), 401, "auth/key_unknown").await;
}

#[tokio::test]
async fn a_flood_of_unknown_keys_costs_one_refresh() {
    let key = SigningKey::ed25519("k");
    let stage = Stage::of(&[&key], "").await;
    stage.assert_good(&key.token(&claims())).await;
    let asked = stage.keys.asked();
    for number in 0..60 {
        let stranger = SigningKey::ed25519(&format!("stranger-{number}"));
        let answer = stage.ask(&stranger.token(&claims())).await;
        assert_eq!(answer.status, 401, "{}", answer.text());
    }
    let refreshes = stage.keys.asked() - asked;
    assert!((1..=3).contains(&refreshes), "{refreshes} refreshes for 60 unknown keys");
    stage.assert_bad(&SigningKey::ed25519("x").token(&claims()), 401, "auth/key_unknown").await;
    stage.assert_good(&key.token(&claims())).await;
}

#[tokio::test]
async fn old_keys_are_kept_while_their_server_fails() {
    let (key, stranger) = (SigningKey::ed25519("k"), SigningKey::ed25519("stranger"));
    let stage = Stage::of(&[&key], "").await;
    stage.assert_good(&key.token(&claims())).await;
    for (status, body) in [(500, "oops"), (200, "<html>"), (200, r#"{"keys":[]}"#)] {
        stage.keys.answer_with(status, body);
        assert_eq!(stage.ask(&stranger.token(&claims())).await.status, 401);
        stage.assert_good(&key.token(&claims())).await;
    }
}

#[tokio::test]
async fn without_any_keys_the_gate_is_unavailable_and_recovers() {
    let key = SigningKey::ed25519("k");
    let stage = Stage::of(&[&key], "").await;
    // A gate of its own whose key server fails from the start.
    stage.keys.answer_with(503, "later");
    let config =
        std::fs::read_to_string(stage.gate.folder().join("portcullis.yaml")).expect("a configuration");
    let gate = portcullis_e2e::Gate::new(&config)
        .file("shop.yaml", portcullis_e2e::SHOP)
        .file("revoked", "")
        .start()
        .await;
    let late = Stage { upstream: portcullis_e2e::Upstream::agreeable().await, keys: stage.keys, gate };
    let token = key.token(&claims());
    let refused = late.ask(&token).await;
    late.gate.assert_refused(&refused, 503, "auth/signing_keys_unavailable").await;
    assert!(!refused.header("retry-after").is_empty());
    late.keys.publish(&[&key]);
    until_status(200, || late.ask(&token)).await;
}

#[tokio::test]
async fn keys_of_an_issuer_that_stays_away_are_not_believed_for_ever() {
    let key = SigningKey::ed25519("k");
    let stage = Stage::of(&[&key], "").await;
    let config =
        std::fs::read_to_string(stage.gate.folder().join("portcullis.yaml")).expect("a configuration");
    let config = config.replace("leeway: 5s", "leeway: 0s\n        refresh: 1s\n        keys_max_age: 2s");
    let gate = portcullis_e2e::Gate::new(&config)
        .file("shop.yaml", portcullis_e2e::SHOP)
        .file("revoked", "")
        .start()
        .await;
    let stage = Stage { gate, ..stage };
    let token = key.token(&claims());
    until_status(200, || stage.ask(&token)).await;
    stage.keys.answer_with(503, "later");
    let refused = until_status(503, || stage.ask(&token)).await;
    stage.gate.assert_refused(&refused, 503, "auth/signing_keys_too_old").await;
    let metrics = portcullis_e2e::Caller::of(stage.gate.admin()).get("/metrics").await.text();
    assert!(metrics.contains("portcullis_providers_without_keys 1"), "{metrics}");
    while !stage.gate.log().contains("past `keys_max_age`") {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    stage.keys.publish(&[&key]);
    until_status(200, || stage.ask(&token)).await;
}

#[tokio::test]
async fn a_refused_reload_leaves_the_keys_in_force_fresh() {
    let (old, new) = (SigningKey::ed25519("old"), SigningKey::ed25519("new"));
    let stage = Stage::of(&[&old], "").await;
    stage.assert_good(&old.token(&claims())).await;
    let config =
        std::fs::read_to_string(stage.gate.folder().join("portcullis.yaml")).expect("a configuration");
    // Another origin of keys, in a configuration that is refused for a specification that is not there.
    let elsewhere = config.replace("/jwks", "/elsewhere").replace("spec: shop.yaml", "spec: absent.yaml");
    stage.gate.write("portcullis.yaml", elsewhere);
    assert_eq!(stage.gate.reload().code, 78);
    stage.keys.publish(&[&new]);
    stage.assert_good(&new.token(&claims())).await;
}
