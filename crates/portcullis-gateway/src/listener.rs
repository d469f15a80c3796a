//! A place where connections come in: accepted on every data thread, counted, bounded, drained.

mod crowd;

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicUsize, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use portcullis_core::{
    clock::{Clock, Entropy},
    ports::Recorder,
};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Notify, futures::OwnedNotified},
};

use self::crowd::Crowd;
use crate::{
    connection,
    forwarded::{self, Trust},
    plan::ListenerPlan,
    stats::{Gauge, Stats},
};

/// What all listeners share: time, chance, the record, the counts.
pub(crate) struct World {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) recorder: Arc<dyn Recorder>,
    pub(crate) stats: Stats,
}

/// One listener as it runs. Its plan is swapped by a reload; its connections and counts stay.
pub(crate) struct Listener {
    pub(crate) name: Arc<str>,
    pub(crate) address: SocketAddr,
    pub(crate) plan: ArcSwap<ListenerPlan>,
    pub(crate) world: Arc<World>,
    pub(crate) in_flight: Gauge,
    pub(crate) drain: Drain,
    open: AtomicUsize,
    crowd: Crowd,
}

impl Listener {
    pub(crate) fn new(
        name: Arc<str>,
        address: SocketAddr,
        plan: Arc<ListenerPlan>,
        world: Arc<World>,
    ) -> Arc<Self> {
        Arc::new(Self {
            name,
            address,
            plan: ArcSwap::new(plan),
            world,
            in_flight: Gauge::default(),
            drain: Drain::default(),
            open: AtomicUsize::new(0),
            crowd: Crowd::default(),
        })
    }

    /// Connections open now.
    pub(crate) fn open(&self) -> usize {
        self.open.load(Ordering::Acquire)
    }

    /// A place for a connection; `None` when the bounds are reached.
    fn place(self: &Arc<Self>, peer: IpAddr) -> Option<Slot> {
        let plan = self.plan.load();
        let taken = self.open.fetch_add(1, Ordering::AcqRel);
        // From here on the slot gives back what was taken.
        let mut slot = Slot { listener: Arc::clone(self), counted: None };
        self.world.stats.connections_open.rise();
        if taken >= plan.limits.connections_max {
            return None;
        }
        // A trusted proxy stands for a crowd.
        if forwarded::trust(peer, &plan.trusted_proxies) == Trust::None {
            if !self.crowd.enter(peer, plan.limits.connections_per_address_max) {
                return None;
            }
            slot.counted = Some(peer);
        }
        Some(slot)
    }
}

/// A connection's place among those allowed, given back when dropped.
pub(crate) struct Slot {
    listener: Arc<Listener>,
    counted: Option<IpAddr>,
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(ip) = self.counted {
            self.listener.crowd.leave(ip);
        }
        self.listener.open.fetch_sub(1, Ordering::AcqRel);
        self.listener.world.stats.connections_open.fall();
    }
}

/// How far a listener is on its way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// It accepts.
    Open,
    /// It accepts no more; what is under way may end.
    Draining,
    /// What is still there is cut.
    Closing,
}

/// The way out, told to everybody who waits.
#[derive(Default)]
pub(crate) struct Drain {
    stage: AtomicU8,
    changed: Arc<Notify>,
}

impl Drain {
    pub(crate) fn stage(&self) -> Stage {
        match self.stage.load(Ordering::Acquire) {
            0 => Stage::Open,
            1 => Stage::Draining,
            _ => Stage::Closing,
        }
    }

    pub(crate) fn enter(&self, stage: Stage) {
        let code = match stage {
            Stage::Open => 0,
            Stage::Draining => 1,
            Stage::Closing => 2,
        };
        self.stage.fetch_max(code, Ordering::AcqRel);
        self.changed.notify_waiters();
    }

    /// Ends at the next change after this call.
    pub(crate) fn changed(&self) -> OwnedNotified {
        Arc::clone(&self.changed).notified_owned()
    }
}

/// Opens a socket that shares its address with those of the other data threads.
pub(crate) fn bind(address: SocketAddr, backlog: i32) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)?;
    if address.is_ipv6() {
        // `[::]` means what it says; IPv4 is another listener.
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(backlog)?;
    Ok(socket.into())
}

/// Whether somebody else listens there: sharing a port with a stranger would split the calls between the two.
pub(crate) fn is_taken(address: SocketAddr) -> io::Result<()> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.bind(&address.into())
}

/// Accepts on one data thread until the listener drains.
pub(crate) async fn accept(listener: Arc<Listener>, socket: TcpListener) {
    /// After a failure such as no file descriptors: long enough for some to be given back.
    const PAUSE: Duration = Duration::from_millis(50);
    let mut told = std::pin::pin!(listener.drain.changed());
    while listener.drain.stage() == Stage::Open {
        let accepted = tokio::select! {
            accepted = socket.accept() => accepted,
            () = &mut told => {
                told.set(listener.drain.changed());
                continue;
            }
        };
        match accepted {
            Ok((stream, peer)) => begin(&listener, stream, peer),
            Err(error) if is_of_the_connection(&error) => {}
            Err(error) => {
                listener.world.stats.accept_errors.add();
                tracing::warn!(listener = %listener.name, %error, "a connection could not be accepted");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    // What the system has accepted for us already must not be lost.
    while let Some(Ok((stream, peer))) = at_once(&socket).await {
        begin(&listener, stream, peer);
    }
}

async fn at_once(socket: &TcpListener) -> Option<io::Result<(TcpStream, SocketAddr)>> {
    tokio::select! {
        biased;
        accepted = socket.accept() => Some(accepted),
        () = std::future::ready(()) => None,
    }
}

fn begin(listener: &Arc<Listener>, stream: TcpStream, peer: SocketAddr) {
    let stats = &listener.world.stats;
    stats.connections_accepted.add();
    let Some(slot) = listener.place(peer.ip()) else {
        stats.connections_refused.add();
        return;
    };
    if stream.set_nodelay(true).is_err() {
        return;
    }
    tokio::spawn(connection::serve(Arc::clone(listener), stream, peer, slot));
}

/// Whether the failure concerns the one connection that was to be accepted.
fn is_of_the_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
    )
}
