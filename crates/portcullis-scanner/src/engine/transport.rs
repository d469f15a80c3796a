//! Sends what was composed, and bounds everything that comes back: bytes, header fields, time. Never follows a redirect.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use http::{HeaderName, HeaderValue};
use http_body_util::{BodyExt as _, Full};
use hyper::{
    body::Incoming,
    client::conn::{http1, http2},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{net::TcpStream, time::Instant};

use super::hosts::Base;
use crate::wire::{Received, Request};

/// What bounds one exchange.
#[derive(Clone, Copy, Debug)]
pub struct TransportLimits {
    /// From connecting to the last byte.
    pub timeout: Duration,
    /// Bytes of an answer's body that are kept; the rest is not read.
    pub body_bytes_max: usize,
}

impl Default for TransportLimits {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(10), body_bytes_max: 1 << 20 }
    }
}

/// The way to one host.
pub(super) struct Transport {
    base: Base,
    limits: TransportLimits,
    tls: Option<Arc<rustls::ClientConfig>>,
    address: Option<SocketAddr>,
    idle: Option<http1::SendRequest<Full<Bytes>>>,
    multiplexed: Option<http2::SendRequest<Full<Bytes>>>,
}

/// A connection of either kind of protocol.
trait Stream: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send {}
impl<T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send> Stream for T {}

impl Transport {
    /// A way to this host, whose certificate is judged by these roots where it speaks TLS.
    pub(super) fn new(base: Base, limits: TransportLimits, tls: Option<Arc<rustls::ClientConfig>>) -> Self {
        Self { base, limits, tls, address: None, idle: None, multiplexed: None }
    }

    /// Sends one request. What goes wrong is the answer's fault, never an error of ours.
    pub(super) async fn send(&mut self, request: &Request) -> Received {
        let begun = Instant::now();
        let mut received = self.attempt(request, begun).await;
        // A kept connection may have been closed meanwhile; one more try on a new one tells. Nothing of an answer was
        // seen, so that a target which is silent on purpose is asked twice at most.
        if received.fault.as_deref() == Some(STALE) {
            self.idle = None;
            self.multiplexed = None;
            received = self.attempt(request, begun).await;
        }
        received
    }

    /// Sends requests at the same time: every one on a connection of its own, opened before the first is written.
    pub(super) async fn send_together(&mut self, requests: &[Arc<Request>]) -> Vec<Received> {
        let mut ways = Vec::with_capacity(requests.len());
        for _ in requests {
            let mut way = Self::new(self.base.clone(), self.limits, self.tls.clone());
            way.address = self.address;
            let _ = way.connect().await;
            ways.push(way);
        }
        let mut tasks = Vec::with_capacity(requests.len());
        for (mut way, request) in ways.into_iter().zip(requests) {
            let request = Arc::clone(request);
            tasks.push(tokio::spawn(async move { way.send(&request).await }));
        }
        let mut all = Vec::with_capacity(tasks.len());
        for task in tasks {
            all.push(task.await.unwrap_or_else(|_| failed("the sending task ended", Instant::now())));
        }
        all
    }

    async fn attempt(&mut self, request: &Request, begun: Instant) -> Received {
        let limit = self.limits.timeout;
        match tokio::time::timeout(limit, self.exchange(request, begun)).await {
            Ok(received) => received,
            Err(_) => {
                self.idle = None;
                self.multiplexed = None;
                failed(format!("no answer within {limit:?}"), begun)
            }
        }
    }

    async fn exchange(&mut self, request: &Request, begun: Instant) -> Received {
        let composed = match self.composed(request) {
            Ok(composed) => composed,
            Err(why) => return failed(why, begun),
        };
        let kept = if request.http2 { self.multiplexed.is_some() } else { self.idle.is_some() };
        let sent =
            if request.http2 { self.over_http2(composed).await } else { self.over_http1(composed).await };
        match sent {
            Ok(answer) => self.receive(answer, begun).await,
            Err(_) if kept => failed(STALE, begun),
            Err(why) => failed(why, begun),
        }
    }

    async fn over_http1(
        &mut self,
        request: http::Request<Full<Bytes>>,
    ) -> Result<http::Response<Incoming>, String> {
        if self.idle.as_ref().is_none_or(http1::SendRequest::is_closed) {
            self.connect().await?;
        }
        let Some(sender) = self.idle.as_mut() else { return Err("no connection".to_owned()) };
        sender.ready().await.map_err(|error| told(&error))?;
        sender.send_request(request).await.map_err(|error| told(&error))
    }

    async fn over_http2(
        &mut self,
        request: http::Request<Full<Bytes>>,
    ) -> Result<http::Response<Incoming>, String> {
        if self.multiplexed.as_ref().is_none_or(http2::SendRequest::is_closed) {
            let stream = self.stream(true).await?;
            let (sender, connection) = http2::Builder::new(TokioExecutor::new())
                .max_header_list_size(64 << 10)
                .handshake(TokioIo::new(stream))
                .await
                .map_err(|error| told(&error))?;
            tokio::spawn(connection);
            self.multiplexed = Some(sender);
        }
        let Some(sender) = self.multiplexed.as_mut() else { return Err("no connection".to_owned()) };
        sender.ready().await.map_err(|error| told(&error))?;
        sender.send_request(request).await.map_err(|error| told(&error))
    }

    async fn connect(&mut self) -> Result<(), String> {
        let stream = self.stream(false).await?;
        let (sender, connection) = http1::Builder::new()
            .max_buf_size(256 << 10)
            .max_headers(256)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| told(&error))?;
        tokio::spawn(connection);
        self.idle = Some(sender);
        Ok(())
    }

    async fn stream(&mut self, http2: bool) -> Result<Box<dyn Stream>, String> {
        let address = match self.address {
            Some(address) => address,
            None => {
                let host = (self.base.host.as_str(), self.base.port);
                let mut found = tokio::net::lookup_host(host).await.map_err(|error| error.to_string())?;
                let address = found.next().ok_or_else(|| format!("`{}` has no address", self.base.host))?;
                // The address is looked up once: a name that later points elsewhere does not lead the scan away.
                *self.address.insert(address)
            }
        };
        let socket = TcpStream::connect(address).await.map_err(|error| format!("cannot connect: {error}"))?;
        socket.set_nodelay(true).map_err(|error| error.to_string())?;
        let Some(tls) = self.tls.as_ref().filter(|_| self.base.secure) else { return Ok(Box::new(socket)) };
        let mut config = (**tls).clone();
        config.alpn_protocols = vec![if http2 { b"h2".to_vec() } else { b"http/1.1".to_vec() }];
        let name = rustls::pki_types::ServerName::try_from(self.base.host.clone())
            .map_err(|_| format!("`{}` is no name for TLS", self.base.host))?;
        let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
        let stream = connector.connect(name, socket).await.map_err(|error| format!("TLS: {error}"))?;
        Ok(Box::new(stream))
    }

    fn composed(&self, request: &Request) -> Result<http::Request<Full<Bytes>>, String> {
        let target = if request.http2 {
            format!("{}{}", self.base.origin(), request.target)
        } else {
            request.target.clone()
        };
        let mut composed = http::Request::builder().method(request.method.as_str()).uri(target);
        let mut has_host = request.http2;
        for (name, value) in &request.headers {
            let field = HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| format!("`{name}` is no header field"))?;
            let value = HeaderValue::from_bytes(value.as_bytes())
                .map_err(|_| format!("the value of `{name}` cannot stand in a header field"))?;
            has_host |= field == http::header::HOST;
            composed = composed.header(field, value);
        }
        if !has_host {
            composed = composed.header(http::header::HOST, self.base.authority());
        }
        composed.body(Full::new(request.body.clone())).map_err(|error| error.to_string())
    }

    async fn receive(&mut self, answer: http::Response<Incoming>, begun: Instant) -> Received {
        let (head, mut body) = answer.into_parts();
        let mut headers: Vec<(String, String)> = text_of(&head.headers);
        let mut bytes = BytesMut::new();
        let (mut truncated, mut fault) = (false, None);
        while let Some(frame) = body.frame().await {
            match frame {
                Ok(frame) => match frame.into_data() {
                    Ok(data) => {
                        let room = self.limits.body_bytes_max.saturating_sub(bytes.len());
                        bytes.extend_from_slice(data.get(..data.len().min(room)).unwrap_or_default());
                        if data.len() > room {
                            truncated = true;
                            // What follows is not read: the connection is given up.
                            self.idle = None;
                            break;
                        }
                    }
                    Err(frame) => {
                        if let Ok(trailers) = frame.into_trailers() {
                            headers.extend(text_of(&trailers));
                        }
                    }
                },
                Err(error) => {
                    fault = Some(format!("the answer broke off: {}", told(&error)));
                    self.idle = None;
                    break;
                }
            }
        }
        let micros = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        Received { status: head.status.as_u16(), headers, body: bytes.freeze(), truncated, micros, fault }
    }
}

/// The fault of a kept connection that was closed before anything of an answer came.
const STALE: &str = "the kept connection was closed";

fn failed(why: impl Into<String>, begun: Instant) -> Received {
    let micros = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
    Received { micros, fault: Some(why.into()), ..Received::default() }
}

fn text_of(headers: &http::HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        })
        .collect()
}

/// An error with its causes, once each.
fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}
