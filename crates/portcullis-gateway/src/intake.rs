//! The request body: held back whole for guards, or passed through with a bound on size and silence.

use std::{
    future::Future as _,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use portcullis_core::verdict::{Denial, Reason, RuleId, Severity};
use tokio::time::{Instant, Sleep};

use crate::{connection::ClientBody, forwarded, plan::ListenerPlan, upstream::BoxError};

/// What became of a request body, readable while another task reads it.
#[derive(Debug, Default)]
pub(crate) struct Intake {
    bytes: AtomicU64,
    fault: AtomicU8,
}

/// Why a request body was not taken to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum IntakeFault {
    /// More bytes than the operation allows.
    #[error("the request body is larger than the operation allows")]
    TooLarge,
    /// Too slow.
    #[error("the request body did not arrive in time")]
    Timeout,
    /// The connection ended, or the framing is broken.
    #[error("the request body is broken or cut off")]
    Broken,
}

impl IntakeFault {
    pub(crate) const fn denial(self) -> Denial {
        match self {
            Self::TooLarge => Denial::TooLarge,
            Self::Timeout => Denial::Timeout,
            Self::Broken => Denial::Malformed,
        }
    }

    pub(crate) fn reason(self) -> Reason {
        let (rule, message) = match self {
            Self::TooLarge => ("body/too_large", "the request body is larger than the operation allows"),
            Self::Timeout => ("body/too_slow", "the request body did not arrive in time"),
            Self::Broken => ("body/broken", "the request body is broken or cut off"),
        };
        Reason::new(RuleId::new(rule), Severity::Low, message)
    }
}

impl Intake {
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    pub(crate) fn fault(&self) -> Option<IntakeFault> {
        match self.fault.load(Ordering::Relaxed) {
            1 => Some(IntakeFault::TooLarge),
            2 => Some(IntakeFault::Timeout),
            3 => Some(IntakeFault::Broken),
            _ => None,
        }
    }

    fn add(&self, bytes: usize) -> u64 {
        let bytes = bytes as u64;
        self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes
    }

    fn fail(&self, fault: IntakeFault) -> IntakeFault {
        let code = match fault {
            IntakeFault::TooLarge => 1,
            IntakeFault::Timeout => 2,
            IntakeFault::Broken => 3,
        };
        self.fault.store(code, Ordering::Relaxed);
        fault
    }
}

/// Reads the body whole, at most `bytes_max` bytes within `time`. A declared length is believed only as a promise to
/// be larger: then nothing is read.
pub(crate) async fn read_whole(
    mut body: ClientBody,
    bytes_max: u64,
    time: Duration,
    intake: &Intake,
) -> Result<Bytes, IntakeFault> {
    if body.size_hint().lower() > bytes_max {
        return Err(intake.fail(IntakeFault::TooLarge));
    }
    let reading = async {
        let mut first = Bytes::new();
        let mut whole = BytesMut::new();
        while let Some(frame) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
            let Ok(data) = frame.map_err(|_| intake.fail(IntakeFault::Broken))?.into_data() else {
                continue;
            };
            if intake.add(data.len()) > bytes_max {
                return Err(intake.fail(IntakeFault::TooLarge));
            }
            // The usual body is one piece: then it is handed on as it lies in the read buffer.
            if first.is_empty() && whole.is_empty() {
                first = data;
                continue;
            }
            if whole.is_empty() {
                let more = usize::try_from(body.size_hint().lower()).unwrap_or(0);
                whole.reserve(first.len() + data.len() + more);
                whole.extend_from_slice(&first);
                first = Bytes::new();
            }
            whole.extend_from_slice(&data);
        }
        Ok(if whole.is_empty() { first } else { whole.freeze() })
    };
    match tokio::time::timeout(time, reading).await {
        Ok(done) => done,
        Err(_) => Err(intake.fail(IntakeFault::Timeout)),
    }
}

/// A request body on its way through.
pub(crate) struct PassingBody {
    body: ClientBody,
    intake: Arc<Intake>,
    plan: Arc<ListenerPlan>,
    bytes_max: u64,
    idle: Duration,
    /// Made at the first wait: most bodies lie in the read buffer with their head.
    silence: Option<Pin<Box<Sleep>>>,
    waiting: bool,
}

impl PassingBody {
    /// Fails at once when the declared length is over the bound.
    pub(crate) fn new(
        body: ClientBody,
        bytes_max: u64,
        idle: Duration,
        intake: Arc<Intake>,
        plan: Arc<ListenerPlan>,
    ) -> Result<Self, IntakeFault> {
        if body.size_hint().lower() > bytes_max {
            return Err(intake.fail(IntakeFault::TooLarge));
        }
        Ok(Self { body, intake, plan, bytes_max, idle, silence: None, waiting: false })
    }

    fn too_silent(&mut self, cx: &mut Context<'_>) -> bool {
        let until = Instant::now() + self.idle;
        let silence = self.silence.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(until)));
        if !self.waiting {
            silence.as_mut().reset(until);
            self.waiting = true;
        }
        silence.as_mut().poll(cx).is_ready()
    }
}

impl Body for PassingBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        let polled = Pin::new(&mut this.body).poll_frame(cx);
        if polled.is_pending() {
            return if this.too_silent(cx) {
                Poll::Ready(Some(Err(this.intake.fail(IntakeFault::Timeout).into())))
            } else {
                Poll::Pending
            };
        }
        this.waiting = false;
        let frame = match ready!(polled) {
            None => return Poll::Ready(None),
            Some(Err(_)) => return Poll::Ready(Some(Err(this.intake.fail(IntakeFault::Broken).into()))),
            Some(Ok(frame)) => frame,
        };
        Poll::Ready(Some(match frame.into_data() {
            Ok(data) if this.intake.add(data.len()) > this.bytes_max => {
                Err(this.intake.fail(IntakeFault::TooLarge).into())
            }
            Ok(data) => Ok(Frame::data(data)),
            Err(frame) => match frame.into_trailers() {
                Ok(mut trailers) => {
                    forwarded::strip_trailers(&mut trailers, &this.plan.identity_headers);
                    Ok(Frame::trailers(trailers))
                }
                Err(frame) => Ok(frame),
            },
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
