//! The connections to one server: kept per data thread, bounded over all of them.
//!
//! Each thread has its own shelf behind its own lock, which nobody else touches as long as there is room for more
//! connections; so the lock costs a few nanoseconds. Only when the bound is reached do threads look at one
//! another's shelves. The shelves belong to the server, not to the thread: when an upstream goes away with a
//! reload, its idle connections go with it.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU32, AtomicUsize, Ordering},
    },
    time::Duration,
};

use hyper::client::conn::http2;
use portcullis_core::limit::Permit;
use tokio::{sync::Notify, time::Instant};

use super::{
    after,
    h1::OwnConnection,
    out_body::Sending,
    server::{InFlight, Server},
    settings::PoolSettings,
};

/// Streams opened on one HTTP/2 connection before another is opened; the usual limit of servers.
const STREAMS_MAX: u32 = 100;

/// All connections to one server.
pub(super) struct Pool {
    settings: PoolSettings,
    shelves: Box<[Shelf]>,
    taken: Arc<AtomicU32>,
    freed: Arc<Freed>,
}

/// One thread's connections.
#[derive(Default)]
struct Shelf {
    lines: Mutex<Lines>,
    /// Held while a connection that many calls can share is made, so that a burst makes one and not a hundred.
    connecting: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Lines {
    /// HTTP/1.1 connections without a call, the last used at the end.
    own: Vec<OwnLine>,
    /// HTTP/2 connections.
    shared: Vec<SharedLine>,
    sweeper: Sweeper,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Sweeper {
    #[default]
    None,
    Runs,
}

struct OwnLine {
    connection: Box<OwnConnection>,
    keep_until: Instant,
}

struct SharedLine {
    sender: http2::SendRequest<Sending>,
    streams: Arc<AtomicU32>,
    made: Instant,
    used: Instant,
}

/// A connection in use by a call.
pub(super) enum Line {
    /// An HTTP/1.1 connection, all the call's own.
    Own(Box<OwnConnection>),
    /// A stream on an HTTP/2 connection.
    Shared(Stream),
}

/// A stream on an HTTP/2 connection, counted for as long as this lives.
pub(super) struct Stream {
    pub(super) sender: http2::SendRequest<Sending>,
    streams: Arc<AtomicU32>,
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.streams.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What a call can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wire {
    /// HTTP/1.1 alone.
    Own,
    /// HTTP/2 alone.
    Shared,
    /// What TLS negotiates.
    Either,
}

/// A connection lent to one call.
pub(super) struct Lease {
    pub(super) line: Line,
    /// Whether it has served a call before, so that the server may just be closing it.
    pub(super) origin: Origin,
    pub(super) busy: InFlight,
    shelf: usize,
}

/// Where a connection comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// Just made.
    Fresh,
    /// Kept from an earlier call.
    Kept,
}

/// A place among the connections to a server. Lives in the connection's own input and output, so that upgraded
/// connections count as well.
#[derive(Debug)]
pub(super) struct Slot {
    permit: Option<Permit>,
    freed: Arc<Freed>,
}

#[derive(Debug, Default)]
struct Freed {
    notify: Notify,
    waiting: AtomicU32,
}

impl Freed {
    fn tell(&self) {
        if self.waiting.load(Ordering::Relaxed) > 0 {
            self.notify.notify_one();
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        drop(self.permit.take());
        self.freed.tell();
    }
}

/// What came of waiting for room.
pub(super) enum Room {
    /// A new connection may be made.
    For(Slot),
    /// A kept connection has come free.
    Kept(Line),
    /// Neither in time, or too many wait already.
    None,
}

struct Waiting<'a>(&'a Freed);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Pool {
    pub(super) fn new(settings: PoolSettings, threads: usize) -> Self {
        Self {
            settings,
            shelves: (0..threads.max(1)).map(|_| Shelf::default()).collect(),
            taken: Arc::default(),
            freed: Arc::default(),
        }
    }

    pub(super) fn connections(&self) -> u32 {
        self.taken.load(Ordering::Relaxed)
    }

    /// The calling thread's shelf.
    pub(super) fn own_shelf(&self) -> usize {
        thread_number().checked_rem(self.shelves.len()).unwrap_or(0)
    }

    /// A kept connection of that shelf that is fit for use.
    pub(super) fn take(&self, shelf: usize, wire: Wire, now: Instant) -> Option<Line> {
        let mut lines = self.shelves.get(shelf)?.lock();
        match wire {
            Wire::Own => lines.take_own(now),
            Wire::Shared => lines.take_shared(now, STREAMS_MAX, None),
            Wire::Either => lines.take_shared(now, STREAMS_MAX, None).or_else(|| lines.take_own(now)),
        }
    }

    /// A kept connection for a call that waited for its turn to make one. A call that found its connection dead
    /// takes only one made after `since`, by another that waited before it.
    pub(super) fn take_after_turn(
        &self,
        shelf: usize,
        wire: Wire,
        wanted: Origin,
        since: Instant,
    ) -> Option<Line> {
        match wanted {
            Origin::Kept => self.take(shelf, wire, Instant::now()),
            Origin::Fresh => {
                self.shelves.get(shelf)?.lock().take_shared(Instant::now(), STREAMS_MAX, Some(since))
            }
        }
    }

    /// The turn of that shelf to make a connection that calls can share.
    pub(super) async fn connecting(&self, shelf: usize) -> Option<tokio::sync::MutexGuard<'_, ()>> {
        Some(self.shelves.get(shelf)?.connecting.lock().await)
    }

    /// A place for a new connection, where the bound leaves one.
    pub(super) fn slot(&self) -> Option<Slot> {
        let permit = Permit::take(&self.taken, self.settings.connections_max)?;
        Some(Slot { permit: Some(permit), freed: Arc::clone(&self.freed) })
    }

    /// Waits until `until` for a place or a kept connection. With [`Origin::Fresh`] asked for, kept ones are
    /// closed to make room instead.
    pub(super) async fn room(&self, wire: Wire, wanted: Origin, until: Instant) -> Room {
        if self.freed.waiting.fetch_add(1, Ordering::Relaxed) >= self.settings.connections_max {
            drop(Waiting(&self.freed));
            return Room::None;
        }
        let _waiting = Waiting(&self.freed);
        loop {
            let mut freed = std::pin::pin!(self.freed.notify.notified());
            freed.as_mut().enable();
            if let Some(slot) = self.slot() {
                return Room::For(slot);
            }
            let now = Instant::now();
            match wanted {
                Origin::Kept => {
                    if let Some(line) = self.take_anywhere(wire, now) {
                        return Room::Kept(line);
                    }
                    if wire == Wire::Shared {
                        self.close_one_idle(now);
                    }
                }
                Origin::Fresh => self.close_one_idle(now),
            }
            if tokio::time::timeout_at(until, freed).await.is_err() {
                return Room::None;
            }
        }
    }

    fn take_anywhere(&self, wire: Wire, now: Instant) -> Option<Line> {
        self.shelves.iter().find_map(|shelf| {
            let mut lines = shelf.lock();
            match wire {
                Wire::Own => lines.take_own(now),
                // Beyond the usual limit of streams: the connection queues what the server does not take yet.
                Wire::Shared => lines.take_shared(now, u32::MAX, None),
                Wire::Either => lines.take_own(now).or_else(|| lines.take_shared(now, u32::MAX, None)),
            }
        })
    }

    fn close_one_idle(&self, now: Instant) {
        for shelf in &self.shelves {
            if shelf.lock().take_own(now).is_some() {
                return;
            }
        }
    }

    /// Puts a new HTTP/2 connection on a shelf, the calling call being its first stream.
    fn share(&self, shelf: usize, sender: http2::SendRequest<Sending>, now: Instant) -> Stream {
        let streams = Arc::new(AtomicU32::new(1));
        if let Some(shelf) = self.shelves.get(shelf) {
            let line =
                SharedLine { sender: sender.clone(), streams: Arc::clone(&streams), made: now, used: now };
            shelf.lock().shared.push(line);
        }
        Stream { sender, streams }
    }

    /// Closes what has been idle for too long; whether the shelf is empty then.
    fn sweep(&self, shelf: usize, now: Instant) -> bool {
        let Some(shelf) = self.shelves.get(shelf) else { return true };
        let mut lines = shelf.lock();
        lines.own.retain_mut(|line| line.keep_until > now && line.connection.is_fit());
        lines.shared.retain(|line| {
            let is_used = line.streams.load(Ordering::Relaxed) > 0
                || now.saturating_duration_since(line.used) < self.settings.idle_timeout;
            !line.sender.is_closed() && is_used
        });
        let is_empty = lines.own.is_empty() && lines.shared.is_empty();
        if is_empty {
            lines.sweeper = Sweeper::None;
        }
        is_empty
    }
}

impl Shelf {
    fn lock(&self) -> MutexGuard<'_, Lines> {
        // Nothing under this lock panics half-way through a change.
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lines {
    /// The last used connection that is fit for use, so that the others can grow old and be closed.
    fn take_own(&mut self, now: Instant) -> Option<Line> {
        while let Some(mut line) = self.own.pop() {
            if line.keep_until > now && line.connection.is_fit() {
                return Some(Line::Own(line.connection));
            }
        }
        None
    }

    /// The least busy connection with fewer than `streams_max` streams, made after `since` where that matters.
    fn take_shared(&mut self, now: Instant, streams_max: u32, since: Option<Instant>) -> Option<Line> {
        self.shared.retain(|line| !line.sender.is_closed());
        let line = self
            .shared
            .iter_mut()
            .filter(|line| since.is_none_or(|since| line.made > since))
            .min_by_key(|line| line.streams.load(Ordering::Relaxed))?;
        if line.streams.load(Ordering::Relaxed) >= streams_max {
            return None;
        }
        line.used = now;
        line.streams.fetch_add(1, Ordering::Relaxed);
        Some(Line::Shared(Stream { sender: line.sender.clone(), streams: Arc::clone(&line.streams) }))
    }
}

impl Lease {
    /// A call on a kept connection.
    pub(super) const fn kept(busy: InFlight, shelf: usize, line: Line) -> Self {
        Self { line, origin: Origin::Kept, busy, shelf }
    }

    /// A call on a new HTTP/1.1 connection.
    pub(super) const fn own(busy: InFlight, shelf: usize, connection: Box<OwnConnection>) -> Self {
        Self { line: Line::Own(connection), origin: Origin::Fresh, busy, shelf }
    }

    /// A call on a new HTTP/2 connection, which others can share from now on.
    pub(super) fn shared(
        busy: InFlight,
        shelf: usize,
        sender: http2::SendRequest<Sending>,
        now: Instant,
    ) -> Self {
        let line = Line::Shared(busy.pool.share(shelf, sender, now));
        start_sweeper(&busy, shelf);
        Self { line, origin: Origin::Fresh, busy, shelf }
    }

    /// Ends the call with the connection in good order, so that another can use it. `keep_for` is what the server promised, if it did.
    pub(super) fn give_back(self, now: Instant, keep_for: Option<Duration>) {
        let Self { line: Line::Own(connection), busy, shelf, .. } = self else { return };
        let pool = &busy.pool;
        let settings = &pool.settings;
        let keep_for = keep_for.map_or(settings.idle_timeout, |it| it.min(settings.idle_timeout));
        let Some(place) = pool.shelves.get(shelf) else { return };
        let mut lines = place.lock();
        if lines.own.len() >= settings.idle_max {
            if settings.idle_max == 0 {
                return;
            }
            lines.own.remove(0);
        }
        lines.own.push(OwnLine { connection, keep_until: after(now, keep_for) });
        let sweeper = lines.sweeper;
        drop(lines);
        pool.freed.tell();
        if sweeper == Sweeper::None {
            start_sweeper(&busy, shelf);
        }
    }
}

/// Closes idle connections of a shelf in time when no call comes by to notice them; one task a shelf, which ends
/// with the last connection.
fn start_sweeper(server: &Arc<Server>, shelf: usize) {
    let Some(place) = server.pool.shelves.get(shelf) else { return };
    let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
    let mut lines = place.lock();
    if lines.sweeper == Sweeper::Runs {
        return;
    }
    lines.sweeper = Sweeper::Runs;
    drop(lines);
    // Also how soon the end of a connection that the server closed is noticed where no call comes by.
    const ROUND_MAX: Duration = Duration::from_secs(5);
    let round = (server.pool.settings.idle_timeout / 2).clamp(Duration::from_millis(10), ROUND_MAX);
    let sweep = Sweep { server: Arc::downgrade(server), shelf };
    runtime.spawn(async move {
        loop {
            tokio::time::sleep(round).await;
            let Some(server) = sweep.server.upgrade() else { return };
            if server.pool.sweep(sweep.shelf, Instant::now()) {
                return;
            }
        }
    });
}

struct Sweep {
    server: Weak<Server>,
    shelf: usize,
}

impl Drop for Sweep {
    /// A runtime that ends takes its tasks with it: the next one must be able to start a sweeper.
    fn drop(&mut self) {
        if let Some(server) = self.server.upgrade()
            && let Some(shelf) = server.pool.shelves.get(self.shelf)
        {
            shelf.lock().sweeper = Sweeper::None;
        }
    }
}

/// A small number for each thread, counted up as they first come by.
fn thread_number() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local!(static NUMBER: usize = NEXT.fetch_add(1, Ordering::Relaxed));
    NUMBER.with(|number| *number)
}
