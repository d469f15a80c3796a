//! An answer's body on its way to the client.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body as _, Frame};

use super::state::Shared;
use crate::{
    connection::io::ClientIo,
    h1::{
        wire::Wire,
        write::{self, Framing},
    },
    reply::Reply,
};

/// There is nobody to answer any more, or no way to answer rightly.
pub(super) struct Gone;

/// An answer's body on its way out.
pub(super) struct Sending {
    framing: Framing,
    stage: Stage,
    takes_trailers: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Body,
    /// All is said; what waits is still to be written.
    Said,
    /// The body broke off. What came of it goes out, without an end.
    Broken,
}

impl Sending {
    /// A body that will be framed so; trailers go to a client that takes them.
    pub(super) const fn new(framing: Framing, takes_trailers: bool) -> Self {
        Self { framing, stage: Stage::Body, takes_trailers }
    }

    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        shared: &Arc<Shared>,
        reply: &mut Reply,
    ) -> Poll<Result<(), Gone>> {
        if matches!(self.framing, Framing::Bodiless | Framing::Length(0)) {
            self.stage = Stage::Said;
        }
        loop {
            {
                let mut state = shared.lock();
                if self.stage != Stage::Body || state.wire.is_full() {
                    let flushed = ready!(state.wire.poll_flush_in_turn(cx));
                    match (flushed, self.stage) {
                        (Err(_), _) | (Ok(()), Stage::Broken) => return Poll::Ready(Err(Gone)),
                        (Ok(()), Stage::Said) => return Poll::Ready(Ok(())),
                        (Ok(()), Stage::Body) => {}
                    }
                }
            }
            // Not under the lock: the reply may itself be pushing the request's body on.
            match Pin::new(&mut *reply).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => self.take(&mut shared.lock().wire, frame),
                Poll::Ready(Some(Err(_))) => self.stage = Stage::Broken,
                Poll::Ready(None) => self.end(&mut shared.lock().wire, None),
                Poll::Pending => {
                    let mut state = shared.lock();
                    let lost = matches!(state.wire.poll_flush(cx), Poll::Ready(Err(_))) || state.is_gone(cx);
                    return if lost { Poll::Ready(Err(Gone)) } else { Poll::Pending };
                }
            }
        }
    }

    fn take(&mut self, wire: &mut Wire<ClientIo>, frame: Frame<Bytes>) {
        let data = match frame.into_data() {
            Ok(data) if data.is_empty() => return,
            Ok(data) => data,
            Err(frame) => {
                let trailers = frame.into_trailers().ok().filter(|_| self.takes_trailers);
                return self.end(wire, trailers.as_ref());
            }
        };
        match &mut self.framing {
            Framing::Length(left) => match left.checked_sub(data.len() as u64) {
                Some(rest) => {
                    *left = rest;
                    wire.put(data, b"");
                    if rest == 0 {
                        self.stage = Stage::Said;
                    }
                }
                // More than was promised would be read as the next answer.
                None => self.stage = Stage::Broken,
            },
            Framing::Chunked => {
                write::chunk_size(wire.output(), data.len());
                wire.put(data, write::CHUNK_END);
            }
            Framing::WithConnection => wire.put(data, b""),
            Framing::Bodiless => {}
        }
    }

    fn end(&mut self, wire: &mut Wire<ClientIo>, trailers: Option<&HeaderMap>) {
        self.stage = match self.framing {
            Framing::Length(left) if left > 0 => Stage::Broken,
            Framing::Length(_) | Framing::Bodiless | Framing::WithConnection => Stage::Said,
            Framing::Chunked => {
                write::last_chunk(wire.output(), trailers);
                Stage::Said
            }
        };
    }
}
