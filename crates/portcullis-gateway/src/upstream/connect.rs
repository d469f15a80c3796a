//! Making connections: name, TCP, TLS, HTTP.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use portcullis_core::event::UpstreamFault;
use rustls::pki_types::ServerName;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::Instant,
};
use tokio_rustls::client::TlsStream;

use super::{
    after,
    h1::OwnConnection,
    names::Names,
    out_body::Sending,
    pool::{Lease, Origin, Room, Slot, Wire},
    server::{InFlight, Server},
    settings::{Scheme, ServerSettings, UpstreamProtocol, UpstreamSettings},
    tls::{Connectors, Offer},
};

/// A response head larger than this is nonsense.
const RESPONSE_HEAD_BYTES_MAX: usize = 64 * 1024;
/// What one HTTP/2 stream may send ahead of a slow client, and all of one connection together.
const STREAM_WINDOW_BYTES: u32 = 256 * 1024;
const CONNECTION_WINDOW_BYTES: u32 = 4 * 1024 * 1024;
/// How long an HTTP/2 connection with calls may be silent before it is asked for a sign of life, and how long it may
/// take to give one.
const PING_AFTER: Duration = Duration::from_secs(20);
const PING_TIMEOUT: Duration = Duration::from_secs(10);

/// Knows how to reach one server.
pub(super) struct Dialer {
    names: Arc<Names>,
    tls: Option<Tls>,
    protocol: UpstreamProtocol,
    timeout: Duration,
    /// What TLS negotiated last, so that a server without HTTP/2 is not connected to one call at a time.
    negotiated: AtomicU8,
}

struct Tls {
    connectors: Connectors,
    name: Result<ServerName<'static>, ()>,
}

const NOTHING_YET: u8 = 0;
const H1: u8 = 1;
const H2: u8 = 2;

/// No connection.
#[derive(Debug)]
pub(super) struct DialError {
    pub(super) fault: UpstreamFault,
    pub(super) detail: String,
}

impl DialError {
    #[cold]
    fn new(fault: UpstreamFault, detail: impl Into<String>) -> Self {
        Self { fault, detail: detail.into() }
    }
}

/// A new connection, ready for its first call.
pub(super) enum Fresh {
    Own(Box<OwnConnection>),
    Shared(http2::SendRequest<Sending>),
}

impl Dialer {
    pub(super) fn new(
        upstream: &UpstreamSettings,
        server: &ServerSettings,
        connectors: Option<Connectors>,
    ) -> Self {
        let name = upstream.tls.server_name.as_deref().unwrap_or(&server.host);
        let name = name.trim_start_matches('[').trim_end_matches(']').to_owned();
        Self {
            names: Names::new(&server.host, server.port),
            tls: connectors
                .filter(|_| server.scheme == Scheme::Https)
                .map(|connectors| Tls { connectors, name: ServerName::try_from(name).map_err(|_| ()) }),
            protocol: upstream.protocol,
            timeout: upstream.timeouts.connect,
            negotiated: AtomicU8::new(NOTHING_YET),
        }
    }

    /// What a call can use here. A protocol upgrade (RFC 9110 §7.8) needs HTTP/1.1.
    ///
    /// # Errors
    ///
    /// When the call wants an upgrade and the upstream is HTTP/2 alone.
    pub(super) fn wire(&self, upgrades: Upgrades) -> Result<Wire, DialError> {
        match (self.protocol, upgrades) {
            (UpstreamProtocol::H2, Upgrades::Yes) => Err(DialError::new(
                UpstreamFault::Connect,
                "the call asks for a protocol upgrade, which an upstream on `h2` alone cannot serve",
            )),
            (UpstreamProtocol::H2, Upgrades::No) => Ok(Wire::Shared),
            (UpstreamProtocol::Auto, Upgrades::No) if self.tls.is_some() => Ok(Wire::Either),
            (UpstreamProtocol::Auto | UpstreamProtocol::H1, Upgrades::Yes | Upgrades::No) => Ok(Wire::Own),
        }
    }

    /// Makes a connection until `until`.
    ///
    /// # Errors
    ///
    /// When name, TCP, TLS or HTTP do not come about in time.
    pub(super) async fn dial(
        &self,
        wire: Wire,
        slot: Option<Slot>,
        until: Instant,
    ) -> Result<Fresh, DialError> {
        match tokio::time::timeout_at(until, self.dial_slowly(wire, slot, until)).await {
            Ok(done) => done,
            Err(_) => Err(DialError::new(UpstreamFault::Timeout, "no connection in time")),
        }
    }

    async fn dial_slowly(&self, wire: Wire, slot: Option<Slot>, until: Instant) -> Result<Fresh, DialError> {
        let tcp = self.tcp(until).await?;
        let (transport, negotiated) = match &self.tls {
            None => (Transport::Plain(tcp), wire),
            Some(tls) => self.tls(tls, tcp, wire).await?,
        };
        let counted = Counted { transport, _slot: slot };
        match negotiated {
            Wire::Own | Wire::Either => Ok(Fresh::Own(OwnConnection::new(counted))),
            Wire::Shared => {
                let (sender, connection) = http2::Builder::new(TokioExecutor::new())
                    .timer(TokioTimer::new())
                    .initial_stream_window_size(STREAM_WINDOW_BYTES)
                    .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
                    .max_header_list_size(u32::try_from(RESPONSE_HEAD_BYTES_MAX).unwrap_or(u32::MAX))
                    .keep_alive_interval(PING_AFTER)
                    .keep_alive_timeout(PING_TIMEOUT)
                    .handshake(TokioIo::new(counted))
                    .await
                    .map_err(|error| DialError::new(UpstreamFault::Connect, error.to_string()))?;
                tokio::spawn(async move {
                    if let Err(error) = connection.await {
                        tracing::trace!(%error, "upstream connection ended");
                    }
                });
                Ok(Fresh::Shared(sender))
            }
        }
    }

    /// Tries the addresses of the name in turn, each with its share of the time that is left.
    async fn tcp(&self, until: Instant) -> Result<TcpStream, DialError> {
        let addresses = self.names.addresses().await.map_err(|error| {
            DialError::new(UpstreamFault::Connect, format!("the name cannot be resolved: {error}"))
        })?;
        let mut last = None;
        let mut left = u32::try_from(addresses.len()).unwrap_or(u32::MAX);
        for address in addresses {
            let share = until.saturating_duration_since(Instant::now()) / left.max(1);
            left = left.saturating_sub(1);
            match tokio::time::timeout(share, connect_to(address)).await {
                Ok(Ok(tcp)) => return Ok(tcp),
                Ok(Err(error)) => {
                    let detail = format!("cannot connect to `{address}`: {error}");
                    last = Some(DialError::new(UpstreamFault::Connect, detail));
                }
                Err(_) => {
                    let detail = format!("no connection to `{address}` in time");
                    last = Some(DialError::new(UpstreamFault::Timeout, detail));
                }
            }
        }
        Err(last.unwrap_or_else(|| DialError::new(UpstreamFault::Connect, "the name has no address")))
    }

    async fn tls(&self, tls: &Tls, tcp: TcpStream, wire: Wire) -> Result<(Transport, Wire), DialError> {
        let Ok(name) = tls.name.clone() else {
            return Err(DialError::new(UpstreamFault::Tls, "the server's name is not a DNS name or address"));
        };
        let offer = match wire {
            Wire::Own => Offer::H1,
            Wire::Shared => Offer::H2,
            Wire::Either => Offer::Both,
        };
        let connector = tls.connectors.offering(offer);
        let stream = connector
            .connect(name, tcp)
            .await
            .map_err(|error| DialError::new(UpstreamFault::Tls, format!("TLS failed: {error}")))?;
        let speaks_h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        let wire = match (wire, speaks_h2) {
            (Wire::Shared, false) => {
                return Err(DialError::new(
                    UpstreamFault::Tls,
                    "the server does not negotiate HTTP/2 (ALPN)",
                ));
            }
            (Wire::Shared | Wire::Either, true) => Wire::Shared,
            (Wire::Own, _) | (Wire::Either, false) => Wire::Own,
        };
        if offer == Offer::Both {
            self.negotiated.store(if speaks_h2 { H2 } else { H1 }, Ordering::Relaxed);
        }
        Ok((Transport::Tls(Box::new(stream)), wire))
    }

    fn expects_sharing(&self, wire: Wire) -> bool {
        match wire {
            Wire::Own => false,
            Wire::Shared => true,
            Wire::Either => self.negotiated.load(Ordering::Relaxed) != H1,
        }
    }
}

/// Whether a call asks for another protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Upgrades {
    Yes,
    No,
}

async fn connect_to(address: SocketAddr) -> io::Result<TcpStream> {
    let tcp = TcpStream::connect(address).await?;
    // Heads are written whole; waiting for more (Nagle) would only add delay.
    tcp.set_nodelay(true)?;
    Ok(tcp)
}

/// A connection for one call: a kept one, or a new one as soon as the bound allows it.
///
/// # Errors
///
/// When there is none within the connect timeout and `until`.
pub(super) async fn lease(
    server: &Arc<Server>,
    wire: Wire,
    wanted: Origin,
    now: Instant,
    until: Option<Instant>,
) -> Result<Lease, DialError> {
    let busy = InFlight::to(server);
    let (pool, dialer) = (&server.pool, &server.dialer);
    let shelf = pool.own_shelf();
    if wanted == Origin::Kept
        && let Some(line) = pool.take(shelf, wire, now)
    {
        return Ok(Lease::kept(busy, shelf, line));
    }
    let soon = after(now, dialer.timeout);
    // Seldom, and large: calls that find a kept connection do not carry it with them.
    Box::pin(connect(busy, wire, wanted, shelf, now, until.map_or(soon, |until| until.min(soon)))).await
}

async fn connect(
    busy: InFlight,
    wire: Wire,
    wanted: Origin,
    shelf: usize,
    now: Instant,
    until: Instant,
) -> Result<Lease, DialError> {
    let server = Arc::clone(&busy);
    let (pool, dialer) = (&server.pool, &server.dialer);
    let too_late = || DialError::new(UpstreamFault::Timeout, "no connection in time");
    let _turn = if dialer.expects_sharing(wire) {
        let turn = tokio::time::timeout_at(until, pool.connecting(shelf)).await.map_err(|_| too_late())?;
        // Whoever had the turn before may have made a connection with room for this call.
        if let Some(line) = pool.take_after_turn(shelf, wire, wanted, now) {
            return Ok(Lease::kept(busy, shelf, line));
        }
        turn
    } else {
        None
    };
    let slot = match pool.slot() {
        Some(slot) => slot,
        None => match pool.room(wire, wanted, until).await {
            Room::For(slot) => slot,
            Room::Kept(line) => return Ok(Lease::kept(busy, shelf, line)),
            Room::None => {
                return Err(DialError::new(
                    UpstreamFault::Overloaded,
                    "all connections that the pool may have are in use",
                ));
            }
        },
    };
    match dialer.dial(wire, Some(slot), until).await? {
        Fresh::Own(connection) => Ok(Lease::own(busy, shelf, connection)),
        Fresh::Shared(sender) => Ok(Lease::shared(busy, shelf, sender, Instant::now())),
    }
}

/// A connection's bytes, in the clear or through TLS.
enum Transport {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// A connection's bytes together with its place in the pool.
pub(super) struct Counted {
    transport: Transport,
    _slot: Option<Slot>,
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.transport {
            Transport::Plain(it) => Pin::new(it).poll_read(cx, buffer),
            Transport::Tls(it) => Pin::new(it).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Counted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.transport {
            Transport::Plain(it) => Pin::new(it).poll_write(cx, bytes),
            Transport::Tls(it) => Pin::new(it).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.transport {
            Transport::Plain(it) => Pin::new(it).poll_write_vectored(cx, buffers),
            Transport::Tls(it) => Pin::new(it).poll_write_vectored(cx, buffers),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match &self.transport {
            Transport::Plain(it) => it.is_write_vectored(),
            Transport::Tls(it) => it.is_write_vectored(),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.transport {
            Transport::Plain(it) => Pin::new(it).poll_flush(cx),
            Transport::Tls(it) => Pin::new(it).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.transport {
            Transport::Plain(it) => Pin::new(it).poll_shutdown(cx),
            Transport::Tls(it) => Pin::new(it).poll_shutdown(cx),
        }
    }
}
