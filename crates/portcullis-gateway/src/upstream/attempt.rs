//! One try of a call at one server, up to the answer's head.

use std::{future::Future, pin::pin, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Request, Response, Uri, Version,
    header::{CONTENT_LENGTH, HOST, TRANSFER_ENCODING, UPGRADE},
    request::Parts,
    uri::{Authority, PathAndQuery},
};
use hyper::{body::Incoming, client::conn::TrySendError};
use portcullis_core::event::UpstreamFault;
use tokio::time::Instant;

use super::{
    after,
    connect::{self, DialError, Upgrades},
    failure::Side,
    out_body::{OutBody, Sending, Upload},
    pool::{Lease, Line, Origin},
    retry::RetryPolicy,
    server::{Server, Target},
    settings::RetryCause,
};

/// A request as the caller handed it over.
pub(super) struct Message {
    pub(super) head: Parts,
    pub(super) body: OutBody,
}

impl Message {
    /// A second copy, where there can be one. Extensions stay with the first.
    fn copy(&self) -> Option<Self> {
        let body = self.body.copy()?;
        let (mut head, ()) = Request::new(()).into_parts();
        head.method = self.head.method.clone();
        head.uri = self.head.uri.clone();
        head.headers = self.head.headers.clone();
        Some(Self { head, body })
    }
}

/// What one try may take.
#[derive(Clone, Copy)]
pub(super) struct Terms<'a> {
    pub(super) wanted: Origin,
    /// Waiting for the answer's head.
    pub(super) head: Option<Duration>,
    /// The end of the whole call.
    pub(super) until: Option<Instant>,
    pub(super) policy: &'a RetryPolicy,
    /// Whether any retry is left, so that a copy of the request may be needed.
    pub(super) retries_left: u32,
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
    /// The request, when it may be sent again: nothing of it was sent, or it may be repeated.
    pub(super) spare: Option<Message>,
}

/// An answer's head, with the connection that its body comes over.
pub(super) struct Answered {
    pub(super) response: Response<Incoming>,
    pub(super) lease: Lease,
    /// The request, when it may be sent again after all.
    pub(super) spare: Option<Box<Message>>,
}

/// Sends the request and waits for the answer's head.
///
/// # Errors
///
/// Without an answer, or with one that is not well-formed.
pub(super) async fn attempt(
    server: &Arc<Server>,
    mut message: Message,
    now: Instant,
    terms: Terms<'_>,
) -> Result<Answered, Box<Broken>> {
    let upgrades = if message.head.headers.contains_key(UPGRADE) { Upgrades::Yes } else { Upgrades::No };
    let leased = match server.dialer.wire(upgrades) {
        Ok(wire) => connect::lease(server, wire, terms.wanted, now, terms.until).await,
        Err(error) => Err(error),
    };
    let mut lease = match leased {
        Ok(lease) => lease,
        Err(error) => return Err(no_connection(error, message)),
    };
    let origin = lease.origin;
    let copy = if (origin == Origin::Kept || terms.retries_left > 0)
        && terms.policy.may_repeat(&message.head.method)
    {
        message.copy()
    } else {
        None
    };
    let given = match address(&mut message.head, &server.target, &lease.line) {
        Ok(given) => given,
        Err(detail) => {
            return Err(Box::new(Broken {
                fault: UpstreamFault::Nonsense,
                side: Side::RequestBody,
                detail: detail.to_owned(),
                cause: None,
                line: origin,
                spare: None,
            }));
        }
    };
    // Making a connection has its own timeout.
    let now = if origin == Origin::Kept { now } else { Instant::now() };
    let upload = matches!(message.body, OutBody::Stream(_)).then(|| Upload::new(now));
    let sending = Sending { body: message.body, upload: upload.clone() };
    let request = Request::from_parts(message.head, sending);
    let waited = match &mut lease.line {
        Line::Own(sender) => wait(sender.try_send_request(request), upload.as_deref(), now, terms).await,
        Line::Shared(stream) => {
            wait(stream.sender.try_send_request(request), upload.as_deref(), now, terms).await
        }
    };
    let mut broken = Broken {
        fault: UpstreamFault::Timeout,
        side: Side::Upstream,
        detail: String::new(),
        cause: Some(RetryCause::Timeout),
        line: Origin::Fresh,
        spare: None,
    };
    match waited {
        Waited::Answered(response) => match nonsense(response.headers()) {
            None => return Ok(Answered { response, lease, spare: copy.map(Box::new) }),
            Some(detail) => {
                broken.fault = UpstreamFault::Nonsense;
                broken.cause = None;
                detail.clone_into(&mut broken.detail);
            }
        },
        Waited::TimedOut => {
            "no answer in time".clone_into(&mut broken.detail);
            broken.spare = copy;
        }
        Waited::Failed(_, _) if upload.as_ref().is_some_and(|upload| upload.has_failed()) => {
            broken.fault = UpstreamFault::Reset;
            broken.side = Side::RequestBody;
            broken.cause = None;
            "the request's body ended in an error before it was sent whole".clone_into(&mut broken.detail);
        }
        Waited::Failed(error, unsent) => {
            let unsent = unsent.map(|request| give_back(*request, given));
            broken.line = origin;
            broken.detail = sentence(&error);
            if error.is_parse() {
                broken.fault = UpstreamFault::Nonsense;
                broken.cause = None;
                broken.line = Origin::Fresh;
            } else {
                broken.fault = UpstreamFault::Reset;
                broken.cause = Some(RetryCause::Reset);
                broken.spare = unsent.or(copy);
            }
        }
    }
    Err(Box::new(broken))
}

fn no_connection(error: DialError, message: Message) -> Box<Broken> {
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
        spare: Some(message),
    })
}

enum Waited {
    Answered(Response<Incoming>),
    /// With the request, when nothing of it was sent.
    Failed(hyper::Error, Option<Box<Request<Sending>>>),
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
            let unsent = error.take_message().map(Box::new);
            Waited::Failed(error.into_error(), unsent)
        }
    }
}

/// What of a request was changed for one server.
struct Given {
    uri: Uri,
    host: Option<HeaderValue>,
}

/// Addresses a request to one server over one kind of connection: origin form and `Host` for HTTP/1.1, a whole
/// URI for HTTP/2, whose `:authority` says what `Host` said.
fn address(head: &mut Parts, target: &Target, line: &Line) -> Result<Given, &'static str> {
    let host = head.headers.get(HOST).cloned();
    let path = path_behind(&target.base_path, head.uri.path_and_query())?;
    let is_origin_form = head.uri.scheme().is_none() && head.uri.authority().is_none();
    let mut parts = http::uri::Parts::default();
    let uri = match line {
        Line::Own(_) => {
            head.version = Version::HTTP_11;
            if host.is_none() {
                head.headers.insert(HOST, target.host.clone());
            }
            match path {
                None if is_origin_form => head.uri.clone(),
                None => {
                    parts.path_and_query = head.uri.path_and_query().cloned();
                    origin_form(parts)?
                }
                Some(path) => {
                    parts.path_and_query = Some(path);
                    origin_form(parts)?
                }
            }
        }
        Line::Shared(_) => {
            head.version = Version::HTTP_2;
            parts.scheme = Some(target.scheme.clone());
            parts.authority = Some(match &host {
                Some(host) => {
                    Authority::try_from(host.as_bytes()).map_err(|_| "`Host` is not an authority")?
                }
                None => target.authority.clone(),
            });
            parts.path_and_query = path.or_else(|| head.uri.path_and_query().cloned());
            parts.path_and_query.get_or_insert(PathAndQuery::from_static("/"));
            head.headers.remove(HOST);
            Uri::from_parts(parts).map_err(|_| "the request's target is not a path")?
        }
    };
    Ok(Given { uri: std::mem::replace(&mut head.uri, uri), host })
}

fn origin_form(mut parts: http::uri::Parts) -> Result<Uri, &'static str> {
    parts.path_and_query.get_or_insert(PathAndQuery::from_static("/"));
    Uri::from_parts(parts).map_err(|_| "the request's target is not a path")
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

/// The request as it was before it was addressed.
fn give_back(request: Request<Sending>, given: Given) -> Message {
    let (mut head, sending) = request.into_parts();
    head.uri = given.uri;
    match given.host {
        Some(host) => head.headers.insert(HOST, host),
        None => head.headers.remove(HOST),
    };
    Message { head, body: sending.body }
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
