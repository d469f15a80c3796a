//! What the loop of a connection and the body of the request under way share: the wire, and how far it was read.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker, ready},
};

use bytes::{Bytes, BytesMut};
use http_body::Frame;

use crate::{
    connection::{Connection, io::ClientIo},
    h1::{
        Fault,
        body::{Bounds, Decoder, Piece},
        head::{self, BodyEnd, RequestHead},
        wire::Wire,
    },
    plan::ListenerLimits,
};

/// What may be read ahead of the exchange under way: enough to learn that the client has gone.
const AHEAD_BYTES_MAX: usize = 64 * 1024;
/// What is read and thrown away of a body that nobody wanted, so that the connection can be kept.
const UNWANTED_BYTES_MAX: u64 = 256 * 1024;

/// The wire of one connection, shared by its loop and by the body of the request under way.
pub(in crate::connection) struct Shared {
    state: Mutex<State>,
    pub(super) connection: Arc<Connection>,
}

pub(super) struct State {
    pub(super) wire: Wire<ClientIo>,
    /// Of the request under way, or the one before.
    pub(super) decoder: Decoder,
    /// Counts requests: a body that outlived its exchange must not read the next one's bytes.
    pub(super) number: u64,
    pub(super) go_ahead: GoAhead,
    /// Who waits for more of the body: the connection's own task, or that of a stream of HTTP/2 to an upstream.
    pub(super) reader: Option<Waker>,
    /// Who is to watch for the client's leaving once the body has been taken.
    pub(super) watcher: Option<Waker>,
    /// After one, nothing more is read.
    pub(super) fault: Option<Fault>,
    pub(super) head: HeadState,
}

/// The word that a client waits for before it sends its body (RFC 9110 §10.1.1).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum GoAhead {
    NotOwed,
    Owed,
    /// On its way.
    Written,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum HeadState {
    /// So many bytes were looked at, and whether an empty line was forgiven before them (RFC 9112 §2.2).
    Awaited { seen: usize, forgiven: bool },
    /// Its exchange is under way.
    Taken,
}

const FRESH: HeadState = HeadState::Awaited { seen: 0, forgiven: false };

impl Shared {
    pub(in crate::connection) fn new(io: ClientIo, read: &[u8], connection: Arc<Connection>) -> Arc<Self> {
        let state = State {
            wire: Wire::new(io, BytesMut::from(read)),
            decoder: Decoder::new(BodyEnd::Nobody, Bounds { bytes_max: 0, fields_max: 0 }),
            number: 0,
            go_ahead: GoAhead::NotOwed,
            reader: None,
            watcher: None,
            fault: None,
            head: FRESH,
        };
        Arc::new(Self { state: Mutex::new(state), connection })
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // Whatever panicked under it, its exchange has ended and the connection ends with it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the reading of the last request's body, whoever read it; whether it has been taken whole.
    pub(super) fn disown_body(self: &Arc<Self>) -> bool {
        let (reader, is_done) = {
            let mut state = self.lock();
            state.number += 1;
            state.watcher = None;
            (state.reader.take(), state.decoder.is_done())
        };
        // A stream of HTTP/2 reads the body in a task of its own. It is no longer woken by the wire, and as long as it
        // is not told it would keep the wire open.
        if let Some(reader) = reader
            && Arc::strong_count(self) > 1
        {
            reader.wake();
        }
        is_done
    }
}

impl State {
    /// The next head; `None` when none will come.
    pub(super) fn poll_head(
        &mut self,
        cx: &mut Context<'_>,
        connection: &Connection,
        limits: &ListenerLimits,
    ) -> Poll<Option<Result<RequestHead, Fault>>> {
        if self.head == HeadState::Taken {
            self.head = FRESH;
            self.wire.rest();
            if !self.wire.input.is_empty() {
                connection.watch.read();
            }
        }
        loop {
            match self.take_head(limits) {
                Ok(Some(head)) => {
                    self.head = HeadState::Taken;
                    return Poll::Ready(Some(Ok(head)));
                }
                Ok(None) => {}
                Err(fault) => {
                    // It is answered now, and not once more when its time is over.
                    self.head = HeadState::Taken;
                    return Poll::Ready(Some(Err(fault)));
                }
            }
            if connection.is_ending() && self.wire.input.is_empty() {
                return Poll::Ready(None);
            }
            match ready!(self.wire.poll_fill(cx)) {
                Ok(0) | Err(_) => return Poll::Ready(None),
                Ok(_) => {}
            }
        }
    }

    fn take_head(&mut self, limits: &ListenerLimits) -> Result<Option<RequestHead>, Fault> {
        let HeadState::Awaited { mut seen, mut forgiven } = self.head else { return Ok(None) };
        let input = &mut self.wire.input;
        if !forgiven && input.starts_with(b"\r\n") {
            bytes::Buf::advance(input, 2);
            (seen, forgiven) = (0, true);
        }
        // Another protocol is told at its first byte: there may never come a line's end.
        if input.first().is_some_and(|byte| !byte.is_ascii_graphic() && *byte != b'\r') {
            return Err(Fault::RequestLine);
        }
        let end = head::end(input, &mut seen)?;
        self.head = HeadState::Awaited { seen, forgiven };
        if end.unwrap_or(input.len()) > limits.head_bytes_max {
            return Err(Fault::HeadBytes);
        }
        let Some(end) = end else { return Ok(None) };
        let bytes = input.split_to(end).freeze();
        head::request(&bytes, limits.headers_max).map(Some)
    }

    /// Whether the client has gone while its exchange is under way. What comes of the next request is kept.
    pub(super) fn is_gone(&mut self, cx: &mut Context<'_>) -> bool {
        // As long as the body is not taken, whoever takes it learns that the client has gone.
        while self.decoder.is_done() && self.wire.input.len() < AHEAD_BYTES_MAX {
            match self.wire.poll_fill(cx) {
                Poll::Ready(Ok(0) | Err(_)) => return true,
                Poll::Ready(Ok(_)) => {}
                Poll::Pending => return false,
            }
        }
        if !self.decoder.is_done() {
            remember(&mut self.watcher, cx);
        }
        false
    }

    /// Whether the end of the body, and with it the next request, will be found.
    pub(super) fn may_await_body(&self) -> bool {
        // Who was not told to go on may send the body or leave it: what comes next could be either.
        let may_be_left = self.go_ahead == GoAhead::Owed && !self.decoder.is_done();
        self.fault.is_none() && !may_be_left
    }

    /// Throws away what has come of a body that nobody wants; whether the rest can be awaited and thrown away too.
    pub(super) fn can_skip_body(&mut self) -> bool {
        if !self.may_await_body() {
            return false;
        }
        self.skip_buffered()
            .is_some_and(|_| self.decoder.left().is_none_or(|left| left <= UNWANTED_BYTES_MAX))
    }

    /// How many bytes of the body were thrown away; `None` when it is broken.
    fn skip_buffered(&mut self) -> Option<u64> {
        let mut skipped = 0;
        loop {
            match self.decoder.take(&mut self.wire.input) {
                Ok(None | Some(Piece::End | Piece::Trailers(_))) => return Some(skipped),
                Ok(Some(Piece::Data(data))) => skipped += data.len() as u64,
                Err(fault) => {
                    self.fault = Some(fault);
                    return None;
                }
            }
        }
    }

    /// Awaits the end of a body that nobody wanted; whether it came, within bounds.
    pub(super) fn poll_skip(&mut self, cx: &mut Context<'_>, skipped: &mut u64) -> Poll<bool> {
        loop {
            let Some(more) = self.skip_buffered() else { return Poll::Ready(false) };
            *skipped += more;
            if self.decoder.is_done() {
                return Poll::Ready(true);
            }
            if *skipped > UNWANTED_BYTES_MAX {
                return Poll::Ready(false);
            }
            match ready!(self.wire.poll_fill(cx)) {
                Ok(0) | Err(_) => return Poll::Ready(false),
                Ok(_) => {}
            }
        }
    }

    pub(super) fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Fault>>> {
        if let Some(fault) = self.fault {
            return Poll::Ready(Some(Err(fault)));
        }
        loop {
            match self.decoder.take(&mut self.wire.input) {
                Ok(Some(Piece::Data(data))) => return Poll::Ready(Some(Ok(Frame::data(data)))),
                Ok(Some(Piece::Trailers(trailers))) => {
                    return Poll::Ready(Some(Ok(Frame::trailers(trailers))));
                }
                Ok(Some(Piece::End)) => return Poll::Ready(None),
                Ok(None) => {}
                Err(fault) => return self.broken(fault),
            }
            if self.go_ahead == GoAhead::Owed {
                self.wire.output().extend_from_slice(b"HTTP/1.1 100 Continue\r\n\r\n");
                self.go_ahead = GoAhead::Written;
            }
            // Nothing else is flushed from here: whoever writes the answer waits for the wire itself.
            if self.go_ahead == GoAhead::Written {
                match self.wire.poll_flush(cx) {
                    Poll::Pending => {}
                    Poll::Ready(Ok(())) => self.go_ahead = GoAhead::NotOwed,
                    Poll::Ready(Err(_)) => return self.broken(Fault::CutOff),
                }
            }
            match ready!(self.wire.poll_fill(cx)) {
                Ok(0) | Err(_) => return self.broken(Fault::CutOff),
                Ok(_) => {}
            }
        }
    }

    fn broken(&mut self, fault: Fault) -> Poll<Option<Result<Frame<Bytes>, Fault>>> {
        self.fault = Some(fault);
        Poll::Ready(Some(Err(fault)))
    }
}

/// Notes who is to be woken.
pub(super) fn remember(waker: &mut Option<Waker>, cx: &Context<'_>) {
    match waker {
        Some(waker) => waker.clone_from(cx.waker()),
        None => *waker = Some(cx.waker().clone()),
    }
}
