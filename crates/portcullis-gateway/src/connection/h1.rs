//! One client connection that speaks HTTP/1: requests one after the other, each answered before the next is read.

use std::{
    future::poll_fn,
    pin::{Pin, pin},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker, ready},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method, Request, Response, StatusCode, Version, header::CONNECTION};
use http_body::{Body, Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{
    Connection,
    body::{ClientBody, Lost},
    io::ClientIo,
};
use crate::{
    exchange,
    h1::{
        Fault,
        body::{Bounds, Decoder, Piece},
        head::{self, BodyEnd, RequestHead},
        wire::Wire,
        write::{self, Fate, Framing},
    },
    plan::ListenerLimits,
    reply::Reply,
    tunnel,
};

/// What may be read ahead of the exchange under way: enough to learn that the client has gone.
const AHEAD_BYTES_MAX: usize = 64 * 1024;
/// What is read and thrown away of a body that nobody wanted, so that the connection can be kept.
const UNWANTED_BYTES_MAX: u64 = 256 * 1024;
/// How long a client may take to read a last answer and close (RFC 9112 §9.6).
const LINGER: Duration = Duration::from_secs(2);

/// The wire of one connection, shared by its loop and by the body of the request under way.
pub(super) struct Shared {
    state: Mutex<State>,
    connection: Arc<Connection>,
}

struct State {
    wire: Wire<ClientIo>,
    /// Of the request under way, or the one before.
    decoder: Decoder,
    /// Counts requests: a body that outlived its exchange must not read the next one's bytes.
    number: u64,
    go_ahead: GoAhead,
    /// Who waits for more of the body: the connection's own task, or that of a stream of HTTP/2 to an upstream.
    reader: Option<Waker>,
    /// Who is to watch for the client's leaving once the body has been taken.
    watcher: Option<Waker>,
    /// After one, nothing more is read.
    fault: Option<Fault>,
    head: HeadState,
}

/// The word that a client waits for before it sends its body (RFC 9110 §10.1.1).
#[derive(Clone, Copy, PartialEq, Eq)]
enum GoAhead {
    NotOwed,
    Owed,
    /// On its way.
    Written,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum HeadState {
    /// So many bytes were looked at, and whether an empty line was forgiven before them (RFC 9112 §2.2).
    Awaited { seen: usize, forgiven: bool },
    /// Its exchange is under way.
    Taken,
}

const FRESH: HeadState = HeadState::Awaited { seen: 0, forgiven: false };

/// What follows an exchange.
enum Then {
    Next,
    /// The client is told that nothing follows, and may have more on its way to us.
    Close,
    /// There is nobody left to talk to, or nothing left to say.
    Drop,
}

impl Shared {
    pub(super) fn new(io: ClientIo, read: &[u8], connection: Arc<Connection>) -> Arc<Self> {
        let state = State {
            wire: Wire::new(io, BytesMut::from(read)),
            decoder: Decoder::new(BodyEnd::Nobody, Bounds { bytes_max: 0, fields_max: 0 }),
            number: 0,
            go_ahead: GoAhead::NotOwed,
            reader: None,
            watcher: None,
            fault: None,
            head: FRESH,
        };
        Arc::new(Self { state: Mutex::new(state), connection })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Whatever panicked under it, its exchange has ended and the connection ends with it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the reading of the last request's body, whoever read it; whether it has been taken whole.
    fn disown_body(self: &Arc<Self>) -> bool {
        let (reader, is_done) = {
            let mut state = self.lock();
            state.number += 1;
            state.watcher = None;
            (state.reader.take(), state.decoder.is_done())
        };
        // A stream of HTTP/2 reads the body in a task of its own. It is no longer woken by the wire, and as long as it
        // is not told it would keep the wire open.
        if let Some(reader) = reader
            && Arc::strong_count(self) > 1
        {
            reader.wake();
        }
        is_done
    }
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

impl State {
    /// The next head; `None` when none will come.
    fn poll_head(
        &mut self,
        cx: &mut Context<'_>,
        connection: &Connection,
        limits: &ListenerLimits,
    ) -> Poll<Option<Result<RequestHead, Fault>>> {
        if self.head == HeadState::Taken {
            self.head = FRESH;
            self.wire.rest();
            if !self.wire.input.is_empty() {
                connection.watch.read();
            }
        }
        loop {
            match self.take_head(limits) {
                Ok(Some(head)) => {
                    self.head = HeadState::Taken;
                    return Poll::Ready(Some(Ok(head)));
                }
                Ok(None) => {}
                Err(fault) => {
                    // It is answered now, and not once more when its time is over.
                    self.head = HeadState::Taken;
                    return Poll::Ready(Some(Err(fault)));
                }
            }
            if connection.is_ending() && self.wire.input.is_empty() {
                return Poll::Ready(None);
            }
            match ready!(self.wire.poll_fill(cx)) {
                Ok(0) | Err(_) => return Poll::Ready(None),
                Ok(_) => {}
            }
        }
    }

    fn take_head(&mut self, limits: &ListenerLimits) -> Result<Option<RequestHead>, Fault> {
        let HeadState::Awaited { mut seen, mut forgiven } = self.head else { return Ok(None) };
        let input = &mut self.wire.input;
        if !forgiven && input.starts_with(b"\r\n") {
            bytes::Buf::advance(input, 2);
            (seen, forgiven) = (0, true);
        }
        // Another protocol is told at its first byte: there may never come a line's end.
        if input.first().is_some_and(|byte| !byte.is_ascii_graphic() && *byte != b'\r') {
            return Err(Fault::RequestLine);
        }
        let end = head::end(input, &mut seen)?;
        self.head = HeadState::Awaited { seen, forgiven };
        if end.unwrap_or(input.len()) > limits.head_bytes_max {
            return Err(Fault::HeadBytes);
        }
        let Some(end) = end else { return Ok(None) };
        let bytes = input.split_to(end).freeze();
        head::request(&bytes, limits.headers_max).map(Some)
    }

    /// Whether the client has gone while its exchange is under way. What comes of the next request is kept.
    fn is_gone(&mut self, cx: &mut Context<'_>) -> bool {
        // As long as the body is not taken, whoever takes it learns that the client has gone.
        while self.decoder.is_done() && self.wire.input.len() < AHEAD_BYTES_MAX {
            match self.wire.poll_fill(cx) {
                Poll::Ready(Ok(0) | Err(_)) => return true,
                Poll::Ready(Ok(_)) => {}
                Poll::Pending => return false,
            }
        }
        if !self.decoder.is_done() {
            remember(&mut self.watcher, cx);
        }
        false
    }

    /// Whether the end of the body, and with it the next request, will be found.
    fn may_await_body(&self) -> bool {
        // Who was not told to go on may send the body or leave it: what comes next could be either.
        let may_be_left = self.go_ahead == GoAhead::Owed && !self.decoder.is_done();
        self.fault.is_none() && !may_be_left
    }

    /// Throws away what has come of a body that nobody wants; whether the rest can be awaited and thrown away too.
    fn can_skip_body(&mut self) -> bool {
        if !self.may_await_body() {
            return false;
        }
        self.skip_buffered()
            .is_some_and(|_| self.decoder.left().is_none_or(|left| left <= UNWANTED_BYTES_MAX))
    }

    /// How many bytes of the body were thrown away; `None` when it is broken.
    fn skip_buffered(&mut self) -> Option<u64> {
        let mut skipped = 0;
        loop {
            match self.decoder.take(&mut self.wire.input) {
                Ok(None | Some(Piece::End | Piece::Trailers(_))) => return Some(skipped),
                Ok(Some(Piece::Data(data))) => skipped += data.len() as u64,
                Err(fault) => {
                    self.fault = Some(fault);
                    return None;
                }
            }
        }
    }

    /// Awaits the end of a body that nobody wanted; whether it came, within bounds.
    fn poll_skip(&mut self, cx: &mut Context<'_>, skipped: &mut u64) -> Poll<bool> {
        loop {
            let Some(more) = self.skip_buffered() else { return Poll::Ready(false) };
            *skipped += more;
            if self.decoder.is_done() {
                return Poll::Ready(true);
            }
            if *skipped > UNWANTED_BYTES_MAX {
                return Poll::Ready(false);
            }
            match ready!(self.wire.poll_fill(cx)) {
                Ok(0) | Err(_) => return Poll::Ready(false),
                Ok(_) => {}
            }
        }
    }

    fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Fault>>> {
        if let Some(fault) = self.fault {
            return Poll::Ready(Some(Err(fault)));
        }
        loop {
            match self.decoder.take(&mut self.wire.input) {
                Ok(Some(Piece::Data(data))) => return Poll::Ready(Some(Ok(Frame::data(data)))),
                Ok(Some(Piece::Trailers(trailers))) => {
                    return Poll::Ready(Some(Ok(Frame::trailers(trailers))));
                }
                Ok(Some(Piece::End)) => return Poll::Ready(None),
                Ok(None) => {}
                Err(fault) => return self.broken(fault),
            }
            if self.go_ahead == GoAhead::Owed {
                self.wire.output().extend_from_slice(b"HTTP/1.1 100 Continue\r\n\r\n");
                self.go_ahead = GoAhead::Written;
            }
            // Nothing else is flushed from here: whoever writes the answer waits for the wire itself.
            if self.go_ahead == GoAhead::Written {
                match self.wire.poll_flush(cx) {
                    Poll::Pending => {}
                    Poll::Ready(Ok(())) => self.go_ahead = GoAhead::NotOwed,
                    Poll::Ready(Err(_)) => return self.broken(Fault::CutOff),
                }
            }
            match ready!(self.wire.poll_fill(cx)) {
                Ok(0) | Err(_) => return self.broken(Fault::CutOff),
                Ok(_) => {}
            }
        }
    }

    fn broken(&mut self, fault: Fault) -> Poll<Option<Result<Frame<Bytes>, Fault>>> {
        self.fault = Some(fault);
        Poll::Ready(Some(Err(fault)))
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
    let mut sending = Sending { framing, stage: Stage::Body, takes_trailers: asked.takes_trailers };
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

fn remember(waker: &mut Option<Waker>, cx: &Context<'_>) {
    match waker {
        Some(waker) => waker.clone_from(cx.waker()),
        None => *waker = Some(cx.waker().clone()),
    }
}

/// There is nobody to answer any more, or no way to answer rightly.
struct Gone;

/// An answer's body on its way out.
struct Sending {
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
    fn poll(
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
                    let flushed = ready!(state.wire.poll_flush(cx));
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

/// The client's end of a tunnel.
pub(crate) struct Front(Arc<Shared>);

impl AsyncRead for Front {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0.lock().wire).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Front {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.0.lock().wire).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        AsyncWrite::poll_flush(Pin::new(&mut self.0.lock().wire), cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0.lock().wire).poll_shutdown(cx)
    }
}

/// The body of a request, read from the wire as it is asked for.
pub(crate) struct Upload {
    shared: Arc<Shared>,
    number: u64,
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
            self.shared.connection.note_framing(fault);
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
