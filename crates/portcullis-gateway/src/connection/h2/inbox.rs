//! The body of a stream's request: what has come of it, and who reads it.

use std::{
    collections::VecDeque,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};

use crate::connection::body::Lost;

/// A piece below this size is copied behind the one before: it would keep the whole read buffer in memory.
pub(super) const COPIED_BYTES_MAX: usize = 4 * 1024;

/// What the connection and the reader of a body share. Taken by one of them at a time, nearly always on one thread; the
/// reader may be a task of another protocol's connection.
pub(super) struct Inbox {
    state: Mutex<State>,
    /// Tells the connection that there is room again.
    turn: Waker,
}

struct State {
    pieces: VecDeque<Bytes>,
    /// Small pieces, behind the others.
    tail: BytesMut,
    trailers: Option<HeaderMap>,
    end: End,
    /// Bytes of the declared length that the reader has not had.
    left: Option<u64>,
    reader: Option<Waker>,
    /// Bytes that were read, or thrown away, since the connection asked.
    taken: usize,
    /// The reader waits and nothing has come: the client may be waiting too (RFC 9110 §10.1.1).
    is_asked_for: bool,
    is_unwanted: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Open,
    Ended,
    Lost,
}

/// What the connection is to do about a body.
pub(super) struct News {
    pub(super) taken: usize,
    pub(super) is_asked_for: bool,
}

impl Inbox {
    pub(super) fn new(length: Option<u64>, turn: Waker) -> Arc<Self> {
        let state = State {
            pieces: VecDeque::new(),
            tail: BytesMut::new(),
            trailers: None,
            end: End::Open,
            left: length,
            reader: None,
            taken: 0,
            is_asked_for: false,
            is_unwanted: false,
        };
        Arc::new(Self { state: Mutex::new(state), turn })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Whatever panicked under it, its exchange has ended.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds what came. The flow's window bounds how much there is.
    pub(super) fn push(&self, piece: Piece<'_>) {
        let mut state = self.lock();
        if state.is_unwanted {
            state.taken += piece.len();
            return;
        }
        match piece {
            Piece::Small(bytes) => state.tail.extend_from_slice(bytes),
            Piece::Large(bytes) => {
                if !state.tail.is_empty() {
                    let tail = state.tail.split().freeze();
                    state.pieces.push_back(tail);
                }
                state.pieces.push_back(bytes);
            }
        }
        state.wake();
    }

    pub(super) fn end(&self, trailers: Option<HeaderMap>) {
        let mut state = self.lock();
        state.trailers = trailers.filter(|_| !state.is_unwanted);
        state.end = End::Ended;
        state.wake();
    }

    /// Nothing more comes, and what came is not the whole.
    pub(super) fn lose(&self) {
        let mut state = self.lock();
        if state.end == End::Open {
            state.end = End::Lost;
            state.wake();
        }
    }

    /// What has happened since the last time.
    pub(super) fn news(&self) -> News {
        let mut state = self.lock();
        News {
            taken: std::mem::take(&mut state.taken),
            is_asked_for: std::mem::take(&mut state.is_asked_for),
        }
    }

    /// Throws away what nobody has read; how many bytes that and what was read before were.
    pub(super) fn close(&self) -> usize {
        let mut state = self.lock();
        if state.end == End::Open {
            state.end = End::Lost;
        }
        state.clear();
        state.wake();
        std::mem::take(&mut state.taken)
    }
}

/// A piece of a body as it lies in the read buffer.
pub(super) enum Piece<'a> {
    Small(&'a [u8]),
    Large(Bytes),
}

impl Piece<'_> {
    fn len(&self) -> usize {
        match self {
            Self::Small(bytes) => bytes.len(),
            Self::Large(bytes) => bytes.len(),
        }
    }
}

impl State {
    fn wake(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }

    fn waiting(&self) -> usize {
        self.pieces.iter().map(Bytes::len).sum::<usize>() + self.tail.len()
    }

    fn clear(&mut self) {
        self.taken += self.waiting();
        self.pieces = VecDeque::new();
        self.tail = BytesMut::new();
        self.is_unwanted = true;
    }

    fn next(&mut self) -> Option<Bytes> {
        let piece = match self.pieces.pop_front() {
            Some(piece) => piece,
            None if self.tail.is_empty() => return None,
            None => self.tail.split().freeze(),
        };
        self.taken += piece.len();
        self.left = self.left.map(|left| left.saturating_sub(piece.len() as u64));
        Some(piece)
    }

    fn is_done(&self) -> bool {
        self.end == End::Ended && self.pieces.is_empty() && self.tail.is_empty() && self.trailers.is_none()
    }
}

/// A stream's body on its way to whoever reads it.
pub(crate) struct Upload(pub(super) Arc<Inbox>);

impl Drop for Upload {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.clear();
        if state.taken > 0 {
            self.0.turn.wake_by_ref();
        }
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = Lost;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Lost>>> {
        let mut state = self.0.lock();
        let was_taken = state.taken;
        if state.end == End::Lost {
            return Poll::Ready(Some(Err(Lost)));
        }
        if let Some(piece) = state.next() {
            if was_taken == 0 {
                self.0.turn.wake_by_ref();
            }
            return Poll::Ready(Some(Ok(Frame::data(piece))));
        }
        if state.end == End::Ended {
            return Poll::Ready(state.trailers.take().map(|trailers| Ok(Frame::trailers(trailers))));
        }
        match &mut state.reader {
            Some(reader) => reader.clone_from(cx.waker()),
            None => state.reader = Some(cx.waker().clone()),
        }
        if !state.is_asked_for {
            state.is_asked_for = true;
            self.0.turn.wake_by_ref();
        }
        Poll::Pending
    }

    fn is_end_stream(&self) -> bool {
        self.0.lock().is_done()
    }

    fn size_hint(&self) -> SizeHint {
        let state = self.0.lock();
        match state.left {
            Some(left) => SizeHint::with_exact(left),
            None if state.end == End::Ended && state.trailers.is_none() => {
                SizeHint::with_exact(state.waiting() as u64)
            }
            None => SizeHint::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upload(length: Option<u64>) -> (Arc<Inbox>, Upload) {
        let inbox = Inbox::new(length, Waker::noop().clone());
        (Arc::clone(&inbox), Upload(inbox))
    }

    fn next(upload: &mut Upload) -> Poll<Option<Result<Frame<Bytes>, Lost>>> {
        Pin::new(upload).poll_frame(&mut Context::from_waker(Waker::noop()))
    }

    fn data(upload: &mut Upload) -> Bytes {
        match next(upload) {
            Poll::Ready(Some(Ok(frame))) => frame.into_data().unwrap(),
            other => panic!("no data: {other:?}"),
        }
    }

    #[test]
    fn pieces_come_in_their_order_small_ones_together() {
        let (inbox, mut upload) = upload(Some(12));
        assert!(next(&mut upload).is_pending());
        assert!(inbox.news().is_asked_for);
        for piece in
            [Piece::Small(b"ab"), Piece::Small(b"cd"), Piece::Large("efgh".into()), Piece::Small(b"ijkl")]
        {
            inbox.push(piece);
        }
        assert_eq!(upload.size_hint().exact(), Some(12));
        assert_eq!([data(&mut upload), data(&mut upload), data(&mut upload)], ["abcd", "efgh", "ijkl"]);
        assert_eq!(inbox.news().taken, 12);
        assert!(!upload.is_end_stream());
        inbox.end(None);
        assert!(upload.is_end_stream() && matches!(next(&mut upload), Poll::Ready(None)));
    }

    #[test]
    fn trailers_come_last() {
        let (inbox, mut upload) = upload(None);
        inbox.push(Piece::Small(b"a"));
        inbox.end(Some(HeaderMap::new()));
        assert_eq!(data(&mut upload), "a");
        assert!(!upload.is_end_stream());
        assert!(matches!(next(&mut upload), Poll::Ready(Some(Ok(frame))) if frame.is_trailers()));
        assert!(upload.is_end_stream());
    }

    #[test]
    fn a_lost_body_has_no_end_and_an_ended_one_cannot_be_lost() {
        let (inbox, mut upload) = upload(None);
        inbox.push(Piece::Small(b"a"));
        inbox.lose();
        assert!(matches!(next(&mut upload), Poll::Ready(Some(Err(Lost)))));
        let (inbox, mut upload) = self::upload(None);
        inbox.end(None);
        inbox.lose();
        assert!(matches!(next(&mut upload), Poll::Ready(None)));
    }

    #[test]
    fn what_nobody_wants_takes_no_memory_and_gives_its_room_back() {
        let (inbox, upload) = upload(None);
        inbox.push(Piece::Small(b"ab"));
        drop(upload);
        inbox.push(Piece::Large("cdef".into()));
        assert_eq!(inbox.news().taken, 6);
        assert_eq!(inbox.close(), 0);
    }
}
