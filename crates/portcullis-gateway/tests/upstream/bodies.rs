//! Requests on their way: bodies, targets, hosts.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderValue, Method};
use http_body::{Body, Frame};
use portcullis_core::event::UpstreamFault;
use portcullis_gateway::upstream::{BoxError, CallOptions, OutBody, Side};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::mpsc,
};

use crate::stage::{OK, build, post, read_request, request, serve, settings, text};

/// A server that answers with the request it got.
async fn echo() -> std::net::SocketAddr {
    serve(|_, mut stream| async move {
        while let Some(request) = read_request(&mut stream).await {
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{request}", request.len());
            stream.write_all(answer.as_bytes()).await.expect("an open connection");
        }
    })
    .await
}

struct Fed(mpsc::Receiver<Result<Bytes, BoxError>>);

impl Body for Fed {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.0.poll_recv(cx).map(|it| it.map(|it| it.map(Frame::data)))
    }
}

#[tokio::test]
async fn asks_for_the_path_behind_the_base_path_with_the_given_host() {
    let mut settings = settings(&[echo().await]);
    settings.servers[0].base_path = "/v1".into();
    let upstream = build(settings);
    let mut head = request(Method::GET, "/users?id=7");
    head.headers.insert("host", HeaderValue::from_static("api.example.com"));
    let answer = upstream.call(head, OutBody::Empty, &CallOptions::default()).await.expect("an answer");
    let (seen, _) = text(answer.response.into_body()).await.expect("a whole body");
    assert!(seen.starts_with("GET /v1/users?id=7 HTTP/1.1\r\n"), "{seen}");
    assert!(seen.contains("host: api.example.com\r\n"), "{seen}");
}

#[tokio::test]
async fn names_the_server_where_no_host_is_given_and_uses_origin_form() {
    let address = echo().await;
    let upstream = build(settings(&[address]));
    let head = request(Method::GET, "http://elsewhere.example/users");
    let answer = upstream.call(head, OutBody::Empty, &CallOptions::default()).await.expect("an answer");
    let (seen, _) = text(answer.response.into_body()).await.expect("a whole body");
    assert!(seen.starts_with("GET /users HTTP/1.1\r\n"), "{seen}");
    assert!(seen.contains(&format!("host: {address}\r\n")), "{seen}");
}

#[tokio::test]
async fn sends_a_whole_body_with_its_length() {
    let upstream = build(settings(&[echo().await]));
    let answer = post(&upstream, r#"{"id":7}"#).await.expect("an answer");
    let (seen, _) = text(answer.response.into_body()).await.expect("a whole body");
    assert!(seen.contains("content-length: 8\r\n"), "{seen}");
    assert!(seen.ends_with(r#"{"id":7}"#), "{seen}");
}

#[tokio::test]
async fn streams_a_body_as_it_comes() {
    let (arrived, mut arrivals) = mpsc::channel(8);
    let address = serve(move |_, mut stream| {
        let arrived = arrived.clone();
        async move {
            let mut bytes = Vec::new();
            while !bytes.ends_with(b"0\r\n\r\n") {
                let before = bytes.len();
                if stream.read_buf(&mut bytes).await.expect("readable") == 0 {
                    return;
                }
                let new = String::from_utf8_lossy(&bytes[before..]).into_owned();
                let _ = arrived.send(new).await;
            }
            stream.write_all(OK.as_bytes()).await.expect("an open connection");
        }
    })
    .await;
    let upstream = build(settings(&[address]));
    let (feed, body) = mpsc::channel(1);
    let call = tokio::spawn(async move {
        let body = OutBody::Stream(Box::pin(Fed(body)));
        upstream
            .call(request(Method::POST, "/"), body, &CallOptions::default())
            .await
            .map(|it| it.response.status())
    });
    let mut seen = String::new();
    for part in ["first", "second"] {
        feed.send(Ok(Bytes::from_static(part.as_bytes()))).await.expect("a listener");
        while !seen.contains(part) {
            seen += &arrivals.recv().await.expect("the part arrives before the next is sent");
        }
    }
    drop(feed);
    assert_eq!(call.await.expect("no panic").expect("an answer"), 200);
}

#[tokio::test]
async fn a_request_body_that_fails_is_not_held_against_the_server() {
    let address = echo().await;
    let upstream = build(settings(&[address]));
    let (feed, body) = mpsc::channel(2);
    feed.send(Ok(Bytes::from_static(b"half"))).await.expect("room");
    feed.send(Err("the client left".into())).await.expect("room");
    let body = OutBody::Stream(Box::pin(Fed(body)));
    let failure = upstream
        .call(request(Method::POST, "/"), body, &CallOptions::default())
        .await
        .expect_err("half a request");
    assert_eq!(failure.side, Side::RequestBody);
    assert_eq!(upstream.status()[0].failed, 0);
}

#[tokio::test]
async fn a_slow_upload_is_not_a_slow_server() {
    let address = serve(|_, mut stream| async move {
        let mut bytes = Vec::new();
        while !bytes.ends_with(b"0\r\n\r\n") {
            stream.read_buf(&mut bytes).await.expect("readable");
        }
        stream.write_all(OK.as_bytes()).await.expect("an open connection");
    })
    .await;
    let mut settings = settings(&[address]);
    settings.timeouts.response_head = Some(Duration::from_millis(40));
    let upstream = build(settings);
    let (feed, body) = mpsc::channel(1);
    let call = tokio::spawn(async move {
        let body = OutBody::Stream(Box::pin(Fed(body)));
        upstream
            .call(request(Method::POST, "/"), body, &CallOptions::default())
            .await
            .map(|it| it.response.status())
    });
    let mut tick = tokio::time::interval(Duration::from_millis(20));
    for _ in 0..6 {
        tick.tick().await;
        feed.send(Ok(Bytes::from_static(b"x"))).await.expect("a listener");
    }
    drop(feed);
    assert_eq!(call.await.expect("no panic").expect("an answer"), 200);
}

#[tokio::test]
async fn a_server_that_stops_reading_is_a_timeout() {
    let address = serve(|_, stream| async move {
        let _stream = stream;
        std::future::pending::<()>().await;
    })
    .await;
    let mut settings = settings(&[address]);
    settings.timeouts.response_head = Some(Duration::from_millis(50));
    let upstream = build(settings);
    let (feed, body) = mpsc::channel(1);
    tokio::spawn(async move { while feed.send(Ok(Bytes::from_static(&[b'x'; 65536]))).await.is_ok() {} });
    let body = OutBody::Stream(Box::pin(Fed(body)));
    let failure = upstream
        .call(request(Method::POST, "/"), body, &CallOptions::default())
        .await
        .expect_err("nobody reads");
    assert_eq!((failure.fault, failure.side), (UpstreamFault::Timeout, Side::Upstream));
}
