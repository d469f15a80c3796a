//! The body of an answer on its way to the client. It carries the exchange, which ends when the body does.

use std::{
    collections::VecDeque,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::{
    exchange::Exchange,
    tunnel::Crossing,
    upstream::{AnswerBody, BoxError},
};

/// What is sent to the client as the body of an answer.
pub(crate) struct Reply {
    content: Content,
    /// Recorded when dropped, whether the body was sent to its end or not.
    exchange: Option<Box<Exchange>>,
    /// What the connection becomes once the head has been sent.
    crossing: Option<Box<Crossing>>,
}

/// Where the bytes come from.
pub(crate) enum Content {
    /// Nothing.
    Empty,
    /// Memory.
    Whole(Bytes),
    /// The upstream, as it comes.
    Upstream(AnswerBody),
    /// The upstream, of which some was read already.
    Resumed(VecDeque<Bytes>, AnswerBody),
}

impl Reply {
    /// A body whose end is the end of the exchange.
    pub(crate) fn new(content: Content, exchange: Box<Exchange>) -> Self {
        Self { content, exchange: Some(exchange), crossing: None }
    }

    /// A body of no exchange.
    pub(crate) fn alone(content: Content) -> Self {
        Self { content, exchange: None, crossing: None }
    }

    /// No body: the connection becomes a tunnel, and the exchange ends with that.
    pub(crate) fn tunnel(crossing: Crossing) -> Self {
        Self { content: Content::Empty, exchange: None, crossing: Some(Box::new(crossing)) }
    }

    /// The tunnel, where this is one.
    pub(crate) fn take_crossing(&mut self) -> Option<Crossing> {
        self.crossing.take().map(|crossing| *crossing)
    }

    fn next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &mut self.content {
            Content::Empty => Poll::Ready(None),
            Content::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Content::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Content::Upstream(body) => Pin::new(body).poll_frame(cx).map_err(Into::into),
            Content::Resumed(read, body) => match read.pop_front() {
                Some(bytes) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
                None => Pin::new(body).poll_frame(cx).map_err(Into::into),
            },
        }
    }
}

impl Body for Reply {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let polled = self.next(cx);
        let ended = self.is_end_stream();
        if let Some(exchange) = &mut self.exchange {
            match &polled {
                Poll::Pending => {}
                Poll::Ready(None) => exchange.sent_whole(),
                Poll::Ready(Some(Err(error))) => exchange.cut_off(error.to_string()),
                Poll::Ready(Some(Ok(frame))) => {
                    if let Some(data) = frame.data_ref() {
                        exchange.sent(data.len());
                    }
                    if ended {
                        exchange.sent_whole();
                    }
                }
            }
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Empty => true,
            Content::Whole(bytes) => bytes.is_empty(),
            Content::Upstream(body) => body.is_end_stream(),
            Content::Resumed(read, body) => read.is_empty() && body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        self.content.bytes().map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

impl Content {
    /// How many bytes it has, where that is known.
    pub(crate) fn bytes(&self) -> Option<u64> {
        match self {
            Self::Empty => Some(0),
            Self::Whole(bytes) => Some(bytes.len() as u64),
            Self::Upstream(body) => body.size_hint().exact(),
            Self::Resumed(read, body) => {
                let held = read.iter().map(|bytes| bytes.len() as u64).sum::<u64>();
                Some(held + body.size_hint().exact()?)
            }
        }
    }
}
