//! Calls that the range makes at the caller's word.

use portcullis_range::Weaknesses;
use serde_json::{Value, json};

use crate::client::{Client, Listener, twins};

#[tokio::test]
async fn addresses_are_fetched() {
    twins("ssrf-reflected", async |client| {
        let listener = Listener::start("text/plain", "canary").await;
        client.get(&format!("/preview?url={}", listener.url("/a"))).await.text() == "canary"
    })
    .await;
    twins("ssrf-status", async |client| {
        let (listener, token) = (Listener::start("text/plain", "").await, client.login("alice").await);
        client.call(&token, "POST", "/webhooks/test", json!({"url": listener.url("/a")})).await;
        listener.was_asked("/a")
    })
    .await;
    twins("ssrf-stored", async |client| {
        let (listener, token) = (Listener::start("text/plain", "").await, client.login("alice").await);
        client.call(&token, "POST", "/webhooks", json!({"callback_url": listener.url("/late")})).await;
        assert!(!listener.was_asked("/late"));
        let order = json!({"product_id": 1, "quantity": 1, "shipping_address": "x"});
        assert_eq!(client.call(&token, "POST", "/orders", order).await.status, 201);
        listener.was_asked("/late")
    })
    .await;
    twins("ssrf-header", async |client| {
        let listener = Listener::start("text/plain", "").await;
        let url = listener.url("/seen");
        client.send("GET", "/analytics/visit", &[("referer", url.as_str())], b"").await;
        listener.was_asked("/seen")
    })
    .await;
    twins("ssrf-import", async |client| {
        let (listener, token) = (Listener::start("image/png", "").await, client.login("alice").await);
        client.call(&token, "PUT", "/me/avatar", json!({"avatar_url": listener.url("/a")})).await;
        listener.was_asked("/a")
    })
    .await;
}

#[tokio::test]
async fn a_partner_is_fetched_even_by_the_secure_twin() {
    let listener = Listener::start("text/plain", "from a partner").await;
    let client = Client::start(Weaknesses::none(), vec![listener.address]).await;
    assert_eq!(client.get(&format!("/preview?url={}", listener.url("/a"))).await.text(), "from a partner");
    assert_eq!(client.get("/preview?url=http://127.0.0.1:1/").await.status, 422);
}

#[tokio::test]
async fn nothing_but_loopback_is_ever_called() {
    let client = Client::start(Weaknesses::all(), Vec::new()).await;
    for url in ["http://192.0.2.1/", "http://example.org/", "file:///etc/passwd"] {
        assert_eq!(client.get(&format!("/preview?url={url}")).await.status, 502, "{url}");
    }
    let token = client.login("alice").await;
    let answer = client.call(&token, "POST", "/webhooks/test", json!({"url": "http://example.org/"})).await;
    assert_eq!(answer.json()["delivered"], Value::Bool(false));
}
