//! One client connection that speaks HTTP/1: requests one after the other, each answered before the next is read.

mod front;
mod sending;
mod state;
mod upload;

use std::{
    future::poll_fn,
    pin::pin,
    sync::Arc,
    task::{Poll, ready},
    time::Duration,
};

use http::{HeaderMap, Method, Request, Response, StatusCode, Version, header::CONNECTION};
use http_body::Body as _;

use self::{
    front::Front,
    sending::{Gone, Sending},
    state::{GoAhead, HeadState},
};
pub(super) use self::{state::Shared, upload::Upload};
use super::body::ClientBody;
use crate::{
    exchange,
    h1::{
        Fault,
        body::{Bounds, Decoder},
        head::{BodyEnd, RequestHead},
        write::{self, Fate, Framing},
    },
    plan::ListenerLimits,
    reply::Reply,
    tunnel,
};

/// How long a client may take to read a last answer and close (RFC 9112 §9.6).
const LINGER: Duration = Duration::from_secs(2);

/// What follows an exchange.
enum Then {
    Next,
    /// The client is told that nothing follows, and may have more on its way to us.
    Close,
    /// There is nobody left to talk to, or nothing left to say.
    Drop,
}

/// However the serving of a connection ends, nobody goes on reading from it.
struct Serving<'a>(&'a Arc<Shared>);

impl Drop for Serving<'_> {
    fn drop(&mut self) {
        self.0.disown_body();
    }
}

/// Serves a connection to its end.
pub(super) async fn serve(shared: &Arc<Shared>, limits: &ListenerLimits) {
    let _serving = Serving(shared);
    while let Some(came) = poll_fn(|cx| shared.lock().poll_head(cx, &shared.connection, limits)).await {
        let then = match came {
            Ok(head) => exchange(shared, head, limits).await,
            Err(fault) => refuse(shared, fault).await,
        };
        match then {
            Then::Next => {}
            Then::Close => return linger(shared).await,
            Then::Drop => return,
        }
    }
    // Under TLS the client is told that this end is no accident.
    let _ = tokio::time::timeout(LINGER, poll_fn(|cx| shared.lock().wire.poll_end(cx))).await;
}

/// Tells a client that was cut because its head took too long, where it had begun one (RFC 9110 §15.5.9).
pub(super) async fn tell_slow_head(shared: &Arc<Shared>) {
    let begun = {
        let state = shared.lock();
        matches!(state.head, HeadState::Awaited { .. }) && !state.wire.input.is_empty()
    };
    if begun {
        // It had its time; it does not get another for the answer.
        let _ = tokio::time::timeout(LINGER, async {
            refuse(shared, Fault::SlowHead).await;
            linger(shared).await;
        })
        .await;
    }
}

/// One request and its answer.
async fn exchange(shared: &Arc<Shared>, head: RequestHead, limits: &ListenerLimits) -> Then {
    let RequestHead { method, uri, version, headers, body, manners } = head;
    let asked = Asked { head_only: method == Method::HEAD, version, takes_trailers: manners.takes_trailers };
    let body = take_body(shared, body, manners.waits_for_continue, limits);
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    *request.version_mut() = version;
    *request.headers_mut() = headers;

    let answer = {
        let mut serving = pin!(exchange::serve(Arc::clone(&shared.connection), request));
        poll_fn(|cx| match serving.as_mut().poll(cx) {
            Poll::Ready(answer) => Poll::Ready(Some(answer)),
            Poll::Pending if shared.lock().is_gone(cx) => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        })
        .await
    };
    let Some(answer) = answer else { return Then::Drop };
    answer_with(shared, answer, asked, manners.persistent).await
}

/// What of a request shapes its answer.
#[derive(Clone, Copy)]
struct Asked {
    head_only: bool,
    version: Version,
    takes_trailers: bool,
}

fn take_body(shared: &Arc<Shared>, end: BodyEnd, waits: bool, limits: &ListenerLimits) -> ClientBody {
    let mut state = shared.lock();
    let bounds = Bounds { bytes_max: limits.head_bytes_max, fields_max: limits.headers_max };
    state.decoder = Decoder::new(end, bounds);
    state.number += 1;
    let owes = waits && end != BodyEnd::Nobody;
    state.go_ahead = if owes { GoAhead::Owed } else { GoAhead::NotOwed };
    if end == BodyEnd::Nobody {
        return ClientBody::None;
    }
    ClientBody::H1(Upload { shared: Arc::clone(shared), number: state.number })
}

async fn answer_with(shared: &Arc<Shared>, answer: Response<Reply>, asked: Asked, wants_next: bool) -> Then {
    let (head, mut reply) = answer.into_parts();
    if let Some(crossing) = reply.take_crossing() {
        return become_tunnel(shared, head.status, &head.headers, crossing).await;
    }
    let framing = framing(head.status, &reply, asked);
    let keeps = {
        let mut state = shared.lock();
        // While the body is still on its way to the upstream, it is not ours to throw away.
        let is_taken_elsewhere = Arc::strong_count(shared) > 1 && !state.decoder.is_done();
        let keeps = wants_next
            && framing != Framing::WithConnection
            && !says_close(&head.headers)
            && !shared.connection.is_ending()
            && state.may_await_body()
            && (is_taken_elsewhere || state.can_skip_body());
        // From here on it would stand in the midst of the answer.
        state.go_ahead = GoAhead::NotOwed;
        let fate = match (keeps, asked.version) {
            (false, _) => Fate::Closes,
            (true, Version::HTTP_10) => Fate::StaysAsAsked,
            (true, _) => Fate::Stays,
        };
        let clock = &shared.connection.listener.world.clock;
        write::answer(state.wire.output(), head.status, &head.headers, framing, fate, || clock.now());
        keeps
    };
    let mut sending = Sending::new(framing, asked.takes_trailers);
    let sent = poll_fn(|cx| sending.poll(cx, shared, &mut reply)).await;
    // The exchange ends here, and with it whatever still read the request's body.
    drop(reply);
    let is_done = shared.disown_body();
    match sent {
        Err(Gone) => Then::Drop,
        Ok(()) if keeps && is_done => Then::Next,
        Ok(()) if keeps => skip_rest(shared).await,
        Ok(()) => Then::Close,
    }
}

fn framing(status: StatusCode, reply: &Reply, asked: Asked) -> Framing {
    let bodiless = asked.head_only
        || status.is_informational()
        || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    match reply.size_hint().exact() {
        _ if bodiless => Framing::Bodiless,
        Some(bytes) => Framing::Length(bytes),
        None if asked.version == Version::HTTP_10 => Framing::WithConnection,
        None => Framing::Chunked,
    }
}

fn says_close(headers: &HeaderMap) -> bool {
    headers.get(CONNECTION).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"close"))
}

/// Reads what is left of a body that nobody wanted, so that the next request can be told from it.
async fn skip_rest(shared: &Arc<Shared>) -> Then {
    if !shared.lock().can_skip_body() {
        return Then::Close;
    }
    // What trickles now is cut like a head that trickles.
    shared.connection.watch.read();
    let mut skipped = 0;
    if poll_fn(|cx| shared.lock().poll_skip(cx, &mut skipped)).await {
        shared.connection.watch.settled();
        Then::Next
    } else {
        Then::Close
    }
}

/// Answers a head that was no request, and records it.
async fn refuse(shared: &Arc<Shared>, fault: Fault) -> Then {
    let connection = &shared.connection;
    let answer = exchange::refused(connection, Version::HTTP_11, fault.denial(), fault.reason());
    let (head, text) = answer.into_parts();
    {
        let mut state = shared.lock();
        state.fault = Some(fault);
        let clock = &connection.listener.world.clock;
        let framing = Framing::Length(text.len() as u64);
        write::answer(state.wire.output(), head.status, &head.headers, framing, Fate::Closes, || clock.now());
        state.wire.put(text, b"");
    }
    let flushed = poll_fn(|cx| shared.lock().wire.poll_flush(cx)).await;
    if flushed.is_ok() { Then::Close } else { Then::Drop }
}

/// Closes so that the last answer arrives: closing with unread bytes would make the system reset the connection, and
/// a client that is still sending would never read it.
async fn linger(shared: &Arc<Shared>) {
    const BYTES_MAX: usize = 1024 * 1024;
    let (mut read, mut ended) = (0, false);
    let last_words = poll_fn(|cx| {
        let wire = &mut shared.lock().wire;
        if !ended && ready!(wire.poll_end(cx)).is_err() {
            return Poll::Ready(());
        }
        ended = true;
        loop {
            wire.input.clear();
            match ready!(wire.poll_fill(cx)) {
                Ok(0) | Err(_) => return Poll::Ready(()),
                Ok(bytes) => read += bytes,
            }
            if read > BYTES_MAX {
                return Poll::Ready(());
            }
        }
    });
    let _ = tokio::time::timeout(LINGER, last_words).await;
}

/// Passes the upstream's 101 on; from then on the connection is the tunnel's.
async fn become_tunnel(
    shared: &Arc<Shared>,
    status: StatusCode,
    headers: &HeaderMap,
    crossing: tunnel::Crossing,
) -> Then {
    {
        let mut state = shared.lock();
        let clock = &shared.connection.listener.world.clock;
        let output = state.wire.output();
        write::answer(output, status, headers, Framing::Bodiless, Fate::AsSaid, || clock.now());
    }
    if poll_fn(|cx| shared.lock().wire.poll_flush(cx)).await.is_ok() {
        tokio::spawn(tunnel::join(crossing, Front(Arc::clone(shared))));
    }
    Then::Drop
}
