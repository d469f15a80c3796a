//! API keys: made, listed and revoked beside a running gate, and believed only as long as they are good.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a failure here is a failed test"
)]

use http::Method;
use portcullis_e2e::{Caller, Gate, GateBuilder, SHOP, Upstream, until_status};
use serde_json::Value;

fn gate(upstream: &Upstream, api: &str) -> GateBuilder {
    let config = format!(
        "
listen: 127.0.0.1:0
admin: {{ address: 127.0.0.1:0 }}
tls: off
identity: {{ providers: {{ api_keys: {{ api_keys: {{}} }} }} }}
plans: {{ small: {{ rate: 2/h }} }}
apis:
  shop:
    spec: shop.yaml
    upstream: {}
    auth: api_keys
{api}",
        upstream.url()
    );
    Gate::new(&config).file("shop.yaml", SHOP)
}

fn listed(gate: &Gate) -> Vec<Value> {
    let output = gate.command(&["keys", "list", "--json"]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    serde_json::from_str(&output.stdout).expect("a list is JSON")
}

#[tokio::test]
async fn a_key_opens_the_gate_and_is_shown_once() {
    let upstream = Upstream::agreeable().await;
    let gate = gate(&upstream, "    identity_headers: { X-Consumer: principal.id }").start().await;
    let key = gate.key("frontend", &[]);
    assert!(key.starts_with("pcl_") && key.len() == 53, "{key}");

    let mut caller = Caller::of(gate.address()).with("x-api-key", &key);
    let answer = caller.get("/orders").await;
    assert_eq!(answer.status, 200, "{}\n{}", answer.text(), gate.log());
    let seen = upstream.seen();
    assert_eq!(seen[0].headers["x-consumer"], "frontend");
    assert!(!seen[0].headers.contains_key("x-api-key"), "the upstream has no use for the key");

    let keys = listed(&gate);
    assert_eq!(keys[0]["owner"], "frontend");
    assert_eq!(keys[0]["begins_with"], key[..10]);
    assert!(!Value::Array(keys).to_string().contains(&key), "a list never shows a key");
    assert!(!gate.command(&["keys", "list"]).stdout.contains(&key));
    let event = &gate.events(1).await[0];
    assert_eq!(event["principal"]["id"], "frontend");
    assert_eq!(event["principal"]["mechanism"], "api_key");
    gate.assert_nowhere(&key);
}

#[tokio::test]
async fn a_running_gate_learns_of_new_and_revoked_keys_at_once() {
    let upstream = Upstream::agreeable().await;
    let gate = gate(&upstream, "").start().await;
    let mut nobody = Caller::of(gate.address());
    let refused = nobody.get("/orders").await;
    gate.assert_refused(&refused, 401, "auth/credential_missing").await;
    assert!(
        refused.header("www-authenticate").starts_with("ApiKey"),
        "{}",
        refused.header("www-authenticate")
    );

    let key = gate.key("first", &[]);
    let other = gate.key("second", &[]);
    let mut caller = Caller::of(gate.address()).with("x-api-key", &key);
    assert_eq!(caller.get("/orders").await.status, 200);

    let id = listed(&gate)[0]["id"].as_str().expect("an id").to_owned();
    let output = gate.command(&["keys", "revoke", &id]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    let refused = caller.get("/orders").await;
    gate.assert_refused(&refused, 401, "auth/key_not_valid").await;
    let mut caller = Caller::of(gate.address()).with("x-api-key", &other);
    assert_eq!(caller.get("/orders").await.status, 200, "the other key is not concerned");
    assert!(listed(&gate)[0]["revoked"].is_string());
    assert_eq!(upstream.seen().len(), 2, "what is refused never reaches the upstream");
    gate.assert_nowhere(&key);
    gate.assert_nowhere(&other);
}

#[tokio::test]
async fn mistyped_and_made_up_keys_are_told_apart_from_unknown_ones() {
    let upstream = Upstream::agreeable().await;
    let gate = gate(&upstream, "").start().await;
    let key = gate.key("frontend", &[]);
    let last = if key.ends_with('0') { "1" } else { "0" };
    let mistyped = format!("{}{last}", &key[..key.len() - 1]);
    for bad in [mistyped.as_str(), "pcl_short", "secret", &key[1..], &"pcl_0".repeat(30)] {
        let mut caller = Caller::of(gate.address()).with("x-api-key", bad);
        let refused = caller.get("/orders").await;
        gate.assert_refused(&refused, 401, "auth/key_malformed").await;
    }
    // Well-formed, but of another gate.
    let elsewhere = Gate::new("version: 1\napis: {}\n").key("frontend", &[]);
    let mut caller = Caller::of(gate.address()).with("x-api-key", &elsewhere);
    let refused = caller.get("/orders").await;
    gate.assert_refused(&refused, 401, "auth/key_not_valid").await;
    for secret in [&mistyped, &elsewhere] {
        gate.assert_nowhere(secret);
    }
    assert_eq!(upstream.seen().len(), 0);
}

#[tokio::test]
async fn a_key_ends_when_it_says() {
    let upstream = Upstream::agreeable().await;
    let gate = gate(&upstream, "").start().await;
    let key = gate.key("brief", &["--expires", "2s"]);
    let mut caller = Caller::of(gate.address()).with("x-api-key", &key);
    assert_eq!(caller.get("/orders").await.status, 200);
    let refused = until_status(401, || {
        let mut caller = Caller::of(gate.address()).with("x-api-key", &key);
        async move { caller.get("/orders").await }
    })
    .await;
    gate.assert_refused(&refused, 401, "auth/key_not_valid").await;
}

#[tokio::test]
async fn scopes_and_roles_are_demanded_by_operation() {
    let upstream = Upstream::agreeable().await;
    let api = "    scopes: [orders.read]
    operations:
      createOrder: { scopes: [orders.read, orders.write] }
      deleteOrder: { roles: [manager, owner] }
      getOrder: { deny: true }
";
    let gate = gate(&upstream, api).start().await;
    let reader = gate.key("reader", &["--scope", "orders.read"]);
    let manager = gate.key("manager", &["--scope", "orders.read", "--role", "manager"]);
    let nothing = gate.key("nothing", &[]);
    let writer = gate.key("writer", &["--scope", "orders.read", "--scope", "orders.write"]);
    let item = r#"{"item":"book"}"#;
    for (key, method, target, body, status, rule) in [
        (&reader, Method::GET, "/orders", "", 200, ""),
        (&nothing, Method::GET, "/orders", "", 403, "authorize/scope_missing"),
        (&reader, Method::POST, "/orders", item, 403, "authorize/scope_missing"),
        (&writer, Method::POST, "/orders", item, 200, ""),
        (&reader, Method::DELETE, "/orders/1", "", 403, "authorize/role_missing"),
        (&manager, Method::DELETE, "/orders/1", "", 200, ""),
        (&manager, Method::GET, "/orders/1", "", 403, "authorize/operation_denied"),
    ] {
        let mut caller = Caller::of(gate.address()).with("x-api-key", key);
        let headers: &[(&str, &str)] =
            if body.is_empty() { &[] } else { &[("content-type", "application/json")] };
        let answer = caller.call(method.clone(), target, headers, body).await;
        if status == 200 {
            assert_eq!(answer.status, 200, "{method} {target}: {}\n{}", answer.text(), gate.log());
        } else {
            let event = gate.assert_refused(&answer, status, rule).await;
            assert!(event["principal"]["id"].is_string(), "who was refused is on record");
        }
    }
}

#[tokio::test]
async fn a_plan_limits_each_of_its_keys() {
    let upstream = Upstream::agreeable().await;
    let gate = gate(&upstream, "").start().await;
    let small = gate.key("small", &["--plan", "small"]);
    let twin = gate.key("twin", &["--plan", "small"]);
    let free = gate.key("free", &[]);
    let statuses = async |key: &str| {
        let mut caller = Caller::of(gate.address()).with("x-api-key", key);
        let mut statuses = Vec::new();
        for _ in 0..3 {
            statuses.push(caller.get("/orders").await.status);
        }
        statuses
    };
    assert_eq!(statuses(&small).await, [200, 200, 429], "{}", gate.log());
    assert_eq!(statuses(&twin).await, [200, 200, 429], "each is counted for itself");
    assert_eq!(statuses(&free).await, [200, 200, 200]);
}

#[tokio::test]
async fn a_key_in_the_query_or_in_two_fields_is_not_taken() {
    let upstream = Upstream::agreeable().await;
    let gate = gate(&upstream, "    schema: { unknown_parameters: off }").start().await;
    let key = gate.key("frontend", &[]);
    let mut caller = Caller::of(gate.address());
    for name in ["api_key", "X-API-Key", "key"] {
        let refused = caller.get(&format!("/orders?{name}={key}")).await;
        gate.assert_refused(&refused, 401, "auth/credential_missing").await;
    }
    let twice = [("x-api-key", key.as_str()), ("x-api-key", key.as_str())];
    let refused = caller.call(Method::GET, "/orders", &twice, "").await;
    gate.assert_refused(&refused, 400, "auth/credential_repeated").await;
    assert_eq!(upstream.seen().len(), 0);
    gate.assert_nowhere(&key);
}

#[tokio::test]
async fn keys_survive_a_restart_and_their_database_holds_no_key() {
    let upstream = Upstream::agreeable().await;
    let builder = gate(&upstream, "");
    let key = builder.key("before", &[]);
    let gate = builder.start().await;
    let mut caller = Caller::of(gate.address()).with("x-api-key", &key);
    assert_eq!(caller.get("/orders").await.status, 200, "a key made before the start is known");
    gate.assert_nowhere(&key);
    let duplicate = gate.command(&["keys", "create", "before"]);
    assert_ne!(duplicate.code, 0, "a name is never used twice");
    let unknown = gate.command(&["keys", "revoke", "key_ffffffffffff"]);
    assert_ne!(unknown.code, 0);
    assert!(unknown.stderr.contains("key_ffffffffffff"), "{}", unknown.stderr);
}
