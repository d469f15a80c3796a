//! Promises, costs and errors.

use serde_json::{Value, json};

use crate::client::twins;

#[tokio::test]
async fn promises_are_broken() {
    twins("contract-server-error", async |client| client.get("/calendar?month=2").await.status == 500).await;
    twins("contract-off-schema", async |client| {
        client.get("/stock-levels/LAMP-100").await.json()["count"].is_string()
    })
    .await;
    twins("contract-accepts-invalid", async |client| {
        client.post("/bookings", &json!({"seats": "many", "name": 7})).await.status == 201
    })
    .await;
    twins("contract-status", async |client| client.get("/lockers/7").await.status == 203).await;
    twins("contract-media-type", async |client| {
        client.get("/bulletin").await.header("content-type").is_some_and(|it| it.contains("text/plain"))
    })
    .await;
    twins("contract-delete", async |client| {
        let token = client.login("alice").await;
        let made = client.call(&token, "POST", "/bookmarks", json!({"page": "/x"})).await;
        let target = made.header("location").expect("a place");
        assert_eq!(client.call(&token, "DELETE", &target, Value::Null).await.status, 204);
        client.call(&token, "GET", &target, Value::Null).await.status == 200
    })
    .await;
}

#[tokio::test]
async fn errors_and_cookies_tell() {
    twins("stack-trace", async |client| {
        client
            .post("/calculations", &json!({"amount": 1, "divisor": 0}))
            .await
            .text()
            .contains("Calculator.java:41")
    })
    .await;
    twins("cors-null", async |client| {
        let answer = client.send("GET", "/reviews", &[("origin", "null")], b"").await;
        answer.header("access-control-allow-origin").is_some()
    })
    .await;
    twins("cookie-flags", async |client| {
        let cookie = client.post("/preferences", &json!({"theme": "dark"})).await.header("set-cookie");
        !cookie.expect("a cookie").contains("HttpOnly")
    })
    .await;
}

#[tokio::test]
async fn sizes_are_taken_as_asked() {
    twins("page-size", async |client| {
        client.get("/items?limit=5000").await.json().as_array().is_some_and(|it| it.len() == 5_000)
    })
    .await;
    twins("json-depth", async |client| {
        let body = format!("{{\"a\": {}{}}}", "[".repeat(3_000), "]".repeat(3_000));
        let fields = [("content-type", "application/json")];
        client.send("POST", "/configs", &fields, body.as_bytes()).await.json()["depth"] == 3_001
    })
    .await;
    twins("image-size", async |client| client.get("/thumbnails?width=4000&height=4000").await.status == 200)
        .await;
}

/// The cost is not timed here: that it doubles is a test of the matcher; that the matcher is asked is seen by its
/// giving up, which makes a plausible text of more than 64 characters implausible, or the checked twin refuse it.
#[tokio::test]
async fn patterns_backtrack() {
    twins("redos-code", async |client| {
        client.get(&format!("/coupons/check?code={}!", "a".repeat(20))).await.status == 200
    })
    .await;
    twins("redos-address", async |client| {
        let address = json!({"address": format!("{}@harbour.example", "a".repeat(70))});
        client.post("/newsletter", &address).await.status == 422
    })
    .await;
}
