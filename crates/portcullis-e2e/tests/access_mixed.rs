//! Several mechanisms at one API, the specification's own word on security, and what is refused for good.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a failure here is a failed test"
)]

use base64::{Engine as _, engine::general_purpose::STANDARD};
use portcullis_e2e::{
    Caller, Gate, GateBuilder, KeyServer, SHOP, SigningKey, Upstream, now_secs, portcullis,
};
use serde_json::json;

/// Of `correct horse battery`.
const USERS: &str = "ada:$argon2id$v=19$m=1024,t=1,p=1$XH0jkpzaAqQYIxbJIfHpaA$bfAzk1xUaVZx9KPFQv+f1MKdoXEkLtem/06YVM9xQGc:manager\n";
const ISSUER: &str = "https://login.example.com";

const PROVIDERS: &str = "identity:
  providers:
    keys: { api_keys: {} }
    staff: { basic: { users: file:users } }
    customers: { jwt: { jwks: KEYS, issuer: ISSUER, audience: orders } }
";

struct Stage {
    upstream: Upstream,
    signing: SigningKey,
    keys: KeyServer,
}

impl Stage {
    async fn new() -> Self {
        let signing = SigningKey::ed25519("k");
        let keys = KeyServer::of(&[&signing]).await;
        Self { upstream: Upstream::agreeable().await, signing, keys }
    }

    fn gate(&self, spec: &str, api: &str) -> GateBuilder {
        let providers = PROVIDERS.replace("KEYS", &self.keys.url()).replace("ISSUER", ISSUER);
        let config = format!(
            "listen: 127.0.0.1:0\ntls: off\nadmin: {{ address: 127.0.0.1:0 }}\n{providers}apis:\n  shop:\n    spec: shop.yaml\n    upstream: {}\n    \
             identity_headers: {{ X-User: principal.id, X-Provider: principal.provider }}\n{api}",
            self.upstream.url()
        );
        Gate::new(&config).file("shop.yaml", spec).file("users", USERS)
    }

    fn bearer(&self, scope: &str) -> String {
        let claims = json!({
            "iss": ISSUER, "aud": "orders", "sub": "alice", "exp": now_secs() + 300, "scope": scope,
        });
        format!("Bearer {}", self.signing.token(&claims))
    }
}

fn basic(password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("ada:{password}")))
}

async fn get(gate: &Gate, target: &str, headers: &[(&str, &str)]) -> portcullis_e2e::Answer {
    Caller::of(gate.address()).call(http::Method::GET, target, headers, "").await
}

#[tokio::test]
async fn any_of_several_mechanisms_is_enough() {
    let stage = Stage::new().await;
    let gate = stage.gate(SHOP, "    auth: [customers, keys, staff]").start().await;
    let key = gate.key("frontend", &[]);
    let (token, password) = (stage.bearer(""), basic("correct horse battery"));
    for (headers, user, provider) in [
        ([("x-api-key", key.as_str())], "frontend", "keys"),
        ([("authorization", token.as_str())], "alice", "customers"),
        ([("authorization", password.as_str())], "ada", "staff"),
    ] {
        let answer = get(&gate, "/orders", &headers).await;
        assert_eq!(answer.status, 200, "{user}: {}\n{}", answer.text(), gate.log());
        let seen = stage.upstream.seen().pop().expect("a call");
        assert_eq!(seen.headers["x-user"], user);
        assert_eq!(seen.headers["x-provider"], provider);
        assert!(!seen.headers.contains_key("x-api-key"), "keys end at the gate");
        assert_eq!(seen.headers.contains_key("authorization"), user == "alice", "passwords end at the gate");
    }
    let refused = get(&gate, "/orders", &[]).await;
    gate.assert_refused(&refused, 401, "auth/credential_missing").await;
    let challenges: Vec<_> =
        refused.headers.get_all("www-authenticate").iter().filter_map(|it| it.to_str().ok()).collect();
    for scheme in ["Bearer", "Basic", "ApiKey"] {
        assert!(challenges.iter().any(|it| it.starts_with(scheme)), "{scheme} is not in {challenges:?}");
    }
    let wrong = basic("wrong");
    gate.assert_refused(
        &get(&gate, "/orders", &[("authorization", &wrong)]).await,
        401,
        "auth/password_wrong",
    )
    .await;
}

#[tokio::test]
async fn all_of_several_mechanisms_are_needed() {
    let stage = Stage::new().await;
    let gate = stage.gate(SHOP, "    auth: { all: [customers, keys] }").start().await;
    let key = gate.key("frontend", &[]);
    let token = stage.bearer("");
    let both = [("x-api-key", key.as_str()), ("authorization", token.as_str())];
    let answer = get(&gate, "/orders", &both).await;
    assert_eq!(answer.status, 200, "{}\n{}", answer.text(), gate.log());
    assert_eq!(stage.upstream.seen()[0].headers["x-user"], "alice", "the first one says who it is");
    for (headers, rule) in [
        (&both[..1], "auth/credential_missing"),
        (&both[1..], "auth/credential_missing"),
        (&[][..], "auth/credential_missing"),
        (&[("x-api-key", "pcl_wrong"), both[1]][..], "auth/key_malformed"),
        (&[both[0], ("authorization", "Bearer x")][..], "auth/token_malformed"),
    ] {
        gate.assert_refused(&get(&gate, "/orders", headers).await, 401, rule).await;
    }
    assert_eq!(stage.upstream.seen().len(), 1);
}

#[tokio::test]
async fn wrong_credentials_never_count_as_none() {
    let stage = Stage::new().await;
    let gate = stage.gate(SHOP, "    auth: [keys, customers, anonymous]").start().await;
    let answer = get(&gate, "/orders", &[]).await;
    assert_eq!(answer.status, 200, "{}\n{}", answer.text(), gate.log());
    assert!(!stage.upstream.seen()[0].headers.contains_key("x-user"));
    let refused = get(&gate, "/orders", &[("x-api-key", "pcl_wrong")]).await;
    gate.assert_refused(&refused, 401, "auth/key_malformed").await;
    let refused = get(&gate, "/orders", &[("authorization", "Bearer x")]).await;
    gate.assert_refused(&refused, 401, "auth/token_malformed").await;
}

#[tokio::test]
async fn a_refusal_names_the_mechanism_that_the_api_takes() {
    let stage = Stage::new().await;
    let gate = stage.gate(SHOP, "    auth: [keys, anonymous]\n    roles: [nobody-has-this]").start().await;
    // Passed as anonymous, and refused by a later guard: the challenge is that of the API all the same.
    let refused = get(&gate, "/orders", &[]).await;
    gate.assert_refused(&refused, 401, "authorize/principal_missing").await;
    assert_eq!(refused.header("www-authenticate"), "ApiKey realm=\"shop\"");
    let key = gate.key("frontend", &[]);
    let refused = get(&gate, "/orders", &[("x-api-key", &key)]).await;
    let event = gate.assert_refused(&refused, 403, "authorize/role_missing").await;
    assert_eq!(event["reasons"][0]["evidence"][0]["place"]["header"], "x-api-key", "{event:#}");
}

const SECURED: &str = r#"
openapi: 3.1.0
info: { title: Shop, version: "1" }
components:
  securitySchemes:
    Key: { type: apiKey, in: header, name: X-API-Key }
    Staff: { type: http, scheme: basic }
    Login: { type: oauth2, flows: { clientCredentials: { tokenUrl: "https://login.example.com/token", scopes: { orders.read: read } } } }
security: [{ Key: [] }]
paths:
  /either: { get: { operationId: either, security: [{ Key: [] }, { Staff: [] }], responses: { "200": { description: ok } } } }
  /both: { get: { operationId: both, security: [{ Key: [], Login: [orders.read] }], responses: { "200": { description: ok } } } }
  /scoped: { get: { operationId: scoped, security: [{ Login: [orders.read] }], responses: { "200": { description: ok } } } }
  /inherited: { get: { operationId: inherited, responses: { "200": { description: ok } } } }
  /optional: { get: { operationId: optional, security: [{}, { Key: [] }], responses: { "200": { description: ok } } } }
"#;

#[tokio::test]
async fn the_specifications_security_is_honoured_by_default() {
    let stage = Stage::new().await;
    let gate = stage.gate(SECURED, "").start().await;
    let key = gate.key("frontend", &[]);
    let (key, password) = (("x-api-key", key.as_str()), basic("correct horse battery"));
    let (good, weak) = (stage.bearer("orders.read"), stage.bearer("orders.write"));
    let (password, good, weak) = (
        ("authorization", password.as_str()),
        ("authorization", good.as_str()),
        ("authorization", weak.as_str()),
    );
    for (target, headers, status) in [
        ("/either", &[key][..], 200),
        ("/either", &[password], 200),
        ("/either", &[good], 401),
        ("/both", &[key, good], 200),
        ("/both", &[key], 401),
        ("/both", &[good], 401),
        ("/both", &[key, weak], 403),
        ("/scoped", &[good], 200),
        ("/scoped", &[weak], 403),
        ("/scoped", &[key], 401),
        ("/inherited", &[key], 200),
        ("/inherited", &[], 401),
        ("/optional", &[], 200),
        ("/optional", &[key], 200),
        ("/optional", &[("x-api-key", "pcl_wrong")], 401),
    ] {
        let answer = get(&gate, target, headers).await;
        assert_eq!(answer.status, status, "{target} {headers:?}: {}\n{}", answer.text(), gate.log());
    }
}

#[tokio::test]
async fn what_the_specification_does_not_know_is_not_open_to_everybody() {
    let stage = Stage::new().await;
    let lenient = "    schema: { unknown_operations: report, unknown_methods: report }\n";
    let gate = stage.gate(SECURED, lenient).start().await;
    let key = gate.key("frontend", &[]);
    for (target, headers, status) in [
        ("/inherited/", &[][..], 401),
        ("/Inherited", &[], 401),
        ("/inherited/", &[("x-api-key", "pcl_wrong")], 401),
        ("/inherited/", &[("x-api-key", key.as_str())], 200),
    ] {
        let answer = get(&gate, target, headers).await;
        assert_eq!(answer.status, status, "{target} {headers:?}: {}\n{}", answer.text(), gate.log());
    }
    let put = Caller::of(gate.address()).call(http::Method::PUT, "/inherited", &[], "").await;
    assert_eq!(put.status, 401, "{}", put.text());
    assert_eq!(stage.upstream.seen().len(), 1, "none but the known caller's");
}

#[tokio::test]
async fn nobody_is_let_in_by_silence() {
    let stage = Stage::new().await;
    // No `auth:`, and a specification without `security`: refused, with the way out.
    let silent = stage.gate(SHOP, "").command(&["check"]);
    assert_ne!(silent.code, 0);
    let said = format!("{}{}", silent.stdout, silent.stderr);
    assert!(said.contains("who may call") && said.contains("auth: anonymous"), "{said}");
    // An API without a specification has nobody else to ask.
    let builder = stage.gate(SHOP, "");
    let config = std::fs::read_to_string(builder.folder().join("portcullis.yaml")).expect("a configuration");
    let builder = builder.file("portcullis.yaml", config.replace("spec: shop.yaml", "spec: none"));
    assert_ne!(portcullis(builder.folder(), &["check"]).code, 0);
    // A scheme that no provider stands for.
    let spec = SECURED.replace("in: header, name: X-API-Key", "in: query, name: key");
    let unmet = stage.gate(&spec, "").command(&["check"]);
    assert_ne!(unmet.code, 0);
    assert!(format!("{}{}", unmet.stdout, unmet.stderr).contains("`Key`"));
    // By explicit word everybody may call.
    let open = stage.gate(SHOP, "    auth: anonymous").start().await;
    assert_eq!(get(&open, "/orders", &[]).await.status, 200, "{}", open.log());
}

#[tokio::test]
async fn a_gate_does_not_start_where_nobody_said_who_may_call() {
    let stage = Stage::new().await;
    let output = stage.gate(SHOP, "").command(&["run"]);
    assert_ne!(output.code, 0);
    assert!(output.stderr.contains("who may call"), "{}{}", output.stdout, output.stderr);
}

#[tokio::test]
async fn credentials_over_clear_text_are_refused_off_loopback() {
    let Some(address) = address_of_this_machine() else {
        eprintln!("skipped: this machine has no address but loopback");
        return;
    };
    let stage = Stage::new().await;
    let top = |more: &str| format!("listeners: {{ main: {{ address: \"{address}:0\", tls: off{more} }} }}");
    for (more, status) in [("", 0), (", plaintext_credentials: allow", 200)] {
        let builder = stage.gate(SHOP, "    auth: [keys, anonymous]");
        let config =
            std::fs::read_to_string(builder.folder().join("portcullis.yaml")).expect("a configuration");
        let config = config.replace("listen: 127.0.0.1:0\ntls: off", &top(more));
        let gate = builder.file("portcullis.yaml", config).start().await;
        let key = gate.key("frontend", &[]);
        let answer = get(&gate, "/orders", &[("x-api-key", &key)]).await;
        if status == 200 {
            assert_eq!(answer.status, 200, "by explicit word: {}\n{}", answer.text(), gate.log());
        } else {
            let rule = "plaintext_credentials/credential_over_cleartext";
            let status = answer.status;
            assert!(matches!(status, 400 | 401 | 403), "{status}: {}\n{}", answer.text(), gate.log());
            gate.assert_refused(&answer, status, rule).await;
            let token = stage.bearer("");
            let refused = get(&gate, "/orders", &[("authorization", &token)]).await;
            gate.assert_refused(&refused, status, rule).await;
            assert_eq!(stage.upstream.seen().len(), 0);
            assert_eq!(
                get(&gate, "/orders", &[]).await.status,
                200,
                "without a credential nothing is given away"
            );
        }
        gate.assert_nowhere(&key);
    }
}

/// An address of this machine that is not loopback: the one it would call a documentation address from. Nothing is
/// sent.
fn address_of_this_machine() -> Option<std::net::IpAddr> {
    let socket = std::net::UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("198.51.100.1:9").ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback() && !address.is_unspecified()).then_some(address)
}
