//! HTTP/2, event streams, WebSocket and gRPC through the gate.

use std::{pin::Pin, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body::{Body, Frame};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use portcullis_core::{
    event::{Outcome, Protocol},
    verdict::Denial,
};
use portcullis_gateway::{
    plan::Upgrades,
    upstream::{Upstream, UpstreamProtocol},
};
use tokio::{
    io::AsyncReadExt as _,
    net::{TcpListener, TcpStream},
};
use tokio_tungstenite::tungstenite::Message;

use crate::support::*;

/// Data, then trailers.
struct Trailed(Option<Bytes>, Option<HeaderMap>);

impl Body for Trailed {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let frame = match self.0.take() {
            Some(data) => Some(Frame::data(data)),
            None => self.1.take().map(Frame::trailers),
        };
        std::task::Poll::Ready(frame.map(Ok))
    }
}

fn trailers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| (http::HeaderName::from_static(name), HeaderValue::from_static(value)))
        .collect()
}

async fn read(mut body: Incoming) -> (Bytes, Option<HeaderMap>) {
    let (mut data, mut trailers) = (Vec::new(), None);
    while let Some(frame) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        match frame.unwrap().into_data() {
            Ok(bytes) => data.extend_from_slice(&bytes),
            Err(frame) => trailers = frame.into_trailers().ok(),
        }
    }
    (data.into(), trailers)
}

/// A gRPC-like server over cleartext HTTP/2: echoes the message, tells in its trailers which trailers it got.
async fn grpc_behind() -> Arc<Upstream> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let service = hyper::service::service_fn(|request: Request<Incoming>| async {
                assert_eq!(request.headers()["te"], "trailers");
                let (data, sent) = read(request.into_body()).await;
                let mut back = trailers(&[("grpc-status", "0")]);
                for (name, value) in sent.unwrap_or_default() {
                    back.insert(name.unwrap(), value);
                }
                let mut answer = Response::new(Trailed(Some(data), Some(back)));
                answer.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
                Ok::<_, std::convert::Infallible>(answer)
            });
            let served = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(stream), service);
            tokio::spawn(served);
        }
    });
    upstream_with(port, |settings| settings.protocol = UpstreamProtocol::H2)
}

async fn h2(gate: &Gate) -> hyper::client::conn::http2::SendRequest<Trailed> {
    let stream = TcpStream::connect(gate.gateway.addresses()["main"]).await.unwrap();
    let (sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

#[tokio::test]
async fn grpc_passes_with_trailers_both_ways() {
    let gate = gate(serving(vec![endpoint("POST /acme.Shop/Buy", &grpc_behind().await)]));
    let mut sender = h2(&gate).await;
    let request = Request::post("http://h/acme.Shop/Buy")
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(Trailed(
            Some(Bytes::from_static(b"\0\0\0\0\x03abc")),
            Some(trailers(&[("x-checksum", "1"), ("x-user-id", "root")])),
        ))
        .unwrap();
    let answer = sender.send_request(request).await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/grpc");
    let (data, trailers) = read(answer.into_body()).await;
    assert_eq!(data, &b"\0\0\0\0\x03abc"[..]);
    let trailers = trailers.unwrap();
    assert_eq!(
        (&trailers["grpc-status"], &trailers["x-checksum"]),
        (&"0".parse().unwrap(), &"1".parse().unwrap())
    );
    assert!(!trailers.contains_key("x-user-id"));
    let event = gate.record.one().await;
    assert_eq!((event.outcome, event.protocol), (Outcome::Served, Protocol::H2));
    assert_eq!((event.request_bytes, event.response_bytes), (8, 8));
}

#[tokio::test]
async fn grpc_refusals_are_trailers_only() {
    let gate = gate(serving(vec![endpoint("POST /acme.Shop/Buy", &grpc_behind().await)]));
    let mut sender = h2(&gate).await;
    let request = Request::post("http://h/acme.Shop/Steal")
        .header("content-type", "application/grpc")
        .body(Trailed(None, None))
        .unwrap();
    let answer = sender.send_request(request).await.unwrap();
    assert_eq!((answer.status().as_u16(), &answer.headers()["grpc-status"]), (200, &"12".parse().unwrap()));
    assert_eq!(gate.record.one().await.outcome, Outcome::Denied(Denial::NotFound));
}

#[tokio::test]
async fn a_client_that_claims_grpc_is_not_shown_an_error_of_the_upstream() {
    let behind = Behind::start(|_| {
        "HTTP/1.1 500 Oops\r\nContent-Type: text/html\r\nContent-Length: 20\r\n\r\nstack trace: main.rs"
            .to_owned()
    })
    .await;
    let gate = gate(serving(vec![endpoint("GET /", &behind.upstream())]));
    let answer = gate.ask("GET / HTTP/1.1\r\nHost: h\r\nContent-Type: application/grpc\r\n\r\n").await;
    assert_eq!((answer.status, answer.header("content-type")), (500, Some("application/problem+json")));
    assert!(!answer.body.contains("main.rs"), "{}", answer.body);
}

#[tokio::test]
async fn many_streams_share_a_connection() {
    let behind = Behind::ok().await;
    let gate = gate(serving(vec![endpoint("GET /{x}", &behind.upstream())]));
    let sender = h2(&gate).await;
    let calls = (0..50).map(|number| {
        let mut sender = sender.clone();
        async move {
            let request = Request::get(format!("http://h/{number}")).body(Trailed(None, None)).unwrap();
            let answer = sender.send_request(request).await.unwrap();
            assert_eq!(answer.status(), 200);
            assert_eq!(read(answer.into_body()).await.0, "ok");
        }
    });
    futures_util::future::join_all(calls).await;
    gate.record.events(50).await;
    assert_eq!(gate.gateway.stats().connections_accepted.now(), 1);
}

#[tokio::test]
async fn events_arrive_as_they_are_sent() {
    let behind = Behind::start(|_| {
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n\
         9\r\ndata: 1\n\n\r\n<pause>9\r\ndata: 2\n\n\r\n<pause>0\r\n\r\n"
            .to_owned()
    })
    .await;
    let endpoint =
        guarded(endpoint("GET /", &behind.upstream()), portcullis_core::chain::Phase::ResponseBody, |_| {
            panic!("an event stream must not be held back")
        });
    let gate = gate(serving(vec![endpoint]));
    let mut client = gate.connect().await;
    client.send("GET / HTTP/1.1\r\nHost: h\r\nAccept: text/event-stream\r\n\r\n").await;
    let mut seen = String::new();
    while !seen.contains("data: 1") {
        seen.push(char::from(client.0.read_u8().await.unwrap()));
    }
    assert!(!seen.contains("data: 2"), "{seen}");
    while !seen.ends_with("0\r\n\r\n") {
        seen.push(char::from(client.0.read_u8().await.unwrap()));
    }
    assert!(seen.contains("data: 2"));
    let event = gate.record.one().await;
    assert_eq!((event.outcome, rules(&event)), (Outcome::Served, vec!["response/not_inspected".to_owned()]));
}

async fn echo_behind() -> Arc<Upstream> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let Ok(mut socket) = tokio_tungstenite::accept_async(stream).await else {
                    return;
                };
                while let Some(Ok(message)) = socket.next().await {
                    if socket.send(message).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    upstream(port)
}

#[tokio::test]
async fn websockets_pass_where_allowed() {
    let upstream = echo_behind().await;
    let mut allowed = endpoint("GET /ws", &upstream);
    allowed.upgrades = Upgrades::WebSocket;
    let gate = gate(serving(vec![allowed, endpoint("GET /plain", &upstream)]));
    let address = gate.gateway.addresses()["main"];
    let (mut socket, _) = tokio_tungstenite::connect_async(format!("ws://{address}/ws")).await.unwrap();
    for text in ["one", "two"] {
        socket.send(Message::text(text)).await.unwrap();
        assert_eq!(socket.next().await.unwrap().unwrap(), Message::text(text));
    }
    socket.close(None).await.unwrap();
    while socket.next().await.is_some() {}
    drop(socket);
    let event = gate.record.one().await;
    assert_eq!((event.outcome, event.status), (Outcome::Served, 101));
    assert!(event.request_bytes > 6 && event.response_bytes > 6, "{event:?}");
    assert!(tokio_tungstenite::connect_async(format!("ws://{address}/plain")).await.is_err());
}

#[tokio::test]
async fn silent_tunnels_end() {
    let mut allowed = endpoint("GET /ws", &echo_behind().await);
    allowed.upgrades = Upgrades::WebSocket;
    allowed.timeouts.upgraded_idle = Duration::from_millis(50);
    let gate = gate(serving(vec![allowed]));
    let address = gate.gateway.addresses()["main"];
    let (mut socket, _) = tokio_tungstenite::connect_async(format!("ws://{address}/ws")).await.unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(5), socket.next()).await.expect("the tunnel ends");
    assert!(!matches!(ended, Some(Ok(_))));
    gate.record.one().await;
}

#[tokio::test]
async fn bad_handshakes_are_refused() {
    let behind = Behind::ok().await;
    let mut allowed = endpoint("GET /ws", &behind.upstream());
    allowed.upgrades = Upgrades::WebSocket;
    let gate = gate(serving(vec![allowed]));
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    for fields in [
        String::new(),
        key.to_owned(),
        format!("{key}Sec-WebSocket-Version: 8\r\n"),
        format!("{key}{key}Sec-WebSocket-Version: 13\r\n"),
        "Sec-WebSocket-Key: short\r\nSec-WebSocket-Version: 13\r\n".to_owned(),
    ] {
        gate.record.clear();
        let request = format!(
            "GET /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n{fields}\r\n"
        );
        assert_eq!(gate.ask(&request).await.status, 400, "{fields}");
        assert_eq!(rules(&gate.record.one().await), ["upgrade/bad_handshake"], "{fields}");
    }
    // Another protocol is not offered: served as an ordinary call (RFC 9110 §7.8).
    let request = "GET /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\
                   HTTP2-Settings: AAA\r\n\r\n";
    assert_eq!(gate.ask(request).await.status, 200);
    let asked = behind.asked().pop().unwrap();
    assert!(!asked.contains("upgrade") && !asked.contains("http2-settings"), "{asked}");
}
