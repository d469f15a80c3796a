//! What means the same to an upstream in more than one spelling: paths, hosts, the names of credential fields.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failure here is a failed test"
)]

use http::Method;
use portcullis_e2e::{Caller, Gate, GateBuilder, Upstream, rules};

/// `/users/admin` is for administrators, `/users/{id}` for everybody.
const USERS: &str = r#"
openapi: 3.1.0
info: { title: users, version: "1" }
paths:
  /users/admin: { get: { operationId: admin, responses: { "200": { description: ok } } } }
  /users/{id}:
    get:
      operationId: user
      parameters: [{ name: id, in: path, required: true, schema: { type: string } }]
      responses: { "200": { description: ok } }
  /jobs/{id}:
    post:
      operationId: job
      parameters: [{ name: id, in: path, required: true, schema: { type: string } }]
      responses: { "200": { description: ok } }
  /jobs/{id}:cancel:
    post:
      operationId: cancel
      parameters: [{ name: id, in: path, required: true, schema: { type: string } }]
      responses: { "200": { description: ok } }
"#;

fn gate(upstream: &Upstream, providers: &str, api: &str) -> GateBuilder {
    let config = format!(
        "
admin: {{ address: 127.0.0.1:0 }}
listeners: {{ main: {{ address: 127.0.0.1:0, tls: off }} }}
identity: {{ providers: {providers} }}
apis:
  users:
    spec: users.yaml
    upstream: \"{}\"
{api}",
        upstream.url()
    );
    Gate::new(&config).file("users.yaml", USERS)
}

const KEYS: &str = "{ api_keys: { api_keys: {} } }";

#[tokio::test]
async fn an_operation_cannot_be_reached_around_its_guards() {
    let upstream = Upstream::agreeable().await;
    let api = "    auth: anonymous
    operations: { admin: { deny: true }, cancel: { deny: true } }
";
    let gate = gate(&upstream, KEYS, api).start().await;
    let caller = Caller::of(gate.address());
    for (number, (method, target, status, rule)) in [
        ("GET", "/users/admin", 403, "authorize/operation_denied"),
        ("GET", "/users/%61dmin", 403, "authorize/operation_denied"),
        ("GET", "/users/Admin", 404, "route/unknown_operation"),
        ("GET", "/users/admin%20", 404, "route/unknown_operation"),
        ("GET", "/users/admin.", 404, "route/unknown_operation"),
        ("GET", "/users/%2561dmin", 404, "route/unknown_operation"),
        ("GET", "/users/admin;v=1", 404, "route/unknown_operation"),
        ("GET", "/users/admin%0a", 400, "target/encoded_control"),
        ("POST", "/jobs/5:cancel", 403, "authorize/operation_denied"),
        ("POST", "/jobs/5%3Acancel", 404, "route/unknown_operation"),
        ("POST", "/jobs/5:Cancel", 404, "route/unknown_operation"),
    ]
    .into_iter()
    .enumerate()
    {
        let request = format!(
            "{method} {target} HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        );
        let answer = caller.raw(request.as_bytes()).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{method} {target}: {answer}");
        assert_eq!(rules(gate.events(number + 1).await.last().unwrap()), [rule], "{method} {target}");
    }
    assert!(upstream.seen().is_empty(), "{:?}", upstream.seen());
    let mut caller = Caller::of(gate.address());
    for target in ["/users/Alice", "/users/administrator", "/users/a%20b", "/users/Admin-2"] {
        assert_eq!(caller.get(target).await.status, 200, "{target}");
    }
}

#[tokio::test]
async fn an_absolute_host_does_not_fall_to_the_api_of_every_host() {
    let (named, open) = (Upstream::agreeable().await, Upstream::agreeable().await);
    let config = format!(
        "
admin: {{ address: 127.0.0.1:0 }}
listeners: {{ main: {{ address: 127.0.0.1:0, tls: off }} }}
apis:
  named: {{ host: [api.example.com, \"::1\"], spec: none, auth: anonymous, upstream: \"{}\" }}
  open: {{ spec: none, auth: anonymous, upstream: \"{}\" }}
",
        named.url(),
        open.url()
    );
    let gate = Gate::new(&config).start().await;
    let caller = Caller::of(gate.address());
    let hosts = ["api.example.com", "API.example.com.", "api.example.com.:8080", "[0:0::1]:80"];
    for host in hosts {
        let request = format!("GET / HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        assert!(caller.raw(request.as_bytes()).await.starts_with("HTTP/1.1 200 "), "{host}\n{}", gate.log());
    }
    let told: Vec<_> =
        named.seen().iter().map(|it| it.headers["x-forwarded-host"].to_str().unwrap().to_owned()).collect();
    assert_eq!(told, ["api.example.com", "api.example.com", "api.example.com:8080", "[::1]:80"]);
    assert!(open.seen().is_empty());
    let explained = gate.command(&["explain", "GET http://API.example.com.:8080/"]);
    assert!(explained.stdout.contains("named"), "{explained:?}");
}

#[tokio::test]
async fn keys_end_at_the_gate_in_every_mode_and_spelling() {
    for mode in ["block", "report", "off"] {
        let upstream = Upstream::agreeable().await;
        let providers =
            "{ api_keys: { api_keys: {} }, bearer: { api_keys: { bearer: true, prefix: gate_ } } }";
        let api = format!("    auth: [api_keys, bearer]\n    mode: {mode}\n");
        let gate = gate(&upstream, providers, &api).start().await;
        let key = gate.key("frontend", &[]);
        let good = [("x-api-key", key.as_str()), ("X_API_Key", "alias-1"), ("x-api_key", "alias-2")];
        let mut caller = Caller::of(gate.address());
        let answer = caller.call(Method::GET, "/users/1", &good, "").await;
        assert_eq!(answer.status, 200, "{mode}\n{}", gate.log());
        if mode != "block" {
            for value in ["Bearer gate_revoked", "bearer gate_revoked", "gate_revoked"] {
                let sent = [("authorization", value), ("X_API_Key", "alias-3")];
                assert_eq!(caller.call(Method::GET, "/users/1", &sent, "").await.status, 200, "{mode}");
            }
        }
        let token = [("authorization", "Bearer of.somebody.else"), ("x-api-key", key.as_str())];
        assert_eq!(caller.call(Method::GET, "/users/1", &token, "").await.status, 200, "{mode}");
        let seen = upstream.seen();
        for request in &seen {
            let told = format!("{:?}", request.headers);
            for secret in [key.as_str(), "alias-", "gate_revoked"] {
                assert!(!told.contains(secret), "{mode}: {told}");
            }
        }
        assert_eq!(seen.last().unwrap().headers["authorization"], "Bearer of.somebody.else", "{mode}");
    }
}

#[tokio::test]
async fn an_upstream_gets_credentials_by_the_operators_word() {
    let upstream = Upstream::agreeable().await;
    let open = gate(&upstream, KEYS, "    auth: anonymous\n").start().await;
    let sent = [("x-api-key", "theirs"), ("x_api_key", "theirs"), ("authorization", "Bearer pcl_theirs")];
    let mut caller = Caller::of(open.address());
    assert_eq!(caller.call(Method::GET, "/users/1", &sent, "").await.status, 200);
    let told = upstream.seen().remove(0).headers;
    for (name, value) in sent {
        assert_eq!(told[name], value, "nobody here checks it");
    }

    let upstream = Upstream::agreeable().await;
    let api = "    auth: api_keys
    headers: { request: { set: { X-API-Key: upstreams-own, Authorization: Basic dXBzdHJlYW0= } } }
";
    let gate = gate(&upstream, KEYS, api).start().await;
    let key = gate.key("frontend", &[]);
    let mut caller = Caller::of(gate.address()).with("x-api-key", &key);
    assert_eq!(caller.get("/users/1").await.status, 200, "{}", gate.log());
    let told = upstream.seen().remove(0).headers;
    assert_eq!(told["x-api-key"], "upstreams-own");
    assert_eq!(told["authorization"], "Basic dXBzdHJlYW0=");
}
