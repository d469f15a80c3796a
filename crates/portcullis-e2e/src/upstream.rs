//! A server behind the gate that writes down what reaches it.

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http::{HeaderMap, Method, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::{net::TcpListener, task::JoinHandle};

/// A request as it reached the upstream.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// The method.
    pub method: Method,
    /// The request target.
    pub target: String,
    /// The header fields.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

/// A running upstream. Stopped when dropped.
pub struct Upstream {
    /// Where it listens.
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<Recorded>>>,
    server: JoinHandle<()>,
}

impl Upstream {
    /// Answers each request as `answer` says.
    pub async fn answering<F>(answer: F) -> Self
    where
        F: Fn(&Recorded) -> Response<Full<Bytes>> + Send + Sync + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let seen: Arc<Mutex<Vec<Recorded>>> = Arc::default();
        let answer = Arc::new(answer);
        let server = tokio::spawn({
            let seen = Arc::clone(&seen);
            async move {
                loop {
                    let (stream, _) = listener.accept().await.expect("connections can be accepted");
                    let (seen, answer) = (Arc::clone(&seen), Arc::clone(&answer));
                    let service = service_fn(move |request: http::Request<hyper::body::Incoming>| {
                        let (seen, answer) = (Arc::clone(&seen), Arc::clone(&answer));
                        async move {
                            let (head, body) = request.into_parts();
                            let body = body.collect().await.map(|it| it.to_bytes()).unwrap_or_default();
                            let target =
                                head.uri.path_and_query().map(|it| it.to_string()).unwrap_or_default();
                            let recorded =
                                Recorded { method: head.method, target, headers: head.headers, body };
                            let response = answer(&recorded);
                            seen.lock().expect("no test panicked here").push(recorded);
                            Ok::<_, Infallible>(response)
                        }
                    });
                    tokio::spawn(
                        hyper::server::conn::http1::Builder::new()
                            .serve_connection(TokioIo::new(stream), service),
                    );
                }
            }
        });
        Self { address, seen, server }
    }

    /// Answers everything with 200 and `{"ok":true}`.
    pub async fn agreeable() -> Self {
        Self::answering(|_| text(200, "application/json", r#"{"ok":true}"#)).await
    }

    /// `http://ADDRESS`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many requests reached it so far.
    pub fn seen_count(&self) -> usize {
        self.seen.lock().expect("no test panicked here").len()
    }

    /// What reached it after the first `count` requests.
    pub fn seen_from(&self, count: usize) -> Vec<Recorded> {
        self.seen.lock().expect("no test panicked here").iter().skip(count).cloned().collect()
    }

    /// Everything that reached it so far.
    pub fn seen(&self) -> Vec<Recorded> {
        self.seen.lock().expect("no test panicked here").clone()
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// An answer of this status, media type and body.
pub fn text(status: u16, media_type: &str, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    Response::builder()
        .status(status)
        .header("content-type", media_type)
        .body(Full::new(body.into()))
        .expect("an answer")
}
