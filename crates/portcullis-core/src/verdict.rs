//! What a guard answers. Two types, so that minimal errors hold by construction: a [`Denial`] is all that a
//! client is told, a [`Reason`] is what the operator is told.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

/// A guard's answer about one exchange.
#[derive(Debug, PartialEq)]
pub enum Verdict {
    /// Nothing to object to.
    Pass,
    /// Worth recording, not worth stopping.
    Flag(Box<Reason>),
    /// The exchange must not go on. Whether it does is the step's [`Mode`](crate::chain::Mode).
    Deny(Denial, Box<Reason>),
}

/// Everything a client can be told about a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Denial {
    /// 400: the message is not well-formed HTTP, or says two things at once.
    Malformed,
    /// 401: no valid credential.
    Unauthenticated,
    /// 401: valid, but not strong or fresh enough (RFC 9470).
    StepUpRequired,
    /// 403: known, and not allowed.
    Forbidden,
    /// 404: no such operation or object.
    NotFound,
    /// 405: the path exists, the method does not. `Allow` is added by the gateway.
    MethodNotAllowed,
    /// 408: the request did not arrive in time.
    Timeout,
    /// 413: the body is larger than the route allows.
    TooLarge,
    /// 415: the operation does not take this media type.
    UnsupportedMediaType,
    /// 421: the authority is not served on this connection (RFC 9110 §15.5.20).
    Misdirected,
    /// 422: well-formed, but not what the specification says.
    Invalid,
    /// 429: a limit or quota is spent.
    TooManyRequests {
        /// Seconds after which one call would pass, at least 1.
        retry_after_secs: u32,
    },
    /// 431: the head is larger than the listener allows (RFC 6585 §5).
    HeadTooLarge,
    /// 403: refused by a rule that says no more.
    Blocked,
    /// 502: the upstream answered nonsense, or its answer may not leave.
    BadAnswer,
    /// 503: the gate or the upstream cannot serve now.
    Unavailable,
    /// 504: the upstream did not answer in time.
    UpstreamTimeout,
}

impl Denial {
    /// The HTTP status code sent.
    pub const fn status(self) -> u16 {
        match self {
            Self::Malformed => 400,
            Self::Unauthenticated | Self::StepUpRequired => 401,
            Self::Forbidden | Self::Blocked => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::Timeout => 408,
            Self::TooLarge => 413,
            Self::UnsupportedMediaType => 415,
            Self::Misdirected => 421,
            Self::Invalid => 422,
            Self::TooManyRequests { .. } => 429,
            Self::HeadTooLarge => 431,
            Self::BadAnswer => 502,
            Self::Unavailable => 503,
            Self::UpstreamTimeout => 504,
        }
    }

    /// The word used in records, metrics and `portcullis events --denied`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Unauthenticated => "unauthenticated",
            Self::StepUpRequired => "step_up_required",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::Timeout => "timeout",
            Self::TooLarge => "too_large",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::Misdirected => "misdirected",
            Self::Invalid => "invalid",
            Self::TooManyRequests { .. } => "too_many_requests",
            Self::HeadTooLarge => "head_too_large",
            Self::Blocked => "blocked",
            Self::BadAnswer => "bad_answer",
            Self::Unavailable => "unavailable",
            Self::UpstreamTimeout => "upstream_timeout",
        }
    }
}

/// What the operator is told: which rule, how bad, where, and what was seen there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reason {
    /// The rule that spoke.
    pub rule: RuleId,
    /// How bad.
    pub severity: Severity,
    /// One sentence in the operator's terms, without secrets: lower case, no full stop.
    pub message: Cow<'static, str>,
    /// Where in the message; at most a handful.
    #[serde(default, skip_serializing_if = "SmallVec::is_empty")]
    pub evidence: SmallVec<[Evidence; 1]>,
    /// Further rules of the same guard that were broken, by name alone; the guard bounds how many.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<RuleId>,
    /// Whether the step was in `report` mode, so that the call went on in spite of a denial.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reported_only: bool,
}

impl Reason {
    /// A reason without evidence.
    // Whatever leads here is not the way of an ordinary call: the compiler may put it aside.
    #[cold]
    pub fn new(rule: RuleId, severity: Severity, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            rule,
            severity,
            message: message.into(),
            evidence: SmallVec::new(),
            others: Vec::new(),
            reported_only: false,
        }
    }

    /// Adds a place and what was seen there. `seen` must be redacted already where it could be a secret.
    #[must_use]
    pub fn at(mut self, place: Place, seen: impl Into<Box<str>>) -> Self {
        self.evidence.push(Evidence { place, seen: seen.into(), rule: None });
        self
    }

    /// Adds a place where another rule of the same guard was broken.
    #[must_use]
    pub fn also(mut self, rule: RuleId, place: Place, seen: impl Into<Box<str>>) -> Self {
        let rule = (rule != self.rule).then_some(rule);
        self.evidence.push(Evidence { place, seen: seen.into(), rule });
        self
    }

    /// This reason as a denial.
    pub fn deny(self, denial: Denial) -> Verdict {
        Verdict::Deny(denial, Box::new(self))
    }

    /// This reason as a remark.
    pub fn flag(self) -> Verdict {
        Verdict::Flag(Box::new(self))
    }
}

/// `guard/rule`, for example `limits/rate_exceeded` or `schema/required`: named for the bad pattern it finds.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RuleId(Cow<'static, str>);

impl RuleId {
    /// A rule known when the program was written.
    pub const fn new(id: &'static str) -> Self {
        Self(Cow::Borrowed(id))
    }

    /// A rule known only at run time, such as a schema keyword.
    pub fn owned(id: String) -> Self {
        Self(Cow::Owned(id))
    }

    /// The whole id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How bad a finding is, mildest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// A client's mistake, most likely.
    Low,
    /// Somebody should look at a number of these.
    Medium,
    /// Somebody should look.
    High,
    /// Somebody should look now.
    Critical,
}

/// Where in the message, and what was seen there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The place.
    pub place: Place,
    /// A short excerpt, redacted and cut.
    pub seen: Box<str>,
    /// The rule broken here, where it is not the reason's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<RuleId>,
}

/// A place in a message.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// The connection: address, certificate, protocol.
    Connection,
    /// The request method.
    Method,
    /// The path as a whole.
    Path,
    /// A path parameter, by name.
    PathParameter(Box<str>),
    /// A query parameter, by name.
    Query(Box<str>),
    /// A request header field, by lower-case name.
    Header(Box<str>),
    /// A cookie, by name.
    Cookie(Box<str>),
    /// A value in the request body, by JSON pointer (RFC 6901); empty for the whole.
    Body(Box<str>),
    /// The response status.
    ResponseStatus,
    /// A response header field, by lower-case name.
    ResponseHeader(Box<str>),
    /// A value in the response body, by JSON pointer; empty for the whole.
    ResponseBody(Box<str>),
}

const _: () = assert!(size_of::<Verdict>() <= 24, "a verdict is copied for every guard of every call");
