//! The body of a request, read from the wire as it is asked for.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::state::{Shared, remember};
use crate::{connection::body::Lost, h1::Fault};

/// A body that belongs to the request of that number, and ends with it.
pub(crate) struct Upload {
    pub(super) shared: Arc<Shared>,
    pub(super) number: u64,
}

impl Body for Upload {
    type Data = Bytes;
    type Error = Lost;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Lost>>> {
        let mut state = self.shared.lock();
        if state.number != self.number {
            return Poll::Ready(Some(Err(Lost)));
        }
        let polled = state.poll_body(cx);
        if polled.is_pending() {
            remember(&mut state.reader, cx);
        } else if state.decoder.is_done()
            && let Some(watcher) = state.watcher.take()
            && !watcher.will_wake(cx.waker())
        {
            watcher.wake();
        }
        polled.map_err(|fault| {
            // A client that leaves has framed nothing wrongly.
            if fault != Fault::CutOff {
                self.shared.connection.note_framing(fault);
            }
            Lost
        })
    }

    fn is_end_stream(&self) -> bool {
        let state = self.shared.lock();
        state.number == self.number && state.decoder.is_done()
    }

    fn size_hint(&self) -> SizeHint {
        let state = self.shared.lock();
        let left = state.decoder.left().filter(|_| state.number == self.number);
        left.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
