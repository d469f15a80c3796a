//! One try of a call at one server, up to the answer's head.

use std::{future::Future, pin::pin, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{
    HeaderMap, Request, Response, Uri, Version,
    header::{CONTENT_LENGTH, TRANSFER_ENCODING, UPGRADE},
    request::Parts,
    uri::{Authority, PathAndQuery},
};
use hyper::{
    body::Incoming,
    client::conn::{TrySendError, http2::SendRequest},
};
use portcullis_core::event::UpstreamFault;
use tokio::time::Instant;

use super::{
    Asking, after,
    connect::{self, DialError, Upgrades},
    failure::Side,
    h1::{self, NoAnswer, OwnConnection},
    out_body::{OutBody, Sending, Upload},
    pool::{Lease, Line, Origin},
    retry::RetryPolicy,
    server::{Server, Target},
    settings::RetryCause,
};

/// What one try may take.
#[derive(Clone, Copy)]
pub(super) struct Terms<'a> {
    pub(super) wanted: Origin,
    /// Waiting for the answer's head.
    pub(super) head: Option<Duration>,
    /// The end of the whole call.
    pub(super) until: Option<Instant>,
    pub(super) policy: &'a RetryPolicy,
}

/// A try that came to nothing.
pub(super) struct Broken {
    pub(super) fault: UpstreamFault,
    pub(super) side: Side,
    pub(super) detail: String,
    /// What kind of retry could help; `None` when none could.
    pub(super) cause: Option<RetryCause>,
    /// Whether the connection was a kept one that the server seems to have closed in the meantime.
    pub(super) line: Origin,
    /// The request's body, when the request may be sent again: nothing of it was sent, or it may be repeated.
    pub(super) spare: Option<OutBody>,
}

/// An answer's head, with the connection that its body comes over.
pub(super) struct Answered {
    pub(super) response: Response<Source>,
    pub(super) lease: Lease,
    /// The request's body, when the request may be sent again after all.
    pub(super) spare: Option<OutBody>,
}

/// Where the body of an answer comes from.
pub(super) enum Source {
    /// The lease's own connection.
    Own(h1::Exchange),
    /// A stream of a shared one.
    Shared(Incoming),
}

/// Sends the request and waits for the answer's head.
///
/// # Errors
///
/// Without an answer, or with one that is not well-formed.
pub(super) async fn attempt(
    server: &Arc<Server>,
    asking: Asking<'_>,
    body: OutBody,
    now: Instant,
    terms: Terms<'_>,
) -> Result<Answered, Box<Broken>> {
    let upgrades = if asking.has(&UPGRADE) { Upgrades::Yes } else { Upgrades::No };
    let leased = match server.dialer.wire(upgrades) {
        Ok(wire) => connect::lease(server, wire, terms.wanted, now, terms.until).await,
        Err(error) => Err(error),
    };
    let mut lease = match leased {
        Ok(lease) => lease,
        Err(error) => return Err(no_connection(error, body)),
    };
    let origin = lease.origin;
    // Making a connection has its own timeout.
    let now = if origin == Origin::Kept { now } else { Instant::now() };
    let again = if terms.policy.may_repeat(asking.method) { body.copy() } else { None };
    let asked = match &mut lease.line {
        Line::Own(connection) => ask_own(connection, &server.target, asking, body, now, terms).await,
        // In a place of its own, so that calls over HTTP/1.1 do not carry it with them.
        Line::Shared(stream) => {
            Box::pin(ask_shared(&mut stream.sender, &server.target, asking, body, now, terms)).await
        }
    };
    match asked {
        Ok(response) => Ok(Answered { response, lease, spare: again }),
        Err(mut broken) => {
            if broken.cause == Some(RetryCause::Reset) {
                broken.line = origin;
            }
            if broken.cause.is_some() && broken.spare.is_none() {
                broken.spare = again;
            }
            Err(broken)
        }
    }
}

/// Over a connection of the call's own.
async fn ask_own(
    connection: &mut OwnConnection,
    target: &Target,
    asking: Asking<'_>,
    body: OutBody,
    now: Instant,
    terms: Terms<'_>,
) -> Result<Response<Source>, Box<Broken>> {
    let upload = matches!(body, OutBody::Stream(_)).then(|| Upload::new(now));
    let sending = Sending { body, upload: upload.clone() };
    let limit = |from: Instant| terms.head.map(|head| after(from, head)).into_iter().chain(terms.until).min();
    let patience = h1::Patience {
        first: limit(now),
        limit: |at| {
            let from = upload.as_ref().map_or(now, |upload| upload.last_excuse(at));
            limit(from).unwrap_or(at)
        },
    };
    match connection.ask(asking, target, sending, patience).await {
        Ok((answer, exchange)) => {
            let mut response = Response::new(Source::Own(exchange));
            *response.status_mut() = answer.status;
            *response.version_mut() = answer.version;
            *response.headers_mut() = answer.headers;
            Ok(response)
        }
        Err(NoAnswer::TimedOut) => Err(Broken::timed_out()),
        Err(NoAnswer::Body) => Err(Broken::by_body()),
        Err(NoAnswer::Nonsense(fault)) => Err(Broken::nonsense(fault.to_string())),
        Err(NoAnswer::Lost(detail)) => Err(Broken::reset(detail)),
    }
}

/// Over a stream of a shared connection.
async fn ask_shared(
    sender: &mut SendRequest<Sending>,
    target: &Target,
    asking: Asking<'_>,
    body: OutBody,
    now: Instant,
    terms: Terms<'_>,
) -> Result<Response<Source>, Box<Broken>> {
    let head = match address(asking, target) {
        Ok(head) => head,
        Err(detail) => {
            let mut broken = Broken::nonsense(detail.to_owned());
            broken.side = Side::RequestBody;
            return Err(broken);
        }
    };
    let upload = matches!(body, OutBody::Stream(_)).then(|| Upload::new(now));
    let request = Request::from_parts(head, Sending { body, upload: upload.clone() });
    match wait(sender.try_send_request(request), upload.as_deref(), now, terms).await {
        Waited::Answered(response) => match nonsense(response.headers()) {
            None => Ok(response.map(Source::Shared)),
            Some(detail) => Err(Broken::nonsense(detail.to_owned())),
        },
        Waited::TimedOut => Err(Broken::timed_out()),
        Waited::Failed(_, _) if upload.as_ref().is_some_and(|upload| upload.has_failed()) => {
            Err(Broken::by_body())
        }
        Waited::Failed(error, _) if error.is_parse() => Err(Broken::nonsense(sentence(&error))),
        Waited::Failed(error, unsent) => {
            let mut broken = Broken::reset(sentence(&error));
            broken.spare = unsent;
            Err(broken)
        }
    }
}

impl Broken {
    #[cold]
    fn new(fault: UpstreamFault, detail: String, cause: Option<RetryCause>) -> Box<Self> {
        Box::new(Self { fault, side: Side::Upstream, detail, cause, line: Origin::Fresh, spare: None })
    }

    fn timed_out() -> Box<Self> {
        Self::new(UpstreamFault::Timeout, "no answer in time".to_owned(), Some(RetryCause::Timeout))
    }

    fn reset(detail: String) -> Box<Self> {
        Self::new(UpstreamFault::Reset, detail, Some(RetryCause::Reset))
    }

    fn nonsense(detail: String) -> Box<Self> {
        Self::new(UpstreamFault::Nonsense, detail, None)
    }

    fn by_body() -> Box<Self> {
        let detail = "the request's body ended in an error before it was sent whole".to_owned();
        let mut broken = Self::new(UpstreamFault::Reset, detail, None);
        broken.side = Side::RequestBody;
        broken
    }
}

#[cold]
fn no_connection(error: DialError, body: OutBody) -> Box<Broken> {
    let cause = match error.fault {
        // Another try would only make the crowd larger.
        UpstreamFault::Overloaded | UpstreamFault::NoServer => None,
        UpstreamFault::Connect
        | UpstreamFault::Tls
        | UpstreamFault::Timeout
        | UpstreamFault::Reset
        | UpstreamFault::Nonsense
        | UpstreamFault::CutOff => Some(RetryCause::Connect),
    };
    Box::new(Broken {
        fault: error.fault,
        side: Side::Upstream,
        detail: error.detail,
        cause,
        line: Origin::Fresh,
        spare: Some(body),
    })
}

enum Waited {
    Answered(Response<Incoming>),
    /// With the request's body, when nothing of the request was sent.
    Failed(hyper::Error, Option<OutBody>),
    TimedOut,
}

/// Waits for the head. The time for it runs from the end of the request's body; while a streamed body moves, it
/// starts anew, because the server waits then as well.
async fn wait(
    sent: impl Future<Output = Result<Response<Incoming>, TrySendError<Request<Sending>>>>,
    upload: Option<&Upload>,
    now: Instant,
    terms: Terms<'_>,
) -> Waited {
    let mut sent = pin!(sent);
    let mut from = now;
    let result = loop {
        let head = terms.head.map(|head| after(from, head));
        let Some(limit) = head.into_iter().chain(terms.until).min() else { break sent.await };
        if let Ok(result) = tokio::time::timeout_at(limit, sent.as_mut()).await {
            break result;
        }
        // A body that the caller does not deliver is bounded by the caller's own timeouts.
        let Some(upload) = upload else { return Waited::TimedOut };
        let excuse = upload.last_excuse(Instant::now());
        if terms.until.is_some_and(|until| until <= limit) || excuse <= from {
            return Waited::TimedOut;
        }
        from = excuse;
    };
    match result {
        Ok(response) => Waited::Answered(response),
        Err(mut error) => {
            let unsent = error.take_message().map(|request| request.into_body().body);
            Waited::Failed(error.into_error(), unsent)
        }
    }
}

/// Addresses a request to one server over HTTP/2: a whole URI, whose `:authority` says what `Host` said.
fn address(asking: Asking<'_>, target: &Target) -> Result<Parts, &'static str> {
    let mut parts = http::uri::Parts::default();
    parts.scheme = Some(target.scheme.clone());
    parts.authority = Some(match asking.host {
        Some(host) => Authority::try_from(host.as_bytes()).map_err(|_| "`Host` is not an authority")?,
        None => target.authority.clone(),
    });
    let path = path_behind(&target.base_path, asking.target)?.or_else(|| asking.target.cloned());
    parts.path_and_query = Some(path.unwrap_or(PathAndQuery::from_static("/")));
    let uri = Uri::from_parts(parts).map_err(|_| "the request's target is not a path")?;
    let mut head = asking.to_owned(uri);
    head.version = Version::HTTP_2;
    Ok(head)
}

/// The path behind the server's base path; `None` when there is no base path.
fn path_behind(base: &str, path: Option<&PathAndQuery>) -> Result<Option<PathAndQuery>, &'static str> {
    if base.is_empty() {
        return Ok(None);
    }
    let path = path.map_or("/", PathAndQuery::as_str);
    let joined = [base.as_bytes(), path.as_bytes()].concat();
    PathAndQuery::from_maybe_shared(Bytes::from(joined))
        .map(Some)
        .map_err(|_| "the request's target is not a path")
}

/// What is wrong with an answer's framing beyond what the parser refuses: anything by which two readers could
/// disagree where the body ends (RFC 9112 §6.3, CWE-444).
fn nonsense(headers: &HeaderMap) -> Option<&'static str> {
    let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
    let length = lengths.next();
    if lengths.next().is_some() || length.is_some_and(|it| it.as_bytes().contains(&b',')) {
        return Some("the answer gives its length more than once");
    }
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    let coding = codings.next()?;
    if length.is_some() {
        return Some("the answer gives a length and a transfer coding");
    }
    if codings.next().is_some() || !coding.as_bytes().eq_ignore_ascii_case(b"chunked") {
        return Some("the answer has a transfer coding other than chunked");
    }
    None
}

/// An error with all that lies beneath it.
fn sentence(error: &hyper::Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
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
