//! Heads, targets and framing that two readers could take for two things: refused, recorded once, never forwarded.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failure here is a failed test"
)]

use http::Method;
use portcullis_e2e::{Caller, Gate, SHOP, Upstream, rules};

async fn gate(upstream: &Upstream) -> Gate {
    let config = format!(
        "
admin: {{ address: 127.0.0.1:0 }}
listeners: {{ main: {{ address: 127.0.0.1:0, tls: off, limits: {{ header_timeout: 500ms, idle_timeout: 500ms }} }} }}
apis:
  shop:
    spec: shop.yaml
    upstream: {}
    auth: anonymous
    cors: {{ origins: [\"https://app.example.com\"] }}
",
        upstream.url()
    );
    Gate::new(&config).file("shop.yaml", SHOP).start().await
}

/// Sends each request over a connection of its own; each must get that status and leave one event with that rule.
async fn refused(cases: &[(&str, u16, &str)]) {
    let upstream = Upstream::agreeable().await;
    let gate = gate(&upstream).await;
    let caller = Caller::of(gate.address());
    for (number, (request, status, rule)) in cases.iter().enumerate() {
        let shown = request.chars().take(120).collect::<String>();
        let answer = caller.raw(request.as_bytes()).await;
        let events = gate.events(number + 1).await;
        let event = events.last().unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{shown:?}: {answer}\n{event:#}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{shown:?}: one answer: {answer}");
        assert_eq!(events.len(), number + 1, "{shown:?}: one event");
        assert_eq!(event["status"], *status, "{shown:?}");
        assert_eq!(rules(event), [*rule], "{shown:?}: {event:#}");
        for word in ["hyper", "portcullis/", "panicked", ".rs:"] {
            assert!(!answer.contains(word), "{shown:?} is told too much: {answer}");
        }
    }
    assert!(upstream.seen().is_empty(), "{:?}", upstream.seen());
    assert_eq!(Caller::of(gate.address()).get("/orders").await.status, 200, "the gate serves on");
}

#[tokio::test]
async fn ambiguous_framing_is_refused() {
    let order = "POST /orders HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
    let cases = [
        (
            format!("{order}content-length: 14\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
            "framing/length_and_encoding",
        ),
        (format!("{order}content-length: 14\r\ncontent-length: 15\r\n\r\n{{}}"), "framing/repeated_length"),
        (format!("{order}content-length: 2\r\ncontent-length: 2\r\n\r\n{{}}"), "framing/repeated_length"),
        (format!("{order}content-length: 2, 2\r\n\r\n{{}}"), "framing/length"),
        (format!("{order}content-length: -1\r\n\r\n"), "framing/length"),
        (format!("{order}content-length: +2\r\n\r\n{{}}"), "framing/length"),
        (format!("{order}content-length: 0x2\r\n\r\n{{}}"), "framing/length"),
        (format!("{order}content-length: \r\n\r\n"), "framing/length"),
        (format!("{order}content-length: 99999999999999999999999\r\n\r\n"), "framing/length"),
        (format!("{order}transfer-encoding: xchunked\r\n\r\n0\r\n\r\n"), "framing/encoding"),
        (format!("{order}transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n"), "framing/encoding"),
        (format!("{order}transfer-encoding:\x0bchunked\r\n\r\n0\r\n\r\n"), "framing/field"),
        (format!("{order}x-a: b\r\n folded: c\r\ncontent-length: 2\r\n\r\n{{}}"), "framing/folded_line"),
        ("GET /orders HTTP/1.1\nhost: x\n\n".to_owned(), "framing/bare_line_end"),
        ("GET /orders HTTP/1.1 \r\nhost: x\r\n\r\n".to_owned(), "framing/request_line"),
        ("GET  /orders HTTP/1.1\r\nhost: x\r\n\r\n".to_owned(), "framing/request_line"),
    ];
    let cases: Vec<_> = cases.iter().map(|(request, rule)| (request.as_str(), 400, *rule)).collect();
    refused(&cases).await;
}

#[tokio::test]
async fn bad_chunks_are_refused() {
    let order = "POST /orders HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
    let upstream = Upstream::agreeable().await;
    let gate = gate(&upstream).await;
    let caller = Caller::of(gate.address());
    for (number, chunks) in [
        "XYZ\r\n{}\r\n0\r\n\r\n",
        "-1\r\n{}\r\n0\r\n\r\n",
        "0x2\r\n{}\r\n0\r\n\r\n",
        "2\n{}\n0\n\n",
        "2\r\n{}GARBAGE\r\n0\r\n\r\n",
        "ffffffffffffffffff\r\n{}\r\n0\r\n\r\n",
        "2;ext=\"\n\"\r\n{}\r\n0\r\n\r\n",
    ]
    .iter()
    .enumerate()
    {
        let answer = caller.raw(format!("{order}{chunks}").as_bytes()).await;
        let events = gate.events(number + 1).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{chunks:?}: {answer}");
        assert_eq!(events.len(), number + 1, "{chunks:?}");
        let event = events.last().unwrap();
        assert!(rules(event).iter().any(|it| it.starts_with("framing/")), "{chunks:?}: {event:#}");
    }
    assert!(upstream.seen().is_empty());
}

#[tokio::test]
async fn targets_that_could_mean_two_things_are_refused() {
    let get = |target: &str| format!("GET {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    let cases = [
        (get("/orders%2f1"), "target/encoded_slash"),
        (get("/orders/%5c1"), "target/encoded_backslash"),
        (get("/orders/1%00"), "target/encoded_zero"),
        (get("/orders/../admin"), "target/dot_segment"),
        (get("/orders/%2e%2e/admin"), "target/dot_segment"),
        (get("/./orders"), "target/dot_segment"),
        (get("//orders"), "target/empty_segment"),
        (get("/orders/%zz"), "target/encoding"),
        (get("/orders/%4"), "target/encoding"),
        (get("/orders\\1"), "target/character"),
        (get("/orders#x"), "framing/request_line"),
        (get("*"), "target/form"),
        ("CONNECT internal:22 HTTP/1.1\r\nhost: internal:22\r\n\r\n".to_owned(), "target/connect"),
        ("GET /orders HTTP/1.1\r\n\r\n".to_owned(), "target/no_host"),
        ("GET /orders HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n".to_owned(), "target/many_hosts"),
        ("GET /orders HTTP/1.1\r\nhost: a b\r\n\r\n".to_owned(), "target/bad_host"),
        ("GET http://a/orders HTTP/1.1\r\nhost: b\r\n\r\n".to_owned(), "target/hosts_disagree"),
    ];
    let cases: Vec<_> = cases.iter().map(|(request, rule)| (request.as_str(), 400, *rule)).collect();
    refused(&cases).await;
}

#[tokio::test]
async fn what_is_not_http_or_too_much_of_it_is_refused() {
    let huge = format!("GET /orders HTTP/1.1\r\nhost: x\r\nx-huge: {}\r\n\r\n", "x".repeat(60_000));
    let long = format!("GET /orders?{} HTTP/1.1\r\nhost: x\r\n\r\n", "x".repeat(60_000));
    let many = format!("GET /orders HTTP/1.1\r\nhost: x\r\n{}\r\n", "x-many: 1\r\n".repeat(150));
    let upstream = Upstream::agreeable().await;
    let gate = gate(&upstream).await;
    let caller = Caller::of(gate.address());
    for (number, (name, request, statuses)) in [
        ("a head too large", huge.as_str(), &[431][..]),
        ("a target too long", &long, &[431, 414, 400]),
        ("too many fields", &many, &[431]),
        ("HTTP/0.9", "GET /orders\r\n\r\n", &[400]),
        ("a future version", "GET /orders HTTP/3.0\r\nhost: x\r\n\r\n", &[400, 505]),
        ("TLS to a cleartext port", "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\r\n\r\n", &[400]),
        ("garbage", "\0\0\0\0\r\n\r\n", &[400]),
        ("a field without a name", "GET /orders HTTP/1.1\r\n: x\r\n\r\n", &[400]),
        ("a NUL in a field", "GET /orders HTTP/1.1\r\nhost: x\r\nx-nul: a\0b\r\n\r\n", &[400]),
        ("a blank before the colon", "GET /orders HTTP/1.1\r\nhost: x\r\nx-a : b\r\n\r\n", &[400]),
    ]
    .iter()
    .enumerate()
    {
        let answer = caller.raw(request.as_bytes()).await;
        let status = answer.split(' ').nth(1).and_then(|it| it.parse().ok()).unwrap_or(0);
        let events = gate.events(number + 1).await;
        assert!(statuses.contains(&status), "{name}: {answer}\n{:#?}", events.last());
        assert_eq!(events.len(), number + 1, "{name}: one event");
        assert!(events.last().unwrap()["status"].as_u64().unwrap() >= 400, "{name}");
    }
    assert!(upstream.seen().is_empty(), "{:?}", upstream.seen());
}

#[tokio::test]
async fn garbage_behind_a_good_request_is_never_forwarded() {
    let upstream = Upstream::agreeable().await;
    let gate = gate(&upstream).await;
    let answer =
        Caller::of(gate.address()).raw(b"GET /orders HTTP/1.1\r\nhost: x\r\n\r\nGARBAGE\r\n\r\n").await;
    let answers = answer.matches("HTTP/1.1 ").count();
    assert!(answer.contains("HTTP/1.1 400 "), "{answer}");
    let events = gate.events(answers).await;
    assert_eq!(events.len(), answers, "one event an answer: {answer}\n{events:#?}");
    assert_eq!(upstream.seen().len(), answers - 1);
    let both =
        b"GET /orders HTTP/1.1\r\nhost: x\r\n\r\nGET /orders/2 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let answer = Caller::of(gate.address()).raw(both).await;
    assert_eq!(answer.matches("HTTP/1.1 200 ").count(), 2, "pipelined calls are served in turn: {answer}");
}

#[tokio::test]
async fn older_and_absolute_forms_are_served() {
    let upstream = Upstream::agreeable().await;
    let gate = gate(&upstream).await;
    let caller = Caller::of(gate.address());
    let old = caller.raw(b"GET /orders HTTP/1.0\r\nhost: x\r\n\r\n").await;
    assert!(old.contains(" 200 "), "{old}");
    let absolute = caller.raw(b"GET http://x/orders HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    assert!(absolute.starts_with("HTTP/1.1 200 "), "{absolute}");
    let targets: Vec<_> = upstream.seen().into_iter().map(|it| it.target).collect();
    assert_eq!(targets, ["/orders", "/orders"]);
    assert_eq!(gate.events(2).await[0]["protocol"], "http/1.0");
}

#[tokio::test]
async fn unknown_paths_and_methods_are_told_apart() {
    let upstream = Upstream::agreeable().await;
    let gate = gate(&upstream).await;
    let mut caller = Caller::of(gate.address());
    let answer = caller.get("/admin").await;
    gate.assert_refused(&answer, 404, "route/unknown_operation").await;
    let answer = caller.call(Method::PATCH, "/orders", &[], "").await;
    gate.assert_refused(&answer, 405, "route/unknown_method").await;
    let mut allow: Vec<_> = answer.header("allow").split(", ").collect();
    allow.sort_unstable();
    assert_eq!(allow, ["GET", "HEAD", "OPTIONS", "POST"]);
    let answer = caller.call(Method::from_bytes(b"BREW").unwrap(), "/orders", &[], "").await;
    gate.assert_refused(&answer, 405, "route/unknown_method").await;
    let answer = caller.get("/orders?color=red").await;
    gate.assert_refused(&answer, 422, "schema/unknown_parameter").await;
    let answer = caller.get("/orders/seven").await;
    assert!([404, 422].contains(&answer.status), "{answer:?}");
    assert!(upstream.seen().is_empty());
}

#[tokio::test]
async fn head_options_and_preflights_follow_the_specification() {
    let upstream = Upstream::agreeable().await;
    let gate = gate(&upstream).await;
    let mut caller = Caller::of(gate.address());
    let head = caller.call(Method::HEAD, "/orders", &[], "").await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    let options = caller.call(Method::OPTIONS, "/orders", &[], "").await;
    assert_eq!(options.status, 204, "{options:?}");
    assert!(options.header("allow").contains("POST"), "{options:?}");
    let preflight = |origin: &'static str, method: &'static str| {
        [("origin", origin), ("access-control-request-method", method)]
    };
    let allowed =
        caller.call(Method::OPTIONS, "/orders", &preflight("https://app.example.com", "POST"), "").await;
    assert!(allowed.status == 204 || allowed.status == 200, "{allowed:?}");
    assert_eq!(allowed.header("access-control-allow-origin"), "https://app.example.com");
    for (origin, method) in
        [("https://evil.example", "POST"), ("https://app.example.com", "PATCH"), ("null", "GET")]
    {
        let refused = caller.call(Method::OPTIONS, "/orders", &preflight(origin, method), "").await;
        assert_eq!(refused.header("access-control-allow-origin"), "", "{origin} {method}: {refused:?}");
    }
    let seen: Vec<_> = upstream.seen().into_iter().map(|it| it.method).collect();
    assert_eq!(seen, [Method::HEAD], "the gate answers OPTIONS itself");
    let events = gate.events(6).await;
    assert_eq!(events.len(), 6);
    assert!(events[1..].iter().all(|event| event["outcome"] == "answered"), "{events:#?}");
}
