//! One client connection: which protocol it speaks, how long it may be silent, when it must go.

mod body;
mod h1;
mod h2;
mod io;
mod watch;

use std::{
    future::poll_fn,
    net::SocketAddr,
    pin::{Pin, pin},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
};

use http::{HeaderValue, Version};
use portcullis_core::context::TlsSession;
use tokio::{io::AsyncReadExt as _, net::TcpStream};

pub(crate) use self::{body::ClientBody, watch::Watch};
use self::{
    io::{ClientIo, Stream},
    watch::{Sentence, Watchdog},
};
use crate::{
    h1::Fault,
    h2::frame::PREFACE,
    listener::{Listener, Slot, Stage},
    plan::{ListenerLimits, Protocols},
    target, tls,
};

/// What the exchanges of a connection share.
pub(crate) struct Connection {
    pub(crate) listener: Arc<Listener>,
    pub(crate) peer: SocketAddr,
    /// The peer's address as upstreams are told it.
    pub(crate) peer_text: HeaderValue,
    pub(crate) tls: Option<Arc<TlsSession>>,
    pub(crate) watch: Watch,
    framing: OnceLock<Fault>,
    /// The first host that was named, as written and as understood: clients go on naming it.
    host: OnceLock<(Box<str>, Box<str>)>,
    ending: AtomicBool,
    /// The connection's place among those allowed; a tunnel keeps it.
    _slot: Slot,
}

impl Connection {
    /// The connection closes once what is under way is done.
    fn end_soon(&self) {
        self.ending.store(true, Ordering::Relaxed);
    }

    fn is_ending(&self) -> bool {
        self.ending.load(Ordering::Relaxed)
    }

    fn note_framing(&self, fault: Fault) {
        // The first one counts.
        let _ = self.framing.set(fault);
    }

    /// What was wrong with the framing, after which nothing more is read.
    pub(crate) fn framing(&self) -> Option<Fault> {
        self.framing.get().copied()
    }

    /// The host that a request names, in the form that is routed.
    pub(crate) fn check_host(&self, named: &str) -> Result<Box<str>, target::Fault> {
        if let Some((written, understood)) = self.host.get()
            && **written == *named
        {
            return Ok(understood.clone());
        }
        let server_name = self.tls.as_ref().and_then(|tls| tls.server_name.as_deref());
        let host = target::check_host(named, server_name)?;
        let _ = self.host.set((named.into(), host.clone()));
        Ok(host)
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
            // Made once a connection, and in nobody's way afterwards.
            let accepted = Box::pin(tls::accept(config, socket));
            match tokio::time::timeout(limits.handshake_timeout, accepted).await {
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
            let sniffed = tokio::select! {
                biased;
                sniffed = tokio::time::timeout(limits.header_timeout, sniff(&mut stream)) => sniffed,
                // Whoever has said nothing yet does not hold the drain up.
                () = draining(&listener) => return,
            };
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
        host: OnceLock::new(),
        ending: AtomicBool::new(false),
        _slot: slot,
    });
    if version == Version::HTTP_2 {
        let io = ClientIo::new(stream, Arc::clone(&connection));
        serve_h2(&connection, &limits, io, &read).await;
    } else {
        let io = ClientIo::new(stream, Arc::clone(&connection));
        serve_h1(&connection, &limits, h1::Shared::new(io, &read, Arc::clone(&connection))).await;
    }
}

/// Ends once the listener takes no more connections.
async fn draining(listener: &Listener) {
    loop {
        let changed = listener.drain.changed();
        match listener.drain.stage() {
            Stage::Open => changed.await,
            Stage::Draining | Stage::Closing => return,
        }
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

async fn serve_h1(connection: &Arc<Connection>, limits: &ListenerLimits, shared: Arc<h1::Shared>) {
    let served = pin!(h1::serve(&shared, limits));
    match drive(connection, limits, served, |_| connection.end_soon()).await {
        Driven::Ended(()) | Driven::Closed => {}
        Driven::Cut => h1::tell_slow_head(&shared).await,
    }
}

async fn serve_h2(connection: &Arc<Connection>, limits: &ListenerLimits, io: ClientIo, read: &[u8]) {
    let served = pin!(h2::serve(connection, limits, io, read));
    match drive(connection, limits, served, |_| connection.end_soon()).await {
        Driven::Ended(()) | Driven::Closed | Driven::Cut => {}
    }
}

/// How a connection came to its end.
enum Driven<T> {
    /// By itself.
    Ended(T),
    /// It was silent, or slow, for too long.
    Cut,
    /// The listener closes.
    Closed,
}

/// Polls a connection until it has ended, was silent too long or must close. `end_soon` asks it to end once what is
/// under way is done.
async fn drive<F: Future>(
    connection: &Connection,
    limits: &ListenerLimits,
    mut served: Pin<&mut F>,
    mut end_soon: impl FnMut(Pin<&mut F>),
) -> Driven<F::Output> {
    let mut watchdog = pin!(Watchdog::new(limits));
    let drain = &connection.listener.drain;
    let mut told = pin!(drain.changed());
    let mut stage = Stage::Open;
    let mut registered = false;
    poll_fn(|cx| {
        if let Poll::Ready(ended) = served.as_mut().poll(cx) {
            return Poll::Ready(Driven::Ended(ended));
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
                        end_soon(served.as_mut());
                        if let Poll::Ready(ended) = served.as_mut().poll(cx) {
                            return Poll::Ready(Driven::Ended(ended));
                        }
                    }
                }
                Stage::Closing => return Poll::Ready(Driven::Closed),
            }
        }
        match watchdog.as_mut().poll(&connection.watch, cx) {
            Sentence::Live => Poll::Pending,
            Sentence::EndSoon => {
                end_soon(served.as_mut());
                served.as_mut().poll(cx).map(Driven::Ended)
            }
            Sentence::Cut => {
                connection.listener.world.stats.connections_timed_out.add();
                Poll::Ready(Driven::Cut)
            }
        }
    })
    .await
}
