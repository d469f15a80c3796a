//! The record of one exchange. Every exchange leaves exactly one, unless served ones are to be counted alone.

use std::{net::IpAddr, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{
    clock::Timestamp,
    context::Operation,
    id::ReferenceId,
    principal::Principal,
    verdict::{Denial, Reason},
};

/// The version of the record's wire form; grows when a field changes its meaning.
pub const EVENT_VERSION: u16 = 1;

/// One exchange, flat, as it is written down.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// The reference the client was told.
    pub id: ReferenceId,
    /// When the request's head was complete.
    pub at: Timestamp,
    /// Microseconds from then to the end of the answer.
    pub took_micros: u64,
    /// Microseconds spent waiting for the upstream's response head, where it was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream_micros: Option<u64>,
    /// The listener's name.
    pub listener: Arc<str>,
    /// The client's address.
    pub client: IpAddr,
    /// `http/1.1`, `h2`, …
    pub protocol: Protocol,
    /// Whether it came over TLS.
    pub tls: bool,
    /// The authority asked for.
    pub host: Box<str>,
    /// The method.
    pub method: Box<str>,
    /// The raw path without its query; redaction may cut it.
    pub path: Box<str>,
    /// The API's name, where routed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api: Option<Arc<str>>,
    /// The operation's id, where routed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<Arc<str>>,
    /// The operation's path template, where routed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<Arc<str>>,
    /// Who called, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<Arc<Principal>>,
    /// How it ended.
    pub outcome: Outcome,
    /// The status sent to the client; 0 when none was.
    pub status: u16,
    /// Everything guards remarked, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Reason>,
    /// Bytes of the request body read from the client.
    pub request_bytes: u64,
    /// Bytes of the response body sent to the client.
    pub response_bytes: u64,
    /// The upstream server asked, where one was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream: Option<Arc<str>>,
    /// The trace id of the forwarded `traceparent` (W3C Trace Context), 32 lower-case hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<Box<str>>,
}

/// What is counted of a call that leaves no record: one that was served with nothing to remark, where the operator asks
/// to record only the others.
#[derive(Clone, Debug, PartialEq)]
pub struct Tally {
    /// The API's name, where routed to an API and no further.
    pub api: Option<Arc<str>>,
    /// The operation, where routed.
    pub operation: Option<Arc<Operation>>,
    /// How it ended.
    pub outcome: Outcome,
    /// The status sent to the client.
    pub status: u16,
    /// Microseconds from the request's head to the end of the answer.
    pub took_micros: u64,
    /// Microseconds spent waiting for the upstream's response head, where it was asked.
    pub upstream_micros: Option<u64>,
    /// Bytes of the request body read from the client.
    pub request_bytes: u64,
    /// Bytes of the response body sent to the client.
    pub response_bytes: u64,
}

/// The protocol of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Protocol {
    /// HTTP/1.0.
    #[serde(rename = "http/1.0")]
    Http10,
    /// HTTP/1.1.
    #[serde(rename = "http/1.1")]
    Http11,
    /// HTTP/2.
    #[serde(rename = "h2")]
    H2,
}

/// How an exchange ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The upstream's answer was sent.
    Served,
    /// The gate itself answered, as asked to: CORS preflight, redirect, OPTIONS.
    Answered,
    /// A guard refused.
    Denied(Denial),
    /// The upstream failed.
    UpstreamFailed(UpstreamFault),
    /// The client left before the answer was complete.
    ClientGone,
    /// A defect of ours; the exchange was ended, the process lives on.
    Panicked,
}

/// How an upstream failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UpstreamFault {
    /// No server of the upstream is healthy.
    NoServer,
    /// The connection could not be made.
    Connect,
    /// TLS to the upstream failed.
    Tls,
    /// No connection or answer in time.
    Timeout,
    /// The connection was lost before the answer began.
    Reset,
    /// The answer is not HTTP.
    Nonsense,
    /// The connection was lost in the middle of the answer's body.
    CutOff,
    /// The pool's bound is reached.
    Overloaded,
}

impl UpstreamFault {
    /// What the client is told.
    pub const fn denial(self) -> Denial {
        match self {
            Self::NoServer | Self::Overloaded => Denial::Unavailable,
            Self::Timeout => Denial::UpstreamTimeout,
            Self::Connect | Self::Tls | Self::Reset | Self::Nonsense | Self::CutOff => Denial::BadAnswer,
        }
    }
}
