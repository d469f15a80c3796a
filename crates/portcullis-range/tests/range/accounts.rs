//! Login, sessions, enumeration, limits, mass assignment.

use serde_json::{Value, json};

use crate::client::twins;

#[tokio::test]
async fn names_can_be_told_apart() {
    twins("enumeration-status", async |client| {
        let known = client.post("/auth/login", &json!({"username": "alice", "password": "wrong"})).await;
        let unknown = client.post("/auth/login", &json!({"username": "nobody", "password": "wrong"})).await;
        known.status != unknown.status
    })
    .await;
    twins("enumeration-registration", async |client| {
        let account =
            |name| json!({"username": name, "email": "n@harbour.example", "password": "Velvet-Anchor-55"});
        let taken = client.post("/auth/register", &account("alice")).await;
        let free = client.post("/auth/register", &account("erik")).await;
        assert_eq!(free.status, 201);
        client.login_with("erik", "Velvet-Anchor-55").await;
        client.login("alice").await;
        taken.status != free.status || taken.body != free.body
    })
    .await;
    twins("enumeration-body", async |client| {
        let known = client.post("/auth/recover", &json!({"email": "alice@harbour.example"})).await;
        let unknown = client.post("/auth/recover", &json!({"email": "nobody@harbour.example"})).await;
        assert_eq!(known.status, unknown.status);
        known.body != unknown.body
    })
    .await;
    twins("enumeration-length", async |client| {
        let known = client.post("/auth/challenge", &json!({"username": "alice"})).await;
        let unknown = client.post("/auth/challenge", &json!({"username": "nobody"})).await;
        known.body.len() != unknown.body.len()
    })
    .await;
}

/// The careless twin takes its 60 ms for a known name alone. The smallest of several times is compared, so that a
/// busy machine, which only ever adds, does not make the secure twin look careless.
#[tokio::test]
async fn time_tells_names_apart() {
    twins("enumeration-time", async |client| {
        let mut least = u128::MAX;
        for _ in 0..8 {
            let started = tokio::time::Instant::now();
            client.post("/auth/mobile/login", &json!({"username": "alice", "password": "wrong"})).await;
            least = least.min(started.elapsed().as_millis());
        }
        least >= 60
    })
    .await;
}

#[tokio::test]
async fn sessions_outlive_their_end() {
    let alive = async |client: &crate::client::Client, token: &str| {
        client.call(token, "GET", "/me", Value::Null).await.status == 200
    };
    twins("session-logout", async |client| {
        let token = client.login("alice").await;
        assert!(alive(client, &token).await);
        assert_eq!(client.call(&token, "POST", "/auth/logout", Value::Null).await.status, 204);
        alive(client, &token).await
    })
    .await;
    twins("session-password-change", async |client| {
        let token = client.login("alice").await;
        let body = json!({"current_password": "Harbour-Gate-17", "new_password": "Harbour-Gate-18"});
        assert_eq!(client.call(&token, "POST", "/me/password", body).await.status, 204);
        client.login_with("alice", "Harbour-Gate-18").await;
        alive(client, &token).await
    })
    .await;
    twins("session-revoke", async |client| {
        let (token, other) = (client.login("alice").await, client.login("alice").await);
        let answer = client.call(&token, "POST", "/auth/revoke", json!({"token": other})).await;
        assert_eq!(answer.status, 204);
        assert!(alive(client, &token).await);
        alive(client, &other).await
    })
    .await;
}

#[tokio::test]
async fn fields_are_set_that_are_not_the_callers() {
    twins("mass-assignment-role", async |client| {
        let account = json!({
            "username": "frida", "email": "f@harbour.example", "password": "Velvet-Anchor-55", "role": "admin"
        });
        client.post("/auth/register", &account).await;
        let token = client.login_with("frida", "Velvet-Anchor-55").await;
        client.call(&token, "GET", "/me", Value::Null).await.json()["role"] == "admin"
    })
    .await;
    for (id, body, pointer, value) in [
        ("mass-assignment-is-admin", json!({"is_admin": true}), "/is_admin", json!(true)),
        ("mass-assignment-verified", json!({"verified": "canary"}), "/verified", json!("canary")),
        ("mass-assignment-nested", json!({"wallet": {"balance": 777}}), "/wallet/balance", json!(777)),
    ] {
        twins(id, async |client| {
            let token = client.login("alice").await;
            client.call(&token, "PATCH", "/me", body.clone()).await;
            client.call(&token, "GET", "/me", Value::Null).await.json().pointer(pointer) == Some(&value)
        })
        .await;
    }
    twins("mass-assignment-owner", async |client| {
        let (alice, bob) = (client.login("alice").await, client.login("bob").await);
        let body = json!({"title": "planted", "body": "x", "owner_id": 2});
        client.call(&alice, "POST", "/documents", body).await;
        client.call(&bob, "GET", "/documents", Value::Null).await.text().contains("planted")
    })
    .await;
    twins("mass-assignment-price", async |client| {
        let token = client.login("alice").await;
        let body = json!({"product_id": 1, "quantity": 1, "shipping_address": "x", "unit_price": 0.01});
        let answer = client.call(&token, "POST", "/orders", body).await;
        let target = answer.header("location").expect("a place");
        client.call(&token, "GET", &target, Value::Null).await.json()["unit_price"] == 0.01
    })
    .await;
}

#[tokio::test]
async fn attempts_are_not_counted() {
    twins("rate-login", async |client| {
        let body = json!({"username": "alice", "password": "wrong"});
        for _ in 0..40 {
            if client.post("/auth/login", &body).await.status == 429 {
                return false;
            }
        }
        true
    })
    .await;
    twins("rate-forwarded-for", async |client| {
        let body = json!({"username": "alice", "code": "123456"}).to_string();
        for number in 0..40 {
            let address = format!("192.0.2.{number}");
            let fields = [("content-type", "application/json"), ("x-forwarded-for", address.as_str())];
            if client.send("POST", "/auth/otp/verify", &fields, body.as_bytes()).await.status == 429 {
                return false;
            }
        }
        true
    })
    .await;
    twins("rate-costly", async |client| {
        let token = client.login("alice").await;
        for _ in 0..10 {
            if client.call(&token, "POST", "/exports", Value::Null).await.status == 429 {
                return false;
            }
        }
        true
    })
    .await;
}
