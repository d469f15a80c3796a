//! Heads that must be refused, and the record that each leaves.

use portcullis_core::{event::Outcome, verdict::Denial};

use crate::support::*;

#[tokio::test]
async fn ambiguous_targets_and_hosts_never_reach_the_upstream() {
    let behind = Behind::ok().await;
    let gate = gate(serving(vec![endpoint("* /{*rest}", &behind.upstream())]));
    for (request, status, rule) in [
        ("GET /a%2fb HTTP/1.1\r\nHost: h\r\n\r\n", 400, "target/encoded_slash"),
        ("GET /a%5cb HTTP/1.1\r\nHost: h\r\n\r\n", 400, "target/encoded_backslash"),
        ("GET /a%00 HTTP/1.1\r\nHost: h\r\n\r\n", 400, "target/encoded_zero"),
        ("GET /a%0d%0ab HTTP/1.1\r\nHost: h\r\n\r\n", 400, "target/encoded_control"),
        ("GET /a%7F HTTP/1.1\r\nHost: h\r\n\r\n", 400, "target/encoded_control"),
        ("GET /a/../b HTTP/1.1\r\nHost: h\r\n\r\n", 400, "target/dot_segment"),
        ("GET /a/%2e%2e/b HTTP/1.1\r\nHost: h\r\n\r\n", 400, "target/dot_segment"),
        ("GET /a//b HTTP/1.1\r\nHost: h\r\n\r\n", 400, "target/empty_segment"),
        ("GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n", 400, "target/encoding"),
        ("GET / HTTP/1.1\r\n\r\n", 400, "target/no_host"),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400, "target/many_hosts"),
        ("GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", 400, "target/bad_host"),
        ("GET / HTTP/1.1\r\nHost: a..\r\n\r\n", 400, "target/bad_host"),
        ("GET /v1//x HTTP/1.1\r\nHost: h\r\n\r\n", 400, "target/empty_segment"),
        ("GET ftp://h/ HTTP/1.1\r\nHost: h\r\n\r\n", 400, "target/form"),
        ("GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n", 400, "target/hosts_disagree"),
        ("CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n", 400, "target/connect"),
        ("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", 404, "route/unknown_api"),
    ] {
        gate.record.clear();
        let answer = gate.ask(request).await;
        let event = gate.record.one().await;
        assert_eq!((answer.status, rules(&event)), (status, vec![rule.to_owned()]), "{request}");
        assert!(matches!(event.outcome, Outcome::Denied(_)), "{request}");
    }
    assert!(behind.asked().is_empty(), "{:?}", behind.asked());
}

#[tokio::test]
async fn a_literal_in_disguise_is_not_taken_for_a_parameter() {
    let behind = Behind::ok().await;
    let routes = [
        "GET /users/{id}",
        "GET /users/admin",
        "GET /users/",
        "GET /{any}/admin",
        "GET /x:cancel",
        "GET /jobs/{id}:cancel",
        "GET /jobs/{id}",
        "GET /{one}",
    ];
    let gate = gate(serving(routes.map(|route| endpoint(route, &behind.upstream())).into()));
    for (path, status) in [
        ("/users/admin", 200),
        ("/users/admin;x=1", 404),
        ("/users/admin;", 404),
        ("/users;x=1/admin", 404),
        ("/users/ali;x=1", 200),
        ("/users/;id=5", 200),
        ("/others;x=1/admin", 200),
        ("/users/Admin", 404),
        ("/users/admin%20", 404),
        ("/users/%09admin", 400),
        ("/users/admin.", 404),
        ("/users/%61dmin", 200),
        ("/users/%2561dmin", 404),
        ("/Users/admin", 404),
        ("/users/Alice", 200),
        ("/x:cancel", 200),
        ("/x%3Acancel", 404),
        ("/x%3Astop", 200),
        ("/jobs/5:cancel", 200),
        ("/jobs/5%3acancel", 404),
        ("/jobs/5:CANCEL", 404),
    ] {
        gate.record.clear();
        let answer = gate.ask(&format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n")).await;
        assert_eq!(answer.status, status, "{path}");
        // The record of an answer comes behind its last byte: it is awaited before the next call.
        let event = gate.record.one().await;
        if status == 404 {
            assert_eq!(rules(&event), ["route/unknown_operation"], "{path}");
        }
    }
    for asked in behind.asked() {
        assert!(!asked.to_lowercase().contains("admin%20") && !asked.contains("Admin"), "{asked}");
    }
}

#[tokio::test]
async fn control_characters_in_targets_never_reach_the_upstream() {
    let behind = Behind::ok().await;
    let gate = gate(serving(vec![endpoint("* /{*rest}", &behind.upstream())]));
    for byte in (0x01..=0x1f).chain([0x7f]) {
        let raw = format!("GET /a{}b HTTP/1.1\r\nHost: h\r\n\r\n", char::from(byte));
        assert_eq!(gate.ask(&raw).await.status, 400, "raw {byte:#x}");
        let encoded = format!("GET /a%{byte:02x}b HTTP/1.1\r\nHost: h\r\n\r\n");
        assert_eq!(gate.ask(&encoded).await.status, 400, "encoded {byte:#x}");
    }
    assert!(behind.asked().is_empty(), "{:?}", behind.asked());
}

#[tokio::test]
async fn what_is_not_http_is_refused_and_recorded() {
    let behind = Behind::ok().await;
    let gate = gate(serving(vec![endpoint("* /{*rest}", &behind.upstream())]));
    for request in [
        "GET / HTTP/1.1\r\nHost: h\r\nBad Name: x\r\n\r\n",
        "GET / HTTP/3.1\r\nHost: h\r\n\r\n",
        "\u{16}\u{3}\u{1}\u{2}rubbish\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, gzip\r\n\r\n",
    ] {
        gate.record.clear();
        let answer = gate.ask(request).await;
        assert_eq!(answer.status, 400, "{request}");
        let event = gate.record.one().await;
        assert_eq!(event.status, 400, "{request}");
    }
    assert!(behind.asked().is_empty(), "{:?}", behind.asked());
}

#[tokio::test]
async fn what_two_readers_frame_differently_is_refused() {
    let behind = Behind::ok().await;
    let mut plan = serving(vec![endpoint("* /{*rest}", &behind.upstream())]);
    plan.protocols = portcullis_gateway::plan::Protocols::H1;
    let gate = gate(plan);
    for (request, rule) in [
        (
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "framing/length_and_encoding",
        ),
        (
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na",
            "framing/repeated_length",
        ),
        ("GET / HTTP/1.1\nHost: h\n\n", "framing/bare_line_end"),
        ("GET / HTTP/1.1\r\nHost: h\n\r\n", "framing/bare_line_end"),
        ("GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n c\r\n\r\n", "framing/folded_line"),
        ("GET /#x HTTP/1.1\r\nHost: h\r\n\r\n", "framing/request_line"),
        ("GET / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "framing/encoding"),
        (
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
            "framing/encoding",
        ),
    ] {
        gate.record.clear();
        let answer = gate.ask(request).await;
        assert_eq!(answer.status, 400, "{request:?}");
        let event = gate.record.one().await;
        assert_eq!((event.status, rules(&event)), (400, vec![rule.to_owned()]), "{request:?}");
    }
    assert!(behind.asked().is_empty(), "{:?}", behind.asked());
}

#[tokio::test]
async fn bad_chunks_end_the_exchange() {
    let behind = Behind::ok().await;
    let held = guarded(
        endpoint("POST /held", &behind.upstream()),
        portcullis_core::chain::Phase::RequestBody,
        |_| portcullis_core::verdict::Verdict::Pass,
    );
    let gate = gate(serving(vec![held]));
    for chunks in ["3;\r\nabc\r\n0\r\n\r\n", "3;a\nabc\r\n0\r\n\r\n", "3\r\nabcd\r\n0\r\n\r\n"] {
        for cut in [0, 1, 2] {
            gate.record.clear();
            let mut client = gate.connect().await;
            client.send("POST /held HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n").await;
            client.send(&chunks[..cut]).await;
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            client.send(&chunks[cut..]).await;
            assert_eq!(client.answer(false).await.status, 400, "{chunks:?}");
            let event = gate.record.one().await;
            assert!(rules(&event)[0].starts_with("framing/"), "{event:?}");
        }
    }
    assert!(behind.asked().is_empty());
}

#[tokio::test]
async fn a_smuggled_request_is_never_served() {
    let behind = Behind::ok().await;
    let gate = gate(serving(vec![endpoint("* /{*rest}", &behind.upstream())]));
    let mut client = gate.connect().await;
    client
        .send(
            "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 30\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n\
             GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n",
        )
        .await;
    assert_eq!(client.answer(false).await.status, 400);
    assert!(client.closed(std::time::Duration::from_secs(5)).await);
    assert!(behind.asked().is_empty());
}

#[tokio::test]
async fn heads_have_bounds() {
    let behind = Behind::ok().await;
    let mut plan = serving(vec![endpoint("* /{*rest}", &behind.upstream())]);
    plan.limits.head_bytes_max = 8192;
    plan.limits.headers_max = 20;
    plan.limits.target_bytes_max = 100;
    let gate = gate(plan);
    for (request, status) in [
        (format!("GET /{} HTTP/1.1\r\nHost: h\r\n\r\n", "x".repeat(200)), 431),
        (format!("GET / HTTP/1.1\r\nHost: h\r\nX: {}\r\n\r\n", "x".repeat(20_000)), 431),
        (format!("GET / HTTP/1.1\r\nHost: h\r\n{}\r\n", "X: y\r\n".repeat(30)), 431),
    ] {
        gate.record.clear();
        let answer = gate.ask(&request).await;
        assert_eq!(answer.status, status, "{}", &request[..30]);
        assert_eq!(gate.record.one().await.status, status, "{}", &request[..30]);
    }
}

#[tokio::test]
async fn a_slow_head_is_cut() {
    let behind = Behind::ok().await;
    let mut plan = serving(vec![endpoint("GET /", &behind.upstream())]);
    plan.limits.header_timeout = std::time::Duration::from_millis(200);
    let gate = gate(plan);
    let mut client = gate.connect().await;
    client.send("GET / HTTP/1.1\r\nHost: h\r\nX: ").await;
    let mut told = String::new();
    let dripping = async {
        loop {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            // Once the gate has closed, writing fails.
            let _ = tokio::io::AsyncWriteExt::write_all(&mut client.0, b"x").await;
            let mut bytes = [0; 1024];
            match client.0.try_read(&mut bytes) {
                Ok(0) => return,
                Ok(count) => told.push_str(&String::from_utf8_lossy(&bytes[..count])),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(_) => return,
            }
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(5), dripping).await.expect("cut");
    assert!(told.starts_with("HTTP/1.1 408 ") && told.contains("connection: close\r\n"), "{told}");
    assert!(told.contains("urn:portcullis:problem:"), "{told}");
    assert_eq!(gate.gateway.stats().connections_timed_out.now(), 1);
    let event = gate.record.one().await;
    assert_eq!(
        (event.outcome, rules(&event)),
        (Outcome::Denied(Denial::Timeout), vec!["head/too_slow".to_owned()])
    );
}

#[tokio::test]
async fn trusted_proxies_speak_for_clients() {
    let behind = Behind::ok().await;
    let mut plan = serving(vec![endpoint("GET /", &behind.upstream())]);
    plan.trusted_proxies = ["127.0.0.0/8".parse().unwrap()].into();
    let gate = gate(plan);
    gate.ask("GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 6.6.6.6, 192.0.2.7\r\nX-User-Id: root\r\n\r\n")
        .await;
    assert_eq!(gate.record.one().await.client.to_string(), "192.0.2.7");
    let asked = behind.asked().remove(0);
    assert!(asked.contains("x-forwarded-for: 6.6.6.6, 192.0.2.7, 127.0.0.1\r\n"), "{asked}");
    assert!(!asked.contains("x-user-id"), "{asked}");
}
