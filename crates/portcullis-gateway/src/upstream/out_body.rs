//! The body of a request on its way to a server.

use std::{
    error::Error,
    fmt,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::Instant;

/// Any error of a body.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// The body of a request as the caller hands it over.
pub enum OutBody {
    /// None.
    Empty,
    /// Held in memory; can be sent again.
    Whole(Bytes),
    /// Passes through, trailers included; can be sent once.
    Stream(Pin<Box<dyn Body<Data = Bytes, Error = BoxError> + Send>>),
}

impl OutBody {
    /// A second copy, where there can be one.
    pub(super) fn copy(&self) -> Option<Self> {
        match self {
            Self::Empty => Some(Self::Empty),
            Self::Whole(bytes) => Some(Self::Whole(bytes.clone())),
            Self::Stream(_) => None,
        }
    }
}

impl fmt::Debug for OutBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("Empty"),
            Self::Whole(bytes) => write!(f, "Whole({} bytes)", bytes.len()),
            Self::Stream(_) => f.write_str("Stream"),
        }
    }
}

impl Body for OutBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &mut *self {
            Self::Empty => Poll::Ready(None),
            Self::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Self::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Self::Stream(body) => body.as_mut().poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Whole(bytes) => bytes.is_empty(),
            Self::Stream(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Stream(body) => body.size_hint(),
        }
    }
}

/// How far a streamed body has come, seen from the side that waits for the answer.
#[derive(Debug)]
pub(super) struct Upload {
    since: Instant,
    moved_millis: AtomicU64,
    /// The body had nothing to give when last asked.
    starved: AtomicBool,
    done: AtomicBool,
    failed: AtomicBool,
}

impl Upload {
    pub(super) fn new(since: Instant) -> Arc<Self> {
        Arc::new(Self {
            since,
            moved_millis: AtomicU64::new(0),
            starved: AtomicBool::new(false),
            done: AtomicBool::new(false),
            failed: AtomicBool::new(false),
        })
    }

    /// The last moment at which the server had nothing to answer for: now while the body itself is what keeps all
    /// waiting, else when the body last moved.
    pub(super) fn last_excuse(&self, now: Instant) -> Instant {
        if self.starved.load(Ordering::Relaxed) && !self.done.load(Ordering::Relaxed) {
            return now;
        }
        self.since + Duration::from_millis(self.moved_millis.load(Ordering::Relaxed))
    }

    /// Whether the body itself failed, which is not the server's fault.
    pub(super) fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }

    fn moved(&self) {
        let millis = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.moved_millis.store(millis, Ordering::Relaxed);
    }
}

/// A body given to a connection; streamed ones are watched.
#[derive(Debug)]
pub(super) struct Sending {
    pub(super) body: OutBody,
    pub(super) upload: Option<Arc<Upload>>,
}

impl Body for Sending {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if let Some(upload) = &self.upload {
            upload.starved.store(polled.is_pending(), Ordering::Relaxed);
            match &polled {
                Poll::Pending => {}
                Poll::Ready(None) => {
                    upload.moved();
                    upload.done.store(true, Ordering::Relaxed);
                }
                Poll::Ready(Some(Ok(_))) => {
                    upload.moved();
                    if self.body.is_end_stream() {
                        upload.done.store(true, Ordering::Relaxed);
                    }
                }
                Poll::Ready(Some(Err(_))) => upload.failed.store(true, Ordering::Relaxed),
            }
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
