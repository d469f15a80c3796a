//! One client connection that speaks HTTP/2: many exchanges at a time, all driven from one task.
//!
//! A turn of the connection reads every frame that has come, gives each stream that was woken its turn, and writes all
//! frames that came of it in one go. Nothing is spawned and nothing is shared but the bodies of requests, which another
//! task may read, and the bits by which wakers tell which stream they meant.

mod answers;
mod frames;
mod inbox;
mod pulse;
mod requests;
mod streams;
mod turns;

use std::{
    collections::VecDeque,
    future::poll_fn,
    sync::Arc,
    task::{Context, Poll, Waker, ready},
    time::Duration,
};

use bytes::BytesMut;
use http::{Version, uri::Authority};
use portcullis_core::verdict::Denial;
use tokio::time::Instant;

pub(crate) use self::inbox::Upload;
use self::{
    frames::Read,
    pulse::{Doing, Pulse},
    streams::Streams,
    turns::Bell,
};
use super::{Connection, io::ClientIo};
use crate::{
    exchange,
    h1::wire::Wire,
    h2::{
        Code, Fault,
        block::Pieces,
        calm::Calm,
        frame,
        head::Bounds,
        hpack::{Decoder, Encoder},
        settings::{self, Own},
        window::{Given, Room},
    },
    plan::ListenerLimits,
};

/// Room for the body of one request: enough that one slow upstream cannot make the gate hold more than this for it, and
/// a fast one is not slowed.
const STREAM_WINDOW: u32 = 256 * 1024;
/// Room for the bodies of all requests of a connection.
const CONNECTION_WINDOW: u32 = 4 * STREAM_WINDOW;
/// How long a client may take to read last words and close.
const LINGER: Duration = Duration::from_secs(2);

/// A connection as its loop sees it.
struct Talk {
    connection: Arc<Connection>,
    wire: Wire<ClientIo>,
    bounds: Bounds,
    streams_max: usize,
    stage: Stage,
    decoder: Decoder,
    encoder: Encoder,
    /// The authority that the last request named: the next one most likely names it too.
    authority: Option<Authority>,
    /// A header block that has begun and not ended.
    block: Option<Pieces>,
    /// The highest stream that the client has begun.
    last: u32,
    streams: Streams,
    bell: Arc<Bell>,
    wakers: Vec<Waker>,
    /// Places of streams that have something to send and could not yet, in the order in which they may.
    queue: VecDeque<usize>,
    /// Room for the bodies of all answers.
    room: Room,
    /// Room for the body of each answer of a stream that is yet to begin.
    stream_room: u32,
    given: Given,
    calm: Calm,
    began: Instant,
    farewell: Farewell,
    pulse: Pulse,
}

/// What the client owes before all else (RFC 9113 §3.4).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Preface,
    Settings,
    Open,
}

/// How far the client has been told that the connection ends (RFC 9113 §6.8).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Farewell {
    NotYet,
    /// It may still have begun streams that are on their way to us.
    Announced,
    /// It has heard; what it begins now is not served.
    Said,
}

/// Why a connection ends.
enum End {
    /// All is said.
    Done,
    /// There is nobody left to talk to.
    Gone,
    Fault(Fault),
}

fn doing(streams: &Streams, room: Room) -> Doing {
    match (streams.is_empty(), streams.iter().any(|stream| stream.lacks_room(room))) {
        (true, _) => Doing::Nothing,
        (false, true) => Doing::Waiting,
        (false, false) => Doing::Serving,
    }
}

impl From<Fault> for End {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// Serves a connection to its end. `read` was read from it before.
pub(super) async fn serve(connection: &Arc<Connection>, limits: &ListenerLimits, io: ClientIo, read: &[u8]) {
    let mut talk = Box::new(Talk::new(connection, limits, io, read));
    let end = poll_fn(|cx| talk.poll(cx)).await;
    talk.streams.clear();
    let last_words = async {
        match end {
            End::Gone => return,
            End::Done => {}
            End::Fault(fault) => {
                // Where HTTP/2 itself is broken, GOAWAY tells the client; there is no request to answer.
                let _ = exchange::refused(connection, Version::HTTP_2, Denial::Malformed, fault.reason());
                frame::go_away(talk.wire.output(), talk.last, fault.code());
                let flushed = poll_fn(|cx| talk.wire.poll_flush(cx)).await;
                if flushed.is_err() {
                    return;
                }
            }
        }
        talk.linger().await;
    };
    let _ = tokio::time::timeout(LINGER, last_words).await;
}

impl Talk {
    fn new(connection: &Arc<Connection>, limits: &ListenerLimits, io: ClientIo, read: &[u8]) -> Self {
        let own = Own {
            streams_max: limits.streams_max,
            head_bytes_max: u32::try_from(limits.head_bytes_max).unwrap_or(u32::MAX),
            stream_window: STREAM_WINDOW,
            connection_window: CONNECTION_WINDOW,
        };
        let mut wire = Wire::new(io, BytesMut::from(read));
        own.write(wire.output());
        let streams_max = usize::try_from(limits.streams_max).unwrap_or(usize::MAX);
        Self {
            connection: Arc::clone(connection),
            wire,
            bounds: Bounds { bytes_max: limits.head_bytes_max, fields_max: limits.headers_max },
            streams_max,
            stage: Stage::Preface,
            decoder: Decoder::new(),
            encoder: Encoder::new(),
            authority: None,
            block: None,
            last: 0,
            streams: Streams::new(streams_max),
            bell: Bell::new(streams_max),
            wakers: Vec::new(),
            queue: VecDeque::new(),
            room: Room::new(settings::WINDOW_USUAL),
            stream_room: settings::WINDOW_USUAL,
            given: Given::new(CONNECTION_WINDOW),
            calm: Calm::new(),
            began: Instant::now(),
            farewell: Farewell::NotYet,
            pulse: Pulse::new(limits),
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        self.bell.listen(cx.waker());
        if self.connection.is_ending() && self.farewell == Farewell::NotYet {
            self.announce_end();
        }
        loop {
            let read = match self.read_frames(cx) {
                Ok(read) => read,
                Err(end) => return Poll::Ready(end),
            };
            if self.pulse.is_lost(cx, || doing(&self.streams, self.room), &mut self.wire) {
                return Poll::Ready(End::Gone);
            }
            self.give_turns();
            if ready!(self.wire.poll_flush_in_turn(cx)).is_err() {
                return Poll::Ready(End::Gone);
            }
            if self.streams.is_empty() {
                if self.farewell == Farewell::Said {
                    return Poll::Ready(End::Done);
                }
                self.streams.rest();
                self.wire.rest();
            }
            // Both were held up by what waited to be written.
            let can_send = self.room.bytes() > 0 && !self.queue.is_empty();
            if read == Read::All && !can_send {
                return Poll::Pending;
            }
        }
    }

    /// Tells the client to begin no more streams, and asks it to say when it has heard.
    fn announce_end(&mut self) {
        self.farewell = Farewell::Announced;
        frame::go_away(self.wire.output(), settings::WINDOW_MAX, Code::NoError);
        frame::ping(self.wire.output(), 0, pulse::FAREWELL);
    }

    /// The client has heard that no more streams are wanted.
    fn end_heard(&mut self) {
        if self.farewell == Farewell::Announced {
            self.farewell = Farewell::Said;
            frame::go_away(self.wire.output(), self.last, Code::NoError);
        }
    }

    /// Closes so that the last words arrive: closing with unread bytes would make the system reset the connection.
    async fn linger(&mut self) {
        const BYTES_MAX: usize = 1024 * 1024;
        let (mut read, mut ended) = (0, false);
        poll_fn(|cx| {
            if !ended && ready!(self.wire.poll_end(cx)).is_err() {
                return Poll::Ready(());
            }
            ended = true;
            loop {
                self.wire.input.clear();
                match ready!(self.wire.poll_fill(cx)) {
                    Ok(0) | Err(_) => return Poll::Ready(()),
                    Ok(bytes) => read += bytes,
                }
                if read > BYTES_MAX {
                    return Poll::Ready(());
                }
            }
        })
        .await;
    }
}
