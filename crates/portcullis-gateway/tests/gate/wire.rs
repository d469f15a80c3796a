//! Messages that two readers could take for different ones (CWE-444): none of them reaches an upstream.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use portcullis_core::{chain::Phase, event::Outcome, verdict::Verdict};
use portcullis_gateway::plan::Protocols;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use crate::support::*;

/// What every payload is followed by: whoever takes the payload to be over sooner would serve it.
const SMUGGLED: &[u8] = b"GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n";

/// Lines put between `Host` and the body `0\r\n\r\n` of a `POST`.
const FIELDS: &[&[u8]] = &[
    // Length and coding together, in every order.
    b"Content-Length: 5\r\nTransfer-Encoding: chunked",
    b"Transfer-Encoding: chunked\r\nContent-Length: 5",
    b"Transfer-Encoding: chunked\r\nContent-Length: 0",
    b"TRANSFER-ENCODING: chunked\r\ncontent-length: 5",
    b"Content-Length: 5\r\nTransfer-Encoding: identity",
    b"Content-Length: 5\r\nTransfer-Encoding: gzip, chunked",
    b"Content-Length: 5\r\nTransfer-Encoding:",
    // Codings that some read as `chunked` and some do not.
    b"Transfer-Encoding: identity",
    b"Transfer-Encoding: gzip",
    b"Transfer-Encoding: chunked, identity",
    b"Transfer-Encoding: identity, chunked",
    b"Transfer-Encoding: gzip, chunked",
    b"Transfer-Encoding: chunked, chunked",
    b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
    b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
    b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
    b"Transfer-Encoding: xchunked",
    b"Transfer-Encoding: chunkedx",
    b"Transfer-Encoding: 'chunked'",
    b"Transfer-Encoding: \"chunked\"",
    b"Transfer-Encoding: chunked;q=1",
    b"Transfer-Encoding: ,chunked",
    b"Transfer-Encoding: chunked,",
    b"Transfer-Encoding:",
    b"Transfer-Encoding: \x0bchunked",
    b"Transfer-Encoding: chunked\x0c",
    b"Transfer-Encoding: \xffchunked",
    b"Transfer-Encoding: chunked\x00",
    b"Transfer-Encoding\x00: chunked",
    b"Transfer-Encoding : chunked",
    b"Transfer-Encoding\t: chunked",
    b"Transfer-Encoding\r: chunked",
    b"Transfer-Encoding:\n chunked",
    b"Transfer-Encoding:\r\n chunked",
    b"Transfer-Encoding\r\n : chunked",
    b" Transfer-Encoding: chunked",
    b"\tTransfer-Encoding: chunked",
    b"X: y\nTransfer-Encoding: chunked",
    b"X: y\rTransfer-Encoding: chunked",
    b"X: y\r\r\nTransfer-Encoding: chunked",
    b"X: y\x00\r\nTransfer-Encoding: chunked",
    b"(Transfer-Encoding): chunked",
    b"Transfer Encoding: chunked",
    // Lengths that are not one number.
    b"Content-Length: 5\r\nContent-Length: 5",
    b"Content-Length: 5\r\nContent-Length: 0",
    b"Content-Length: 0\r\nContent-Length: 5",
    b"Content-Length: 5, 5",
    b"Content-Length: 5,",
    b"Content-Length: +5",
    b"Content-Length: -5",
    b"Content-Length: 0x5",
    b"Content-Length: 5.0",
    b"Content-Length: 5e0",
    b"Content-Length: 5 5",
    b"Content-Length: 5;",
    b"Content-Length: five",
    b"Content-Length: \xd9\xa5",
    b"Content-Length:",
    b"Content-Length: 18446744073709551616",
    b"Content-Length: 99999999999999999999999",
    b"Content-Length : 5",
    b"Content-Length\x0b: 5",
    b"Content-Length: 5\x00",
    b"Content-Length: \x0b5",
    b"Content-Length: 5\r\n 0",
    // Lines that are no fields.
    b"no colon",
    b": no name",
    b"X\x7f: y",
    b"X\xc3\xa9: y",
    b"X: \x01",
    b"X: \x08",
    b"X: \x7f",
    b"X: a\r\n b",
    b"X: a\r\n\tb",
    b"X[]: y",
    b"X@: y",
];

/// Heads whole, as they come.
const HEADS: &[&[u8]] = &[
    // No version, other versions, half a version.
    b"GET /\r\n\r\n",
    b"GET / \r\nHost: h\r\n\r\n",
    b"GET / HTTP/0.9\r\nHost: h\r\n\r\n",
    b"GET / HTTP/1.2\r\nHost: h\r\n\r\n",
    b"GET / HTTP/1.10\r\nHost: h\r\n\r\n",
    b"GET / HTTP/1\r\nHost: h\r\n\r\n",
    b"GET / HTTP/2.0\r\nHost: h\r\n\r\n",
    b"GET / http/1.1\r\nHost: h\r\n\r\n",
    b"GET / HTTP/1.1x\r\nHost: h\r\n\r\n",
    b"GET / HTTP/ 1.1\r\nHost: h\r\n\r\n",
    b"GET / XTTP/1.1\r\nHost: h\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    // White space in the request line.
    b" GET / HTTP/1.1\r\nHost: h\r\n\r\n",
    b"\tGET / HTTP/1.1\r\nHost: h\r\n\r\n",
    b"GET  / HTTP/1.1\r\nHost: h\r\n\r\n",
    b"GET /  HTTP/1.1\r\nHost: h\r\n\r\n",
    b"GET / HTTP/1.1 \r\nHost: h\r\n\r\n",
    b"GET\t/ HTTP/1.1\r\nHost: h\r\n\r\n",
    b"GET /\tHTTP/1.1\r\nHost: h\r\n\r\n",
    b"GET / x HTTP/1.1\r\nHost: h\r\n\r\n",
    b"GET /\x0bx HTTP/1.1\r\nHost: h\r\n\r\n",
    b"GET /\rx HTTP/1.1\r\nHost: h\r\n\r\n",
    b"GET /x\x00 HTTP/1.1\r\nHost: h\r\n\r\n",
    b"GET\x00 / HTTP/1.1\r\nHost: h\r\n\r\n",
    b"GET / HTTP/1.1\x00\r\nHost: h\r\n\r\n",
    b"G(T / HTTP/1.1\r\nHost: h\r\n\r\n",
    b"GET: / HTTP/1.1\r\nHost: h\r\n\r\n",
    b"/ HTTP/1.1\r\nHost: h\r\n\r\n",
    b"GET /#/../admin HTTP/1.1\r\nHost: h\r\n\r\n",
    // Line ends.
    b"\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n",
    b"\nGET / HTTP/1.1\r\nHost: h\r\n\r\n",
    b"\rGET / HTTP/1.1\r\nHost: h\r\n\r\n",
    b"GET / HTTP/1.1\nHost: h\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: h\n\r\n",
    b"GET / HTTP/1.1\r\nHost: h\r\n\n",
    b"GET / HTTP/1.1\r\nHost: h\r\r\n\r\n",
    b"GET / HTTP/1.1\r\r\nHost: h\r\n\r\n",
    b"GET / HTTP/1.1\r\n Host: h\r\n\r\n",
    b"GET / HTTP/1.1\r\n\x20\r\nHost: h\r\n\r\n",
    // A coding that HTTP/1.0 does not know.
    b"POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST / HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
];

/// Heads that frame well, and name no target or host, or more than one.
const TARGETS: &[&[u8]] = &[
    b"GET / HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost:\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a, b\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: h/x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: u@h\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: h:80:80\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: \xff\r\n\r\n",
    b"GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n",
    b"GET http://a/ HTTP/1.1\r\n\r\n",
    b"GET http://u@h/ HTTP/1.1\r\nHost: h\r\n\r\n",
    b"GET file:///etc/passwd HTTP/1.1\r\nHost: h\r\n\r\n",
    b"GET h:80 HTTP/1.1\r\nHost: h\r\n\r\n",
    b"GET * HTTP/1.1\r\nHost: h\r\n\r\n",
    b"CONNECT h:80 HTTP/1.1\r\nHost: h\r\n\r\n",
    b"GET /\\x HTTP/1.1\r\nHost: h\r\n\r\n",
];

/// Bodies of a `POST` in chunks.
const CHUNKS: &[&[u8]] = &[
    b"\r\n",
    b"g\r\n",
    b"-1\r\n\r\n",
    b"+5\r\nabcde\r\n0\r\n\r\n",
    b"0x5\r\nabcde\r\n0\r\n\r\n",
    b"5h\r\nabcde\r\n0\r\n\r\n",
    b" 5\r\nabcde\r\n0\r\n\r\n",
    b"5 \r\nabcde\r\n0\r\n\r\n",
    b"5\t\r\nabcde\r\n0\r\n\r\n",
    b"5 ;a\r\nabcde\r\n0\r\n\r\n",
    b"5\x00\r\nabcde\r\n0\r\n\r\n",
    b"5,5\r\nabcde\r\n0\r\n\r\n",
    b"5.\r\nabcde\r\n0\r\n\r\n",
    b"10000000000000000\r\n",
    b"00000000000000005\r\nabcde\r\n0\r\n\r\n",
    b"100000000000000000000000000000005\r\nabcde\r\n0\r\n\r\n",
    b"5\nabcde\r\n0\r\n\r\n",
    b"5\r\nabcde\n0\r\n\r\n",
    b"5\rabcde\r\n0\r\n\r\n",
    b"5\r\nabcde0\r\n\r\n",
    b"5\r\nabcdef\r\n0\r\n\r\n",
    b"5\r\nabcde\r\r0\r\n\r\n",
    b"5\r\nabcd\r\n0\r\n\r\n",
    b"5\r\nabcde\r\n\r\n0\r\n\r\n",
    b"5;\r\nabcde\r\n0\r\n\r\n",
    b"5;;\r\nabcde\r\n0\r\n\r\n",
    b"5; \r\nabcde\r\n0\r\n\r\n",
    b"5;a=\n\r\nabcde\r\n0\r\n\r\n",
    b"5;a=\r\r\nabcde\r\n0\r\n\r\n",
    b"5;a=\x00\r\nabcde\r\n0\r\n\r\n",
    b"5;a=\xff\r\nabcde\r\n0\r\n\r\n",
    b"0\n\n",
    b"0\r\n\n",
    b"0\r\nX: y\n\r\n",
    b"0\r\nX: y\n\n",
    b"0\r\n X: y\r\n\r\n",
    b"0\r\nX : y\r\n\r\n",
    b"0\r\nno colon\r\n\r\n",
    b"0\r\nX: y\r\n z\r\n\r\n",
    b"0\r\nX: \x00\r\n\r\n",
];

struct Bench {
    gate: Gate,
    /// Connections that the upstream was offered.
    reached: Arc<AtomicUsize>,
}

/// A gate in front of an upstream that counts who comes, and reads no body before it is whole.
async fn bench() -> Bench {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let reached = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&reached);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            seen.fetch_add(1, Ordering::SeqCst);
            drop(stream);
        }
    });
    let held = guarded(endpoint("* /{*rest}", &upstream(port)), Phase::RequestBody, |_| Verdict::Pass);
    let mut plan = serving(vec![held]);
    plan.protocols = Protocols::H1;
    Bench { gate: gate(plan), reached }
}

impl Bench {
    /// Sends it, and something behind it; what came back until the gate closed, and the rules of the one event.
    async fn refused(&self, payload: &[u8]) -> (String, Vec<String>) {
        self.gate.record.clear();
        let mut client = self.gate.connect().await;
        client.0.write_all(&[payload, SMUGGLED].concat()).await.unwrap();
        let mut came = Vec::new();
        let reading = tokio::time::timeout(Duration::from_secs(5), client.0.read_to_end(&mut came));
        let shown = payload.escape_ascii();
        reading.await.unwrap_or_else(|_| panic!("still open after {shown}")).unwrap();
        let came = String::from_utf8(came).unwrap();
        let event = self.gate.record.one().await;
        assert!(matches!(event.outcome, Outcome::Denied(_)), "{shown}: {event:?}");
        assert!(
            came.starts_with("HTTP/1.1 400 ") && came.contains("\r\nconnection: close\r\n"),
            "{shown}: {came}"
        );
        assert_eq!(came.matches("HTTP/1.1 ").count(), 1, "{shown}: {came}");
        assert_eq!(self.reached.load(Ordering::SeqCst), 0, "{shown}");
        (came, rules(&event))
    }
}

#[tokio::test]
async fn fields_by_which_two_readers_frame_differently_are_refused() {
    let bench = bench().await;
    for fields in FIELDS {
        let payload = [b"POST / HTTP/1.1\r\nHost: h\r\n", *fields, b"\r\n\r\n0\r\n\r\n"].concat();
        let (_, rules) = bench.refused(&payload).await;
        assert!(rules[0].starts_with("framing/"), "{}: {rules:?}", fields.escape_ascii());
    }
}

#[tokio::test]
async fn fields_that_frame_are_heeded_wherever_they_stand() {
    let bench = bench().await;
    for (before, behind) in [("", "\r\nX: y"), ("X: y\r\n", ""), ("X: y\r\n", "\r\nX: y")] {
        for pair in [
            "Content-Length: 5\r\nX: y\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: chunked\r\nX: y\r\nContent-Length: 5",
            "Content-Length: 5\r\nX: y\r\nContent-Length: 6",
            "Transfer-Encoding: chunked\r\nX: y\r\nTransfer-Encoding: chunked",
        ] {
            let payload = format!("POST / HTTP/1.1\r\n{before}{pair}{behind}\r\nHost: h\r\n\r\n0\r\n\r\n");
            bench.refused(payload.as_bytes()).await;
        }
    }
}

#[tokio::test]
async fn heads_that_are_not_http_are_refused() {
    let bench = bench().await;
    for payload in HEADS {
        let (_, rules) = bench.refused(payload).await;
        assert!(rules[0].starts_with("framing/"), "{}: {rules:?}", payload.escape_ascii());
    }
}

#[tokio::test]
async fn chunks_that_are_not_framed_as_they_must_be_are_refused() {
    let bench = bench().await;
    for chunks in CHUNKS {
        let head = b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
        let (_, rules) = bench.refused(&[head, *chunks].concat()).await;
        assert!(rules[0].starts_with("framing/"), "{}: {rules:?}", chunks.escape_ascii());
    }
}

#[tokio::test]
async fn long_lines_and_sections_of_a_body_are_refused() {
    let bench = bench().await;
    let head = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    for body in [
        format!("5;{}", "a".repeat(300)),
        format!("5;{}\r\nabcde\r\n0\r\n\r\n", "a".repeat(300)),
        "0".repeat(300),
    ] {
        bench.refused(format!("{head}{body}").as_bytes()).await;
    }
    for trailers in [format!("X: {}", "a".repeat(40_000)), "X: y\r\n".repeat(200)] {
        bench.gate.record.clear();
        let mut client = bench.gate.connect().await;
        client.send(&format!("{head}0\r\n{trailers}\r\n\r\n")).await;
        let status = client.answer(false).await.status;
        assert!(matches!(status, 400 | 431), "{status}");
        assert!(client.closed(Duration::from_secs(5)).await);
        bench.gate.record.one().await;
    }
    assert_eq!(bench.reached.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_target_or_host_that_is_none_or_more_than_one_is_refused() {
    let bench = bench().await;
    for payload in TARGETS {
        bench.gate.record.clear();
        let mut client = bench.gate.connect().await;
        client.0.write_all(payload).await.unwrap();
        let answer = client.answer(false).await;
        assert_eq!(answer.status, 400, "{}", payload.escape_ascii());
        let event = bench.gate.record.one().await;
        assert!(matches!(event.outcome, Outcome::Denied(_)), "{event:?}");
    }
    assert_eq!(bench.reached.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_head_is_refused_however_it_is_cut() {
    let bench = bench().await;
    let payload =
        b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    for cut in [1, 15, 16, 17, 60, 72, 73, 74, 75] {
        bench.gate.record.clear();
        let mut client = bench.gate.connect().await;
        for part in [&payload[..cut], &payload[cut..]] {
            client.0.write_all(part).await.unwrap();
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(client.answer(false).await.status, 400, "{cut}");
        assert_eq!(rules(&bench.gate.record.one().await), ["framing/length_and_encoding"], "{cut}");
    }
    assert_eq!(bench.reached.load(Ordering::SeqCst), 0);
}
