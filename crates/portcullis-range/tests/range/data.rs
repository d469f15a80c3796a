//! What answers show too much of, and what they let through.

use serde_json::Value;

use crate::client::twins;

#[tokio::test]
async fn answers_show_too_much() {
    twins("excess-password-hash", async |client| {
        let alice = client.login("alice").await;
        client.call(&alice, "GET", "/people", Value::Null).await.text().contains("$pbkdf2-sha256$")
    })
    .await;
    twins("excess-card-number", async |client| client.get("/sellers/1").await.text().contains("411111"))
        .await;
    twins("excess-secret-token", async |client| client.get("/goods/1").await.text().contains("sk_live_"))
        .await;
    twins("excess-personal-data", async |client| client.get("/reviews").await.text().contains("@harbour"))
        .await;
}

#[tokio::test]
async fn heads_of_answers() {
    twins("headers-missing", async |client| {
        client.get("/reviews").await.header("x-content-type-options").is_none()
    })
    .await;
    twins("server-banner", async |client| client.get("/reviews").await.header("server").is_some()).await;
    twins("cors-reflected", async |client| {
        let answer = client.send("GET", "/reviews", &[("origin", "https://evil.example")], b"").await;
        answer.header("access-control-allow-origin").as_deref() == Some("https://evil.example")
    })
    .await;
}

#[tokio::test]
async fn bodies_without_bound() {
    twins("body-size-unbounded", async |client| {
        let text = format!("{{\"email\": \"a@b.example\", \"pad\": \"{}\"}}", "x".repeat(3 << 20));
        let fields = [("content-type", "application/json")];
        client.send("POST", "/auth/recover", &fields, text.as_bytes()).await.status == 202
    })
    .await;
}
