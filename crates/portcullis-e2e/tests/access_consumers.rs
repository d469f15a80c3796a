//! What the configuration knows of callers beyond their credentials, and keys in other places than usual.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failure here is a failed test"
)]

use http::Method;
use portcullis_e2e::{Caller, Gate, GateBuilder, SHOP, Upstream};

fn gate(upstream: &Upstream, top: &str, api: &str) -> GateBuilder {
    let config = format!(
        "
listen: 127.0.0.1:0
admin: {{ address: 127.0.0.1:0 }}
tls: off
{top}
apis:
  shop:
    spec: shop.yaml
    upstream: {}
    identity_headers: {{ X-Tenant: principal.tenant, X-Roles: principal.roles, X-Plan: principal.plan }}
{api}",
        upstream.url()
    );
    Gate::new(&config).file("shop.yaml", SHOP)
}

async fn delete(gate: &Gate, key: &str) -> u16 {
    let mut caller = Caller::of(gate.address()).with("x-api-key", key);
    caller.call(Method::DELETE, "/orders/1", &[], "").await.status
}

#[tokio::test]
async fn a_consumer_has_roles_tenant_and_plan_besides_those_of_its_key() {
    let upstream = Upstream::agreeable().await;
    let top = "identity: { providers: { keys: { api_keys: {} }, others: { basic: { users: users } } } }
plans: { gold: { rate: 100/s }, tin: { rate: 100/s } }
consumers:
  shop-frontend: { provider: keys, roles: [manager], tenant: acme, plan: gold }
  stranger: { provider: others, roles: [manager] }";
    let api = "    auth: [keys, others]\n    operations: { deleteOrder: { roles: [manager] } }";
    let gate = gate(&upstream, top, api).file("users", "# nobody\n").start().await;
    let known = gate.key("shop-frontend", &["--role", "clerk"]);
    assert_eq!(delete(&gate, &known).await, 200, "{}", gate.log());
    let seen = upstream.seen().pop().expect("a call");
    assert_eq!(seen.headers["x-tenant"], "acme");
    assert_eq!(seen.headers["x-plan"], "gold");
    let roles = seen.headers["x-roles"].to_str().expect("text");
    assert!(roles.contains("clerk") && roles.contains("manager"), "{roles}");

    // What the credential says itself is not overridden.
    let own = gate.key("second", &["--owner", "shop-frontend", "--plan", "tin", "--tenant", "umbrella"]);
    assert_eq!(delete(&gate, &own).await, 200);
    let seen = upstream.seen().pop().expect("a call");
    assert_eq!(seen.headers["x-tenant"], "umbrella");
    assert_eq!(seen.headers["x-plan"], "tin");

    // Of that name, but vouched for by another provider.
    let stranger = gate.key("stranger", &[]);
    assert_eq!(delete(&gate, &stranger).await, 403);
    let other = gate.key("other", &[]);
    assert_eq!(delete(&gate, &other).await, 403);
}

#[tokio::test]
async fn keys_have_the_prefix_and_the_field_that_the_configuration_says() {
    let upstream = Upstream::agreeable().await;
    let top = "identity: { providers: { keys: { api_keys: { header: X-Shop-Key, prefix: shop_ } } } }";
    let gate = gate(&upstream, top, "    auth: keys").start().await;
    let key = gate.key("frontend", &[]);
    assert!(key.starts_with("shop_"), "{key}");
    let answer = Caller::of(gate.address()).with("x-shop-key", &key).get("/orders").await;
    assert_eq!(answer.status, 200, "{}\n{}", answer.text(), gate.log());
    assert!(!upstream.seen()[0].headers.contains_key("x-shop-key"));
    let elsewhere = Caller::of(gate.address()).with("x-api-key", &key).get("/orders").await;
    gate.assert_refused(&elsewhere, 401, "auth/credential_missing").await;
}

#[tokio::test]
async fn keys_may_come_as_bearer_tokens() {
    let upstream = Upstream::agreeable().await;
    let top = "identity: { providers: { keys: { api_keys: { bearer: true } } } }";
    let gate = gate(&upstream, top, "    auth: keys").start().await;
    let key = gate.key("frontend", &[]);
    let answer =
        Caller::of(gate.address()).with("authorization", &format!("Bearer {key}")).get("/orders").await;
    assert_eq!(answer.status, 200, "{}\n{}", answer.text(), gate.log());
    assert!(!upstream.seen()[0].headers.contains_key("authorization"), "keys end at the gate");
    let refused = Caller::of(gate.address()).with("authorization", "Bearer pcl_wrong").get("/orders").await;
    gate.assert_refused(&refused, 401, "auth/key_malformed").await;
    gate.assert_nowhere(&key);
}

#[tokio::test]
async fn an_id_that_two_providers_may_give_is_refused_without_its_provider() {
    let upstream = Upstream::agreeable().await;
    let top = "identity: { providers: { keys: { api_keys: {} }, others: { basic: { users: users } } } }
consumers:
  shop-frontend: { roles: [manager] }";
    let gate = gate(&upstream, top, "    auth: [keys, others]").file("users", "# nobody\n");
    let output = gate.command(&["check"]);
    assert_eq!(output.code, 78, "{output:?}");
    assert!(output.stderr.contains("PC3015") && output.stderr.contains("portcullis.yaml:7:3"), "{output:?}");
}
