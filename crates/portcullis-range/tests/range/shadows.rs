//! Methods that nobody declared, and what lies about.

use serde_json::Value;

use crate::client::twins;

#[tokio::test]
async fn methods_do_what_nobody_declared() {
    twins("method-delete", async |client| {
        client.send("DELETE", "/goods/2", &[], b"").await;
        client.get("/goods/2").await.status == 404
    })
    .await;
    twins("method-put", async |client| {
        let fields = [("content-type", "application/json")];
        client.send("PUT", "/sellers/1", &fields, b"{\"city\": \"Atlantis\"}").await;
        client.get("/sellers/1").await.json()["city"] == "Atlantis"
    })
    .await;
    twins("method-unknown", async |client| {
        client.send("FOO", "/announcements", &[], b"").await.text().contains("Winter hours")
    })
    .await;
    twins("method-override", async |client| {
        let token = client.login("alice").await;
        let bearer = format!("Bearer {token}");
        let fields = [("authorization", bearer.as_str()), ("x-http-method-override", "DELETE")];
        client.send("POST", "/vaults/alice-safe", &fields, b"").await;
        client.call(&token, "GET", "/vaults/alice-safe", Value::Null).await.status == 404
    })
    .await;
    twins("method-trace", async |client| {
        client
            .send("TRACE", "/announcements", &[("x-canary", "yes")], b"")
            .await
            .text()
            .contains("x-canary: yes")
    })
    .await;
}

#[tokio::test]
async fn forgotten_things() {
    for (id, target, text) in [
        ("old-version", "/v1/customers/2", "password_hash"),
        ("actuator", "/actuator/env", "DB_PASSWORD"),
        ("dot-env", "/.env", "APP_KEY"),
        ("backup-file", "/backup.sql", "CREATE TABLE"),
        ("debug-endpoint", "/debug/vars", "memstats"),
        ("repository", "/.git/config", "[core]"),
        ("undeclared-parameter", "/goods/1?debug=true", "purchase_price"),
    ] {
        twins(id, async |client| client.get(target).await.text().contains(text)).await;
    }
}
