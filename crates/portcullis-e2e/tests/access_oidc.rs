//! OpenID Connect against a real provider: npm `oidc-provider`, started and ended by each test.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a failure here is a failed test"
)]

#[path = "oidc/provider.rs"]
mod provider;

use portcullis_e2e::{Answer, Caller, Gate, SHOP, Upstream, until_status};
use provider::{Issuing, Provider};

fn config(issuer: &str, upstream: &Upstream, leeway: &str) -> String {
    format!(
        "
listen: 127.0.0.1:0
admin: {{ address: 127.0.0.1:0 }}
tls: off
identity:
  providers:
    customers: {{ oidc: {issuer}, audience: orders, leeway: {leeway} }}
apis:
  shop:
    spec: shop.yaml
    upstream: {}
    auth: customers
    scopes: [orders.read]
    identity_headers: {{ X-User: principal.id }}
    operations: {{ deleteOrder: {{ scopes: [orders.write] }} }}
",
        upstream.url()
    )
}

async fn ask(gate: &Gate, token: &str) -> Answer {
    let mut caller = Caller::of(gate.address()).with("authorization", &format!("Bearer {token}"));
    caller.get("/orders").await
}

async fn good_for(algorithm: &'static str) {
    let issuing = Issuing { algorithm, ..Issuing::default() };
    let Some(provider) = Provider::start(&issuing).await else { return };
    let upstream = Upstream::agreeable().await;
    let gate = Gate::new(&config(&provider.issuer, &upstream, "5s")).file("shop.yaml", SHOP).start().await;
    let token = provider.token("urn:api:orders", "orders.read").await;
    let answer = ask(&gate, &token).await;
    assert_eq!(answer.status, 200, "{}\n{}", answer.text(), gate.log());
    assert_eq!(upstream.seen()[0].headers["x-user"], "shop-frontend");

    let mut caller = Caller::of(gate.address()).with("authorization", &format!("Bearer {token}"));
    let refused = caller.call(http::Method::DELETE, "/orders/1", &[], "").await;
    gate.assert_refused(&refused, 403, "authorize/scope_missing").await;
    let unscoped = provider.token("urn:api:orders", "").await;
    gate.assert_refused(&ask(&gate, &unscoped).await, 403, "authorize/scope_missing").await;

    let elsewhere = provider.token("urn:api:billing", "orders.read").await;
    gate.assert_refused(&ask(&gate, &elsewhere).await, 401, "auth/audience_wrong").await;
    let opaque = provider.token("urn:opaque:orders", "orders.read").await;
    gate.assert_refused(&ask(&gate, &opaque).await, 401, "auth/token_malformed").await;
    for secret in [&token, &elsewhere, &opaque] {
        gate.assert_nowhere(secret);
    }
}

#[tokio::test]
async fn es256_tokens_of_the_provider_are_held_to_audience_and_scope() {
    good_for("ES256").await;
}

#[tokio::test]
async fn rs256_tokens_of_the_provider_are_held_to_audience_and_scope() {
    good_for("RS256").await;
}

#[tokio::test]
async fn eddsa_tokens_of_the_provider_are_held_to_audience_and_scope() {
    good_for("EdDSA").await;
}

#[tokio::test]
async fn tokens_of_the_provider_expire() {
    let Some(provider) = Provider::start(&Issuing { ttl_secs: 3, ..Issuing::default() }).await else {
        return;
    };
    let upstream = Upstream::agreeable().await;
    let gate = Gate::new(&config(&provider.issuer, &upstream, "1s")).file("shop.yaml", SHOP).start().await;
    let token = provider.token("urn:api:orders", "orders.read").await;
    assert_eq!(ask(&gate, &token).await.status, 200, "{}", gate.log());
    until_status(401, || ask(&gate, &token)).await;
    let refused = ask(&gate, &token).await;
    gate.assert_refused(&refused, 401, "auth/token_expired").await;
    let fresh = provider.token("urn:api:orders", "orders.read").await;
    assert_eq!(ask(&gate, &fresh).await.status, 200, "{}", gate.log());
}

#[tokio::test]
async fn the_provider_may_come_back_with_other_keys() {
    let Some(provider) = Provider::start(&Issuing::default()).await else { return };
    let upstream = Upstream::agreeable().await;
    let gate = Gate::new(&config(&provider.issuer, &upstream, "5s")).file("shop.yaml", SHOP).start().await;
    let before = provider.token("urn:api:orders", "orders.read").await;
    assert_eq!(ask(&gate, &before).await.status, 200, "{}", gate.log());

    let port = provider.port();
    provider.end().await;
    assert_eq!(ask(&gate, &before).await.status, 200, "known keys outlive their provider's absence");
    let issuing = Issuing { port, kid: "second", algorithm: "RS256", ..Issuing::default() };
    let provider = Provider::start(&issuing).await.expect("it started before");
    let after = provider.token("urn:api:orders", "orders.read").await;
    until_status(200, || ask(&gate, &after)).await;
    gate.assert_refused(&ask(&gate, &before).await, 401, "auth/key_unknown").await;
}

#[tokio::test]
async fn a_provider_that_is_away_at_the_start_makes_calls_wait_for_it() {
    let Some(provider) = Provider::start(&Issuing::default()).await else { return };
    let (issuer, port) = (provider.issuer.clone(), provider.port());
    let token = provider.token("urn:api:orders", "orders.read").await;
    provider.end().await;
    let upstream = Upstream::agreeable().await;
    let gate = Gate::new(&config(&issuer, &upstream, "5s")).file("shop.yaml", SHOP).start().await;
    let refused = ask(&gate, &token).await;
    gate.assert_refused(&refused, 503, "auth/signing_keys_unavailable").await;
    assert!(!refused.header("retry-after").is_empty());

    let provider = Provider::start(&Issuing { port, ..Issuing::default() }).await.expect("it started before");
    let token = provider.token("urn:api:orders", "orders.read").await;
    until_status(200, || ask(&gate, &token)).await;
    assert_eq!(upstream.seen().len(), 1, "nothing was let through meanwhile");
}
