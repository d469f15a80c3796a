//! What flows: event streams, WebSocket, gRPC over HTTP/2, and bodies far larger than the gate's memory.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failure here is a failed test"
)]

use std::{convert::Infallible, net::SocketAddr, time::Duration};

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use http::{HeaderMap, Method, Request, Response};
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::{
    body::{Frame, Incoming},
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use portcullis_e2e::{Caller, Gate, Upstream, text};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use tokio_tungstenite::tungstenite::Message;

const FLOWS: &str = r#"
openapi: 3.1.0
info: { title: Flows, version: "1" }
paths:
  /events:
    get: { operationId: events, responses: { "200": { description: events, content: { text/event-stream: {} } } } }
  /socket:
    get: { operationId: socket, responses: { "101": { description: a socket } } }
  /plain:
    get: { operationId: plain, responses: { "200": { description: fine } } }
  /blob:
    get: { operationId: download, responses: { "200": { description: bytes } } }
    put:
      operationId: upload
      requestBody: { required: true, content: { application/octet-stream: {} } }
      responses: { "200": { description: fine } }
  /acme.Shop/Buy:
    post:
      operationId: buy
      requestBody: { required: true, content: { application/grpc: {} } }
      responses: { "200": { description: a message } }
"#;

async fn gate(upstream: &str, protocol: &str) -> Gate {
    let config = format!(
        "
admin: {{ address: 127.0.0.1:0 }}
listen: 127.0.0.1:0
tls: off
upstreams: {{ flows: {{ servers: [\"{upstream}\"], protocol: {protocol} }} }}
apis:
  flows:
    spec: flows.yaml
    upstream: flows
    auth: anonymous
    size: {{ body: 1GiB }}
    operations:
      socket: {{ upgrade: [websocket] }}
      upload: {{ stream: true }}
"
    );
    Gate::new(&config).file("flows.yaml", FLOWS).start().await
}

/// Serves each connection with this task.
async fn serving<F, T>(serve: F) -> SocketAddr
where
    F: Fn(TcpStream) -> T + Send + 'static,
    T: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(serve(stream));
        }
    });
    address
}

#[tokio::test]
async fn an_event_arrives_before_the_next_is_sent() {
    let (go_on, waiting) = tokio::sync::watch::channel(false);
    let upstream = serving(move |mut stream| {
        let mut waiting = waiting.clone();
        async move {
            let mut read = Vec::new();
            while !read.ends_with(b"\r\n\r\n") {
                stream.read_buf(&mut read).await.unwrap();
            }
            let head =
                "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
            stream.write_all(format!("{head}9\r\ndata: 1\n\n\r\n").as_bytes()).await.unwrap();
            waiting.wait_for(|it| *it).await.unwrap();
            stream.write_all(b"9\r\ndata: 2\n\n\r\n0\r\n\r\n").await.unwrap();
        }
    })
    .await;
    let gate = gate(&format!("http://{upstream}"), "h1").await;
    let mut stream = TcpStream::connect(gate.address()).await.unwrap();
    stream
        .write_all(
            b"GET /events HTTP/1.1\r\nhost: x\r\nconnection: close\r\naccept: text/event-stream\r\n\r\n",
        )
        .await
        .unwrap();
    let mut read = Vec::new();
    while !String::from_utf8_lossy(&read).contains("data: 1") {
        let more = tokio::time::timeout(Duration::from_secs(10), stream.read_buf(&mut read)).await;
        assert!(more.expect("the first event comes at once").unwrap() > 0);
    }
    go_on.send(true).unwrap();
    stream.read_to_end(&mut read).await.unwrap();
    assert!(String::from_utf8_lossy(&read).contains("data: 2"));
    assert_eq!(gate.events(1).await[0]["outcome"], "served");
}

#[tokio::test]
async fn sockets_pass_where_they_may_and_nowhere_else() {
    let upstream = serving(|stream| async move {
        let Ok(mut socket) = tokio_tungstenite::accept_async(stream).await else { return };
        while let Some(Ok(message)) = socket.next().await {
            if socket.send(message).await.is_err() {
                return;
            }
        }
    })
    .await;
    let gate = gate(&format!("http://{upstream}"), "h1").await;
    let address = gate.address();
    let (mut socket, _) = tokio_tungstenite::connect_async(format!("ws://{address}/socket")).await.unwrap();
    for words in ["one", "two"] {
        socket.send(Message::text(words)).await.unwrap();
        assert_eq!(socket.next().await.unwrap().unwrap(), Message::text(words));
    }
    socket.close(None).await.unwrap();
    while socket.next().await.is_some() {}
    drop(socket);
    let event = gate.events(1).await.remove(0);
    assert_eq!((&event["status"], &event["operation"]), (&101.into(), &"socket".into()), "{event:#}");
    assert!(tokio_tungstenite::connect_async(format!("ws://{address}/plain")).await.is_err());
    assert_eq!(gate.events(2).await.len(), 2);
}

/// A message and its trailers.
async fn whole(mut body: Incoming) -> (Vec<u8>, HeaderMap) {
    let (mut data, mut trailers) = (Vec::new(), HeaderMap::new());
    while let Some(frame) = body.frame().await {
        match frame.unwrap().into_data() {
            Ok(bytes) => data.extend_from_slice(&bytes),
            Err(frame) => trailers = frame.into_trailers().unwrap(),
        }
    }
    (data, trailers)
}

#[tokio::test]
async fn grpc_passes_with_its_trailers_over_h2_on_both_sides() {
    let upstream = serving(|stream| async move {
        let service = service_fn(|request: Request<Incoming>| async move {
            assert_eq!(request.headers()["te"], "trailers");
            let (message, _) = whole(request.into_body()).await;
            let trailers = HeaderMap::from_iter([("grpc-status".parse().unwrap(), "0".parse().unwrap())]);
            let frames =
                [Ok::<_, Infallible>(Frame::data(Bytes::from(message))), Ok(Frame::trailers(trailers))];
            let body = StreamBody::new(futures_util::stream::iter(frames));
            Ok::<_, Infallible>(
                Response::builder().header("content-type", "application/grpc").body(body).unwrap(),
            )
        });
        let served = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
            .serve_connection(TokioIo::new(stream), service);
        let _gone = served.await;
    })
    .await;
    let gate = gate(&format!("http://{upstream}"), "h2").await;
    // Prior knowledge: no upgrade, no TLS.
    let stream = TcpStream::connect(gate.address()).await.unwrap();
    let (mut sender, driver) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(driver);
    let call = |path: &str| {
        Request::post(format!("http://shop{path}"))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .body(Full::new(Bytes::from_static(b"\0\0\0\0\x03abc")))
            .unwrap()
    };
    let answer = sender.send_request(call("/acme.Shop/Buy")).await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["content-type"]),
        (200, &"application/grpc".parse().unwrap())
    );
    let (message, trailers) = whole(answer.into_body()).await;
    assert_eq!(message, b"\0\0\0\0\x03abc");
    assert_eq!(trailers["grpc-status"], "0");
    let refused = sender.send_request(call("/acme.Shop/Steal")).await.unwrap();
    assert_eq!((refused.status().as_u16(), &refused.headers()["grpc-status"]), (200, &"12".parse().unwrap()));
    let events = gate.events(2).await;
    assert!(events.iter().all(|event| event["protocol"] == "h2"));
    assert_eq!(
        (&events[0]["outcome"], &events[1]["outcome"]["denied"]),
        (&"served".into(), &"not_found".into())
    );
}

/// Kibibytes of memory that a process holds.
fn resident_kib(gate: &Gate) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", gate.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

const HUGE: usize = 192 << 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_larger_than_memory_flow_through() {
    let upstream = serving(|stream| async move {
        let service = service_fn(|request: Request<Incoming>| async move {
            let mut bytes = 0;
            let (head, mut body) = request.into_parts();
            while let Some(Ok(frame)) = body.frame().await {
                bytes += frame.into_data().map_or(0, |data| data.len());
            }
            let piece = Bytes::from(vec![b'x'; 64 << 10]);
            let pieces = if head.method == Method::GET { HUGE / piece.len() } else { 0 };
            let pieces = (0..pieces).map(move |_| Ok::<_, Infallible>(Frame::data(piece.clone())));
            let answer = Response::builder().header("x-received", bytes.to_string());
            Ok::<_, Infallible>(answer.body(StreamBody::new(futures_util::stream::iter(pieces))).unwrap())
        });
        let _gone =
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
    })
    .await;
    let gate = gate(&format!("http://{upstream}"), "h1").await;
    let before = resident_kib(&gate);
    let mut most = before;

    let stream = TcpStream::connect(gate.address()).await.unwrap();
    let (mut sender, driver) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(driver);
    let piece = Bytes::from(vec![b'y'; 64 << 10]);
    let pieces = (0..HUGE / piece.len()).map(move |_| Ok::<_, Infallible>(Frame::data(piece.clone())));
    let upload = Request::put("/blob")
        .header("host", "x")
        .header("content-type", "application/octet-stream")
        .body(StreamBody::new(futures_util::stream::iter(pieces)).boxed_unsync())
        .unwrap();
    let answer = sender.send_request(upload).await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["x-received"]),
        (200, &HUGE.to_string().parse().unwrap())
    );
    most = most.max(resident_kib(&gate));
    whole(answer.into_body()).await;

    sender.ready().await.unwrap();
    let nothing = StreamBody::new(futures_util::stream::iter(Vec::new())).boxed_unsync();
    let download = Request::get("/blob").header("host", "x").body(nothing).unwrap();
    let mut body = sender.send_request(download).await.unwrap().into_body();
    let (mut bytes, mut looked_at) = (0, 0);
    while let Some(frame) = body.frame().await {
        bytes += frame.unwrap().into_data().map_or(0, |data| data.len());
        if bytes - looked_at > HUGE / 16 {
            looked_at = bytes;
            most = most.max(resident_kib(&gate));
        }
    }
    assert_eq!(bytes, HUGE);
    let grown = most - before;
    assert!(grown < 32 << 10, "the gate grew by {grown} KiB for bodies of {} KiB", HUGE >> 10);
    let events = gate.events(2).await;
    assert_eq!(events[0]["request_bytes"], HUGE);
    assert_eq!(events[1]["response_bytes"], HUGE);
}

#[tokio::test]
async fn calls_over_clear_h2_are_judged_as_any_other() {
    let upstream = Upstream::answering(|_| text(200, "application/json", "{}")).await;
    let gate = gate(&upstream.url(), "h1").await;
    let stream = TcpStream::connect(gate.address()).await.unwrap();
    let (mut sender, driver) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(driver);
    for (path, status) in [("/plain", 200), ("/nowhere", 404), ("/plain?x=1", 422), ("/%2e%2e/plain", 400)] {
        let request = Request::get(format!("http://x{path}")).body(Full::new(Bytes::new())).unwrap();
        assert_eq!(sender.send_request(request).await.unwrap().status(), status, "{path}");
    }
    assert_eq!(gate.events(4).await.len(), 4);
    assert_eq!(upstream.seen().len(), 1);
    assert_eq!(Caller::of(gate.address()).get("/plain").await.status, 200, "h1 on the same port");
}
