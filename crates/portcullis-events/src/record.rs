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
        mpsc::{Receiver, Sender, channel},
    },
    thread::JoinHandle,
    time::Duration,
};

use portcullis_core::{
    clock::{Clock, Timestamp},
    event::{Event, Tally},
    ports::Recorder,
};

pub use crate::counts::Counts;
use crate::{
    chain::{Body, Dropped},
    counts::Kind,
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
    /// Which calls are recorded.
    pub calls: Calls,
}

/// Which calls are recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Calls {
    /// Every one.
    #[default]
    All,
    /// All but those that were served with nothing to remark: these are counted alone.
    Refused,
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

/// Hands events to the log.
pub struct Writer {
    /// Bounded by `Shared::queued`, not by the channel: a bounded one allocates every place at once, 18 MiB.
    sender: Sender<Event>,
    tallies: Sender<Tally>,
    calls: Calls,
    metrics: Arc<Metrics>,
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Default)]
struct Shared {
    queue_max: usize,
    queued: AtomicUsize,
    tallied: AtomicUsize,
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
        let (sender, receiver) = channel();
        let (tallies, counted) = channel();
        let shared = Arc::new(Shared { queue_max, ..Shared::default() });
        let work = Work {
            log,
            tallies: counted,
            redactor: options.redactor,
            metrics: Arc::clone(&metrics),
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
        Ok(Self { sender, tallies, calls: options.calls, metrics, shared, thread: Mutex::new(Some(thread)) })
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
            queued < room && !shared.closed.load(Ordering::Relaxed) && self.sender.send(event).is_ok();
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

    fn keeps_served(&self) -> bool {
        self.calls == Calls::All
    }

    fn count(&self, tally: Tally) {
        let shared = &*self.shared;
        let waiting = shared.tallied.fetch_add(1, Ordering::Relaxed);
        if waiting < shared.queue_max && !shared.closed.load(Ordering::Relaxed) {
            let Err(back) = self.tallies.send(tally) else { return };
            self.metrics.count(&back.0);
        } else {
            // Better a call that waits for a lock than one that nobody has counted.
            self.metrics.count(&tally);
        }
        shared.tallied.fetch_sub(1, Ordering::Relaxed);
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

    fn finish(&self, asked: u64) {
        self.lock().done = asked;
        self.ordered.notify_all();
    }
}

struct Work {
    log: Log,
    tallies: Receiver<Tally>,
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
            let drained = self.round(receiver, clock, stop);
            self.shared.finish(asked);
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

    /// Takes what waits, writes it, and says how that went; how many events it took.
    fn round(&mut self, receiver: &Receiver<Event>, clock: &dyn Clock, is_last: bool) -> usize {
        self.count();
        let (drained, mut result) = self.drain(receiver, clock);
        if result.is_ok() {
            result = self.tell_drops(clock.now()).and_then(|()| self.log.turn(clock.now()));
        }
        if is_last && result.is_ok() {
            result = self.log.close(clock.now());
        }
        let dropped = self.shared.dropped();
        self.metrics.dropped(&dropped.since(&self.measured));
        self.measured = dropped;
        self.refused = result.is_err();
        self.metrics.set_record_fault(self.refused);
        self.shared.lock().fault = result.err().map(|error| describe(&error));
        drained
    }

    /// Counts the calls that leave no record, as far as they have come.
    fn count(&mut self) {
        for tally in self.tallies.try_iter().take(self.shared.queue_max) {
            self.shared.tallied.fetch_sub(1, Ordering::Relaxed);
            self.metrics.count(&tally);
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
        // What is taken in one go carries one time; it is that of checkpoints alone.
        let now = clock.now();
        while drained < self.shared.queue_max {
            let Ok(mut event) = receiver.try_recv() else { break };
            self.shared.queued.fetch_sub(1, Ordering::Relaxed);
            drained += 1;
            self.redactor.event(&mut event);
            self.metrics.observe(&event);
            // A defect in a tap costs the tap, not the record; the panic hook has told of it.
            self.taps.retain_mut(|tap| catch_unwind(AssertUnwindSafe(|| tap(&event))).is_ok());
            if result.is_ok() {
                match self.log.append(&Body::Event(&event), now) {
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

#[cfg(test)]
mod tests {
    use portcullis_core::clock::ManualClock;

    use super::*;
    use crate::{
        query::{Filter, tail},
        verify::{self, verify},
    };

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn event(path: &str, outcome: &str) -> Event {
        let outcome: serde_json::Value = serde_json::from_str(outcome).unwrap();
        serde_json::from_value(serde_json::json!({
            "id": "018bcfe5-6800-7fff-bfff-ffffffffffff", "at": NOW, "took_micros": 1500, "listener": "main",
            "client": "192.0.2.1", "protocol": "http/1.1", "tls": true, "host": "api.example.com",
            "method": "GET", "path": path, "api": "orders", "operation": "getOrder", "outcome": outcome,
            "status": 200, "request_bytes": 0, "response_bytes": 10,
        }))
        .unwrap()
    }

    fn served() -> Event {
        event("/v1/orders/7", "\"served\"")
    }

    fn denied() -> Event {
        event("/v1/orders/7", "{\"denied\":\"forbidden\"}")
    }

    struct Bench {
        dir: tempfile::TempDir,
        clock: ManualClock,
        metrics: Arc<Metrics>,
    }

    fn key() -> SigningKey {
        SigningKey::from_seed(&[7; 32]).unwrap()
    }

    impl Bench {
        fn new() -> Self {
            let metrics = Arc::new(Metrics::new());
            Self { dir: tempfile::tempdir().unwrap(), clock: ManualClock::at(NOW), metrics }
        }

        fn options(&self, queue_max: usize) -> Options {
            Options {
                directory: self.dir.path().join("events"),
                policy: Policy::default(),
                queue_max,
                redactor: Redactor::default(),
                calls: Calls::default(),
            }
        }

        /// A writer whose thread is this one.
        fn still(&self, queue_max: usize, taps: Vec<Tap>) -> (Writer, Work, Receiver<Event>) {
            let options = self.options(queue_max);
            let log = Log::open(&options.directory, options.policy, key(), NOW).unwrap();
            let (sender, receiver) = channel();
            let (tallies, counted) = channel();
            let shared = Arc::new(Shared { queue_max, ..Shared::default() });
            let metrics = Arc::clone(&self.metrics);
            let work = Work {
                log,
                tallies: counted,
                redactor: options.redactor,
                metrics: Arc::clone(&self.metrics),
                taps,
                told: Counts::default(),
                measured: Counts::default(),
                refused: false,
                shared: Arc::clone(&shared),
            };
            let calls = options.calls;
            (Writer { sender, tallies, calls, metrics, shared, thread: Mutex::new(None) }, work, receiver)
        }

        fn sound(&self) -> verify::Report {
            match verify(&self.dir.path().join("events"), key().public(), None).unwrap() {
                verify::Outcome::Sound(report) => report,
                verify::Outcome::Flawed(finding, _) => panic!("{finding:?}"),
            }
        }
    }

    #[test]
    fn a_full_queue_drops_served_calls_first_and_the_log_tells_how_many() {
        let bench = Bench::new();
        let (writer, mut work, receiver) = bench.still(16, Vec::new());
        for _ in 0..20 {
            writer.record(served());
        }
        for _ in 0..7 {
            writer.record(denied());
        }
        assert_eq!(writer.status().dropped, Counts { served: 8, denied: 3, failed: 0 });
        assert_eq!(work.round(&receiver, &bench.clock, false), 16);
        writer.record(event("/", "\"client_gone\""));
        work.round(&receiver, &bench.clock, true);
        let report = bench.sound();
        assert_eq!((report.events, report.dropped.served, report.dropped.denied), (17, 8, 3));
        assert_eq!((writer.status().written, writer.status().queued), (17, 0));
        let text = bench.metrics.encode();
        assert!(text.contains("portcullis_events_dropped_total{kind=\"served\"} 8"), "{text}");
    }

    #[test]
    fn a_refusing_disk_costs_records_that_are_counted_and_nothing_else() {
        let bench = Bench::new();
        let (writer, mut work, receiver) = bench.still(64, Vec::new());
        writer.record(served());
        work.round(&receiver, &bench.clock, false);
        work.log.write_to("/dev/full".as_ref());
        writer.record(denied());
        work.round(&receiver, &bench.clock, false);
        assert!(writer.status().fault.is_some() && !bench.metrics.record_is_sound());
        for _ in 0..5 {
            writer.record(served());
        }
        work.round(&receiver, &bench.clock, false);
        assert_eq!(writer.status().dropped.total(), 5, "counted, not kept in memory without bound");
        assert!(bench.metrics.encode().contains("portcullis_events_fault 1"));
        work.log.write_to_own_file();
        writer.record(served());
        work.round(&receiver, &bench.clock, true);
        assert_eq!(writer.status().fault, None);
        assert!(bench.metrics.record_is_sound());
        let report = bench.sound();
        assert_eq!(
            (report.events, report.dropped.served),
            (3, 5),
            "what was encoded before was written after"
        );
    }

    #[test]
    fn a_failing_tap_costs_the_tap_only() {
        let bench = Bench::new();
        let (send, seen) = std::sync::mpsc::channel();
        let taps: Vec<Tap> =
            vec![Box::new(|_| panic!("a defect")), Box::new(move |it| send.send(it.status).unwrap())];
        let (writer, mut work, receiver) = bench.still(16, taps);
        writer.record(served());
        writer.record(served());
        work.round(&receiver, &bench.clock, true);
        assert_eq!((work.taps.len(), seen.try_iter().count()), (1, 2));
        assert_eq!(bench.sound().events, 2);
    }

    #[test]
    fn nothing_in_a_request_can_forge_a_line_or_carry_a_secret_out() {
        let bench = Bench::new();
        let (writer, mut work, receiver) = bench.still(16, Vec::new());
        let nasty = "/a\n{\"seq\":9}\r\n\u{2028}\u{1b}[2J/eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.c2ln";
        writer.record(event(nasty, "\"served\""));
        work.round(&receiver, &bench.clock, true);
        let report = bench.sound();
        let segments = crate::segment::list(&bench.dir.path().join("events")).unwrap();
        let text = std::fs::read_to_string(&segments[0].path).unwrap();
        assert_eq!(u64::try_from(text.lines().count()).unwrap(), report.records);
        assert!(!text.chars().any(|c| c != '\n' && crate::text::is_hidden(c)));
        assert!(!text.contains("eyJ") && text.contains("[redacted]"));
        let back = &tail(&bench.dir.path().join("events"), 1, &Filter::default()).unwrap()[0];
        assert!(back.path.starts_with("/a\n{\"seq\":9}\r\n\u{2028}\u{1b}[2J/"));
    }

    #[test]
    fn what_is_only_counted_is_counted_however_full_the_queue_is_and_leaves_no_record() {
        let bench = Bench::new();
        let (writer, mut work, receiver) = bench.still(16, Vec::new());
        let tally = Tally {
            api: Some("orders".into()),
            operation: None,
            outcome: portcullis_core::event::Outcome::Answered,
            status: 204,
            took_micros: 1,
            upstream_micros: None,
            request_bytes: 3,
            response_bytes: 0,
        };
        let counted = |count| {
            let line = "portcullis_exchanges_total{api=\"orders\",operation=\"\",status=\"2xx\",outcome=\"answered\"}";
            bench.metrics.encode().contains(&format!("{line} {count}\n"))
        };
        for _ in 0..20 {
            writer.count(tally.clone());
        }
        assert!(counted(4), "those that found no room are counted by the caller: {}", bench.metrics.encode());
        assert_eq!(work.round(&receiver, &bench.clock, false), 0);
        assert!(counted(20), "{}", bench.metrics.encode());
        writer.count(tally.clone());
        assert_eq!(work.round(&receiver, &bench.clock, true), 0);
        drop(work);
        writer.count(tally);
        assert!(counted(22), "nobody takes it off the queue any more: {}", bench.metrics.encode());
        assert_eq!((writer.status().written, writer.status().dropped), (0, Counts::default()));
    }

    #[test]
    fn many_threads_lose_nothing_uncounted() {
        let bench = Bench::new();
        let clock = Arc::new(ManualClock::at(NOW));
        let metrics = Arc::clone(&bench.metrics);
        let writer = Writer::start(bench.options(256), key(), clock, metrics, Vec::new()).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..1_000 {
                        writer.record(served());
                    }
                });
            }
        });
        writer.flush();
        writer.record(denied());
        writer.close();
        writer.record(denied());
        let report = bench.sound();
        assert_eq!(report.events + report.dropped.served, 8_001);
        assert_eq!((report.dropped.denied, writer.status().dropped.denied), (0, 1), "too late is dropped");
        assert_eq!(report.unsigned, 0);
        writer.flush();
    }
}
