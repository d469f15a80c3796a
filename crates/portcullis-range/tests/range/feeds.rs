//! What partners answer. The secure twin fetches from a partner too, and is not taken in by the answer.

use portcullis_range::Weaknesses;
use serde_json::{Value, json};

use crate::client::{Client, Listener, twins};

const MARKUP: &str = "<script>canary()</script>";
const QUERY: &str = "{\"category\": \"x' OR 1=1 -- \"}";

#[tokio::test]
async fn answers_are_trusted() {
    twins("unsafe-rendered", async |client| {
        let listener = Listener::start("text/plain", MARKUP).await;
        client.get(&format!("/feeds/render?url={}", listener.url("/"))).await.text().contains(MARKUP)
    })
    .await;
    twins("unsafe-stored", async |client| {
        let (listener, token) = (Listener::start("text/plain", MARKUP).await, client.login("alice").await);
        client.call(&token, "POST", "/feeds", json!({"url": listener.url("/")})).await;
        client.get("/pages/feeds").await.text().contains(MARKUP)
    })
    .await;
    twins("unsafe-followed", async |client| {
        let inner = Listener::start("text/plain", "from inside").await;
        let outer = Listener::redirecting(&inner.url("/inside")).await;
        client.get(&format!("/feeds/follow?url={}", outer.url("/"))).await.text() == "from inside"
    })
    .await;
    twins("unsafe-query", async |client| {
        let (listener, token) =
            (Listener::start("application/json", QUERY).await, client.login("alice").await);
        let answer = client.call(&token, "POST", "/feeds/sync", json!({"url": listener.url("/")})).await;
        answer.text().contains("rope")
    })
    .await;
}

#[tokio::test]
async fn a_partners_answer_is_input_to_the_secure_twin() {
    let (markup, query) =
        (Listener::start("text/plain", MARKUP).await, Listener::start("text/plain", QUERY).await);
    let inner = Listener::start("text/plain", "from inside").await;
    let outer = Listener::redirecting(&inner.url("/inside")).await;
    let partners = vec![markup.address, query.address, outer.address];
    let client = Client::start(Weaknesses::none(), partners).await;
    let token = client.login("alice").await;
    let page = client.get(&format!("/feeds/render?url={}", markup.url("/"))).await.text();
    assert!(page.contains("&lt;script&gt;canary()") && !page.contains(MARKUP));
    client.call(&token, "POST", "/feeds", json!({"url": markup.url("/")})).await;
    let page = client.get("/pages/feeds").await.text();
    assert!(page.contains("&lt;script&gt;canary()") && !page.contains(MARKUP));
    client.get(&format!("/feeds/follow?url={}", outer.url("/"))).await;
    assert!(outer.was_asked("/") && !inner.was_asked("/inside"));
    let answer = client.call(&token, "POST", "/feeds/sync", json!({"url": query.url("/")})).await;
    assert_eq!(answer.json(), Value::Array(Vec::new()));
}
