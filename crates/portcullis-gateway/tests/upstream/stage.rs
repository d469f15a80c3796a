//! Scripted servers and short ways to call them.

use std::{
    future::Future,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, Method, Request};
use http_body_util::BodyExt;
use portcullis_core::clock::Entropy;
use portcullis_gateway::upstream::{
    Answer, AnswerBody, CallOptions, CutOff, Failure, OutBody, Scheme, ServerSettings, Upstream,
    UpstreamSettings,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

pub(crate) struct Seed;

impl Entropy for Seed {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(7);
    }
}

/// A server whose script is run for each connection, with the connection's number.
pub(crate) async fn serve<F, Fut>(script: F) -> SocketAddr
where
    F: Fn(usize, TcpStream) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        let next = AtomicUsize::new(0);
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(script(next.fetch_add(1, Ordering::SeqCst), stream));
        }
    });
    address
}

/// A server that answers every request on every connection with this text, and counts.
pub(crate) async fn serve_text(answer: &'static str) -> (SocketAddr, Arc<Counts>) {
    let counts = Arc::new(Counts::default());
    let seen = Arc::clone(&counts);
    let address = serve(move |_, mut stream| {
        let seen = Arc::clone(&seen);
        async move {
            seen.connections.fetch_add(1, Ordering::SeqCst);
            while read_request(&mut stream).await.is_some() {
                seen.requests.fetch_add(1, Ordering::SeqCst);
                if stream.write_all(answer.as_bytes()).await.is_err() {
                    return;
                }
            }
        }
    })
    .await;
    (address, counts)
}

#[derive(Default)]
pub(crate) struct Counts {
    connections: AtomicUsize,
    requests: AtomicUsize,
}

impl Counts {
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

pub(crate) const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// Reads one request with the body its `Content-Length` announces.
pub(crate) async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut text = Vec::new();
    let mut byte = [0];
    while !text.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).await.ok()? == 0 {
            return None;
        }
        text.push(byte[0]);
    }
    let head = String::from_utf8(text).expect("requests are text");
    let length = head
        .lines()
        .find_map(|line| {
            line.to_ascii_lowercase().strip_prefix("content-length:").map(|it| it.trim().to_owned())
        })
        .map_or(0, |it| it.parse::<usize>().expect("a length"));
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(head + &String::from_utf8(body).expect("bodies are text"))
}

pub(crate) fn server(address: SocketAddr) -> ServerSettings {
    ServerSettings {
        scheme: Scheme::Http,
        host: address.ip().to_string().into(),
        port: address.port(),
        weight: 1,
        base_path: "".into(),
    }
}

/// An upstream without ejection and without waits between retries.
pub(crate) fn settings(servers: &[SocketAddr]) -> UpstreamSettings {
    let mut settings = UpstreamSettings::new("shop", servers.iter().copied().map(server).collect());
    settings.ejection = None;
    settings.retry.attempts = 0;
    settings.retry.backoff_min = Duration::from_millis(1);
    settings.retry.backoff_max = Duration::from_millis(1);
    settings
}

pub(crate) fn build(settings: UpstreamSettings) -> Arc<Upstream> {
    Upstream::new(settings, 1, &Seed).expect("usable settings")
}

pub(crate) fn request(method: Method, path: &str) -> http::request::Parts {
    Request::builder().method(method).uri(path).body(()).expect("a request").into_parts().0
}

pub(crate) async fn get(upstream: &Upstream, path: &str) -> Result<Answer, Failure> {
    upstream.call(request(Method::GET, path), OutBody::Empty, &CallOptions::default()).await
}

pub(crate) async fn post(upstream: &Upstream, body: &'static str) -> Result<Answer, Failure> {
    let body = OutBody::Whole(Bytes::from_static(body.as_bytes()));
    upstream.call(request(Method::POST, "/"), body, &CallOptions::default()).await
}

/// Calls and reads the whole answer, so that the connection can be used again.
pub(crate) async fn get_text(upstream: &Upstream, path: &str) -> String {
    let answer = get(upstream, path).await.expect("an answer");
    text(answer.response.into_body()).await.expect("a whole body").0
}

pub(crate) async fn text(mut body: AnswerBody) -> Result<(String, HeaderMap), CutOff> {
    let mut bytes = Vec::new();
    let mut trailers = HeaderMap::new();
    while let Some(frame) = body.frame().await {
        match frame?.into_data() {
            Ok(data) => bytes.extend_from_slice(&data),
            Err(frame) => trailers = frame.into_trailers().expect("data or trailers"),
        }
    }
    Ok((String::from_utf8(bytes).expect("bodies are text"), trailers))
}

/// A port on which nobody listens.
pub(crate) async fn dead() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    listener.local_addr().expect("an address")
}
