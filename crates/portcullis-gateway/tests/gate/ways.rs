//! The ordinary way, and each place where it ends early.

use std::sync::Arc;

use http::HeaderValue;
use portcullis_core::{
    chain::{Mode, Phase, RemoteGuard, Waiting},
    context::Context,
    event::{Outcome, Protocol, UpstreamFault},
    verdict::{Denial, Reason, RuleId, Severity, Verdict},
};
use portcullis_gateway::{
    cors::{Cors, Origins},
    plan::{ErrorPolicy, HostPolicy, OptionsPolicy, PathRewrite},
};

use crate::support::*;

fn no(denial: Denial) -> Verdict {
    Reason::new(RuleId::new("test/no"), Severity::Low, "no").deny(denial)
}

#[tokio::test]
async fn a_call_passes_and_is_recorded_once() {
    let behind = Behind::start(|_| {
        "HTTP/1.1 200 OK\r\nServer: leaky/1.2\r\nX-Powered-By: PHP\r\nVia: 1.1 x\r\nKeep-Alive: timeout=5\r\n\
         X-Own: 1\r\nContent-Length: 2\r\n\r\nok"
            .to_owned()
    })
    .await;
    let gate = gate(serving(vec![endpoint("GET /orders/{id}", &behind.upstream())]));
    let answer = gate
        .ask(
            "GET /orders/1%37?a=%2f HTTP/1.1\r\nHost: API.example\r\nConnection: X-Gone\r\nX-Gone: 1\r\n\
             X_User_Id: root\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n",
        )
        .await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "ok"), "{answer:?}");
    for name in ["server", "x-powered-by", "via", "keep-alive"] {
        assert_eq!(answer.header(name), None, "{name}");
    }
    assert_eq!(answer.header("x-own"), Some("1"));
    let event = gate.record.one().await;
    assert_eq!(answer.header("x-request-id"), Some(event.id.to_string().as_str()));

    let asked = behind.asked().remove(0);
    assert!(asked.starts_with("GET /orders/17?a=%2F HTTP/1.1\r\n"), "{asked}");
    for line in ["host: API.example", "x-forwarded-for: 127.0.0.1", "x-forwarded-proto: http"] {
        assert!(asked.contains(&format!("\r\n{line}\r\n")), "{line} in {asked}");
    }
    assert!(asked.contains(&format!("\r\nx-request-id: {}\r\n", event.id)), "{asked}");
    for name in ["x-gone", "x_user_id", "6.6.6.6"] {
        assert!(!asked.contains(name), "{name} in {asked}");
    }

    assert_eq!(event.outcome, Outcome::Served);
    assert_eq!((event.status, event.response_bytes, event.request_bytes), (200, 2, 0));
    assert_eq!((&*event.host, &*event.method, &*event.path), ("api.example", "GET", "/orders/17"));
    assert_eq!(event.template.as_deref(), Some("/orders/{id}"));
    assert_eq!(event.protocol, Protocol::Http11);
    assert!(event.upstream.is_some() && event.upstream_micros.is_some());
    let trace = event.trace.unwrap();
    assert!(asked.contains(&format!("\r\ntraceparent: 00-{trace}-")), "{asked}");
    assert_eq!(gate.gateway.stats().exchanges.now(), 1);
    assert_eq!(gate.gateway.stats().in_flight.now(), 0);
}

#[tokio::test]
async fn a_connection_serves_many_calls() {
    let behind = Behind::ok().await;
    let gate = gate(serving(vec![endpoint("GET /", &behind.upstream())]));
    let mut client = gate.connect().await;
    for _ in 0..20 {
        client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n").await;
        assert_eq!(client.answer(false).await.status, 200);
    }
    gate.record.events(20).await;
    assert_eq!(gate.gateway.stats().connections_accepted.now(), 1);
}

#[tokio::test]
async fn paths_are_moved_below_the_upstreams_own() {
    let behind = Behind::ok().await;
    let mut endpoint = endpoint("GET /v1/orders", &behind.upstream());
    endpoint.rewrite = PathRewrite { strip: 3, prepend: "/api/v2".into() };
    endpoint.host = HostPolicy::Fixed(HeaderValue::from_static("internal:8080"));
    let gate = gate(serving(vec![endpoint]));
    assert_eq!(gate.ask("GET /v1/orders?x=1 HTTP/1.1\r\nHost: h\r\n\r\n").await.status, 200);
    let asked = behind.asked().remove(0);
    assert!(asked.starts_with("GET /api/v2/orders?x=1 HTTP/1.1\r\n"), "{asked}");
    assert!(
        asked.contains("host: internal:8080\r\n") && asked.contains("x-forwarded-host: h\r\n"),
        "{asked}"
    );
}

#[tokio::test]
async fn an_absolute_name_is_the_same_host() {
    let (named, other) = (Behind::ok().await, Behind::ok().await);
    let mut strict = api(vec![endpoint("GET /{*rest}", &named.upstream())]);
    strict.hosts = vec!["api.example".into(), "::1".into()];
    let mut open = api(vec![endpoint("GET /{*rest}", &other.upstream())]);
    open.name = "open".into();
    let gate = gate(listener(vec![strict, open]));
    for (host, forwarded) in [
        ("api.example", "api.example"),
        ("API.Example:8080", "API.Example:8080"),
        ("api.example.", "api.example"),
        ("API.example.:8080", "api.example:8080"),
        ("[0::0:1]:80", "[::1]:80"),
    ] {
        gate.record.clear();
        assert_eq!(gate.ask(&format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n")).await.status, 200);
        let asked = named.asked().pop().unwrap();
        for name in ["host", "x-forwarded-host"] {
            assert!(asked.contains(&format!("\r\n{name}: {forwarded}\r\n")), "{host}: {asked}");
        }
        assert_eq!(*gate.record.one().await.host, forwarded.to_lowercase(), "{host}");
    }
    assert_eq!(gate.ask("GET / HTTP/1.1\r\nHost: other.example.\r\n\r\n").await.status, 200);
    assert_eq!((named.asked().len(), other.asked().len()), (5, 1));
}

#[tokio::test]
async fn guards_of_each_phase_can_refuse() {
    let behind = Behind::ok().await;
    for (phase, denial, asked) in [
        (Phase::RequestHead, Denial::Forbidden, 0),
        (Phase::RequestBody, Denial::Invalid, 0),
        (Phase::ResponseHead, Denial::BadAnswer, 1),
        (Phase::ResponseBody, Denial::BadAnswer, 2),
    ] {
        let endpoint = guarded(endpoint("POST /", &behind.upstream()), phase, move |cx| {
            match phase {
                Phase::RequestHead => {}
                Phase::RequestBody => assert_eq!(cx.request.body.as_deref(), Some(&b"abc"[..])),
                Phase::ResponseHead => assert_eq!(cx.response.as_ref().unwrap().status, 200),
                Phase::ResponseBody => {
                    assert_eq!(cx.response.as_ref().unwrap().body.as_deref(), Some(&b"ok"[..]));
                }
            }
            no(denial)
        });
        let gate = gate(serving(vec![endpoint]));
        let answer = gate.ask("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc").await;
        assert_eq!(answer.status, denial.status(), "{phase:?}");
        let event = gate.record.one().await;
        assert_eq!(event.outcome, Outcome::Denied(denial), "{phase:?}");
        assert_eq!(rules(&event), ["test/no"]);
        assert!(answer.body.contains(&format!("\"instance\":\"urn:uuid:{}\"", event.id)), "{}", answer.body);
        assert_eq!(behind.asked().len(), asked, "{phase:?}");
    }
}

struct Slow;

impl RemoteGuard for Slow {
    fn name(&self) -> &'static str {
        "slow"
    }

    fn check(&self, cx: &mut Context) -> Option<Verdict> {
        cx.request.headers.contains_key("x-quick").then_some(Verdict::Pass)
    }

    fn ask<'a>(&'a self, cx: &'a mut Context) -> Waiting<'a> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            if cx.request.headers.contains_key("x-bad") { no(Denial::Unauthenticated) } else { Verdict::Pass }
        })
    }
}

#[tokio::test]
async fn guards_that_wait_are_waited_for() {
    let behind = Behind::ok().await;
    let mut endpoint = endpoint("GET /", &behind.upstream());
    endpoint.chain.remote(Mode::Block, Arc::new(Slow));
    endpoint.chain.remote(Mode::Block, Arc::new(Slow));
    let gate = gate(serving(vec![endpoint]));
    for (field, status) in [("X-Quick: 1", 200), ("X-Other: 1", 200), ("X-Bad: 1", 401)] {
        let answer = gate.ask(&format!("GET / HTTP/1.1\r\nHost: h\r\n{field}\r\n\r\n")).await;
        assert_eq!(answer.status, status, "{field}");
    }
    assert_eq!(behind.asked().len(), 2);
}

#[tokio::test]
async fn a_panic_costs_its_exchange_alone() {
    let behind = Behind::ok().await;
    let bad = guarded(endpoint("GET /bad", &behind.upstream()), Phase::RequestHead, |_| panic!("on purpose"));
    let gate = gate(serving(vec![bad, endpoint("GET /good", &behind.upstream())]));
    let mut client = gate.connect().await;
    client.send("GET /bad HTTP/1.1\r\nHost: h\r\n\r\n").await;
    assert_eq!(client.answer(false).await.status, 503);
    let event = gate.record.one().await;
    assert_eq!((event.outcome, event.status), (Outcome::Panicked, 503));
    client.send("GET /good HTTP/1.1\r\nHost: h\r\n\r\n").await;
    assert_eq!(client.answer(false).await.status, 200);
    assert_eq!(gate.gateway.stats().panics.now(), 1);
    assert_eq!(gate.gateway.stats().in_flight.now(), 0);
}

#[tokio::test]
async fn unknown_paths_and_methods_are_refused() {
    let behind = Behind::ok().await;
    let gate = gate(serving(vec![
        endpoint("GET /a", &behind.upstream()),
        endpoint("POST /a", &behind.upstream()),
        endpoint("GET /b/{id}", &behind.upstream()),
    ]));
    for (request, status, rule) in [
        ("GET /nothing", 404, "route/unknown_operation"),
        ("DELETE /a", 405, "route/unknown_method"),
        ("OPTIONS /a", 405, "route/unknown_method"),
        ("BREW /a", 405, "route/unknown_method"),
    ] {
        gate.record.clear();
        let answer = gate.ask(&format!("{request} HTTP/1.1\r\nHost: h\r\n\r\n")).await;
        assert_eq!(answer.status, status, "{request}");
        if status == 405 {
            assert_eq!(answer.header("allow"), Some("GET, POST, HEAD"), "{request}");
        }
        let event = gate.record.one().await;
        assert_eq!(rules(&event), [rule], "{request}");
        assert_eq!(event.api.as_deref(), Some("t"));
    }
    assert!(behind.asked().is_empty());
}

#[tokio::test]
async fn unknown_operations_on_report_are_served_and_noted() {
    let behind = Behind::ok().await;
    let mut api = api(vec![endpoint("GET /a", &behind.upstream())]);
    api.unknown.paths = Mode::Report;
    api.unknown.methods = Mode::Report;
    api.unknown.endpoint = Some(Arc::new(endpoint("* /{*rest}", &behind.upstream())));
    let gate = gate(listener(vec![api]));
    assert_eq!(gate.ask("GET /nothing HTTP/1.1\r\nHost: h\r\n\r\n").await.status, 200);
    let event = gate.record.one().await;
    assert_eq!(rules(&event), ["route/unknown_operation"]);
    assert!(event.reasons[0].reported_only);
    assert_eq!(event.outcome, Outcome::Served);
}

#[tokio::test]
async fn head_and_options_follow_their_policies() {
    let behind = Behind::start(|_| "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n".to_owned()).await;
    let mut api = api(vec![endpoint("GET /a", &behind.upstream())]);
    api.options = OptionsPolicy::Answer;
    let gate = gate(listener(vec![api]));
    let answer = gate.ask("HEAD /a HTTP/1.1\r\nHost: h\r\n\r\n").await;
    assert_eq!((answer.status, answer.header("content-length")), (200, Some("5")));
    assert_eq!(gate.record.one().await.outcome, Outcome::Served);
    gate.record.clear();
    let answer = gate.ask("OPTIONS /a HTTP/1.1\r\nHost: h\r\n\r\n").await;
    assert_eq!((answer.status, answer.header("allow")), (204, Some("GET, HEAD, OPTIONS")));
    assert_eq!(gate.record.one().await.outcome, Outcome::Answered);
}

#[tokio::test]
async fn preflights_are_answered_at_the_gate() {
    let behind = Behind::start(|_| {
        "HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: *\r\nContent-Length: 2\r\n\r\nok".to_owned()
    })
    .await;
    let mut api = api(vec![endpoint("PUT /a", &behind.upstream())]);
    api.cors = Some(Arc::new(Cors {
        origins: Origins::Listed([HeaderValue::from_static("https://shop.example")].into()),
        ..Cors::default()
    }));
    let gate = gate(listener(vec![api]));
    let preflight = |origin: &str, method: &str| {
        format!(
            "OPTIONS /a HTTP/1.1\r\nHost: h\r\nOrigin: {origin}\r\nAccess-Control-Request-Method: {method}\r\n\r\n"
        )
    };
    let answer = gate.ask(&preflight("https://shop.example", "PUT")).await;
    assert_eq!((answer.status, answer.header("access-control-allow-methods")), (204, Some("PUT")));
    assert_eq!(gate.record.one().await.outcome, Outcome::Answered);
    for (origin, method) in [("https://evil.example", "PUT"), ("https://shop.example", "DELETE")] {
        let answer = gate.ask(&preflight(origin, method)).await;
        assert_eq!(answer.header("access-control-allow-origin"), None, "{origin} {method}");
    }
    assert!(behind.asked().is_empty());
    let answer = gate.ask("PUT /a HTTP/1.1\r\nHost: h\r\nOrigin: https://shop.example\r\n\r\n").await;
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://shop.example"));
    let answer = gate.ask("PUT /a HTTP/1.1\r\nHost: h\r\nOrigin: https://evil.example\r\n\r\n").await;
    assert_eq!(answer.header("access-control-allow-origin"), None);
}

#[tokio::test]
async fn upstream_errors_lose_their_words() {
    let behind = Behind::start(|_| {
        "HTTP/1.1 500 Oops\r\nContent-Type: text/html\r\nX-Trace: main.rs\r\nRetry-After: 7\r\n\
         Content-Length: 20\r\n\r\nstack trace: main.rs"
            .to_owned()
    })
    .await;
    let mut pass = endpoint("GET /pass", &behind.upstream());
    pass.errors = ErrorPolicy::Pass;
    let gate = gate(serving(vec![endpoint("GET /minimal", &behind.upstream()), pass]));
    let answer = gate.ask("GET /minimal HTTP/1.1\r\nHost: h\r\n\r\n").await;
    assert_eq!((answer.status, answer.header("content-type")), (500, Some("application/problem+json")));
    assert_eq!((answer.header("x-trace"), answer.header("retry-after")), (None, Some("7")));
    assert!(!answer.body.contains("main.rs"), "{}", answer.body);
    assert_eq!(gate.record.one().await.outcome, Outcome::Served);
    let answer = gate.ask("GET /pass HTTP/1.1\r\nHost: h\r\n\r\n").await;
    assert_eq!(answer.body, "stack trace: main.rs");
}

#[tokio::test]
async fn a_dead_upstream_is_a_502_with_its_reason() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let gate = gate(serving(vec![endpoint("GET /", &upstream(port))]));
    let answer = gate.ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n").await;
    assert_eq!(answer.status, 502);
    let event = gate.record.one().await;
    assert_eq!(event.outcome, Outcome::UpstreamFailed(UpstreamFault::Connect));
    assert_eq!(rules(&event), ["upstream/connect"]);
    assert!(!answer.body.contains("127.0.0.1"));
}

#[tokio::test]
async fn an_answer_cut_off_is_recorded_as_such() {
    let behind =
        Behind::start(|_| "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf<close>".to_owned()).await;
    let gate = gate(serving(vec![endpoint("GET /", &behind.upstream())]));
    let mut client = gate.connect().await;
    client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n").await;
    assert!(client.closed(std::time::Duration::from_secs(5)).await);
    let event = gate.record.one().await;
    assert_eq!(event.outcome, Outcome::UpstreamFailed(UpstreamFault::CutOff));
}

#[tokio::test]
async fn a_client_that_leaves_is_recorded_as_gone() {
    let behind = Behind::start(|_| "<never>".to_owned()).await;
    let gate = gate(serving(vec![endpoint("GET /", &behind.upstream())]));
    let mut client = gate.connect().await;
    client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n").await;
    while behind.asked().is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    drop(client);
    let event = gate.record.one().await;
    assert_eq!((event.outcome, event.status), (Outcome::ClientGone, 0));
}

#[tokio::test]
async fn more_exchanges_than_allowed_are_refused() {
    let behind = Behind::start(|request| {
        let pause = if request.starts_with("GET /slow") { "<pause><pause>" } else { "" };
        format!("{pause}HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    })
    .await;
    let mut plan = serving(vec![endpoint("GET /{x}", &behind.upstream())]);
    plan.limits.in_flight_max = 1;
    let gate = gate(plan);
    let mut slow = gate.connect().await;
    slow.send("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n").await;
    while gate.gateway.stats().in_flight.now() == 0 {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    let answer = gate.ask("GET /quick HTTP/1.1\r\nHost: h\r\n\r\n").await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("1")));
    assert_eq!(slow.answer(false).await.status, 200);
    assert_eq!(gate.ask("GET /quick HTTP/1.1\r\nHost: h\r\n\r\n").await.status, 200);
    let events = gate.record.events(3).await;
    assert_eq!(rules(&events[0]), ["listener/overloaded"]);
}
