//! One request and its response, as the guards see them.

use std::{any::Any, net::IpAddr, net::SocketAddr, ops::Range, sync::Arc};

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, Version};
use smallvec::SmallVec;

use crate::{
    clock::Timestamp,
    id::ReferenceId,
    limit::{LimitState, Permit},
    principal::Principal,
    verdict::Reason,
};

/// Everything known about an exchange. Messages are read-only to guards; notes are what they leave to one another.
pub struct Context {
    /// One reading of the clock for the whole request side.
    pub now: Timestamp,
    /// What a refusal is called, by client and operator alike.
    pub reference: ReferenceId,
    /// The connection it came over.
    pub client: Client,
    /// The operation it was routed to; `None` while unknown.
    pub operation: Option<Arc<Operation>>,
    /// The request.
    pub request: Request,
    /// The upstream's answer, once its head is known.
    pub response: Option<Response>,
    /// Facts established on the way.
    pub notes: Notes,
}

/// Where the request came from.
#[derive(Clone, Debug)]
pub struct Client {
    /// The name of the listener that accepted the connection.
    pub listener: Arc<str>,
    /// The other end of the connection.
    pub peer: SocketAddr,
    /// The client's address: the peer's, or what a trusted proxy says.
    pub ip: IpAddr,
    /// The TLS session, `None` over cleartext.
    pub tls: Option<Arc<TlsSession>>,
}

/// What TLS established about a connection.
#[derive(Clone, Debug, Default)]
pub struct TlsSession {
    /// The server name the client asked for (RFC 6066 §3), lower case.
    pub server_name: Option<Box<str>>,
    /// The verified client certificate, where one was presented.
    pub client_certificate: Option<ClientCertificate>,
}

/// The fields of a verified client certificate (RFC 5280) that identity can be taken from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientCertificate {
    /// SHA-256 of the DER form, lower-case hexadecimal (RFC 8705 `x5t#S256` before its encoding).
    pub fingerprint: Box<str>,
    /// The subject as RFC 4514 text.
    pub subject: Box<str>,
    /// The subject's common name.
    pub common_name: Option<Box<str>>,
    /// The subject's organisation.
    pub organisation: Option<Box<str>>,
    /// URIs in the subject alternative name (SPIFFE ids among them).
    pub san_uris: Vec<Box<str>>,
    /// DNS names in the subject alternative name.
    pub san_dns: Vec<Box<str>>,
    /// E-mail addresses in the subject alternative name.
    pub san_emails: Vec<Box<str>>,
    /// The end of validity.
    pub not_after: Timestamp,
}

/// An operation of an API as the plan knows it: stable over reloads, shared by every exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// The API's name in the configuration.
    pub api: Arc<str>,
    /// The `operationId`, or `METHOD /template` where the specification gives none.
    pub id: Arc<str>,
    /// The method, or `*` for an API without a specification.
    pub method: Arc<str>,
    /// The full path template clients see: `/v1/orders/{id}`.
    pub template: Arc<str>,
}

/// The request, normalised: what is checked here is what will be forwarded.
pub struct Request {
    /// The method.
    pub method: Method,
    /// The protocol version the client spoke.
    pub version: Version,
    /// The authority the client named, lower case, with its port if given.
    pub host: Box<str>,
    /// The checked path as the client sent it, percent-encoded, beginning with `/`.
    pub path: Box<str>,
    /// The query without its `?`, percent-encoded; `None` when there was no `?`.
    pub query: Option<Box<str>>,
    /// The header fields, inbound identity headers already gone.
    pub headers: HeaderMap,
    /// Path parameters by name, as ranges into [`Request::path`] (still percent-encoded).
    pub path_parameters: SmallVec<[(Arc<str>, Range<usize>); 4]>,
    /// The whole body, in the body phase and later, when a guard asked for it.
    pub body: Option<Bytes>,
    /// The body parsed, by the first guard that needs it (`portcullis_leaves`' tree, seen by guards only).
    pub parsed: Option<Box<dyn Any + Send + Sync>>,
}

/// The upstream's answer.
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The header fields as the upstream sent them.
    pub headers: HeaderMap,
    /// The whole body, in the response-body phase, when a guard asked for it.
    pub body: Option<Bytes>,
}

/// Facts established so far. Named fields, not a map: a reader can see who writes what.
#[derive(Default)]
pub struct Notes {
    /// Written by authentication.
    pub principal: Option<Arc<Principal>>,
    /// Authentication challenges for a 401 (RFC 9110 §11.6.1), written by authentication.
    pub challenges: SmallVec<[http::HeaderValue; 1]>,
    /// Written by limits, tightest last; told to the client.
    pub limits: SmallVec<[LimitState; 2]>,
    /// Places taken among concurrent exchanges; given back when the exchange ends.
    pub permits: SmallVec<[Permit; 2]>,
    /// The score of what attack detection found so far; it adds up over the parts of a message.
    pub suspicion: u32,
    /// What the rule engine keeps from phase to phase (`portcullis_seclang`'s transaction, seen by guards only).
    pub rules: Option<Box<dyn Any + Send + Sync>>,
    /// Everything guards remarked, in order.
    pub reasons: Vec<Reason>,
}

impl Request {
    /// The raw (percent-encoded) value of a path parameter.
    pub fn path_parameter(&self, name: &str) -> Option<&str> {
        self.path_parameters
            .iter()
            .find(|(it, _)| &**it == name)
            .and_then(|(_, range)| self.path.get(range.clone()))
    }

    /// The media type in `Content-Type` without its parameters, trimmed; not lower-cased.
    pub fn media_type(&self) -> Option<&str> {
        media_type(&self.headers)
    }
}

impl Response {
    /// The media type in `Content-Type` without its parameters, trimmed; not lower-cased.
    pub fn media_type(&self) -> Option<&str> {
        media_type(&self.headers)
    }
}

fn media_type(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(http::header::CONTENT_TYPE)?.to_str().ok()?;
    value.split(';').next().map(str::trim)
}
