//! The body of a request as it comes from the client, whichever protocol brings it.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::{h1, h2};

/// A request's body on the client's side of the gate.
pub(crate) enum ClientBody {
    /// There is none.
    None,
    /// Read from an HTTP/1 connection as it is asked for.
    H1(h1::Upload),
    /// Of a stream, as it has come.
    H2(h2::Upload),
}

/// The body is broken or cut off.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the request body is broken or cut off")]
pub(crate) struct Lost;

impl Body for ClientBody {
    type Data = Bytes;
    type Error = Lost;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Lost>>> {
        match &mut *self {
            Self::None => Poll::Ready(None),
            Self::H1(body) => Pin::new(body).poll_frame(cx),
            Self::H2(body) => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::None => true,
            Self::H1(body) => body.is_end_stream(),
            Self::H2(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::None => SizeHint::with_exact(0),
            Self::H1(body) => body.size_hint(),
            Self::H2(body) => body.size_hint(),
        }
    }
}
