//! What goes over the wire, and what comes back.

mod draft;
mod graphql;
pub(crate) mod grpc;
mod meaning;
mod rest;
pub(crate) mod soap;

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    call::Call,
    identity::Session,
    model::{Model, Operation, Wire},
};

/// A composed request. Everything is bytes and text as it is sent; the host is the scan's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: String,
    /// Path and query, percent-encoded.
    pub target: String,
    /// Header fields in order, names lower case; `host` and `content-length` are the sender's.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
    /// Whether it needs HTTP/2 (gRPC).
    pub http2: bool,
}

/// What came back.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// What was sent to get it.
    pub request: Arc<Request>,
    /// The status; 0 where none came.
    pub status: u16,
    /// Header fields in order, names lower case; trailers behind them.
    pub headers: Vec<(String, String)>,
    /// The body, taken out of its content coding, cut at the scan's bound.
    pub body: Bytes,
    /// Whether the body was cut.
    pub truncated: bool,
    /// The body as JSON where it is, or as the wire decodes it: GraphQL's `data`, a message, a SOAP body.
    pub json: Option<Value>,
    /// What it means, whatever the protocol says it by.
    pub outcome: Outcome,
    /// From the first byte written to the last read, in microseconds; never part of a fingerprint.
    pub micros: u64,
    /// Why there is no answer.
    pub fault: Option<String>,
}

/// What an answer means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was done (2xx without errors of the protocol above).
    Done,
    /// It points elsewhere (3xx).
    Elsewhere,
    /// The caller must prove who it is (401, `UNAUTHENTICATED`, a fault that says so).
    Unauthenticated,
    /// The caller may not (403, `PERMISSION_DENIED`).
    Forbidden,
    /// There is no such thing (404, 410, `NOT_FOUND`).
    Absent,
    /// There is no such method or operation (405, 501, `UNIMPLEMENTED`).
    NotOffered,
    /// The call is wrong (other 4xx, `INVALID_ARGUMENT`, a GraphQL validation error, a client's SOAP fault).
    Refused,
    /// Too much of it (429, `RESOURCE_EXHAUSTED`).
    Limited,
    /// The server failed (5xx, `INTERNAL`, a server's SOAP fault).
    Broken,
    /// No answer came, or none that can be read.
    Unreached,
}

impl Answer {
    /// The first header field of that name (lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// The body as text, invalid UTF-8 replaced.
    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }

    /// Whether the text stands anywhere in body or header values.
    pub fn holds(&self, text: &str) -> bool {
        !text.is_empty()
            && (memchr::memmem::find(&self.body, text.as_bytes()).is_some()
                || self.headers.iter().any(|(_, value)| value.contains(text)))
    }

    /// The media type, lower case, without parameters.
    pub fn media(&self) -> String {
        let field = self.header("content-type").unwrap_or_default();
        field.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    /// Whether it was done.
    pub fn done(&self) -> bool {
        self.outcome == Outcome::Done
    }

    /// Whether the caller was turned away: unauthenticated, forbidden, or told there is nothing.
    pub fn denied(&self) -> bool {
        matches!(self.outcome, Outcome::Unauthenticated | Outcome::Forbidden | Outcome::Absent)
    }
}

impl Outcome {
    /// What a status alone says (RFC 9110 §15).
    pub const fn of_status(status: u16) -> Self {
        match status {
            200..=299 => Self::Done,
            300..=399 => Self::Elsewhere,
            401 => Self::Unauthenticated,
            403 => Self::Forbidden,
            404 | 410 => Self::Absent,
            405 | 501 => Self::NotOffered,
            429 => Self::Limited,
            400..=499 => Self::Refused,
            500..=599 => Self::Broken,
            _ => Self::Unreached,
        }
    }
}

/// What the sender received, before the wire says what it means.
#[derive(Clone, Debug, Default)]
pub struct Received {
    /// The status; 0 where none came.
    pub status: u16,
    /// Header fields in order, names lower case; trailers behind them.
    pub headers: Vec<(String, String)>,
    /// The body, content coding taken off, cut at the scan's bound.
    pub body: Bytes,
    /// Whether the body was cut.
    pub truncated: bool,
    /// From the first byte written to the last read, in microseconds.
    pub micros: u64,
    /// Why there is no answer.
    pub fault: Option<String>,
}

/// A call that cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Uncomposable {
    /// The operation is not in the model.
    #[error("no such operation")]
    UnknownOperation,
    /// A path parameter has no value.
    #[error("path parameter `{0}` has no value")]
    MissingPathValue(String),
    /// The value cannot be written in the media type or message.
    #[error("{0}")]
    Value(String),
}

/// Composes the bytes of a call with what its caller presents.
///
/// # Errors
/// The call lacks something without which there is nothing to send.
pub fn compose(model: &Model, call: &Call, session: &Session) -> Result<Request, Uncomposable> {
    let Some(operation) = called(model, call) else { return rest::compose(model, call, session) };
    match &operation.wire {
        Wire::Rest { .. } => rest::compose(model, call, session),
        wire @ Wire::GraphQl { .. } => graphql::compose(wire, call, session),
        wire @ Wire::Grpc { .. } => grpc::compose(wire, call, session),
        Wire::Soap { .. } => soap::compose(model, operation, call, session),
    }
}

/// Says what an answer means.
pub fn read(model: &Model, call: &Call, request: Arc<Request>, received: Received) -> Answer {
    let Some(operation) = called(model, call) else { return rest::read(model, call, request, received) };
    match &operation.wire {
        Wire::Rest { .. } => rest::read(model, call, request, received),
        wire @ Wire::GraphQl { .. } => graphql::read(wire, request, received),
        wire @ Wire::Grpc { .. } => grpc::read(wire, request, received),
        Wire::Soap { .. } => soap::read(model, operation, request, received),
    }
}

/// The operation of a call; `None` for a bare one, and for one whose operation is not in the model.
fn called<'m>(model: &'m Model, call: &Call) -> Option<&'m Operation> {
    model.operation(call.operation?)
}
