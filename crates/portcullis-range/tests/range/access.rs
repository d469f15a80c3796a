//! Objects, functions and doors.

use serde_json::{Value, json};

use crate::client::{Client, twins};

/// Bob's first order.
const BOBS_ORDER: &str = "/orders/3";

async fn document_of(client: &Client, token: &str) -> String {
    let body = json!({"title": "mine", "body": "canary"});
    let answer = client.call(token, "POST", "/documents", body).await;
    format!("/documents/{}", answer.json()["id"].as_str().expect("an id"))
}

#[tokio::test]
async fn objects_of_others_are_read() {
    twins("bola-read-integer", async |client| {
        let alice = client.login("alice").await;
        let answer = client.call(&alice, "GET", BOBS_ORDER, Value::Null).await;
        answer.json()["shipping_address"] == "1 Pier Road, bob"
    })
    .await;
    twins("bola-read-filter", async |client| {
        let alice = client.login("alice").await;
        client.call(&alice, "GET", "/orders?customer_id=2", Value::Null).await.text().contains("bob")
    })
    .await;
    twins("bola-read-uuid", async |client| {
        let (alice, bob) = (client.login("alice").await, client.login("bob").await);
        let target = document_of(client, &bob).await;
        assert_eq!(client.call(&bob, "GET", &target, Value::Null).await.status, 200);
        client.call(&alice, "GET", &target, Value::Null).await.text().contains("canary")
    })
    .await;
    twins("bola-read-name", async |client| {
        let alice = client.login("alice").await;
        client.call(&alice, "GET", "/vaults/bob-safe", Value::Null).await.status == 200
    })
    .await;
    twins("bola-read-body", async |client| {
        let alice = client.login("alice").await;
        let answer = client.call(&alice, "POST", "/messages/open", json!({"message_id": 2})).await;
        answer.text().contains("welcome code")
    })
    .await;
}

#[tokio::test]
async fn objects_of_others_are_changed() {
    twins("bola-write-integer", async |client| {
        let (alice, bob) = (client.login("alice").await, client.login("bob").await);
        client.call(&alice, "PATCH", BOBS_ORDER, json!({"shipping_address": "stolen"})).await;
        client.call(&bob, "GET", BOBS_ORDER, Value::Null).await.text().contains("stolen")
    })
    .await;
    twins("bola-write-uuid", async |client| {
        let (alice, bob) = (client.login("alice").await, client.login("bob").await);
        let target = document_of(client, &bob).await;
        client.call(&alice, "PUT", &target, json!({"title": "t", "body": "stolen"})).await;
        client.call(&bob, "GET", &target, Value::Null).await.text().contains("stolen")
    })
    .await;
    twins("bola-delete-uuid", async |client| {
        let (alice, bob) = (client.login("alice").await, client.login("bob").await);
        let target = document_of(client, &bob).await;
        client.call(&alice, "DELETE", &target, Value::Null).await;
        client.call(&bob, "GET", &target, Value::Null).await.status == 404
    })
    .await;
    twins("bola-delete-name", async |client| {
        let (alice, bob) = (client.login("alice").await, client.login("bob").await);
        client.call(&alice, "DELETE", "/vaults/bob-safe", Value::Null).await;
        client.call(&bob, "GET", "/vaults/bob-safe", Value::Null).await.status == 404
    })
    .await;
}

#[tokio::test]
async fn functions_of_administrators_are_open() {
    twins("bfla-list", async |client| {
        let alice = client.login("alice").await;
        client.call(&alice, "GET", "/admin/users", Value::Null).await.text().contains("bob@")
    })
    .await;
    twins("bfla-promote", async |client| {
        let alice = client.login("alice").await;
        client.call(&alice, "PUT", "/admin/users/alice/role", json!({"role": "admin"})).await;
        client.call(&alice, "GET", "/me", Value::Null).await.json()["role"] == "admin"
    })
    .await;
    twins("bfla-delete", async |client| {
        let (alice, admin) = (client.login("alice").await, client.login("admin").await);
        client.call(&alice, "DELETE", "/admin/users/carol", Value::Null).await;
        !client.call(&admin, "GET", "/admin/users", Value::Null).await.text().contains("carol@")
    })
    .await;
    twins("bfla-create", async |client| {
        let alice = client.login("alice").await;
        client.call(&alice, "POST", "/admin/announcements", json!({"title": "canary", "text": "x"})).await;
        client.get("/announcements").await.text().contains("canary")
    })
    .await;
}

#[tokio::test]
async fn doors_stand_open() {
    twins("auth-missing-read", async |client| client.get("/invoices/1").await.text().contains("alice")).await;
    twins("auth-missing-write", async |client| {
        let fields = [("content-type", "application/json")];
        client.send("PUT", "/shipping-rates/north", &fields, b"{\"price\": 1.25}").await;
        client.get("/shipping-rates").await.text().contains("1.25")
    })
    .await;
    twins("auth-garbage-accepted", async |client| {
        client.call("garbage", "GET", "/warehouse/stock", Value::Null).await.status == 200
    })
    .await;
    twins("auth-other-scheme", async |client| {
        let fields = [("authorization", "Basic YTpi")];
        client.send("GET", "/warehouse/pickings", &fields, b"").await.status == 200
    })
    .await;
    twins("auth-api-key-unchecked", async |client| {
        client.send("GET", "/partner/stock", &[("x-api-key", "anything")], b"").await.status == 200
    })
    .await;
}

#[tokio::test]
async fn the_right_credentials_open_every_door() {
    let client = Client::start(portcullis_range::Weaknesses::none(), Vec::new()).await;
    let (alice, admin) = (client.login("alice").await, client.login("admin").await);
    for target in ["/me", "/orders/1", "/invoices/1", "/vaults/alice-safe", "/warehouse/stock", "/people"] {
        assert_eq!(client.call(&alice, "GET", target, Value::Null).await.status, 200, "{target}");
        assert_eq!(client.get(target).await.status, 401, "{target}");
    }
    assert_eq!(client.call(&admin, "GET", "/admin/users", Value::Null).await.status, 200);
    assert_eq!(client.call(&alice, "GET", "/admin/users", Value::Null).await.status, 403);
    let key = client.call(&alice, "POST", "/me/api-keys", Value::Null).await.json()["api_key"].clone();
    let fields = [("x-api-key", key.as_str().expect("a key"))];
    assert_eq!(client.send("GET", "/partner/stock", &fields, b"").await.status, 200);
}
