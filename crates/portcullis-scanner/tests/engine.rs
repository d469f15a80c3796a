//! The engine against a small service: it keeps within its bounds, tells when it lost its users, and writes no secret.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failure here is a failed test")]

use std::{
    convert::Infallible,
    path::Path,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{Request, Response, body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use portcullis_scanner::{
    engine::{Base, Budget, Engine, Options, ScanOutcome, TransportLimits, Unfinished},
    identity::file,
    model::openapi,
    world::Bounds,
};
use portcullis_spec::openapi::{LoadOptions, MemorySource};
use serde_json::{Value, json};

/// What the service was asked, and what it remembers.
#[derive(Default)]
struct State {
    asked: Vec<String>,
    users: Vec<(String, String)>,
    /// Nobody is let in any more.
    shut: bool,
}

/// A service with registration, login, `/me`, and a name to be changed; what happens to it on a change is said.
#[derive(Clone, Copy, PartialEq)]
enum OnChange {
    Nothing,
    ShutsEverybodyOut,
}

struct Service {
    url: String,
    state: Arc<Mutex<State>>,
}

async fn service(on_change: OnChange) -> Service {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let state = Arc::new(Mutex::new(State::default()));
    let shared = Arc::clone(&state);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let state = Arc::clone(&shared);
            let serve = service_fn(move |request| answer(request, Arc::clone(&state), on_change));
            tokio::spawn(
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), serve),
            );
        }
    });
    Service { url, state }
}

#[expect(clippy::disallowed_methods, reason = "a test's own requests, and bounded")]
async fn answer(
    request: Request<Incoming>,
    state: Arc<Mutex<State>>,
    on_change: OnChange,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, 4 << 20)
        .collect()
        .await
        .map(http_body_util::Collected::to_bytes)
        .unwrap_or_default();
    let body: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    let mut state = state.lock().unwrap();
    state.asked.push(format!("{} {}", head.method, head.uri.path()));
    let token = head.headers.get("authorization").and_then(|it| it.to_str().ok()).unwrap_or_default();
    let caller =
        state.users.iter().map(|(name, _)| name).find(|name| token == format!("Bearer token-of-{name}"));
    let caller = caller.cloned().filter(|_| !state.shut);
    let (status, body) = match (head.method.as_str(), head.uri.path()) {
        ("POST", "/register" | "/login") if state.shut => (503, json!({"detail": "closed"})),
        ("POST", "/register") => {
            let user = (text("username"), text("password"));
            if user.0.is_empty() || state.users.iter().any(|(name, _)| *name == user.0) {
                (400, json!({"detail": "taken"}))
            } else {
                state.users.push(user);
                (201, json!({"message": "welcome"}))
            }
        }
        ("POST", "/login") if state.users.contains(&(text("username"), text("password"))) => {
            (200, json!({"access_token": format!("token-of-{}", text("username"))}))
        }
        ("POST", "/login") => (401, json!({"detail": "no"})),
        ("GET", "/me") => match caller {
            Some(name) => (200, json!({"username": name})),
            None => (401, json!({"detail": "who?"})),
        },
        ("PUT", "/name") => match caller {
            Some(name) => {
                state.shut = on_change == OnChange::ShutsEverybodyOut && state.users.len() > 3;
                (200, json!({"username": name, "name": text("name")}))
            }
            None => (401, json!({"detail": "who?"})),
        },
        ("GET", "/reset") => (200, json!({"done": true})),
        _ => (404, json!({"detail": "nothing here"})),
    };
    let answer = Response::builder().status(status).header("content-type", "application/json");
    Ok(answer.body(Full::new(Bytes::from(body.to_string()))).unwrap())
}

fn description() -> Value {
    let credentials = json!({"type": "object", "required": ["username", "password"],
        "properties": {"username": {"type": "string"}, "password": {"type": "string"}}});
    let body =
        |schema: &Value| json!({"required": true, "content": {"application/json": {"schema": schema}}});
    let name = json!({"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}});
    let ok = json!({"200": {"description": "ok"}});
    json!({"openapi": "3.1.0", "info": {"title": "small", "version": "1"},
        "components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
        "paths": {
            "/register": {"post": {"requestBody": body(&credentials), "responses": ok}},
            "/login": {"post": {"requestBody": body(&credentials), "responses": ok}},
            "/me": {"get": {"security": [{"bearer": []}], "responses": ok}},
            "/name": {"put": {"security": [{"bearer": []}], "requestBody": body(&name), "responses": ok}},
            "/reset": {"get": {"responses": ok}}}})
}

fn options(url: &str) -> Options {
    Options {
        base: Base::parse(url).unwrap(),
        seed: 1,
        budget: Budget::default(),
        limits: TransportLimits::default(),
        bounds: Bounds::default(),
        users: Vec::new(),
        allowed: Vec::new(),
        headers: Vec::new(),
        unix_now: 0,
        only: Vec::new(),
        skip: Vec::new(),
        operations: Vec::new(),
        tls: None,
        directory: None,
        resume: false,
        coverage_min: 0,
    }
}

async fn scan(options: Options) -> ScanOutcome {
    let source = MemorySource::default().with("small.json", description().to_string());
    let model = openapi::read("small.json", &source, &LoadOptions::default(), None).unwrap();
    Engine::new(model, options, None, &mut |_| {}).unwrap().scan().await
}

#[tokio::test]
async fn finds_its_way_in_by_itself() {
    let service = service(OnChange::Nothing).await;
    let outcome =
        scan(Options { only: vec!["object_read_by_stranger".to_owned()], ..options(&service.url) }).await;
    let missed: Vec<_> = outcome.coverage.iter().filter(|it| !it.reached).collect();
    assert!(missed.is_empty(), "{missed:?}");
    assert!(outcome.unfinished.is_none(), "{:?}", outcome.unfinished);
    assert!(outcome.world.login.is_some());
}

#[tokio::test]
async fn a_scan_that_loses_its_users_is_incomplete() {
    let service = service(OnChange::ShutsEverybodyOut).await;
    let outcome = scan(options(&service.url)).await;
    assert!(service.state.lock().unwrap().shut, "nobody was shut out: the test shows nothing");
    assert!(matches!(outcome.unfinished, Some(Unfinished::Logins(_))), "{:?}", outcome.unfinished);
}

#[tokio::test]
async fn only_reads_where_it_may_only_read() {
    let service = service(OnChange::Nothing).await;
    service.state.lock().unwrap().users.push(("alice".to_owned(), "alices-pass".to_owned()));
    let users = file::read(&users_file()).unwrap();
    let bounds = Bounds { read_only: true, ..Bounds::default() };
    scan(Options { users, bounds, ..options(&service.url) }).await;
    let asked = service.state.lock().unwrap().asked.clone();
    let changes: Vec<&String> = asked
        .iter()
        .filter(|it| !["GET ", "HEAD ", "OPTIONS "].iter().any(|method| it.starts_with(method)))
        .filter(|it| *it != "POST /login")
        .collect();
    assert!(changes.is_empty(), "{changes:?}");
    assert!(asked.iter().any(|it| it == "GET /me"));
    assert!(
        !asked.iter().any(|it| it == "GET /reset"),
        "what sounds as if it set everything back was called"
    );
}

#[tokio::test]
async fn sends_no_more_than_its_budget() {
    let service = service(OnChange::Nothing).await;
    let budget = Budget { requests_max: 25, ..Budget::default() };
    let outcome = scan(Options { budget, ..options(&service.url) }).await;
    assert!(matches!(outcome.unfinished, Some(Unfinished::Budget(_))), "{:?}", outcome.unfinished);
    assert_eq!(service.state.lock().unwrap().asked.len(), 25);
}

#[tokio::test]
async fn leaves_no_password_and_no_token_of_a_user_it_was_given() {
    let service = service(OnChange::Nothing).await;
    service.state.lock().unwrap().users.push(("alice".to_owned(), "alices-pass".to_owned()));
    let folder = tempfile::tempdir().unwrap();
    let users = file::read(&users_file()).unwrap();
    let directory = Some(folder.path().to_owned());
    let outcome = scan(Options { users, directory, ..options(&service.url) }).await;
    let report = format!("{:?}", outcome.findings);
    for secret in ["alices-pass", "token-of-alice"] {
        assert!(!report.contains(secret), "{secret} stands in a finding");
        for name in ["requests.jsonl", "captures.jsonl", "trials.jsonl"] {
            let text = read(&folder.path().join(name));
            assert!(!text.contains(secret), "{secret} stands in {name}");
            assert!(!text.is_empty(), "{name} is empty");
        }
    }
}

fn users_file() -> String {
    json!({"auth": [{"name": "alice", "loginEndpointAuth": {"endpoint": "/login", "verb": "POST",
        "payloadUserPwd": {"username": "alice", "password": "alices-pass", "usernameField": "username", "passwordField": "password"},
        "token": {"extractFromField": "/access_token", "httpHeaderName": "Authorization", "headerPrefix": "Bearer "}}}]})
    .to_string()
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}
