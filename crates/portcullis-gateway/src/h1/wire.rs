//! A connection's bytes with what was read ahead and what is still to be written.

use std::{
    io::{self, IoSlice},
    pin::{Pin, pin},
    task::{Context, Poll, ready},
};

use bytes::{Buf as _, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};

/// What is read at once from a connection that sends little, and at most from one that sends much.
const READ_BYTES: usize = 8 * 1024;
const READ_BYTES_MAX: usize = 64 * 1024;
/// A piece up to this size is copied behind what is to be written; a larger one is written from where it lies.
const COPIED_BYTES_MAX: usize = 8 * 1024;
/// What may wait to be written before no more is taken.
const WAITING_BYTES_MAX: usize = 32 * 1024;

/// A stream with its two buffers.
pub(crate) struct Wire<S> {
    stream: S,
    /// Read, not yet taken.
    pub(crate) input: BytesMut,
    read_bytes: usize,
    /// To be written, from `written` on; then `large`, then `behind`.
    output: Vec<u8>,
    written: usize,
    large: Bytes,
    behind: &'static [u8],
    /// Given to the stream, which may hold it back until it is flushed, as TLS does.
    unflushed: bool,
    /// Whether the others have had their turn before what waits.
    gave_way: bool,
}

impl<S> Wire<S> {
    pub(crate) fn new(stream: S, input: BytesMut) -> Self {
        Self {
            stream,
            input,
            read_bytes: READ_BYTES,
            output: Vec::new(),
            written: 0,
            large: Bytes::new(),
            behind: b"",
            unflushed: false,
            gave_way: false,
        }
    }

    /// The buffer that heads are written into. Only while nothing [large](Self::put) waits.
    pub(crate) fn output(&mut self) -> &mut Vec<u8> {
        debug_assert!(
            self.large.is_empty() && self.behind.is_empty(),
            "what is written now would go before what waits"
        );
        &mut self.output
    }

    /// Adds a piece and what ends it.
    pub(crate) fn put(&mut self, piece: Bytes, behind: &'static [u8]) {
        debug_assert!(!self.is_full(), "one large piece waits at a time");
        if piece.len() <= COPIED_BYTES_MAX {
            self.output.extend_from_slice(&piece);
            self.output.extend_from_slice(behind);
        } else {
            self.large = piece;
            self.behind = behind;
        }
    }

    /// Whether what waits must be written before more is added.
    pub(crate) fn is_full(&self) -> bool {
        !self.large.is_empty() || !self.behind.is_empty() || self.output.len() > WAITING_BYTES_MAX
    }

    /// Whether anything is not on its way yet.
    pub(crate) fn has_output(&self) -> bool {
        self.unflushed || self.waiting() > 0
    }

    fn waiting(&self) -> usize {
        self.output.len() - self.written + self.large.len() + self.behind.len()
    }

    /// Gives the memory of an idle connection back, but for what it will need again at once.
    pub(crate) fn rest(&mut self) {
        self.read_bytes = READ_BYTES;
        if self.input.is_empty() && self.input.capacity() > READ_BYTES {
            self.input = BytesMut::new();
        }
        if self.output.is_empty() && self.output.capacity() > READ_BYTES {
            self.output = Vec::new();
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    /// Reads once more. No bytes mean that the other side has ended its stream.
    pub(crate) fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        const ROOM_MIN: usize = 1024;
        if self.input.capacity() - self.input.len() < ROOM_MIN.max(self.read_bytes / 4) {
            self.input.reserve(self.read_bytes);
        }
        let room = self.input.capacity() - self.input.len();
        let read = ready!(pin!(self.stream.read_buf(&mut self.input)).poll(cx))?;
        if read == room {
            self.read_bytes = (self.read_bytes * 2).min(READ_BYTES_MAX);
        }
        Poll::Ready(Ok(read))
    }

    /// Writes all that waits.
    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.waiting() > 0 {
            self.unflushed = true;
            let count = {
                let head = self.output.get(self.written..).unwrap_or_default();
                let stream = Pin::new(&mut self.stream);
                if self.large.is_empty() && self.behind.is_empty() {
                    ready!(stream.poll_write(cx, head))?
                } else {
                    let parts = [IoSlice::new(head), IoSlice::new(&self.large), IoSlice::new(self.behind)];
                    ready!(stream.poll_write_vectored(cx, &parts))?
                }
            };
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.advance(count);
        }
        self.output.clear();
        self.written = 0;
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        self.unflushed = false;
        Poll::Ready(Ok(()))
    }

    /// Writes all that waits, once everybody who is ready by now has had a turn. Under load the messages of a whole
    /// round then go out one right behind the other: who waits for them at the other ends is woken once, instead of
    /// falling asleep between any two (a wake-up costs the sender more than the sending). Where nobody else is ready it
    /// costs one more turn.
    pub(crate) fn poll_flush_in_turn(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.waiting() > 0 && !self.gave_way {
            self.gave_way = true;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let flushed = ready!(self.poll_flush(cx));
        self.gave_way = false;
        Poll::Ready(flushed)
    }

    fn advance(&mut self, count: usize) {
        let of_output = count.min(self.output.len() - self.written);
        self.written += of_output;
        let rest = count - of_output;
        let of_large = rest.min(self.large.len());
        self.large.advance(of_large);
        self.behind = self.behind.get(rest - of_large..).unwrap_or_default();
    }

    /// Ends the writing half.
    pub(crate) fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// As plain bytes, for what comes after an upgrade: first what was read ahead.
impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.input.is_empty() {
            return Pin::new(&mut self.stream).poll_read(cx, buffer);
        }
        let count = self.input.len().min(buffer.remaining());
        buffer.put_slice(&self.input.split_to(count));
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    /// Takes what is written, so many bytes at a time, and holds it back until it may be flushed, as TLS does.
    #[derive(Default)]
    struct Holding {
        held: Vec<u8>,
        sent: Vec<u8>,
        bytes_max: usize,
        may_flush: bool,
    }

    impl AsyncRead for Holding {
        fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
            Poll::Pending
        }
    }

    impl AsyncWrite for Holding {
        fn poll_write(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            let taken = &bytes[..bytes.len().min(self.bytes_max)];
            self.held.extend_from_slice(taken);
            Poll::Ready(Ok(taken.len()))
        }

        fn poll_write_vectored(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            parts: &[IoSlice<'_>],
        ) -> Poll<io::Result<usize>> {
            let taken: Vec<u8> =
                parts.iter().flat_map(|part| part.iter().copied()).take(self.bytes_max).collect();
            self.held.extend_from_slice(&taken);
            Poll::Ready(Ok(taken.len()))
        }

        fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            if !self.may_flush {
                return Poll::Pending;
            }
            let held = std::mem::take(&mut self.held);
            self.sent.extend(held);
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    fn wire(bytes_max: usize) -> Wire<Holding> {
        Wire::new(Holding { bytes_max, ..Holding::default() }, BytesMut::new())
    }

    #[test]
    fn what_the_stream_holds_back_is_still_output() {
        let mut cx = Context::from_waker(Waker::noop());
        let mut wire = wire(usize::MAX);
        assert!(!wire.has_output());
        wire.output().extend_from_slice(b"head");
        assert!(wire.poll_flush(&mut cx).is_pending());
        assert!(wire.has_output(), "the end of a message lies in the stream");
        wire.stream.may_flush = true;
        assert!(wire.poll_flush(&mut cx).is_ready());
        assert!(!wire.has_output());
        assert_eq!(wire.stream.sent, b"head");
    }

    #[test]
    fn pieces_are_written_in_their_order_however_little_is_taken() {
        let mut cx = Context::from_waker(Waker::noop());
        let large = Bytes::from(vec![b'x'; COPIED_BYTES_MAX + 1]);
        for bytes_max in [1, 3, 7, COPIED_BYTES_MAX, usize::MAX] {
            let mut wire = wire(bytes_max);
            wire.stream.may_flush = true;
            wire.output().extend_from_slice(b"head ");
            wire.put(Bytes::from_static(b"small"), b" ");
            wire.put(large.clone(), b"\r\n");
            assert!(wire.is_full());
            assert!(matches!(wire.poll_flush(&mut cx), Poll::Ready(Ok(()))));
            assert!(!wire.is_full() && !wire.has_output());
            assert_eq!(wire.stream.sent, [b"head small ", &large[..], b"\r\n"].concat(), "{bytes_max}");
        }
    }

    #[test]
    fn others_have_a_turn_before_each_message_and_none_in_its_midst() {
        let woken = std::sync::Arc::new(Woken::default());
        let waker = Waker::from(std::sync::Arc::clone(&woken));
        let mut cx = Context::from_waker(&waker);
        let mut wire = wire(3);
        wire.stream.may_flush = true;
        for turns in 1..3 {
            wire.output().extend_from_slice(b"message");
            assert!(wire.poll_flush_in_turn(&mut cx).is_pending());
            assert_eq!(woken.0.load(std::sync::atomic::Ordering::Relaxed), turns, "it comes back by itself");
            assert!(matches!(wire.poll_flush_in_turn(&mut cx), Poll::Ready(Ok(()))));
        }
        assert!(wire.poll_flush_in_turn(&mut cx).is_ready(), "with nothing to say nobody is let before");
        assert_eq!(wire.stream.sent, b"messagemessage");
    }

    #[derive(Default)]
    struct Woken(std::sync::atomic::AtomicUsize);

    impl std::task::Wake for Woken {
        fn wake(self: std::sync::Arc<Self>) {
            self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
    }
}
