//! A client: one kept connection over cleartext HTTP/1.1, or raw bytes.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderMap, Method, Request};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// Calls one address.
pub struct Caller {
    address: SocketAddr,
    headers: Vec<(String, String)>,
    connection: Option<SendRequest<Full<Bytes>>>,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The header fields.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

impl Answer {
    /// A header field as text; empty when absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|it| it.to_str().ok()).unwrap_or_default()
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {:?}", self.body))
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The reference id of a refusal: `instance` of the problem document without its `urn:uuid:`.
    pub fn reference(&self) -> String {
        let instance = self.json()["instance"].as_str().unwrap_or_default().to_owned();
        instance
            .strip_prefix("urn:uuid:")
            .unwrap_or_else(|| panic!("no reference in {}", self.text()))
            .to_owned()
    }
}

impl Caller {
    /// A client of this address.
    pub fn of(address: SocketAddr) -> Self {
        Self { address, headers: Vec::new(), connection: None }
    }

    /// Sends this header field with every call.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// `GET`.
    pub async fn get(&mut self, target: &str) -> Answer {
        self.call(Method::GET, target, &[], "").await
    }

    /// Sends JSON.
    pub async fn send(&mut self, method: Method, target: &str, body: &str) -> Answer {
        self.call(method, target, &[("content-type", "application/json")], body.to_owned()).await
    }

    /// Any call.
    pub async fn call(
        &mut self,
        method: Method,
        target: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        self.try_call(method, target, headers, body).await.expect("the call gets an answer")
    }

    /// Any call, whose connection may fail.
    pub async fn try_call(
        &mut self,
        method: Method,
        target: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Result<Answer, hyper::Error> {
        let mut sender = match self.connection.take().filter(|it| !it.is_closed()) {
            Some(sender) => sender,
            None => {
                let stream = TcpStream::connect(self.address).await.expect("the address accepts connections");
                let (sender, driver) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
                tokio::spawn(driver.with_upgrades());
                sender
            }
        };
        sender.ready().await?;
        let mut request = Request::builder().method(method).uri(target);
        let own_host = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host"))
            || self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host"));
        if !own_host {
            request = request.header("host", self.address.to_string());
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = sender.send_request(request.body(Full::new(body.into())).expect("a request")).await?;
        let (head, body) = response.into_parts();
        let body = body.collect().await?.to_bytes();
        self.connection = Some(sender);
        Ok(Answer { status: head.status.as_u16(), headers: head.headers, body })
    }

    /// Sends bytes over a fresh connection and returns all that comes until the other side closes.
    pub async fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address).await.expect("the address accepts connections");
        stream.write_all(bytes).await.expect("bytes can be sent");
        let mut answer = Vec::new();
        // A reset after the answer is fine: the answer is what counts.
        let _reset = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    }
}
