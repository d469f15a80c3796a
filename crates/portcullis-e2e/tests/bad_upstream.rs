//! An upstream that is dead, slow, breaks off or answers nonsense: the client gets a minimal answer, the operator a
//! reason, and the next call is served.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failure here is a failed test"
)]

use http::Method;
use portcullis_e2e::{Caller, Gate, RudeUpstream, SHOP, Say, Upstream, nobody, rules, text};
use serde_json::{Value, json};

const FINE: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 11\r\n\r\n{\"ok\":true}";
const ORDER: &str = r#"{"item":"tea"}"#;

/// A gate in front of one server; `more` are settings of the upstream.
async fn gate(server: &str, more: &str) -> Gate {
    let config = format!(
        "
admin: {{ address: 127.0.0.1:0 }}
listen: 127.0.0.1:0
tls: off
upstreams:
  shop: {{ servers: [\"{server}\"], {more} }}
apis:
  shop: {{ spec: shop.yaml, upstream: shop, auth: anonymous }}
"
    );
    Gate::new(&config).file("shop.yaml", SHOP).start().await
}

/// The only event so far of a call to that path.
async fn only_event(gate: &Gate) -> Value {
    let events = gate.events(1).await;
    assert_eq!(events.len(), 1, "{events:#?}");
    events[0].clone()
}

#[tokio::test]
async fn a_dead_server_is_a_502() {
    let gate = gate(&format!("http://{}", nobody().await), "").await;
    let mut caller = Caller::of(gate.address());
    for method in [Method::GET, Method::POST] {
        let answer =
            caller.send(method.clone(), "/orders", if method == Method::POST { ORDER } else { "" }).await;
        let event = gate.assert_refused(&answer, 502, "upstream/connect").await;
        assert_eq!(event["outcome"], json!({ "upstream_failed": "connect" }));
    }
    assert_eq!(gate.events(2).await.len(), 2);
}

#[tokio::test]
async fn a_slow_server_is_a_504_and_is_not_asked_twice() {
    let upstream = RudeUpstream::saying(|_, head| {
        if head.starts_with("GET /orders/") {
            Say::Bytes(FINE.to_vec())
        } else {
            Say::ThenSilence(Vec::new())
        }
    })
    .await;
    let gate = gate(&upstream.url(), "timeout: { response: 200ms }").await;
    let mut caller = Caller::of(gate.address());
    let answer = caller.get("/orders").await;
    let event = gate.assert_refused(&answer, 504, "upstream/timeout").await;
    assert_eq!(event["outcome"], json!({ "upstream_failed": "timeout" }));
    assert!(event["took_micros"].as_u64().unwrap() >= 200_000, "{event:#}");
    assert_eq!(upstream.seen().len(), 1, "timeouts are no reason to ask again unless said so");
    assert_eq!(caller.get("/orders/1").await.status, 200, "the gate serves on");
}

#[tokio::test]
async fn a_reset_before_the_answer_is_retried_for_idempotent_calls_alone() {
    let upstream = RudeUpstream::saying(|_, _| Say::ThenReset(Vec::new())).await;
    let gate = gate(&upstream.url(), "retry: { attempts: 3, budget: 100%, backoff: 1ms..2ms }").await;
    let mut caller = Caller::of(gate.address());
    let answer = caller.send(Method::POST, "/orders", ORDER).await;
    let event = gate.assert_refused(&answer, 502, "upstream/reset").await;
    assert_eq!(event["outcome"], json!({ "upstream_failed": "reset" }));
    assert_eq!(upstream.seen().len(), 1, "an order is not placed twice");
    let answer = caller.get("/orders").await;
    gate.assert_refused(&answer, 502, "upstream/reset").await;
    assert_eq!(upstream.seen().len(), 4, "a reading call is tried three times");
    let answer = caller.call(Method::DELETE, "/orders/1", &[], "").await;
    gate.assert_refused(&answer, 502, "upstream/reset").await;
    assert_eq!(upstream.seen().len(), 7, "deleting is idempotent");
    assert_eq!(gate.events(3).await.len(), 3, "one event a call, however often it is tried");
}

#[tokio::test]
async fn the_budget_ends_a_storm_of_retries() {
    let upstream = RudeUpstream::saying(|_, _| Say::ThenReset(Vec::new())).await;
    let gate = gate(&upstream.url(), "retry: { attempts: 10, budget: 10%, backoff: 1ms..1ms }").await;
    let mut caller = Caller::of(gate.address());
    for _ in 0..50 {
        assert_eq!(caller.get("/orders").await.status, 502);
    }
    let asked = upstream.seen().len();
    assert!((50..=80).contains(&asked), "{asked} requests for 50 calls");
}

#[tokio::test]
async fn an_answer_broken_off_is_never_taken_for_whole() {
    let declared =
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{\"ok\":".to_vec();
    let chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n6\r\n{\"ok\":\r\n".to_vec();
    let bad_chunk = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n6\r\n{\"ok\":\r\nXYZ\r\n".to_vec();
    for (name, say) in [
        ("reset in a declared body", Say::ThenReset(declared.clone())),
        ("closed in a declared body", Say::ThenClose(declared)),
        ("closed in a chunked body", Say::ThenClose(chunked)),
        ("nonsense for a chunk", Say::ThenSilence(bad_chunk)),
    ] {
        let upstream = RudeUpstream::saying(move |_, _| say.clone()).await;
        let gate = gate(&upstream.url(), "timeout: { idle: 1s }").await;
        let mut caller = Caller::of(gate.address());
        let answer = caller.try_call(Method::GET, "/orders", &[], "").await;
        match answer {
            Err(_) => {}
            Ok(answer) => assert_eq!(answer.status, 502, "{name}: {answer:?}"),
        }
        let event = only_event(&gate).await;
        assert_eq!(event["outcome"], json!({ "upstream_failed": "cut_off" }), "{name}: {event:#}");
        assert!(rules(&event).contains(&"upstream/cut_off"), "{name}: {event:#}");
    }
}

#[tokio::test]
async fn nonsense_is_a_502_and_goes_no_further() {
    let huge = format!("HTTP/1.1 200 OK\r\nx-huge: {}\r\ncontent-length: 0\r\n\r\n", "x".repeat(1 << 20));
    let many = format!("HTTP/1.1 200 OK\r\n{}content-length: 0\r\n\r\n", "x-many: 1\r\n".repeat(5_000));
    for (name, bytes) in [
        ("no http", "SSH-2.0-OpenSSH_9.2p1\r\n"),
        ("binary", "\u{16}\u{3}\u{1}\0\u{5}garbage\r\n\r\n"),
        ("no status", "HTTP/1.1\r\n\r\n"),
        ("a status of letters", "HTTP/1.1 abc OK\r\ncontent-length: 0\r\n\r\n"),
        ("a future version", "HTTP/7.3 200 OK\r\ncontent-length: 0\r\n\r\n"),
        ("two lengths", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 7\r\n\r\nhello"),
        ("a negative length", "HTTP/1.1 200 OK\r\ncontent-length: -5\r\n\r\nhello"),
        ("a length of letters", "HTTP/1.1 200 OK\r\ncontent-length: five\r\n\r\nhello"),
        ("no colon", "HTTP/1.1 200 OK\r\nno colon here\r\ncontent-length: 0\r\n\r\n"),
        ("NUL in a field", "HTTP/1.1 200 OK\r\nx-nul: a\0b\r\ncontent-length: 0\r\n\r\n"),
        ("a space before the colon", "HTTP/1.1 200 OK\r\nx-space : a\r\ncontent-length: 0\r\n\r\n"),
        ("a head of a mebibyte", &huge),
        ("five thousand fields", &many),
        (
            "a protocol nobody asked for",
            "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
        ),
    ] {
        let upstream = RudeUpstream::always(bytes).await;
        let gate = gate(&upstream.url(), "retry: { attempts: 1 }").await;
        let mut caller = Caller::of(gate.address());
        let answer = caller.get("/orders").await;
        assert_eq!(answer.status, 502, "{name}: {answer:?}");
        let event = gate.assert_refused(&answer, 502, "upstream/nonsense").await;
        assert_eq!(event["outcome"], json!({ "upstream_failed": "nonsense" }), "{name}");
    }
}

#[tokio::test]
async fn a_length_beside_an_encoding_is_not_passed_on() {
    let both =
        "HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    let upstream = RudeUpstream::always(both).await;
    let gate = gate(&upstream.url(), "retry: { attempts: 1 }").await;
    let raw =
        Caller::of(gate.address()).raw(b"GET /orders HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    let raw = raw.to_ascii_lowercase();
    let (length, encoding) = (raw.contains("content-length: 3"), raw.contains("transfer-encoding"));
    assert!(!(length && encoding), "{raw}");
    assert!(raw.starts_with("http/1.1 502") || !length, "never the wrong length: {raw}");
}

#[tokio::test]
async fn an_answer_to_nobody_is_not_given_to_the_next_caller() {
    let upstream = RudeUpstream::saying(|_, _| {
        let evil = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 6\r\n\r\npoison";
        Say::Bytes([FINE, evil].concat())
    })
    .await;
    let gate = gate(&upstream.url(), "").await;
    let mut caller = Caller::of(gate.address());
    for _ in 0..20 {
        let answer = caller.get("/orders").await;
        assert!(!answer.text().contains("poison"), "an unasked answer was served");
        assert!([200, 502].contains(&answer.status), "{answer:?}");
    }
}

#[tokio::test]
async fn old_and_odd_but_valid_answers_pass() {
    for (name, bytes, body) in [
        (
            "http/1.0 without a length",
            "HTTP/1.0 200 OK\r\ncontent-type: application/json\r\n\r\n{\"old\":1}",
            "{\"old\":1}",
        ),
        ("http/1.1 until the end", "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nall of it", "all of it"),
        (
            "after 100 and 103",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
            "ok",
        ),
        ("a status of its own", "HTTP/1.1 299 Peculiar\r\ncontent-length: 2\r\n\r\nok", "ok"),
        ("no reason phrase", "HTTP/1.1 200\r\ncontent-length: 2\r\n\r\nok", "ok"),
    ] {
        let upstream = RudeUpstream::always(bytes).await;
        let gate = gate(&upstream.url(), "").await;
        let answer = Caller::of(gate.address()).get("/orders").await;
        assert!((200..300).contains(&answer.status), "{name}: {answer:?}\n{:#?}", gate.events(1).await);
        assert_eq!(answer.text(), body, "{name}");
        assert_eq!(only_event(&gate).await["outcome"], "served", "{name}");
    }
}

#[tokio::test]
async fn what_an_upstream_says_of_itself_stays_inside() {
    const TRACE: &str = "java.lang.NullPointerException at com.acme.Orders.list(Orders.java:42) db=10.0.0.7";
    let upstream = Upstream::answering(|request| {
        let mut answer = text(if request.target == "/orders" { 500 } else { 200 }, "text/html", TRACE);
        let headers = answer.headers_mut();
        for (name, value) in [
            ("server", "Apache/2.4.1 (Debian)"),
            ("x-powered-by", "PHP/5.3"),
            ("x-aspnet-version", "4.0.30319"),
            ("via", "1.1 inner-proxy"),
            ("retry-after", "7"),
            ("x-debug-token", "abc"),
        ] {
            headers.insert(name, value.parse().unwrap());
        }
        answer
    })
    .await;
    let gate = gate(&upstream.url(), "retry: { attempts: 1 }").await;
    let mut caller = Caller::of(gate.address());
    let refused = caller.get("/orders").await;
    assert_eq!(refused.status, 500);
    assert_eq!(refused.header("content-type"), "application/problem+json");
    assert_eq!(refused.header("retry-after"), "7");
    assert!(!refused.text().contains("java"), "{}", refused.text());
    assert!(!refused.headers.contains_key("x-debug-token"), "{:?}", refused.headers);
    let event = gate.only_event_of(&refused.reference()).await;
    assert_eq!(event["status"], 500);
    let served = caller.get("/orders/1").await;
    for answer in [refused, served] {
        for name in ["server", "x-powered-by", "x-aspnet-version"] {
            assert!(!answer.headers.contains_key(name), "{name} in {:?}", answer.headers);
        }
    }
}
