//! Each folder of `examples/` is a test: `portcullis check` has nothing to say about it, the gate starts from it, and
//! the calls in its first lines get the statuses that stand beside them. Only ports and the upstream are replaced.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failure here is a failed test"
)]

#[path = "examples/commands.rs"]
mod commands;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use http::Response;
use http_body_util::Full;
use portcullis_e2e::{
    Answer, Authority, Caller, Certificate, Gate, GateBuilder, Recorded, SecureCaller, SigningKey, Upstream,
    key_set, now_secs, text,
};
use serde_json::json;
use tokio_tungstenite::tungstenite::{Message, client::IntoClientRequest as _};

use self::commands::{Call, Command, filled_in};

/// The examples that have a test below.
const TESTED: [&str; 11] = [
    "api-keys-and-plans",
    "exceptions",
    "firewall",
    "jwt-oidc",
    "limits",
    "mtls",
    "quickstart",
    "report-mode",
    "several-apis-with-include",
    "upstream-pool",
    "websocket-and-sse",
];

/// An example about to be tried.
struct Example {
    builder: GateBuilder,
    commands: Vec<Command>,
    variables: BTreeMap<String, String>,
    certificate: Option<Certificate>,
}

/// An example whose commands have been tried.
struct Tried {
    gate: Gate,
    variables: BTreeMap<String, String>,
}

impl Example {
    /// A copy of the example with ports chosen by the system, in front of these upstreams.
    fn of(name: &str, upstreams: [&Upstream; 2]) -> Self {
        let folder = examples().join(name);
        let config = std::fs::read_to_string(folder.join("portcullis.yaml"))
            .expect("an example has a portcullis.yaml");
        let commands = commands::of(&config);
        assert!(commands.iter().any(|it| matches!(it, Command::Call(_))), "{name} says no call to try");
        let moved = |text: &str| {
            text.replace("127.0.0.1:8080", "127.0.0.1:0")
                .replace("127.0.0.1:8443", "127.0.0.1:0")
                .replace("http://127.0.0.1:9000", &upstreams[0].url())
                .replace("http://127.0.0.1:9001", &upstreams[1].url())
        };
        let mut builder = Gate::new(&format!("{}\nadmin: {{ address: 127.0.0.1:0 }}\n", moved(&config)));
        for file in files(&folder) {
            let name = file.strip_prefix(&folder).expect("below the folder").to_str().expect("a plain name");
            let is_ours =
                name != "portcullis.yaml" && [".yaml", ".json", ".conf"].iter().any(|it| name.ends_with(it));
            if is_ours || !name.contains('.') {
                builder =
                    builder.file(name, moved(&std::fs::read_to_string(&file).expect("an example is text")));
            }
        }
        Self { builder, commands, variables: BTreeMap::new(), certificate: None }
    }

    fn file(mut self, name: &str, content: &str) -> Self {
        self.builder = self.builder.file(name, content);
        self
    }

    fn variable(mut self, name: &str, value: String) -> Self {
        self.variables.insert(name.to_owned(), value);
        self
    }

    /// Does what the first lines of the example say.
    async fn try_it(mut self) -> Tried {
        let checked = self.builder.command(&["check", "--strict"]);
        assert_eq!(checked.code, 0, "{}{}", checked.stdout, checked.stderr);
        assert!(checked.stdout.contains("; 0 errors, 0 warnings"), "{}", checked.stdout);
        let mut calls = Vec::new();
        for command in self.commands {
            match command {
                Command::CreateKey { variable, arguments } => {
                    let more: Vec<&str> = arguments[1..].iter().map(String::as_str).collect();
                    self.variables.insert(variable, self.builder.key(&arguments[0], &more));
                }
                Command::Call(call) => calls.push(call),
            }
        }
        let gate = self.builder.start().await;
        for call in &calls {
            let answer = make(&gate, call, &self.variables, self.certificate.as_ref()).await;
            assert_eq!(answer.status, call.status, "{}\n{}\n{}", call.line, answer.text(), gate.log());
        }
        Tried { gate, variables: self.variables }
    }
}

async fn make(
    gate: &Gate,
    call: &Call,
    variables: &BTreeMap<String, String>,
    own: Option<&Certificate>,
) -> Answer {
    let headers: Vec<(&str, String)> =
        call.headers.iter().map(|(name, value)| (name.as_str(), filled_in(value, variables))).collect();
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    if call.secure {
        assert_eq!(call.method, http::Method::GET, "the secure caller only reads: {}", call.line);
        let authority = std::fs::read_to_string(gate.data().join("tls/ca.pem")).expect("the local authority");
        let own = if call.certificate { Some(own.expect("a certificate of the test")) } else { None };
        let caller = SecureCaller::new(gate.address(), &authority, own);
        return caller.get(&call.target, &headers).await.expect("an answer");
    }
    Caller::of(gate.address()).call(call.method.clone(), &call.target, &headers, call.body.clone()).await
}

/// Answers as `examples/upstream.mjs` does, but for its feed, which ends after one order.
async fn upstream() -> Upstream {
    Upstream::answering(answer).await
}

fn answer(request: &Recorded) -> Response<Full<Bytes>> {
    const ORDER: &str = r#"{"id":1,"item":"AB-1234","count":2}"#;
    let path = request.target.split('?').next().unwrap_or_default();
    let list = path.ends_with("/orders");
    match (request.method.as_str(), path) {
        (_, path) if path.ends_with("/feed") => text(200, "text/event-stream", format!("data: {ORDER}\n\n")),
        (_, path) if path.ends_with("/login") => text(401, "application/json", "{}"),
        ("POST", _) if list => text(201, "application/json", ORDER),
        ("GET", _) if list => text(200, "application/json", format!("[{ORDER}]")),
        _ => text(200, "application/json", ORDER),
    }
}

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples")
}

/// Every file below a folder, but for what a run leaves behind.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder can be read") {
        let path = entry.expect("an entry can be read").path();
        if path.is_dir() {
            if !path.ends_with("portcullis-data") {
                found.extend(files(&path));
            }
        } else {
            found.push(path);
        }
    }
    found
}

async fn tried(name: &str) -> (Tried, Upstream) {
    let upstream = upstream().await;
    (Example::of(name, [&upstream, &upstream]).try_it().await, upstream)
}

#[test]
fn every_example_is_tested_and_listed() {
    let entries = std::fs::read_dir(examples()).expect("the examples can be read");
    let folders = entries.map(|it| it.expect("an entry")).filter(|it| it.path().is_dir());
    let names: BTreeSet<String> =
        folders.map(|it| it.file_name().into_string().expect("a plain name")).collect();
    assert_eq!(names, TESTED.map(str::to_owned).into());
    let list = std::fs::read_to_string(examples().join("README.md")).expect("the list of examples");
    for name in TESTED {
        assert!(list.contains(&format!("[{name}]({name}/)")), "{name} is not listed in examples/README.md");
        assert!(examples().join(name).join("README.md").exists(), "{name} has no README.md");
    }
}

#[tokio::test]
async fn quickstart() {
    let (_, upstream) = tried("quickstart").await;
    assert_eq!(upstream.seen().len(), 1, "only the good call reached the upstream");
}

#[tokio::test]
async fn api_keys_and_plans() {
    let (_, upstream) = tried("api-keys-and-plans").await;
    let cancelled = upstream.seen().into_iter().find(|it| it.method == "DELETE").expect("the manager's call");
    assert_eq!(cancelled.headers["x-consumer"], "shop");
    assert_eq!(cancelled.headers["x-plan"], "gold");
    assert!(!cancelled.headers.contains_key("x-api-key"), "keys stay at the gate");
}

#[tokio::test]
async fn jwt_oidc() {
    let (upstream, key) = (upstream().await, SigningKey::ed25519("example"));
    let claims = |subject: &str| {
        json!({ "iss": "https://login.example.com", "aud": "orders", "sub": subject, "exp": now_secs() + 600,
            "scope": "orders.read", "org": { "id": "acme" } })
    };
    let tried = Example::of("jwt-oidc", [&upstream, &upstream])
        .file("jwks.json", &key_set(&[&key]).to_string())
        .variable("TOKEN", key.token(&claims("ada")))
        .try_it()
        .await;
    let seen = upstream.seen();
    assert_eq!(seen.len(), 1);
    assert!(seen[0].headers.contains_key("x-portcullis-identity"), "the upstream is told who calls");
    let revoked = format!("Bearer {}", key.token(&claims("mallory")));
    let answer = Caller::of(tried.gate.address()).with("authorization", &revoked).get("/v1/orders").await;
    assert_eq!(answer.status, 401, "mallory is on the list of the revoked");
}

#[tokio::test]
async fn mtls() {
    let (upstream, partners) = (upstream().await, Authority::new("Partners"));
    let mut example = Example::of("mtls", [&upstream, &upstream]).file("partners-ca.pem", &partners.pem);
    example.certificate = Some(partners.client("billing", "Acme", "spiffe://acme/billing"));
    example.try_it().await;
    let seen = upstream.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].headers["x-partner"], "spiffe://acme/billing");
    assert_eq!(seen[0].headers["x-tenant"], "Acme");
}

#[tokio::test]
async fn upstream_pool() {
    let (first, second) = (upstream().await, upstream().await);
    let tried = Example::of("upstream-pool", [&first, &second]).try_it().await;
    drop(second);
    for _ in 0..20 {
        let answer = Caller::of(tried.gate.address()).get("/v1/orders/1").await;
        assert_eq!(answer.status, 200, "one server is gone, calls go on\n{}", tried.gate.log());
    }
}

#[tokio::test]
async fn report_mode() {
    let (tried, upstream) = tried("report-mode").await;
    assert_eq!(upstream.seen().len(), 2, "what is only reported reaches the upstream");
    tried.gate.events(3).await;
    let events = tried.gate.command(&["events"]);
    assert_eq!(events.stdout.matches("would refuse: ").count(), 2, "{}", events.stdout);
}

#[tokio::test]
async fn several_apis_with_include() {
    let (_, upstream) = tried("several-apis-with-include").await;
    let targets: Vec<String> = upstream.seen().into_iter().map(|it| it.target).collect();
    assert_eq!(targets, ["/sales/orders", "/items/7", "/items/7"]);
}

#[tokio::test]
async fn exceptions() {
    let (_, upstream) = tried("exceptions").await;
    assert_eq!(upstream.seen().len(), 2);
}

#[tokio::test]
async fn firewall() {
    let (_, upstream) = tried("firewall").await;
    assert_eq!(upstream.seen().len(), 2);
}

#[tokio::test]
async fn websocket_and_sse() {
    let upstream = upstream().await;
    let echo = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let echo_address = echo.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        let (stream, _) = echo.accept().await.unwrap();
        let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
        while let Some(Ok(message)) = socket.next().await {
            if message.is_text() {
                socket.send(message).await.unwrap();
            }
        }
    });
    let tried = Example::of("websocket-and-sse", [&upstream, &upstream]).try_it().await;
    let key = &tried.variables["KEY"];
    let feed = Caller::of(tried.gate.address()).with("x-api-key", key).get("/v1/feed").await;
    assert_eq!(feed.header("content-type"), "text/event-stream");

    // The same gate, now in front of a server that speaks WebSocket.
    let config = std::fs::read_to_string(tried.gate.folder().join("portcullis.yaml")).unwrap();
    tried.gate.write("portcullis.yaml", config.replace(&upstream.address.to_string(), &echo_address));
    tried.gate.reload_well();
    let mut request = format!("ws://{}/v1/chat", tried.gate.address()).into_client_request().unwrap();
    request.headers_mut().insert("x-api-key", key.parse().unwrap());
    let (mut socket, answer) = tokio_tungstenite::connect_async(request).await.expect("the upgrade passes");
    assert_eq!(answer.status(), 101);
    socket.send(Message::text("hello")).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::text("hello"));
}

#[tokio::test]
async fn limits() {
    let (tried, upstream) = tried("limits").await;
    let mut caller = Caller::of(tried.gate.address());
    let mut statuses = Vec::new();
    for _ in 0..5 {
        let wrong = r#"{"username":"ada","password":"wrong"}"#;
        statuses.push(caller.send(http::Method::POST, "/v1/login", wrong).await.status);
        // Anonymous callers have five calls a second in this example.
        tokio::time::sleep(std::time::Duration::from_millis(210)).await;
    }
    assert_eq!(statuses, [401, 401, 401, 401, 429], "one wrong password was tried before");
    assert_eq!(upstream.seen().iter().filter(|it| it.target == "/v1/login").count(), 5);
}
