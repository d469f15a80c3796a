//! What keeps a client's connection usable for the next request, and what ends it.

use std::{sync::Arc, time::Duration};

use portcullis_core::{chain::Phase, event::Outcome, verdict::Verdict};
use portcullis_gateway::{
    plan::Upgrades,
    upstream::{Upstream, UpstreamProtocol},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use crate::support::*;

const SOON: Duration = Duration::from_secs(5);

async fn pause(millis: u64) {
    tokio::time::sleep(Duration::from_millis(millis)).await;
}

/// All that comes until the gate closes.
async fn rest(client: &mut Client) -> String {
    let mut came = Vec::new();
    let closed = tokio::time::timeout(SOON, client.0.read_to_end(&mut came)).await.is_ok();
    let came = String::from_utf8(came).unwrap();
    assert!(closed, "still open after {came:?}");
    came
}

/// A frame of HTTP/2: type, flags, payload.
type H2Frame = (u8, u8, &'static [u8]);

/// `:status: 200`.
const H2_HEAD: H2Frame = (1, 4, b"\x88");
/// `okay`, and no more.
const H2_END: H2Frame = (0, 1, b"okay");
/// Room for more of the body.
const H2_ROOM: H2Frame = (8, 0, b"\0\0\x40\0");

/// A server of HTTP/2 that takes so many bytes of a request's body at first. It answers requests without a body at
/// once, others by these frames with a pause before each.
async fn h2_behind(window: u32, frames: &'static [H2Frame]) -> Arc<Upstream> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(h2_converse(stream, window, frames));
        }
    });
    upstream_with(port, |settings| settings.protocol = UpstreamProtocol::H2)
}

async fn h2_converse(mut stream: TcpStream, window: u32, frames: &'static [H2Frame]) -> std::io::Result<()> {
    stream.write_all(&[b"\0\0\x06\x04\0\0\0\0\0\0\x04", &window.to_be_bytes()[..]].concat()).await?;
    stream.read_exact(&mut [0; b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".len()]).await?;
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await?;
        let [_, high, low, kind, flags, ..] = head;
        let mut payload = vec![0; usize::from(high) << 8 | usize::from(low)];
        stream.read_exact(&mut payload).await?;
        let said: &[H2Frame] = match (kind, flags & 1) {
            (1, 1) => &[(1, 5, b"\x88")],
            (1, _) => frames,
            (4, 0) => &[(4, 1, b"")],
            _ => &[],
        };
        for (kind, flags, payload) in said {
            if said.len() > 1 {
                pause(100).await;
            }
            let len = u8::try_from(payload.len()).unwrap();
            stream.write_all(&[&[0, 0, len, *kind, *flags][..], &head[5..], payload].concat()).await?;
        }
    }
}

#[tokio::test]
async fn no_word_to_go_on_comes_after_the_answer_has_begun() {
    let behind = h2_behind(0, &[H2_HEAD, H2_ROOM, H2_END]).await;
    let gate = gate(serving(vec![endpoint("* /", &behind)]));
    let mut client = gate.connect().await;
    client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n").await;
    assert_eq!(client.answer(false).await.status, 200);
    client.send("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\nabc").await;
    let came = rest(&mut client).await;
    assert!(came.starts_with("HTTP/1.1 200 OK\r\n") && came.contains("okay"), "{came}");
    assert!(!came.contains("100 Continue"), "{came}");
    assert!(came.contains("\r\nconnection: close\r\n"), "whether the body still comes is unknown: {came}");
}

#[tokio::test]
async fn a_body_that_is_read_elsewhere_does_not_keep_the_connection_open() {
    let behind = h2_behind(65535, &[H2_HEAD, H2_END]).await;
    let gate = gate(serving(vec![endpoint("POST /", &behind)]));
    let mut client = gate.connect().await;
    client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nabc").await;
    assert_eq!(client.answer(false).await.status, 200);
    drop(client);
    gate.record.one().await;
    let gone = async {
        while gate.gateway.stats().connections_open.now() > 0 {
            pause(5).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(3), gone).await.expect("closed");
}

#[tokio::test]
async fn a_client_that_leaves_after_its_body_is_noticed_wherever_that_was_read() {
    let behind = h2_behind(65535, &[]).await;
    let mut plan = serving(vec![endpoint("POST /", &behind)]);
    plan.limits.header_timeout = Duration::from_secs(60);
    let gate = gate(plan);
    let mut client = gate.connect().await;
    client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\nabc").await;
    pause(300).await;
    client.send("def").await;
    pause(100).await;
    drop(client);
    assert_eq!(gate.record.one().await.outcome, Outcome::ClientGone);
}

#[tokio::test]
async fn an_answer_that_can_have_no_body_does_not_say_how_long_it_is() {
    let behind = Behind::start(|request| {
        let status = request.get(5..8).unwrap();
        format!("HTTP/1.1 {status} X\r\nContent-Length: 5\r\n\r\n")
    })
    .await;
    let gate = gate(serving(vec![endpoint("GET /{x}", &behind.upstream())]));
    let mut client = gate.connect().await;
    for (status, length) in [(204, None), (304, Some("5"))] {
        client.send(&format!("GET /{status} HTTP/1.1\r\nHost: h\r\n\r\n")).await;
        let answer = client.answer(false).await;
        assert_eq!((answer.status, answer.header("content-length")), (status, length));
    }
}

#[tokio::test]
async fn an_empty_answer_that_was_held_back_is_served() {
    let behind =
        Behind::start(|_| "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".to_owned()).await;
    let held = guarded(endpoint("GET /", &behind.upstream()), Phase::ResponseBody, |_| Verdict::Pass);
    let gate = gate(serving(vec![held]));
    let answer = gate.ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n").await;
    assert_eq!((answer.status, answer.header("content-length")), (200, Some("0")));
    assert_eq!(gate.record.one().await.outcome, Outcome::Served);
}

#[tokio::test]
async fn a_body_that_nobody_wanted_is_skipped_and_leaves_no_trace() {
    let behind = Behind::ok().await;
    let mut plan = serving(vec![endpoint("GET /", &behind.upstream())]);
    plan.limits.header_timeout = Duration::from_millis(100);
    let gate = gate(plan);
    let mut client = gate.connect().await;
    for (head, body) in [
        ("Content-Length: 36", "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n\n"),
        (
            "Transfer-Encoding: chunked",
            "24\r\nGET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n\n\r\n0\r\nX: y\r\n\r\n",
        ),
    ] {
        for cut in [0, 5, body.len()] {
            gate.record.clear();
            client.send(&format!("POST /no HTTP/1.1\r\nHost: h\r\n{head}\r\n\r\n{}", &body[..cut])).await;
            assert_eq!(client.answer(false).await.status, 404);
            client.send(&body[cut..]).await;
            gate.record.one().await;
            // Longer than a head may take: nothing of one has come.
            pause(300).await;
            client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n").await;
            assert_eq!(client.answer(false).await.status, 200, "{head} {cut}");
            gate.record.events(2).await;
        }
    }
    assert!(behind.asked().iter().all(|asked| asked.starts_with("GET / ")));
}

#[tokio::test]
async fn a_body_that_nobody_wanted_and_is_broken_or_large_ends_the_connection() {
    let behind = Behind::ok().await;
    let gate = gate(serving(vec![endpoint("GET /", &behind.upstream())]));
    let large = format!("Content-Length: 400000\r\n\r\n{}", "x".repeat(1000));
    for rest in
        ["Transfer-Encoding: chunked\r\n\r\nzz\r\n", "Transfer-Encoding: chunked\r\n\r\n1\r\nabc", &large]
    {
        for cut in [rest.find("\r\n\r\n").unwrap() + 4, rest.len()] {
            gate.record.clear();
            let mut client = gate.connect().await;
            client.send(&format!("POST /no HTTP/1.1\r\nHost: h\r\n{}", &rest[..cut])).await;
            assert_eq!(client.answer(false).await.status, 404);
            client.send(&rest[cut..]).await;
            let _ = client.0.write_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").await;
            assert_eq!(crate::keeping::rest(&mut client).await, "", "{rest:.60}");
            gate.record.one().await;
        }
    }
    assert!(behind.asked().is_empty());
}

#[tokio::test]
async fn requests_sent_at_once_are_answered_in_their_order() {
    let behind = Behind::start(|request| {
        let path = request.split(' ').nth(1).unwrap_or_default();
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{path}", path.len())
    })
    .await;
    let gate = gate(serving(vec![endpoint("* /{*rest}", &behind.upstream())]));
    let mut client = gate.connect().await;
    let mut requests = String::new();
    for number in 0..300 {
        requests += &match number % 4 {
            0 => format!("GET /{number} HTTP/1.1\r\nHost: h\r\n\r\n"),
            1 => format!("POST /{number} HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nGET "),
            2 => format!(
                "PUT /{number} HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nxy\r\n0\r\n\r\n"
            ),
            _ => format!("\r\nDELETE /{number} HTTP/1.1\r\nHost: h\r\n\r\n"),
        };
    }
    let (mut from, mut to) = client.0.split();
    let sending = async { to.write_all(requests.as_bytes()).await.unwrap() };
    let reading = async {
        let mut came = String::new();
        while !came.ends_with("/299") {
            let mut bytes = [0; 4096];
            let count = from.read(&mut bytes).await.unwrap();
            assert!(count > 0, "{came}");
            came += std::str::from_utf8(&bytes[..count]).unwrap();
        }
        came
    };
    let ((), came) = tokio::time::timeout(Duration::from_secs(20), async { tokio::join!(sending, reading) })
        .await
        .expect("all answers in time");
    let paths: Vec<&str> =
        came.split("\r\n\r\n").skip(1).map(|it| it.split("HTTP").next().unwrap()).collect();
    assert_eq!(paths, (0..300).map(|number| format!("/{number}")).collect::<Vec<_>>());
    gate.record.events(300).await;
}

#[tokio::test]
async fn old_clients_are_kept_when_they_ask_for_it_and_the_answer_has_a_length() {
    let behind = Behind::start(|request| {
        if request.starts_with("GET /long") {
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX: y\r\n\r\n".to_owned()
        } else {
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_owned()
        }
    })
    .await;
    let gate = gate(serving(vec![endpoint("GET /{x}", &behind.upstream())]));
    for (path, asks, said) in [
        ("/short", "", "close"),
        ("/short", "Connection: keep-alive\r\n", "keep-alive"),
        ("/short", "Connection: Keep-Alive, close\r\n", "close"),
        ("/long", "Connection: keep-alive\r\n", "close"),
    ] {
        let mut client = gate.connect().await;
        let request = format!("GET {path} HTTP/1.0\r\nHost: h\r\nExpect: 100-continue\r\n{asks}\r\n");
        client.send(&request).await;
        if said == "close" {
            let came = rest(&mut client).await;
            assert!(came.contains("\r\nconnection: close\r\n") && came.ends_with("\r\n\r\nok"), "{came}");
            assert!(!came.contains("transfer-encoding"), "{came}");
        } else {
            for _ in 0..2 {
                let answer = client.answer(false).await;
                assert_eq!((answer.header("connection"), &*answer.body), (Some(said), "ok"));
                client.send(&request).await;
            }
        }
    }
}

#[tokio::test]
async fn close_is_heeded_wherever_it_stands() {
    let behind = Behind::ok().await;
    let gate = gate(serving(vec![endpoint("GET /", &behind.upstream())]));
    for fields in [
        "Connection: close",
        "connection:CLOSE",
        "Connection: keep-alive, close",
        "Connection: close, keep-alive",
        "Connection: x,\tclose ,y",
        "Connection: keep-alive\r\nX: y\r\nConnection: close",
    ] {
        let mut client = gate.connect().await;
        let request = format!("GET / HTTP/1.1\r\nHost: h\r\n{fields}\r\n\r\n");
        client.send(&[&*request, &*request].concat()).await;
        let came = rest(&mut client).await;
        assert_eq!(came.matches("HTTP/1.1 200").count(), 1, "{fields}: {came}");
        assert!(came.contains("\r\nconnection: close\r\n"), "{fields}: {came}");
    }
}

#[tokio::test]
async fn an_early_answer_does_not_let_the_body_be_taken_for_a_request() {
    for (length, status) in [
        ("Content-Length: 2\r\n\r\nok", 413),
        ("Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", 200),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(stream.read_u8().await.unwrap());
                }
                stream.write_all(format!("HTTP/1.1 {status} X\r\n{length}").as_bytes()).await.unwrap();
                pause(50).await;
            }
        });
        let gate = gate(serving(vec![endpoint("POST /", &upstream(port))]));
        let smuggled = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
        for (field, before, behind) in [
            (format!("Content-Length: {}", smuggled.len() + 10), "", "0123456789"),
            ("Transfer-Encoding: chunked".to_owned(), "1b\r\n", "\r\n0\r\n\r\n"),
        ] {
            gate.record.clear();
            let mut client = gate.connect().await;
            client.send(&format!("POST / HTTP/1.1\r\nHost: h\r\n{field}\r\n\r\n{before}")).await;
            assert_eq!(client.answer(false).await.status, status);
            client.send(&format!("{smuggled}{behind}POST /no HTTP/1.1\r\nHost: h\r\n\r\n")).await;
            let next = client.answer(false).await.status;
            assert!(matches!(next, 0 | 404), "{next}");
            gate.record.events(if next == 0 { 1 } else { 2 }).await;
        }
    }
}

#[tokio::test]
async fn a_tunnel_loses_nothing_that_came_right_behind_its_heads() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut came = Vec::new();
        while !came.ends_with(b"\r\n\r\n") {
            came.push(stream.read_u8().await.unwrap());
        }
        let head = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\
                    Content-Length: 5\r\n\r\nfrom behind";
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut echoed = [0; 11];
        stream.read_exact(&mut echoed).await.unwrap();
        stream.write_all(&echoed).await.unwrap();
    });
    let mut allowed = endpoint("GET /", &upstream(port));
    allowed.upgrades = Upgrades::WebSocket;
    let gate = gate(serving(vec![allowed]));
    let mut client = gate.connect().await;
    client
        .send(
            "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\nfrom before",
        )
        .await;
    let came = rest(&mut client).await;
    assert!(came.starts_with("HTTP/1.1 101 ") && came.ends_with("\r\n\r\nfrom behindfrom before"), "{came}");
    assert!(!came.contains("content-length"), "{came}");
    drop(client);
    assert_eq!(gate.record.one().await.outcome, Outcome::Served);
}

#[tokio::test]
async fn drain_ends_connections_in_every_state() {
    let behind = Behind::start(|_| "<pause>HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_owned()).await;
    for (sent, then, status) in [
        ("", "", 0),
        ("GET / HTTP/1.1\r\nHo", "st: h\r\n\r\n", 200),
        ("GET / HTTP/1.1\r\nHost: h\r\n\r\n", "", 200),
        ("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\nabc", "def", 200),
        ("POST /no HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\nabc", "def", 404),
        ("GET / XTTP/1.1\r\n\r\n", "", 400),
    ] {
        let gate = gate(serving(vec![endpoint("* /", &behind.upstream())]));
        let mut client = gate.connect().await;
        client.send(sent).await;
        pause(30).await;
        let talking = async {
            pause(30).await;
            let _ = client.0.write_all(then.as_bytes()).await;
            let answer = client.answer(false).await;
            assert_eq!(answer.status, status, "{sent}");
            assert!(client.closed(SOON).await, "{sent}");
            drop(client);
        };
        // Sooner than a head, a body or an idle connection would be given up.
        let (cut, ()) = tokio::join!(gate.gateway.drain(Duration::from_secs(5)), talking);
        assert_eq!(cut, 0, "{sent}");
        assert_eq!(gate.gateway.stats().connections_open.now(), 0, "{sent}");
    }
}
