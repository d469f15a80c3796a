//! A connection that has become something else than HTTP: bytes both ways until one side ends, both are silent or the gate
//! closes.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::{exchange::Exchange, upstream::Upgraded};

/// A tunnel's far side, with the exchange that it is.
pub(crate) struct Crossing {
    pub(crate) exchange: Box<Exchange>,
    pub(crate) behind: Upgraded,
    /// For how long both sides may be silent.
    pub(crate) idle: Duration,
}

/// Joins the two sides; the exchange ends with it.
pub(crate) async fn join(crossing: Crossing, front: impl AsyncRead + AsyncWrite + Unpin) {
    let Crossing { mut exchange, mut behind, idle } = crossing;
    let moved = Arc::new(Moved::default());
    let mut front = Counted { io: front, moved: Arc::clone(&moved) };
    let copying = tokio::io::copy_bidirectional(&mut front, &mut behind);
    let silence = silence(&moved, idle);
    let closing = exchange.closing();
    tokio::select! {
        // However a tunnel ends, what it moved was served: there is no length that it could fall short of.
        _ = copying => {}
        () = silence => {}
        () = closing => {}
    }
    exchange.moved(moved.read.load(Ordering::Relaxed), moved.written.load(Ordering::Relaxed));
}

#[derive(Default)]
struct Moved {
    read: AtomicU64,
    written: AtomicU64,
}

/// Ends once nothing has moved for `idle`, up to twice as long: no clock is read for each piece.
async fn silence(moved: &Moved, idle: Duration) {
    let total = || moved.read.load(Ordering::Relaxed) + moved.written.load(Ordering::Relaxed);
    let mut before = total();
    loop {
        tokio::time::sleep(idle).await;
        let now = total();
        if now == before {
            return;
        }
        before = now;
    }
}

/// Counts what passes between the client and the gate.
struct Counted<T> {
    io: T,
    moved: Arc<Moved>,
}

impl<T: AsyncRead + Unpin> AsyncRead for Counted<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.io).poll_read(cx, buffer))?;
        let bytes = buffer.filled().len() - before;
        self.moved.read.fetch_add(bytes as u64, Ordering::Relaxed);
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Counted<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.io).poll_write(cx, bytes))?;
        self.moved.written.fetch_add(written as u64, Ordering::Relaxed);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
