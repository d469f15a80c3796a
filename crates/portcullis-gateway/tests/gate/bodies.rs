//! Bodies in both directions: bounded, timed, streamed, held back.

use std::{sync::Arc, time::Duration};

use portcullis_core::{
    chain::{Mode, Phase},
    context::Context,
    event::Outcome,
    verdict::{Denial, Verdict},
};

use portcullis_gateway::plan::Endpoint;

use crate::support::*;

#[tokio::test]
async fn bodies_stream_through_when_nobody_asks() {
    let behind = Behind::ok().await;
    let gate = gate(serving(vec![endpoint("POST /", &behind.upstream())]));
    for (request, seen) in [
        ("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc", "content-length: 3\r\n"),
        (
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
            "transfer-encoding: chunked\r\n",
        ),
    ] {
        gate.record.clear();
        assert_eq!(gate.ask(request).await.status, 200);
        let asked = behind.asked().pop().unwrap();
        assert!(asked.contains(seen), "{asked}");
        let bytes = if seen.starts_with('c') { 3 } else { 5 };
        assert_eq!(gate.record.one().await.request_bytes, bytes);
    }
}

#[tokio::test]
async fn large_bodies_are_refused_however_they_come() {
    let behind = Behind::ok().await;
    let mut held = guarded(endpoint("POST /held", &behind.upstream()), Phase::RequestBody, |_| Verdict::Pass);
    let mut passing = endpoint("POST /passing", &behind.upstream());
    held.body_bytes_max = 10;
    passing.body_bytes_max = 10;
    let gate = gate(serving(vec![held, passing]));
    for path in ["/held", "/passing"] {
        for request in [
            format!("POST {path} HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\nabcdefghijk"),
            format!("POST {path} HTTP/1.1\r\nHost: h\r\nContent-Length: 999999999999\r\n\r\n"),
            format!(
                "POST {path} HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nabcdef\r\n6\r\nabcdef\r\n0\r\n\r\n"
            ),
            format!("POST {path} HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 11\r\n\r\n"),
        ] {
            gate.record.clear();
            let answer = gate.ask(&request).await;
            assert_eq!((answer.status, answer.header("connection")), (413, Some("close")), "{request}");
            let event = gate.record.one().await;
            assert_eq!(event.outcome, Outcome::Denied(Denial::TooLarge), "{request}");
            assert_eq!(rules(&event), ["body/too_large"]);
        }
    }
}

#[tokio::test]
async fn slow_bodies_are_refused() {
    let behind = Behind::ok().await;
    let mut held = guarded(endpoint("POST /held", &behind.upstream()), Phase::RequestBody, |_| Verdict::Pass);
    let mut passing = endpoint("POST /passing", &behind.upstream());
    held.timeouts.body = Some(Duration::from_millis(100));
    passing.timeouts.body_idle = Some(Duration::from_millis(100));
    let gate = gate(serving(vec![held, passing]));
    for path in ["/held", "/passing"] {
        gate.record.clear();
        let answer =
            gate.ask(&format!("POST {path} HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc")).await;
        assert_eq!(answer.status, 408, "{path}");
        let event = gate.record.one().await;
        assert_eq!(event.outcome, Outcome::Denied(Denial::Timeout), "{path}");
        assert_eq!(rules(&event), ["body/too_slow"], "{path}");
    }
}

#[tokio::test]
async fn broken_chunks_are_refused() {
    let behind = Behind::ok().await;
    let held = guarded(endpoint("POST /held", &behind.upstream()), Phase::RequestBody, |_| Verdict::Pass);
    let gate = gate(serving(vec![held, endpoint("POST /passing", &behind.upstream())]));
    for path in ["/held", "/passing"] {
        gate.record.clear();
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n"
        );
        assert_eq!(gate.ask(&request).await.status, 400, "{path}");
        assert_eq!(gate.record.events(1).await[0].outcome, Outcome::Denied(Denial::Malformed), "{path}");
    }
}

#[tokio::test]
async fn held_bodies_are_sent_on_as_they_came() {
    let behind = Behind::ok().await;
    let held = guarded(endpoint("POST /", &behind.upstream()), Phase::RequestBody, |cx| {
        assert_eq!(cx.request.body.as_deref(), Some(&b"abcde"[..]));
        Verdict::Pass
    });
    let gate = gate(serving(vec![held]));
    let request =
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
    assert_eq!(gate.ask(request).await.status, 200);
    let asked = behind.asked().remove(0);
    assert!(asked.contains("content-length: 5\r\n") && asked.ends_with("\r\n\r\nabcde"), "{asked}");
}

#[tokio::test]
async fn a_guard_that_wants_a_body_sees_an_empty_one() {
    let behind = Behind::ok().await;
    let held = guarded(endpoint("GET /", &behind.upstream()), Phase::RequestBody, |cx| {
        assert_eq!(cx.request.body.as_deref(), Some(&b""[..]));
        Verdict::Pass
    });
    assert_eq!(gate(serving(vec![held])).ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n").await.status, 200);
}

/// Answers with more than ten bytes, declared, in chunks, or coded.
async fn hard_to_read() -> Behind {
    Behind::start(|request| {
        if request.starts_with("GET /long") {
            format!("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{}", "x".repeat(50))
        } else if request.starts_with("GET /coded") {
            "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 8\r\n\r\nabcdefgh".to_owned()
        } else {
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\nabcdefgh\r\n<pause>8\r\nijklmnop\r\n0\r\n\r\n"
                .to_owned()
        }
    })
    .await
}

fn reads_answers(mode: Mode, behind: &Behind) -> Endpoint {
    let mut endpoint = endpoint("GET /{x}", &behind.upstream());
    let check = |_: &mut Context| {
        portcullis_core::verdict::Reason::new(
            portcullis_core::verdict::RuleId::new("test/read"),
            portcullis_core::verdict::Severity::Info,
            "read",
        )
        .flag()
    };
    endpoint.chain.guard(mode, Arc::new(Fn1 { phase: Phase::ResponseBody, check }));
    endpoint.response_body_bytes_max = 10;
    endpoint
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_passes_a_guard_that_only_reports_and_says_so() {
    let behind = hard_to_read().await;
    let gate = gate(serving(vec![reads_answers(Mode::Report, &behind)]));
    for (path, body) in
        [("/long", "x".repeat(50)), ("/chunks", "abcdefgh".to_owned()), ("/coded", "abcdefgh".to_owned())]
    {
        gate.record.clear();
        let answer = gate.ask(&format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n")).await;
        assert_eq!(answer.status, 200);
        assert!(answer.body.contains(&body), "{}", answer.body);
        let event = gate.record.one().await;
        assert_eq!(rules(&event), ["response/not_inspected"], "{path}");
        assert_eq!(event.outcome, Outcome::Served);
    }
    assert!(behind.asked()[0].contains("accept-encoding: identity"), "{:?}", behind.asked());
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_does_not_pass_a_guard_that_blocks() {
    let behind = hard_to_read().await;
    let gate = gate(serving(vec![reads_answers(Mode::Block, &behind)]));
    for path in ["/long", "/chunks", "/coded"] {
        gate.record.clear();
        let answer = gate.ask(&format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n")).await;
        assert_eq!(answer.status, 502, "{path}");
        assert!(!answer.body.contains("abc") && !answer.body.contains("xxx"), "{}", answer.body);
        let event = gate.record.one().await;
        assert_eq!(rules(&event), ["response/not_inspected"], "{path}");
        assert_eq!(event.outcome, Outcome::Denied(Denial::BadAnswer));
    }
}
