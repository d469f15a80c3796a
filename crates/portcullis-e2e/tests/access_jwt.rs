//! Bearer tokens: every way to be wrong, revocation, rotation of signing keys and their server's failures.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failure here is a failed test"
)]

#[path = "access_jwt/bad_tokens.rs"]
mod bad_tokens;
#[path = "access_jwt/key_rotation.rs"]
mod key_rotation;
#[path = "access_jwt/revocation.rs"]
mod revocation;

use portcullis_e2e::{Answer, Caller, Gate, KeyServer, SHOP, SigningKey, Upstream, now_secs};
use serde_json::{Value, json};

const ISSUER: &str = "https://login.example.com";

/// A gate that believes tokens of `keys`, before an upstream that agrees with everything.
struct Stage {
    upstream: Upstream,
    keys: KeyServer,
    gate: Gate,
}

impl Stage {
    async fn of(keys: &[&SigningKey], api: &str) -> Self {
        let upstream = Upstream::agreeable().await;
        let keys = KeyServer::of(keys).await;
        let config = format!(
            "
listen: 127.0.0.1:0
admin: {{ address: 127.0.0.1:0 }}
tls: off
identity:
  providers:
    customers:
      jwt:
        jwks: {}
        issuer: {ISSUER}
        audience: orders
        algorithms: [RS256, ES256, EdDSA]
        leeway: 5s
        map: {{ tenant: org.id, roles: realm.roles }}
  revocations: file:revoked
apis:
  shop:
    spec: shop.yaml
    upstream: {}
    auth: customers
    identity_headers: {{ X-User: principal.id, X-Tenant: principal.tenant, X-Roles: principal.roles, X-Scopes: principal.scopes }}
{api}",
            keys.url(),
            upstream.url()
        );
        let gate = Gate::new(&config).file("shop.yaml", SHOP).file("revoked", "# nobody yet\n").start().await;
        let stage = Self { upstream, keys, gate };
        stage.wait_for_keys().await;
        stage
    }

    /// A gate fetches keys as it starts; a test that counts fetches begins after that one.
    async fn wait_for_keys(&self) {
        while self.keys.asked() == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        // A round trip by way of another process: longer than the answer takes to be installed.
        let _up = self.gate.status();
    }

    async fn ask(&self, token: &str) -> Answer {
        let mut caller = Caller::of(self.gate.address()).with("authorization", &format!("Bearer {token}"));
        caller.get("/orders").await
    }

    async fn assert_good(&self, token: &str) {
        let answer = self.ask(token).await;
        assert_eq!(answer.status, 200, "{}\n{}", answer.text(), self.gate.log());
    }

    /// Fails unless the token is refused like that, and is nowhere to be found afterwards.
    async fn assert_bad(&self, token: &str, status: u16, rule: &str) {
        let refused = self.ask(token).await;
        self.gate.assert_refused(&refused, status, rule).await;
        let signature = token.rsplit('.').next().unwrap_or_default();
        for text in [token, signature] {
            if text.len() >= 16 {
                self.gate.assert_nowhere(text);
            }
        }
    }
}

/// Claims of an honest token.
fn claims() -> Value {
    json!({ "iss": ISSUER, "aud": "orders", "sub": "alice", "jti": "token-1", "iat": now_secs(), "exp": now_secs() + 300 })
}

/// [`claims`] with these members in place; `null` removes one.
fn claims_with(change: &Value) -> Value {
    let mut claims = claims();
    for (name, value) in change.as_object().expect("an object") {
        if value.is_null() {
            claims.as_object_mut().expect("an object").remove(name);
        } else {
            claims[name] = value.clone();
        }
    }
    claims
}

#[tokio::test]
async fn good_tokens_of_every_algorithm_say_who_calls() {
    let keys = [SigningKey::ed25519("ed"), SigningKey::p256("ec"), SigningKey::rsa("rsa")];
    let stage = Stage::of(&[&keys[0], &keys[1], &keys[2]], "").await;
    for key in &keys {
        let claims = claims_with(&json!({
            "sub": format!("user-{}", key.kid), "org": { "id": "acme" }, "realm": { "roles": ["clerk", "manager"] },
            "scope": "orders.read orders.write", "aud": ["billing", "orders"],
        }));
        let token = key.token(&claims);
        stage.assert_good(&token).await;
        stage.assert_good(&token).await;
        let seen = stage.upstream.seen().pop().expect("a call");
        assert_eq!(seen.headers["x-user"], format!("user-{}", key.kid));
        assert_eq!(seen.headers["x-tenant"], "acme");
        assert_eq!(seen.headers["x-roles"], "clerk,manager");
        assert_eq!(seen.headers["x-scopes"], "orders.read orders.write");
        let passed = seen.headers["authorization"].to_str().expect("text");
        assert_eq!(passed, format!("Bearer {token}"), "a token may be meant for the upstream as well");
        stage.gate.assert_nowhere(&token);
    }
    let events = stage.gate.events(6).await;
    assert_eq!(events[0]["principal"]["credential"], "token-1");
    assert_eq!(events[0]["principal"]["provider"], "customers");
    assert_eq!(stage.keys.asked(), 1, "known keys are not asked for again");
}

#[tokio::test]
async fn types_of_access_tokens_are_taken() {
    let key = SigningKey::p256("k");
    let stage = Stage::of(&[&key], "").await;
    for header in [
        json!({ "alg": "ES256", "kid": "k", "typ": "at+jwt" }),
        json!({ "alg": "ES256", "kid": "k", "typ": "application/at+jwt" }),
        json!({ "alg": "ES256", "kid": "k" }),
    ] {
        stage.assert_good(&key.token_with(&header, &claims())).await;
    }
    let id_token = json!({ "alg": "ES256", "kid": "k", "typ": "logout+jwt" });
    stage.assert_bad(&key.token_with(&id_token, &claims()), 401, "auth/type_not_allowed").await;
}

#[tokio::test]
async fn scopes_of_a_token_are_held_to_what_operations_demand() {
    let key = SigningKey::ed25519("k");
    let stage = Stage::of(&[&key], "    scopes: [orders.read]\n").await;
    stage.assert_good(&key.token(&claims_with(&json!({ "scope": "orders.read" })))).await;
    stage.assert_good(&key.token(&claims_with(&json!({ "scope": ["a", "orders.read"] })))).await;
    for scope in [json!("orders.readonly"), json!("orders.write"), json!("ORDERS.READ"), Value::Null] {
        let token = key.token(&claims_with(&json!({ "scope": scope })));
        stage.assert_bad(&token, 403, "authorize/scope_missing").await;
    }
}
