//! One HTTP/1.1 connection to a server, with no task of its own: whoever waits for the answer moves its bytes.

use std::{
    future::poll_fn,
    io,
    pin::{Pin, pin},
    task::{Context, Poll, Waker, ready},
};

use bytes::{Bytes, BytesMut};
use http::{Method, StatusCode};
use http_body::{Body as _, Frame};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    task::coop::unconstrained,
    time::{Instant, Sleep},
};

use super::{
    asking::Asking,
    connect::Counted,
    out_body::{OutBody, Sending},
    server::Target,
};
use crate::h1::{
    Fault,
    body::{Bounds, Decoder, Piece},
    head::{self, AnswerHead},
    wire::Wire,
    write::{self, Framing},
};

/// A larger head of an answer is nonsense.
const HEAD_BYTES_MAX: usize = 64 * 1024;
const FIELDS_MAX: usize = 256;
/// Interim answers (1xx) before one that answers.
const INTERIM_MAX: u32 = 16;

/// A connection for one call at a time.
pub(super) struct OwnConnection {
    wire: Wire<Counted>,
    /// Kept from call to call: an alarm set for an earlier call rings too early and is then set anew, which costs
    /// less than a timer for each.
    alarm: Option<Pin<Box<Sleep>>>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum NoAnswer {
    /// The connection ended or broke first.
    Lost(String),
    /// What came is no answer.
    Nonsense(Fault),
    /// The request's body failed.
    Body,
    /// It took too long.
    TimedOut,
}

/// What is under way of a call once its answer has a head.
pub(super) struct Exchange {
    pub(super) decoder: Decoder,
    /// The rest of a request body that the server did not wait for.
    upload: Option<Outgoing>,
    persistent: bool,
}

/// A request's body on its way out.
struct Outgoing {
    body: Sending,
    framing: Framing,
}

impl OwnConnection {
    pub(super) fn new(transport: Counted) -> Box<Self> {
        Box::new(Self { wire: Wire::new(transport, BytesMut::new()), alarm: None })
    }

    /// Whether an idle connection can take a call: nothing came on it and it has not ended. Costs no system call
    /// where the system has told of nothing new.
    pub(super) fn is_fit(&mut self) -> bool {
        if !self.wire.input.is_empty() {
            return false;
        }
        let mut cx = Context::from_waker(Waker::noop());
        // A task that has used up its turn is told of nothing, which must not be taken for silence.
        let fill = pin!(unconstrained(poll_fn(|cx| self.wire.poll_fill(cx))));
        fill.poll(&mut cx).is_pending()
    }

    /// Sends a request and waits for the head of its answer. The body of the request may still be on its way when the
    /// answer comes.
    pub(super) async fn ask(
        &mut self,
        asking: Asking<'_>,
        target: &Target,
        body: Sending,
        mut patience: Patience<impl FnMut(Instant) -> Instant>,
    ) -> Result<(AnswerHead, Exchange), NoAnswer> {
        let mut upload = self.write_head(asking, target, body);
        let mut seen = 0;
        let mut interim = 0;
        let mut written: Result<(), io::Error> = Ok(());
        let answer = poll_fn(|cx| {
            if written.is_ok() {
                written = self.poll_push(cx, &mut upload)?;
            }
            let came = self.poll_head(cx, asking.method, &mut seen, &mut interim);
            match (came, &written) {
                (Poll::Pending, _) if self.is_overdue(cx, &mut patience) => {
                    Poll::Ready(Err(NoAnswer::TimedOut))
                }
                // Why the connection broke is known better by whoever wrote.
                (Poll::Ready(Err(NoAnswer::Lost(_))), Err(error)) => {
                    Poll::Ready(Err(NoAnswer::Lost(error.to_string())))
                }
                (came, _) => came,
            }
        })
        .await?;
        let bounds = Bounds { bytes_max: HEAD_BYTES_MAX, fields_max: FIELDS_MAX };
        let decoder = Decoder::new(answer.body, bounds);
        let persistent = answer.persistent && written.is_ok();
        Ok((answer, Exchange { decoder, upload, persistent }))
    }

    fn write_head(&mut self, asking: Asking<'_>, target: &Target, body: Sending) -> Option<Outgoing> {
        let path = [&*target.base_path, asking.target.map_or("/", |path| path.as_str())];
        let host = asking.host.unwrap_or(&target.host).as_bytes();
        let framing = match (&body.body, body.size_hint().exact()) {
            (OutBody::Empty, _) | (_, Some(0)) if !speaks_of_body(asking) => Framing::Bodiless,
            (OutBody::Empty, _) => Framing::Length(0),
            (_, Some(bytes)) => Framing::Length(bytes),
            (_, None) => Framing::Chunked,
        };
        write::request(self.wire.output(), asking.method, path, host, asking.fields(), framing);
        match framing {
            Framing::Bodiless | Framing::Length(0) => None,
            Framing::Length(_) | Framing::Chunked | Framing::WithConnection => {
                Some(Outgoing { body, framing })
            }
        }
    }

    /// Moves as much of the request out as the server takes and the body gives. The inner error is the wire's.
    fn poll_push(
        &mut self,
        cx: &mut Context<'_>,
        upload: &mut Option<Outgoing>,
    ) -> Result<io::Result<()>, NoAnswer> {
        loop {
            if upload.is_none() || self.wire.is_full() {
                match self.wire.poll_flush_in_turn(cx) {
                    Poll::Ready(Ok(())) if upload.is_some() => {}
                    Poll::Ready(done) => return Ok(done),
                    Poll::Pending => return Ok(Ok(())),
                }
            }
            let Some(Outgoing { body, framing }) = upload else { return Ok(Ok(())) };
            match Pin::new(body).poll_frame(cx) {
                Poll::Pending => {
                    return Ok(match self.wire.poll_flush(cx) {
                        Poll::Ready(done) => done,
                        Poll::Pending => Ok(()),
                    });
                }
                Poll::Ready(Some(Err(_))) => return Err(NoAnswer::Body),
                Poll::Ready(Some(Ok(frame))) => {
                    if put(&mut self.wire, framing, frame)? == Put::Last {
                        *upload = None;
                    }
                }
                Poll::Ready(None) => {
                    match framing {
                        // Fewer bytes than were promised: the server would wait for the rest.
                        Framing::Length(left) if *left > 0 => return Err(NoAnswer::Body),
                        Framing::Chunked => write::last_chunk(self.wire.output(), None),
                        Framing::Length(_) | Framing::Bodiless | Framing::WithConnection => {}
                    }
                    *upload = None;
                }
            }
        }
    }

    fn poll_head(
        &mut self,
        cx: &mut Context<'_>,
        asked: &Method,
        seen: &mut usize,
        interim: &mut u32,
    ) -> Poll<Result<AnswerHead, NoAnswer>> {
        loop {
            let end = head::end(&self.wire.input, seen).map_err(NoAnswer::Nonsense)?;
            if end.unwrap_or(self.wire.input.len()) > HEAD_BYTES_MAX {
                return Poll::Ready(Err(NoAnswer::Nonsense(Fault::HeadBytes)));
            }
            if let Some(end) = end {
                *seen = 0;
                let bytes = self.wire.input.split_to(end).freeze();
                let answer = head::answer(&bytes, FIELDS_MAX, asked).map_err(NoAnswer::Nonsense)?;
                if !answer.status.is_informational() || answer.status == StatusCode::SWITCHING_PROTOCOLS {
                    return Poll::Ready(Ok(answer));
                }
                *interim += 1;
                if *interim > INTERIM_MAX {
                    return Poll::Ready(Err(NoAnswer::Nonsense(Fault::StatusLine)));
                }
                continue;
            }
            // What is no answer is told at its first byte: there may never come a line's end.
            if self.wire.input.first().is_some_and(|byte| *byte != b'H') {
                return Poll::Ready(Err(NoAnswer::Nonsense(Fault::StatusLine)));
            }
            match ready!(self.wire.poll_fill(cx)) {
                Ok(0) if self.wire.input.is_empty() => {
                    return Poll::Ready(Err(NoAnswer::Lost(
                        "the server closed without an answer".to_owned(),
                    )));
                }
                Ok(0) => {
                    return Poll::Ready(Err(NoAnswer::Lost(
                        "the server closed within its answer".to_owned(),
                    )));
                }
                Ok(_) => {}
                Err(error) => return Poll::Ready(Err(NoAnswer::Lost(error.to_string()))),
            }
        }
    }

    /// Whether the wait has become too long; arranges to be woken when it will have.
    fn is_overdue(
        &mut self,
        cx: &mut Context<'_>,
        patience: &mut Patience<impl FnMut(Instant) -> Instant>,
    ) -> bool {
        let Some(first) = patience.first else { return false };
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(first)));
        if alarm.deadline() > first {
            alarm.as_mut().reset(first);
        }
        while alarm.as_mut().poll(cx).is_ready() {
            let now = Instant::now();
            let limit = (patience.limit)(now);
            if limit <= now {
                return true;
            }
            alarm.as_mut().reset(limit);
        }
        false
    }

    /// The next piece of the answer's body.
    pub(super) fn poll_body(
        &mut self,
        cx: &mut Context<'_>,
        exchange: &mut Exchange,
    ) -> Poll<Option<Result<Frame<Bytes>, String>>> {
        if exchange.upload.is_some() || self.wire.has_output() {
            match self.poll_push(cx, &mut exchange.upload) {
                Ok(Ok(())) => {}
                // The server may have answered because it wants no more; its answer still counts.
                Ok(Err(_)) | Err(_) => {
                    exchange.persistent = false;
                    exchange.upload = None;
                }
            }
        }
        loop {
            match exchange.decoder.take(&mut self.wire.input) {
                Ok(Some(Piece::Data(data))) => return Poll::Ready(Some(Ok(Frame::data(data)))),
                Ok(Some(Piece::Trailers(trailers))) => {
                    return Poll::Ready(Some(Ok(Frame::trailers(trailers))));
                }
                Ok(Some(Piece::End)) => return Poll::Ready(None),
                Ok(None) => {}
                Err(fault) => return Poll::Ready(Some(Err(fault.to_string()))),
            }
            match ready!(self.wire.poll_fill(cx)) {
                Ok(0) => {
                    if let Err(fault) = exchange.decoder.stream_ended() {
                        return Poll::Ready(Some(Err(fault.to_string())));
                    }
                }
                Ok(_) => {}
                Err(error) => return Poll::Ready(Some(Err(error.to_string()))),
            }
        }
    }

    /// Whether another call may use the connection after this exchange: both messages have come to their ends, and
    /// nothing that nobody asked for follows (CWE-444: an answer to a smuggled request would be the next caller's).
    pub(super) fn can_stay(&mut self, exchange: &Exchange) -> bool {
        let can = exchange.persistent
            && exchange.upload.is_none()
            && exchange.decoder.is_done()
            && self.wire.input.is_empty()
            && !self.wire.has_output();
        if can {
            self.wire.rest();
        }
        can
    }
}

/// How long to wait for an answer.
pub(super) struct Patience<L> {
    /// When the wait becomes too long at the earliest; `None` when never.
    pub(super) first: Option<Instant>,
    /// When it does, as seen now: later where the server had to wait itself.
    pub(super) limit: L,
}

#[derive(PartialEq, Eq)]
enum Put {
    More,
    Last,
}

fn put(wire: &mut Wire<Counted>, framing: &mut Framing, frame: Frame<Bytes>) -> Result<Put, NoAnswer> {
    let data = match frame.into_data() {
        Ok(data) => data,
        Err(frame) => {
            let trailers = frame.into_trailers().ok();
            return match framing {
                Framing::Chunked => {
                    write::last_chunk(wire.output(), trailers.as_ref());
                    Ok(Put::Last)
                }
                Framing::Length(left) if *left > 0 => Err(NoAnswer::Body),
                Framing::Length(_) | Framing::Bodiless | Framing::WithConnection => Ok(Put::Last),
            };
        }
    };
    if data.is_empty() {
        return Ok(Put::More);
    }
    match framing {
        Framing::Length(left) => {
            // More bytes than were promised would be read as the next request.
            *left = left.checked_sub(data.len() as u64).ok_or(NoAnswer::Body)?;
            wire.put(data, b"");
            Ok(if *left == 0 { Put::Last } else { Put::More })
        }
        Framing::Chunked => {
            write::chunk_size(wire.output(), data.len());
            wire.put(data, write::CHUNK_END);
            Ok(Put::More)
        }
        Framing::Bodiless | Framing::WithConnection => Err(NoAnswer::Body),
    }
}

/// Whether a request without a body should say so (RFC 9110 §8.6).
fn speaks_of_body(asking: Asking<'_>) -> bool {
    matches!(*asking.method, Method::POST | Method::PUT | Method::PATCH)
}

/// A connection that speaks another protocol now (RFC 9110 §7.8), with what came of it behind the answer.
pub struct Upgraded(pub(super) Box<OwnConnection>);

impl AsyncRead for Upgraded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0.wire).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Upgraded {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0.wire).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        AsyncWrite::poll_flush(Pin::new(&mut self.0.wire), cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0.wire).poll_shutdown(cx)
    }
}
