//! One client connection: which protocol it speaks, how long it may be silent, when it must go.

mod io;
mod sentry;
mod watch;

use std::{
    convert::Infallible,
    future::poll_fn,
    net::SocketAddr,
    pin::pin,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
};

use http::{HeaderValue, Version};
use hyper::{
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use portcullis_core::{
    context::TlsSession,
    verdict::{Denial, Reason, RuleId, Severity},
};
use tokio::{io::AsyncReadExt as _, net::TcpStream};

use self::{
    io::{ClientIo, Stream},
    sentry::Sentry,
    watch::{Sentence, Watchdog},
};
pub(crate) use self::{sentry::FramingFault, watch::Watch};
use crate::{
    exchange,
    listener::{Listener, Slot, Stage},
    plan::{ListenerLimits, Protocols},
    tls,
};

/// What HTTP/2 begins with (RFC 9113 §3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// What the exchanges of a connection share.
pub(crate) struct Connection {
    pub(crate) listener: Arc<Listener>,
    pub(crate) peer: SocketAddr,
    /// The peer's address as upstreams are told it.
    pub(crate) peer_text: HeaderValue,
    pub(crate) tls: Option<Arc<TlsSession>>,
    pub(crate) watch: Watch,
    framing: OnceLock<FramingFault>,
    tunnel: AtomicBool,
    /// The connection's place among those allowed; a tunnel keeps it.
    _slot: Slot,
}

impl Connection {
    /// From here on the connection speaks something else than HTTP.
    pub(crate) fn becomes_tunnel(&self) {
        self.tunnel.store(true, Ordering::Relaxed);
    }

    fn is_tunnel(&self) -> bool {
        self.tunnel.load(Ordering::Relaxed)
    }

    fn note_framing(&self, fault: FramingFault) {
        // The first one counts.
        let _ = self.framing.set(fault);
    }

    /// What was wrong with the framing, after which nothing more is read.
    pub(crate) fn framing(&self) -> Option<FramingFault> {
        self.framing.get().copied()
    }

    pub(crate) fn began(&self) {
        self.listener.in_flight.rise();
        self.watch.began();
    }

    pub(crate) fn ended(&self) {
        self.listener.in_flight.fall();
        self.watch.ended();
    }
}

/// Serves a connection to its end.
pub(crate) async fn serve(listener: Arc<Listener>, socket: TcpStream, peer: SocketAddr, slot: Slot) {
    // Not the plan itself: a connection may outlive many, and must not keep their tables in memory.
    let (protocols, tls, limits) = {
        let plan = listener.plan.load();
        (plan.protocols, plan.tls.clone(), plan.limits.clone())
    };
    let (mut stream, session) = match tls {
        None => (Stream::Plain(socket), None),
        Some(config) => {
            match tokio::time::timeout(limits.handshake_timeout, tls::accept(config, socket)).await {
                Ok(Ok((stream, session))) => (Stream::Tls(Box::new(stream)), Some(session)),
                Ok(Err(_)) | Err(_) => {
                    listener.world.stats.handshakes_failed.add();
                    return;
                }
            }
        }
    };
    let agreed = session.as_ref().map(|session| session.protocol);
    let (version, read) = match (protocols, agreed) {
        (Protocols::H1, _) | (Protocols::Both, Some(tls::Agreed::H1)) => (Version::HTTP_11, Vec::new()),
        (Protocols::H2, _) | (Protocols::Both, Some(tls::Agreed::H2)) => (Version::HTTP_2, Vec::new()),
        (Protocols::Both, None) => {
            let sniffed = tokio::time::timeout(limits.header_timeout, sniff(&mut stream)).await;
            let Ok(Some(sniffed)) = sniffed else {
                listener.world.stats.connections_timed_out.add();
                return;
            };
            sniffed
        }
    };
    let peer_text = HeaderValue::from_str(&peer.ip().to_canonical().to_string());
    let connection = Arc::new(Connection {
        peer,
        peer_text: peer_text.unwrap_or(HeaderValue::from_static("unknown")),
        tls: session.map(|session| Arc::new(session.facts)),
        watch: Watch::new(version, !read.is_empty()),
        listener,
        framing: OnceLock::new(),
        tunnel: AtomicBool::new(false),
        _slot: slot,
    });
    let sentry = (version != Version::HTTP_2).then(|| Sentry::new(limits.head_bytes_max));
    let io = TokioIo::new(ClientIo::new(stream, read, sentry, Arc::clone(&connection)));
    if version == Version::HTTP_2 {
        serve_h2(&connection, &limits, io).await;
    } else {
        serve_h1(&connection, &limits, io).await;
    }
}

/// Tells HTTP/2 by prior knowledge from HTTP/1; what was read goes before the rest. `None` when nothing came.
async fn sniff(stream: &mut Stream) -> Option<(Version, Vec<u8>)> {
    let mut read = Vec::with_capacity(2048);
    loop {
        if stream.read_buf(&mut read).await.ok()? == 0 {
            return None;
        }
        let len = read.len().min(PREFACE.len());
        if read.get(..len) != PREFACE.get(..len) {
            return Some((Version::HTTP_11, read));
        }
        if len == PREFACE.len() {
            return Some((Version::HTTP_2, read));
        }
    }
}

async fn serve_h1(connection: &Arc<Connection>, limits: &ListenerLimits, io: TokioIo<ClientIo>) {
    /// The least that hyper can work with.
    const BUFFER_BYTES_MIN: usize = 8192;
    let service = service_fn(|request| {
        let connection = Arc::clone(connection);
        async move { Ok::<_, Infallible>(exchange::serve(connection, request).await) }
    });
    let mut builder = http1::Builder::new();
    builder
        .half_close(false)
        .header_read_timeout(None)
        .max_headers(limits.headers_max)
        .max_buf_size(limits.head_bytes_max.max(BUFFER_BYTES_MIN))
        .pipeline_flush(false);
    let driven = drive(connection, limits, builder.serve_connection(io, service).with_upgrades()).await;
    if let Some(Err(error)) = driven
        && error.is_parse()
    {
        let denial = if error.is_parse_too_large() { Denial::HeadTooLarge } else { Denial::Malformed };
        let reason = connection.framing().map_or_else(|| malformed(&error), FramingFault::reason);
        exchange::refused(connection, Version::HTTP_11, denial, reason);
    }
}

async fn serve_h2(connection: &Arc<Connection>, limits: &ListenerLimits, io: TokioIo<ClientIo>) {
    /// Enough that one slow reader cannot make the gate hold more than this for it, and one fast one is not slowed.
    const WINDOW_BYTES: u32 = 256 * 1024;
    let service = service_fn(|request| {
        let connection = Arc::clone(connection);
        async move { Ok::<_, Infallible>(exchange::serve(connection, request).await) }
    });
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.streams_max)
        .max_header_list_size(u32::try_from(limits.head_bytes_max).unwrap_or(u32::MAX))
        .initial_stream_window_size(WINDOW_BYTES)
        .initial_connection_window_size(WINDOW_BYTES * 4)
        .max_send_buf_size(usize::try_from(WINDOW_BYTES).unwrap_or(usize::MAX))
        .keep_alive_interval(limits.idle_timeout)
        .keep_alive_timeout(limits.header_timeout);
    let driven = drive(connection, limits, builder.serve_connection(io, service)).await;
    if let Some(Err(error)) = driven
        && (error.is_parse() || is_protocol_error(&error))
    {
        exchange::refused(connection, Version::HTTP_2, Denial::Malformed, malformed(&error));
    }
}

/// Whether the gate found the fault, rather than the client or the network.
fn is_protocol_error(error: &hyper::Error) -> bool {
    use std::error::Error as _;
    error.source().is_some_and(|source| source.to_string().starts_with("connection error detected"))
}

fn malformed(error: &hyper::Error) -> Reason {
    use std::error::Error as _;
    let message = match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    };
    Reason::new(RuleId::new("http/malformed"), Severity::Medium, message)
}

/// A connection that can be asked to end once what is under way is done.
trait Graceful: Future<Output = Result<(), hyper::Error>> {
    fn end_soon(self: std::pin::Pin<&mut Self>);
}

impl<S, F> Graceful for http1::UpgradeableConnection<TokioIo<ClientIo>, S>
where
    S: hyper::service::Service<
            http::Request<hyper::body::Incoming>,
            Response = http::Response<crate::reply::Reply>,
            Error = Infallible,
            Future = F,
        >,
    F: Future<Output = Result<http::Response<crate::reply::Reply>, Infallible>>,
{
    fn end_soon(self: std::pin::Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

impl<S, F> Graceful for http2::Connection<TokioIo<ClientIo>, S, TokioExecutor>
where
    S: hyper::service::Service<
            http::Request<hyper::body::Incoming>,
            Response = http::Response<crate::reply::Reply>,
            Error = Infallible,
            Future = F,
        >,
    F: Future<Output = Result<http::Response<crate::reply::Reply>, Infallible>> + Send + 'static,
{
    fn end_soon(self: std::pin::Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

/// Polls a connection until it has ended, was silent too long or must close; `None` when it was cut.
async fn drive(
    connection: &Connection,
    limits: &ListenerLimits,
    served: impl Graceful,
) -> Option<Result<(), hyper::Error>> {
    let mut served = pin!(served);
    let mut watchdog = pin!(Watchdog::new(limits));
    let drain = &connection.listener.drain;
    let mut told = pin!(drain.changed());
    let mut stage = Stage::Open;
    let mut registered = false;
    poll_fn(|cx| {
        if let Poll::Ready(ended) = served.as_mut().poll(cx) {
            return Poll::Ready(Some(ended));
        }
        // Registered once, woken at most twice: a wake-up for anything else costs one load here.
        if !registered || drain.stage() != stage {
            while told.as_mut().poll(cx).is_ready() {
                told.set(drain.changed());
            }
            registered = true;
            match drain.stage() {
                Stage::Open => {}
                now @ Stage::Draining => {
                    if stage != now {
                        stage = now;
                        served.as_mut().end_soon();
                        if let Poll::Ready(ended) = served.as_mut().poll(cx) {
                            return Poll::Ready(Some(ended));
                        }
                    }
                }
                Stage::Closing => return Poll::Ready(None),
            }
        }
        match watchdog.as_mut().poll(&connection.watch, cx) {
            Sentence::Live => Poll::Pending,
            Sentence::EndSoon => {
                served.as_mut().end_soon();
                served.as_mut().poll(cx).map(Some)
            }
            Sentence::Cut => {
                connection.listener.world.stats.connections_timed_out.add();
                Poll::Ready(None)
            }
        }
    })
    .await
}
