//! Bodies that lie about their type, their length or themselves: refused with the right status, recorded once, and
//! never seen by the upstream.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failure here is a failed test"
)]

use std::time::Duration;

use http::Method;
use portcullis_e2e::{Caller, Gate, Upstream, rules};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

const THINGS: &str = r#"
openapi: 3.1.0
info: { title: Things, version: "1" }
paths:
  /json:
    post:
      operationId: json
      requestBody:
        required: true
        content: { application/json: { schema: { type: object, properties: { n: { type: number }, s: { type: string } } } } }
      responses: { "200": { description: fine } }
  /form:
    post:
      operationId: form
      requestBody:
        required: true
        content:
          application/x-www-form-urlencoded:
            schema: { type: object, required: [a], properties: { a: { type: integer } } }
      responses: { "200": { description: fine } }
  /parts:
    post:
      operationId: parts
      requestBody:
        required: true
        content:
          multipart/form-data:
            schema: { type: object, required: [a], properties: { a: { type: string }, file: { type: string, format: binary } } }
      responses: { "200": { description: fine } }
  /blob:
    post:
      operationId: blob
      requestBody: { required: true, content: { application/octet-stream: {} } }
      responses: { "200": { description: fine } }
  /ping:
    get: { operationId: ping, responses: { "200": { description: fine } } }
"#;

async fn gate(upstream: &Upstream) -> Gate {
    let config = format!(
        "
admin: {{ address: 127.0.0.1:0 }}
listeners:
  main:
    address: 127.0.0.1:0
    tls: off
    limits: {{ body_timeout: 300ms, header_timeout: 300ms }}
apis:
  things:
    spec: things.yaml
    upstream: {}
    auth: anonymous
    size: {{ body: 64KiB, json_depth: 16, json_keys: 100 }}
",
        upstream.url()
    );
    Gate::new(&config).file("things.yaml", THINGS).start().await
}

#[tokio::test]
async fn what_a_body_is_not_is_refused() {
    let upstream = Upstream::agreeable().await;
    let gate = gate(&upstream).await;
    let mut caller = Caller::of(gate.address());
    let json = "application/json";
    let form = "application/x-www-form-urlencoded";
    let deep = format!("{}1{}", "[".repeat(17), "]".repeat(17));
    let abyss = "[".repeat(60_000);
    let keys = format!("{{{}}}", (0..101).map(|key| format!("\"k{key}\":1")).collect::<Vec<_>>().join(","));
    let digits = format!("{{\"n\":{}}}", "9".repeat(5_000));
    let twice: &str = r#"{"n":1,"n":2}"#;
    let cases: Vec<(&str, &str, &str, Vec<u8>, u16)> = vec![
        ("no JSON at all", "/json", json, b"hello".to_vec(), 400),
        ("JSON cut short", "/json", json, br#"{"n":1"#.to_vec(), 400),
        ("JSON and more", "/json", json, br#"{"n":1} {"n":2}"#.to_vec(), 400),
        ("a comment", "/json", json, br#"{"n":1 /* one */}"#.to_vec(), 400),
        ("NaN", "/json", json, br#"{"n":NaN}"#.to_vec(), 400),
        ("a NUL", "/json", json, b"{\"s\":\"a\0b\"}".to_vec(), 400),
        ("a byte order mark", "/json", json, b"\xef\xbb\xbf{}".to_vec(), 400),
        ("a lone surrogate", "/json", json, br#"{"s":"\ud800"}"#.to_vec(), 400),
        ("Latin-1 bytes", "/json", json, b"{\"s\":\"\xe9\"}".to_vec(), 400),
        ("UTF-16", "/json", json, b"{\0}\0".to_vec(), 400),
        ("a member twice", "/json", json, twice.into(), 400),
        ("too deep", "/json", json, deep.into(), 400),
        ("an abyss", "/json", json, abyss.into(), 400),
        ("too many members", "/json", json, keys.into(), 400),
        ("a number of five thousand digits", "/json", json, digits.into(), 400),
        ("nothing", "/json", json, Vec::new(), 422),
        ("the wrong type inside", "/json", json, br#"{"n":"one"}"#.to_vec(), 422),
        ("another charset", "/json", "application/json; charset=utf-16", b"{}".to_vec(), 415),
        ("a media type twice over", "/json", "application/json, text/plain", b"{}".to_vec(), 415),
        ("no media type", "/json", "", b"{}".to_vec(), 415),
        ("JSON said to be a form", "/json", form, b"{}".to_vec(), 415),
        ("JSON said to be text", "/json", "text/plain", b"{}".to_vec(), 415),
        ("JSON as a form", "/form", form, br#"{"a":1}"#.to_vec(), 422),
        ("a form said to be JSON", "/form", json, b"a=1".to_vec(), 415),
        ("a field twice", "/form", form, b"a=1&a=2".to_vec(), 422),
        ("half an escape", "/form", form, b"a=%4".to_vec(), 400),
        ("the wrong type in a form", "/form", form, b"a=one".to_vec(), 422),
        ("no boundary", "/parts", "multipart/form-data", b"--x\r\n\r\n".to_vec(), 400),
        ("no part", "/parts", "multipart/form-data; boundary=x", b"hello".to_vec(), 400),
        (
            "no end",
            "/parts",
            "multipart/form-data; boundary=x",
            b"--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1".to_vec(),
            400,
        ),
    ];
    for (number, (name, target, media_type, body, status)) in cases.iter().enumerate() {
        let headers = if media_type.is_empty() { vec![] } else { vec![("content-type", *media_type)] };
        let answer = caller.call(Method::POST, target, &headers, body.clone()).await;
        let events = gate.events(number + 1).await;
        let event = events.last().unwrap();
        assert_eq!(answer.status, *status, "{name}: {}\n{event:#}", answer.text());
        assert_eq!(events.len(), number + 1, "{name}: one event a call");
        assert_eq!(event["id"], answer.reference(), "{name}");
        let rules = rules(event);
        assert!(rules.len() == 1 && rules[0].starts_with("schema/"), "{name}: {event:#}");
        assert!(!answer.text().contains("schema"), "{name}: {}", answer.text());
    }
    let zipped = caller
        .call(Method::POST, "/json", &[("content-type", json), ("content-encoding", "gzip")], "{}")
        .await;
    gate.assert_refused(&zipped, 415, "schema/content_coding").await;
    assert!(upstream.seen().is_empty(), "{:?}", upstream.seen());
    assert_eq!(caller.send(Method::POST, "/json", r#"{"n":1e3,"s":"ü"}"#).await.status, 200);
    assert_eq!(caller.call(Method::POST, "/form", &[("content-type", form)], "a=1").await.status, 200);
}

#[tokio::test]
async fn bodies_are_too_large_whether_they_say_so_or_not() {
    let upstream = Upstream::agreeable().await;
    let gate = gate(&upstream).await;
    let caller = Caller::of(gate.address());
    let chunk = format!("4000\r\n{}\r\n", "x".repeat(0x4000));
    let mut count = 0;
    for (target, media_type) in [("/json", "application/json"), ("/blob", "application/octet-stream")] {
        let head = format!("POST {target} HTTP/1.1\r\nhost: x\r\ncontent-type: {media_type}\r\n");
        let declared = format!("{head}content-length: 65537\r\n\r\n");
        let expecting = format!("{head}content-length: 99999999999\r\nexpect: 100-continue\r\n\r\n");
        let chunked = format!("{head}transfer-encoding: chunked\r\n\r\n{}0\r\n\r\n", chunk.repeat(5));
        for request in [declared, expecting, chunked] {
            let answer = exchange(&gate, request.as_bytes()).await;
            count += 1;
            let events = gate.events(count).await;
            assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}\n{:#?}", events.last());
            assert!(answer.contains("application/problem+json") && answer.contains("urn:uuid:"), "{answer}");
            assert!(!answer.contains("100 Continue"), "{answer}");
            assert_eq!(events.len(), count);
            assert!(rules(events.last().unwrap()).contains(&"body/too_large"), "{:#?}", events.last());
        }
    }
    assert!(
        upstream.seen().iter().all(|it| it.target == "/blob" && it.body.len() <= 65_536),
        "none arrived whole"
    );
    let mut fits = caller;
    let answer = fits
        .call(Method::POST, "/blob", &[("content-type", "application/octet-stream")], "x".repeat(65_536))
        .await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn bodies_and_heads_that_never_end_are_cut() {
    let upstream = Upstream::agreeable().await;
    let gate = gate(&upstream).await;
    let slow_body =
        b"POST /json HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{";
    let answer = exchange(&gate, slow_body).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("urn:uuid:"), "{answer}");
    let events = gate.events(1).await;
    assert_eq!((events.len(), rules(&events[0])), (1, vec!["body/too_slow"]));
    // A head has no exchange yet: whatever the gate says, it lets go of the connection.
    let answer = exchange(&gate, b"GET /ping HTTP/1.1\r\nhost: x\r\nx-slow: ").await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(upstream.seen().is_empty(), "{:?}", upstream.seen());
    assert_eq!(Caller::of(gate.address()).get("/ping").await.status, 200);
}

#[tokio::test]
async fn a_client_that_leaves_in_the_middle_is_recorded_and_never_forwarded() {
    let upstream = Upstream::agreeable().await;
    let gate = gate(&upstream).await;
    let mut stream = TcpStream::connect(gate.address()).await.unwrap();
    let head =
        b"POST /json HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{";
    stream.write_all(head).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    drop(stream);
    let events = gate.events(1).await;
    assert_eq!(events.len(), 1);
    assert!(events[0]["outcome"] == "client_gone" || rules(&events[0]) == ["body/broken"], "{:#}", events[0]);
    assert!(upstream.seen().is_empty());
}

/// Sends bytes, keeps the sending side open, and reads until the gate closes.
async fn exchange(gate: &Gate, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(gate.address()).await.unwrap();
    // The gate may answer and close before it has taken everything.
    let _refused_early = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut answer)).await;
    assert!(read.is_ok(), "the gate keeps the connection: {}", String::from_utf8_lossy(&answer));
    String::from_utf8_lossy(&answer).into_owned()
}
