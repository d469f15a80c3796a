//! The gRPC side: one service over HTTP/2 without TLS, and reflection in both its versions.

mod descriptor;
mod reflection;
mod warehouse;
mod wire;

use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Response};
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame, Incoming};
use hyper_util::rt::{TokioExecutor, TokioIo};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use tokio::{net::TcpListener, sync::mpsc};

pub(crate) use self::descriptor::set as descriptor_set;
use crate::{app::App, weakness::Weakness as W};

/// Messages that a careful service takes, in bytes.
const MESSAGE_MAX: usize = 256 << 10;

/// Messages that even the careless twin takes, in bytes.
const MESSAGE_CARELESS_MAX: usize = 8 << 20;

/// Messages of one stream.
const MESSAGES_MAX: usize = 1_000;

/// Connections at once.
const CONNECTIONS_MAX: usize = 256;

const MESSAGE_ESCAPES: &AsciiSet = &CONTROLS.add(b'%');

/// A status that is not OK: its code and text.
pub(crate) type Status = (u32, String);

/// An answer's body, as it is made.
struct Frames(mpsc::Receiver<Frame<Bytes>>);

impl Body for Frames {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(cx).map(|it| it.map(Ok))
    }
}

/// Accepts connections until the task is dropped.
pub(crate) async fn accept(listener: TcpListener, app: Arc<App>) {
    let permits = Arc::new(tokio::sync::Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else { continue };
        let app = Arc::clone(&app);
        tokio::spawn(async move {
            let service = hyper::service::service_fn(move |request| {
                let answer = begin(Arc::clone(&app), request);
                async move { Ok::<_, Infallible>(answer) }
            });
            let _ = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                .max_concurrent_streams(100)
                .serve_connection(TokioIo::new(stream), service)
                .await;
            drop(permit);
        });
    }
}

/// Answers the head at once; messages and trailers follow.
fn begin(app: Arc<App>, request: http::Request<Incoming>) -> Response<Frames> {
    let (sender, receiver) = mpsc::channel(8);
    let mut response = Response::new(Frames(receiver));
    let media_type = request.headers().get("content-type").and_then(|it| it.to_str().ok());
    if !media_type.is_some_and(|it| it.starts_with("application/grpc")) {
        *response.status_mut() = http::StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return response;
    }
    response.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
    tokio::spawn(async move {
        let (head, body) = request.into_parts();
        let (code, text) = match run(&app, &head, body, &sender).await {
            Ok(()) => (0, String::new()),
            Err(status) => status,
        };
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", HeaderValue::from(code));
        if let Ok(text) = HeaderValue::from_str(&utf8_percent_encode(&text, MESSAGE_ESCAPES).to_string())
            && !text.is_empty()
        {
            trailers.insert("grpc-message", text);
        }
        // A client that is gone needs no status.
        let _ = sender.send(Frame::trailers(trailers)).await;
    });
    response
}

async fn run(
    app: &Arc<App>,
    head: &http::request::Parts,
    body: Incoming,
    sender: &mpsc::Sender<Frame<Bytes>>,
) -> Result<(), Status> {
    let bytes_max = if app.weaknesses.contains(W::GrpcOversize) { MESSAGE_CARELESS_MAX } else { MESSAGE_MAX };
    let mut messages = Messages { body, buffer: BytesMut::new(), bytes_max };
    let path = head.uri.path();
    if let Some(version) = reflection::version(path) {
        if !app.weaknesses.contains(W::GrpcReflection) {
            return Err((12, "unknown service".to_owned()));
        }
        for _ in 0..MESSAGES_MAX {
            let Some(message) = messages.next().await? else { return Ok(()) };
            let answer = reflection::answer(&message, version);
            if sender.send(framed(&answer)).await.is_err() {
                return Ok(());
            }
        }
        return Err((8, "too many messages".to_owned()));
    }
    let method = warehouse::admit(app, head).await?;
    let message = messages.next().await?.ok_or((3, "a message is missing".to_owned()))?;
    let who = method.who.clone();
    let app = Arc::clone(app);
    let answer = tokio::task::spawn_blocking(move || warehouse::call(&app, method.name, who, &message)).await;
    let answer = answer.map_err(|_| (13, "the handler ended early".to_owned()))??;
    let _ = sender.send(framed(&answer)).await;
    Ok(())
}

/// A message with its prefix: not compressed, and so long.
fn framed(message: &[u8]) -> Frame<Bytes> {
    let mut out = BytesMut::with_capacity(message.len() + 5);
    out.put_u8(0);
    out.put_u32(u32::try_from(message.len()).unwrap_or_default());
    out.put_slice(message);
    Frame::data(out.freeze())
}

/// Messages out of a body.
struct Messages {
    body: Incoming,
    buffer: BytesMut,
    bytes_max: usize,
}

impl Messages {
    /// The next one; none at the end.
    async fn next(&mut self) -> Result<Option<Bytes>, Status> {
        loop {
            if let Some(prefix) = self.buffer.first_chunk::<5>() {
                let [compressed, a, b, c, d] = *prefix;
                let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
                if length > self.bytes_max {
                    return Err((8, format!("a message has at most {} bytes", self.bytes_max)));
                }
                if compressed != 0 {
                    return Err((12, "compressed messages are not read here".to_owned()));
                }
                if self.buffer.len() >= length + 5 {
                    self.buffer.advance(5);
                    return Ok(Some(self.buffer.split_to(length).freeze()));
                }
            }
            match self.body.frame().await {
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.buffer.extend_from_slice(&data);
                    }
                }
                Some(Err(_)) => return Err((1, "the call was given up".to_owned())),
                None if self.buffer.is_empty() => return Ok(None),
                None => return Err((3, "the last message is not whole".to_owned())),
            }
        }
    }
}
