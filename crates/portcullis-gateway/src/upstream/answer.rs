//! The answer to a call, whose body comes as the caller takes it.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use thiserror::Error;
use tokio::time::{Instant, Sleep};

use super::{
    after,
    attempt::Source,
    h1::{OwnConnection, Upgraded},
    pool::{Lease, Line},
};

/// The answer to a call.
#[derive(Debug)]
pub struct Answer {
    /// The server's answer; with 101, [`AnswerBody::into_upgraded`] gives the connection.
    pub response: Response<AnswerBody>,
    /// The server that answered, as `scheme://host:port`.
    pub server: Arc<str>,
    /// Microseconds from the call's start to this answer's head, retries included.
    pub upstream_micros: u64,
    /// How many times a server was tried, 1 without a retry.
    pub attempts: u32,
}

/// The answer's body was lost on the way: [`UpstreamFault::CutOff`](portcullis_core::event::UpstreamFault::CutOff).
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the answer's body was cut off: {detail}")]
pub struct CutOff {
    /// One sentence for the operator.
    pub detail: String,
}

/// The body of an answer. Taken to its end it gives its connection back to the pool; dropped before, it closes it.
pub struct AnswerBody(
    // Handed on from room to room, so it is small.
    Box<State>,
);

struct State {
    source: Source,
    /// Present until the body has ended, well or not.
    lease: Option<Lease>,
    /// The connection of an answer that switched protocols.
    upgraded: Option<Box<OwnConnection>>,
    keep_for: Option<Duration>,
    idle: Option<Duration>,
    until: Option<Instant>,
    /// When the running wait for a chunk began.
    waiting_since: Option<Instant>,
    /// Made by the first wait for a chunk: most bodies come whole with their head.
    alarm: Option<Pin<Box<Sleep>>>,
}

impl AnswerBody {
    pub(super) fn new(
        response: Response<Source>,
        lease: Lease,
        now: Instant,
        idle: Option<Duration>,
        until: Option<Instant>,
    ) -> Response<Self> {
        let (head, source) = response.into_parts();
        let keep_for = keep_alive_timeout(&head.headers);
        let lease = Some(lease);
        let mut body =
            State { source, lease, upgraded: None, keep_for, idle, until, waiting_since: None, alarm: None };
        if head.status == StatusCode::SWITCHING_PROTOCOLS {
            // The connection is the upgraded protocol's from now on.
            if let Some(Lease { line: Line::Own(connection), .. }) = body.lease.take() {
                body.upgraded = Some(connection);
            }
        } else if body.is_end_stream() {
            body.ended_well(now);
        }
        Response::from_parts(head, Self(Box::new(body)))
    }

    /// The connection, where the answer's status is 101.
    pub fn into_upgraded(self) -> Option<Upgraded> {
        self.0.upgraded.map(Upgraded)
    }

    /// Takes what of the body has come already and drops it, so that the connection of an answer which nobody
    /// wants can be kept. A longer body costs the connection.
    pub(super) fn discard(mut self) {
        const FRAMES_MAX: usize = 4;
        let mut cx = Context::from_waker(std::task::Waker::noop());
        for _ in 0..FRAMES_MAX {
            match Pin::new(&mut self).poll_frame(&mut cx) {
                Poll::Ready(Some(Ok(_))) => {}
                Poll::Ready(Some(Err(_)) | None) | Poll::Pending => return,
            }
        }
    }
}

impl State {
    fn ended_well(&mut self, now: Instant) {
        let Some(mut lease) = self.lease.take() else { return };
        let can_stay = match (&mut lease.line, &self.source) {
            (Line::Own(connection), Source::Own(exchange)) => connection.can_stay(exchange),
            (Line::Own(_) | Line::Shared(_), _) => true,
        };
        if can_stay {
            lease.give_back(now, self.keep_for);
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.source {
            Source::Own(exchange) => exchange.decoder.is_done(),
            Source::Shared(body) => body.is_end_stream(),
        }
    }

    fn poll_source(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, String>>> {
        match (&mut self.source, &mut self.lease) {
            (Source::Own(exchange), Some(Lease { line: Line::Own(connection), .. })) => {
                connection.poll_body(cx, exchange)
            }
            (Source::Own(_), _) => Poll::Ready(None),
            (Source::Shared(body), _) => Pin::new(body).poll_frame(cx).map_err(|error| error.to_string()),
        }
    }

    fn cut_off(&mut self, detail: String) -> CutOff {
        if let Some(lease) = self.lease.take() {
            lease.busy.note_failed(Instant::now());
        }
        CutOff { detail }
    }

    /// Whether the wait for a chunk has become too long; arranges to be woken when it will have.
    fn poll_patience(&mut self, cx: &mut Context<'_>) -> Option<CutOff> {
        self.lease.as_ref()?;
        let now = Instant::now();
        let since = *self.waiting_since.get_or_insert(now);
        let idle_end = self.idle.map(|idle| after(since, idle));
        let end = idle_end.into_iter().chain(self.until).min()?;
        if end <= now {
            let detail = if self.until == Some(end) {
                "the call took longer than it may in all"
            } else {
                "the server sent nothing for too long"
            };
            return Some(self.cut_off(detail.to_owned()));
        }
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(end)));
        // An alarm set for an earlier wait rings too early and is then set anew: cheaper than for every chunk.
        if alarm.as_mut().poll(cx).is_ready() {
            alarm.as_mut().reset(end);
            let _ = alarm.as_mut().poll(cx);
        }
        None
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = CutOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, CutOff>>> {
        let state = &mut *self.0;
        match state.poll_source(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                state.waiting_since = None;
                if state.is_end_stream() {
                    state.ended_well(Instant::now());
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(None) => {
                state.ended_well(Instant::now());
                Poll::Ready(None)
            }
            Poll::Ready(Some(Err(detail))) => Poll::Ready(Some(Err(state.cut_off(detail)))),
            Poll::Pending => match state.poll_patience(cx) {
                Some(cut_off) => Poll::Ready(Some(Err(cut_off))),
                None => Poll::Pending,
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0.source {
            Source::Own(exchange) => {
                exchange.decoder.left().map_or_else(SizeHint::default, SizeHint::with_exact)
            }
            Source::Shared(body) => body.size_hint(),
        }
    }
}

impl fmt::Debug for AnswerBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnswerBody").field("size", &self.size_hint()).finish_non_exhaustive()
    }
}

/// How long the server says that it keeps the connection (`Keep-Alive: timeout=5`, RFC 2068 §19.7.1), less a second
/// for the way: many servers close after five seconds, sooner than we would.
fn keep_alive_timeout(headers: &http::HeaderMap) -> Option<Duration> {
    let value = headers.get("keep-alive")?.to_str().ok()?;
    let secs = value.split(',').find_map(|part| part.trim().strip_prefix("timeout="))?;
    let secs: u64 = secs.trim().parse().ok()?;
    Some(Duration::from_secs(secs.saturating_sub(1)))
}
