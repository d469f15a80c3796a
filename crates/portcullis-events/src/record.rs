//! The writer: takes events off a bounded queue on a thread of its own.
//!
//! A call never waits for it. It does not even wake it: the writer looks at its queue some forty times a second, so
//! handing an event over costs no system call. What finds no room is counted by kind, and the counts become a
//! record as soon as there is room again; the last quarter of the queue is kept for what was not served, so that a
//! flood of ordinary calls cannot push the record of refusals out.
//!
//! When the disk refuses (full, read-only, gone), calls go on being served and measured, events are counted as
//! dropped, and the writer tries again each second; [`Writer::status`] says so for `/readyz` and metrics.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread::JoinHandle,
    time::Duration,
};

use portcullis_core::{
    clock::{Clock, Timestamp},
    event::{Event, Outcome},
    ports::Recorder,
};

use crate::{
    chain::{Body, Dropped},
    error::EventsError,
    log::{Log, Policy},
    metrics::Metrics,
    redact::Redactor,
    sign::SigningKey,
};

/// How long the writer rests when its queue was not empty, and when it was. Both bound how long an event may
/// take to reach the file; a queue half full ends the rest early.
const REST: Duration = Duration::from_millis(25);
const REST_IDLE: Duration = Duration::from_millis(100);

/// How long the writer rests after the disk refused.
const REST_REFUSED: Duration = Duration::from_secs(1);

/// Encoded bytes after which the writer turns to the disk before it goes on.
const BATCH_BYTES: usize = 256 * 1024;

/// What the writer is told.
pub struct Options {
    /// The log's directory; made with mode 0700 where it is missing.
    pub directory: PathBuf,
    /// How the log is kept.
    pub policy: Policy,
    /// Events that may wait, at least 16.
    pub queue_max: usize,
    /// Which field names hold secrets beyond the known ones.
    pub redactor: Redactor,
}

/// Sees every event after redaction, on the writer's thread: the live view, the console, detectors. It must not
/// block for long: what it costs comes off the writer's rate.
pub type Tap = Box<dyn FnMut(&Event) + Send>;

/// How the record is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Why the log cannot be written now; `None` when all is well. A gate that promises a record is not ready
    /// while this is set.
    pub fault: Option<Arc<str>>,
    /// Events that wait.
    pub queued: usize,
    /// Events written since the start.
    pub written: u64,
    /// Events dropped since the start.
    pub dropped: Counts,
}

/// Events by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Served by the upstream or answered by the gate.
    pub served: u64,
    /// Refused.
    pub denied: u64,
    /// Upstream failed, client gone, panicked.
    pub failed: u64,
}

impl Counts {
    /// All of them.
    pub const fn total(&self) -> u64 {
        self.served + self.denied + self.failed
    }

    const fn since(&self, earlier: &Self) -> Self {
        Self {
            served: self.served - earlier.served,
            denied: self.denied - earlier.denied,
            failed: self.failed - earlier.failed,
        }
    }
}

/// Hands events to the log.
pub struct Writer {
    sender: SyncSender<Event>,
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Default)]
struct Shared {
    queue_max: usize,
    queued: AtomicUsize,
    closed: AtomicBool,
    served: AtomicU64,
    denied: AtomicU64,
    failed: AtomicU64,
    written: AtomicU64,
    orders: Mutex<Orders>,
    ordered: Condvar,
}

#[derive(Default)]
struct Orders {
    stop: bool,
    wake: bool,
    asked: u64,
    done: u64,
    fault: Option<Arc<str>>,
}

impl Writer {
    /// Takes the log up and starts the writer.
    ///
    /// # Errors
    /// When the directory cannot be used, or another process writes there.
    pub fn start(
        options: Options,
        key: SigningKey,
        clock: Arc<dyn Clock>,
        metrics: Arc<Metrics>,
        taps: Vec<Tap>,
    ) -> Result<Self, EventsError> {
        let log = Log::open(&options.directory, options.policy, key, clock.now())?;
        let queue_max = options.queue_max.max(16);
        let (sender, receiver) = sync_channel(queue_max);
        let shared = Arc::new(Shared { queue_max, ..Shared::default() });
        let work = Work {
            log,
            redactor: options.redactor,
            metrics,
            taps,
            told: Counts::default(),
            measured: Counts::default(),
            refused: false,
            shared: Arc::clone(&shared),
        };
        let thread = std::thread::Builder::new()
            .name("record".into())
            .spawn(move || work.run(&receiver, &*clock))
            .map_err(|e| EventsError::file(&options.directory, e))?;
        Ok(Self { sender, shared, thread: Mutex::new(Some(thread)) })
    }

    /// How the record is doing.
    pub fn status(&self) -> Status {
        Status {
            fault: self.shared.lock().fault.clone(),
            queued: self.shared.queued.load(Ordering::Relaxed),
            written: self.shared.written.load(Ordering::Relaxed),
            dropped: self.shared.dropped(),
        }
    }

    /// Waits until everything recorded before is in the file, or the disk has refused it.
    pub fn flush(&self) {
        let mut orders = self.shared.lock();
        orders.asked += 1;
        let asked = orders.asked;
        self.shared.ordered.notify_all();
        while orders.done < asked && !self.shared.closed.load(Ordering::Acquire) {
            orders = self.shared.ordered.wait(orders).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Writes what waits, signs it, and ends. Events recorded later are counted as dropped.
    pub fn close(&self) {
        self.shared.lock().stop = true;
        self.shared.ordered.notify_all();
        if let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // A panic in there was reported by the panic hook; nothing is left to write with.
            let _ = thread.join();
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.close();
    }
}

impl Recorder for Writer {
    fn record(&self, event: Event) {
        let shared = &*self.shared;
        let kind = Kind::of(&event.outcome);
        let queued = shared.queued.fetch_add(1, Ordering::Relaxed);
        let room = match kind {
            Kind::Served => shared.queue_max - shared.queue_max / 4,
            Kind::Denied | Kind::Failed => shared.queue_max,
        };
        let taken =
            queued < room && !shared.closed.load(Ordering::Relaxed) && self.sender.try_send(event).is_ok();
        if !taken {
            shared.queued.fetch_sub(1, Ordering::Relaxed);
            shared.drop_one(kind);
        }
        // Once on the way up; a wake-up missed now costs a rest of 100 ms at most.
        if queued == shared.queue_max / 2 {
            shared.lock().wake = true;
            shared.ordered.notify_all();
        }
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Served,
    Denied,
    Failed,
}

impl Kind {
    const fn of(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Served | Outcome::Answered => Self::Served,
            Outcome::Denied(_) => Self::Denied,
            Outcome::UpstreamFailed(_) | Outcome::ClientGone | Outcome::Panicked => Self::Failed,
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Orders> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn drop_one(&self, kind: Kind) {
        let counter = match kind {
            Kind::Served => &self.served,
            Kind::Denied => &self.denied,
            Kind::Failed => &self.failed,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    fn dropped(&self) -> Counts {
        Counts {
            served: self.served.load(Ordering::Relaxed),
            denied: self.denied.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
        }
    }

    /// Rests, and says whether it is time to stop and which flush is asked for.
    fn rest(&self, period: Duration) -> (bool, u64) {
        let idle = |orders: &mut Orders| !orders.stop && !orders.wake && orders.asked == orders.done;
        let orders = self.lock();
        let (mut orders, _) =
            self.ordered.wait_timeout_while(orders, period, idle).unwrap_or_else(PoisonError::into_inner);
        orders.wake = false;
        (orders.stop, orders.asked)
    }

    fn report(&self, fault: Option<Arc<str>>, done: u64) {
        let mut orders = self.lock();
        orders.fault = fault;
        orders.done = done;
        self.ordered.notify_all();
    }
}

struct Work {
    log: Log,
    redactor: Redactor,
    metrics: Arc<Metrics>,
    taps: Vec<Tap>,
    /// The drops that the log already tells of.
    told: Counts,
    /// The drops that the metrics already tell of.
    measured: Counts,
    /// Whether the disk refused the last time.
    refused: bool,
    shared: Arc<Shared>,
}

impl Work {
    fn run(mut self, receiver: &Receiver<Event>, clock: &dyn Clock) {
        let _ended = Ended(Arc::clone(&self.shared));
        let mut period = REST;
        loop {
            let (stop, asked) = self.shared.rest(period);
            if stop {
                // From here on events are refused; those already in the queue are still written.
                self.shared.closed.store(true, Ordering::Release);
            }
            let (drained, mut result) = self.drain(receiver, clock);
            if result.is_ok() {
                result = self.tell_drops(clock.now()).and_then(|()| self.log.turn(clock.now()));
            }
            if stop && result.is_ok() {
                result = self.log.close(clock.now());
            }
            let dropped = self.shared.dropped();
            self.metrics.dropped(&dropped.since(&self.measured));
            self.measured = dropped;
            self.refused = result.is_err();
            let fault = result.err().map(|error| describe(&error));
            self.metrics.set_record_fault(fault.is_some());
            self.shared.report(fault, asked);
            if stop {
                return;
            }
            period = match (self.refused, drained) {
                (true, _) => REST_REFUSED,
                (false, 0) => REST_IDLE,
                (false, _) => REST,
            };
        }
    }

    /// Takes what waits now, and no more than the queue holds, so that flushes and stops get their turn.
    fn drain(&mut self, receiver: &Receiver<Event>, clock: &dyn Clock) -> (usize, Result<(), EventsError>) {
        let mut drained = 0;
        let mut result = Ok(());
        if self.refused && self.log.waiting() > 0 {
            // First what already waits: only when that is through can more be taken.
            result = self.log.turn(clock.now());
        }
        while drained < self.shared.queue_max {
            let Ok(mut event) = receiver.try_recv() else { break };
            self.shared.queued.fetch_sub(1, Ordering::Relaxed);
            drained += 1;
            self.redactor.event(&mut event);
            self.metrics.observe(&event);
            // A defect in a tap costs the tap, not the record; the panic hook has told of it.
            self.taps.retain_mut(|tap| catch_unwind(AssertUnwindSafe(|| tap(&event))).is_ok());
            if result.is_ok() {
                match self.log.append(&Body::Event(&event), clock.now()) {
                    Ok(()) => {
                        self.shared.written.fetch_add(1, Ordering::Relaxed);
                        self.metrics.written(1);
                        if self.log.waiting() >= BATCH_BYTES {
                            result = self.log.turn(clock.now());
                        }
                        continue;
                    }
                    Err(error) => result = Err(error),
                }
            }
            self.shared.drop_one(Kind::of(&event.outcome));
        }
        (drained, result)
    }

    fn tell_drops(&mut self, now: Timestamp) -> Result<(), EventsError> {
        let dropped = self.shared.dropped();
        let fresh = dropped.since(&self.told);
        if fresh.total() == 0 {
            return Ok(());
        }
        let Counts { served, denied, failed } = fresh;
        self.log.append(&Body::Dropped(Dropped { at: now, served, denied, failed }), now)?;
        self.told = dropped;
        Ok(())
    }
}

/// However the writer ends, nobody waits for it afterwards.
struct Ended(Arc<Shared>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.closed.store(true, Ordering::Release);
        if std::thread::panicking() {
            self.0.lock().fault = Some("the writer has failed; nothing is recorded until a restart".into());
        }
        self.0.ordered.notify_all();
    }
}

fn describe(error: &EventsError) -> Arc<str> {
    let source = std::error::Error::source(error).map(|it| format!(": {it}")).unwrap_or_default();
    format!("{error}{source}").into()
}
