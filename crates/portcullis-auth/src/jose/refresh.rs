//! When a provider's signing keys are asked for anew, without doing any I/O.
//!
//! Old keys are kept until new ones are good, or until they are too old. Calls with unknown key ids can cause one refresh an interval and
//! provider, however many there are, and those that arrive meanwhile wait for the one under way.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwapOption;
use portcullis_core::clock::Timestamp;

use crate::jose::jwks::{JwksError, KeySet};

/// The shortest time between two refreshes caused by calls, unless configured otherwise.
pub const CALL_INTERVAL_DEFAULT: Duration = Duration::from_secs(10);

/// Why keys are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefreshCause {
    /// A token names a key that is not known.
    UnknownKid,
    /// There are no keys yet, or they are older than the provider wants them.
    Stale,
}

/// Fetches a provider's keys and hands them to its [`JwksState`]; implemented by the binary.
pub trait Refresher: Send + Sync {
    /// Fetches, then calls [`JwksState::install`] or [`JwksState::failed`]. The fetch must be bounded in time and
    /// go on when the returned future is dropped: a caller who hangs up must not stop it for the others.
    fn refresh(&self, provider: &str, cause: RefreshCause) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

/// The keys of one provider and the state of their refreshing. Lives on across reloads of the configuration.
pub struct JwksState {
    provider: Arc<str>,
    keys: ArcSwapOption<KeySet>,
    /// Microseconds since the epoch at which `keys` were fetched; beside the report, for each call asks.
    installed_micros: AtomicU64,
    /// Counts every change of `keys`, so that what was verified with older ones is verified again.
    generation: AtomicU64,
    /// Counts every refresh that ended, well or badly.
    attempts: AtomicU64,
    call_interval: Duration,
    /// Microseconds since the epoch before which calls cause no refresh.
    calls_wait_until: AtomicU64,
    flight: tokio::sync::Mutex<()>,
    report: Mutex<Report>,
}

#[derive(Clone, Debug, Default)]
struct Report {
    installed_at: Option<Timestamp>,
    last_error: Option<Box<str>>,
    failures_in_a_row: u32,
}

/// How a provider's keys are, for health pages and metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JwksHealth {
    /// Usable keys.
    pub keys: usize,
    /// Time since they were fetched; `None` when there are none.
    pub age: Option<Duration>,
    /// Refreshes that failed since the last good one.
    pub failures_in_a_row: u32,
    /// What went wrong last, if the last refresh failed.
    pub last_error: Option<Box<str>>,
}

impl JwksState {
    /// No keys yet. Calls cause at most one refresh each `call_interval`.
    pub fn new(provider: Arc<str>, call_interval: Duration) -> Arc<Self> {
        Arc::new(Self {
            provider,
            keys: ArcSwapOption::empty(),
            installed_micros: AtomicU64::new(0),
            generation: AtomicU64::new(0),
            attempts: AtomicU64::new(0),
            call_interval,
            calls_wait_until: AtomicU64::new(0),
            flight: tokio::sync::Mutex::new(()),
            report: Mutex::new(Report::default()),
        })
    }

    /// The provider's name.
    pub const fn provider(&self) -> &Arc<str> {
        &self.provider
    }

    /// The keys in force.
    pub fn keys(&self) -> Option<Arc<KeySet>> {
        self.keys.load_full()
    }

    /// Whether there are keys, and they were fetched longer than `age_max` ago.
    pub fn is_older_than(&self, age_max: Duration, now: Timestamp) -> bool {
        let installed = Timestamp::from_micros(self.installed_micros.load(Ordering::Acquire));
        self.keys.load().is_some() && now.since(installed) > age_max
    }

    /// Grows whenever the keys change.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Puts fetched keys in force.
    ///
    /// # Errors
    /// When the document cannot be used; the old keys stay.
    pub fn install(&self, document: &[u8], now: Timestamp) -> Result<Arc<KeySet>, JwksError> {
        match KeySet::parse(document) {
            Ok(set) => {
                let set = Arc::new(set);
                self.keys.store(Some(Arc::clone(&set)));
                self.installed_micros.store(now.as_micros(), Ordering::Release);
                self.generation.fetch_add(1, Ordering::Release);
                self.note(|report| {
                    *report = Report { installed_at: Some(now), ..Report::default() };
                });
                self.attempts.fetch_add(1, Ordering::Release);
                Ok(set)
            }
            Err(error) => {
                self.failed(&error.to_string());
                Err(error)
            }
        }
    }

    /// Notes that a refresh failed; the old keys stay.
    pub fn failed(&self, error: &str) {
        self.note(|report| {
            report.last_error = Some(error.into());
            report.failures_in_a_row = report.failures_in_a_row.saturating_add(1);
        });
        self.attempts.fetch_add(1, Ordering::Release);
    }

    /// How the keys are.
    pub fn health(&self, now: Timestamp) -> JwksHealth {
        let report = self.report.lock().unwrap_or_else(PoisonError::into_inner).clone();
        JwksHealth {
            keys: self.keys.load().as_ref().map_or(0, |set| set.len()),
            age: report.installed_at.map(|at| now.since(at)),
            failures_in_a_row: report.failures_in_a_row,
            last_error: report.last_error,
        }
    }

    fn note(&self, change: impl FnOnce(&mut Report)) {
        change(&mut self.report.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Whether a call would learn something by waiting: a refresh is under way, or one may be started.
    pub fn may_ask(&self, now: Timestamp) -> bool {
        self.flight.try_lock().is_err() || self.may_start(now)
    }

    fn may_start(&self, now: Timestamp) -> bool {
        now.as_micros() >= self.calls_wait_until.load(Ordering::Acquire)
    }

    /// Refreshes because of a call: once for all who ask at the same time, and at most once an interval.
    async fn ask(&self, refresher: &dyn Refresher, cause: RefreshCause, now: Timestamp) {
        let before = self.attempts.load(Ordering::Acquire);
        let _flight = self.flight.lock().await;
        if self.attempts.load(Ordering::Acquire) != before || !self.may_start(now) {
            return;
        }
        self.calls_wait_until.store(now.plus(self.call_interval).as_micros(), Ordering::Release);
        refresher.refresh(&self.provider, cause).await;
    }
}

impl fmt::Debug for JwksState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwksState").field("provider", &self.provider).finish_non_exhaustive()
    }
}

/// A refresh that a call waits for.
#[derive(Clone)]
pub struct KeyRefresh {
    state: Arc<JwksState>,
    refresher: Arc<dyn Refresher>,
    cause: RefreshCause,
}

impl KeyRefresh {
    pub(crate) const fn new(
        state: Arc<JwksState>,
        refresher: Arc<dyn Refresher>,
        cause: RefreshCause,
    ) -> Self {
        Self { state, refresher, cause }
    }

    /// The provider whose keys are wanted.
    pub fn provider(&self) -> &Arc<str> {
        &self.state.provider
    }

    /// Waits until the keys have been asked for, by this call or another.
    pub async fn run(self, now: Timestamp) {
        self.state.ask(&*self.refresher, self.cause, now).await;
    }
}

impl fmt::Debug for KeyRefresh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRefresh")
            .field("provider", self.provider())
            .field("cause", &self.cause)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    const KEYS: &str = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE"}]}"#;

    /// Counts its calls; each takes until `gate` opens.
    struct Counting {
        state: Arc<JwksState>,
        calls: Arc<AtomicUsize>,
        gate: Arc<tokio::sync::Semaphore>,
        document: &'static str,
    }

    impl Refresher for Counting {
        fn refresh(&self, _: &str, _: RefreshCause) -> Pin<Box<dyn Future<Output = ()> + Send>> {
            self.calls.fetch_add(1, Ordering::SeqCst);
            let (state, gate, document) = (Arc::clone(&self.state), Arc::clone(&self.gate), self.document);
            Box::pin(async move {
                let _pass = gate.acquire().await;
                let _ = state.install(document.as_bytes(), Timestamp::from_secs(1));
            })
        }
    }

    fn counting(
        document: &'static str,
    ) -> (Arc<JwksState>, Arc<AtomicUsize>, Arc<tokio::sync::Semaphore>, Arc<dyn Refresher>) {
        let state = JwksState::new("p".into(), Duration::from_secs(10));
        let calls = Arc::new(AtomicUsize::new(0));
        let gate = Arc::new(tokio::sync::Semaphore::new(0));
        let refresher = Arc::new(Counting {
            state: Arc::clone(&state),
            calls: Arc::clone(&calls),
            gate: Arc::clone(&gate),
            document,
        });
        (state, calls, gate, refresher)
    }

    fn refresh(state: &Arc<JwksState>, refresher: &Arc<dyn Refresher>) -> KeyRefresh {
        KeyRefresh::new(Arc::clone(state), Arc::clone(refresher), RefreshCause::UnknownKid)
    }

    #[tokio::test]
    async fn many_calls_cause_one_refresh() {
        let (state, calls, gate, refresher) = counting(KEYS);
        let now = Timestamp::from_secs(100);
        let waiting: Vec<_> = (0..100).map(|_| tokio::spawn(refresh(&state, &refresher).run(now))).collect();
        while calls.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        assert!(state.may_ask(now), "a call may wait for the refresh under way");
        gate.add_permits(1);
        for task in waiting {
            task.await.unwrap();
        }
        assert_eq!(calls.load(Ordering::SeqCst), 1);
        assert_eq!(state.keys().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn unknown_ids_cause_one_refresh_an_interval() {
        let (state, calls, gate, refresher) = counting(KEYS);
        gate.add_permits(1_000);
        for second in 0..30 {
            let now = Timestamp::from_secs(100 + second);
            let may = state.may_ask(now);
            assert_eq!(may, second % 10 == 0, "second {second}");
            refresh(&state, &refresher).run(now).await;
        }
        assert_eq!(calls.load(Ordering::SeqCst), 3);
    }

    #[tokio::test]
    async fn a_caller_who_hangs_up_blocks_nobody() {
        let (state, calls, gate, refresher) = counting(KEYS);
        let now = Timestamp::from_secs(100);
        let first = tokio::spawn(refresh(&state, &refresher).run(now));
        while calls.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        first.abort();
        let _ = first.await;
        gate.add_permits(1);
        refresh(&state, &refresher).run(Timestamp::from_secs(110)).await;
        assert_eq!(calls.load(Ordering::SeqCst), 2);
        assert!(state.keys().is_some());
    }

    #[test]
    fn keys_age_until_they_are_fetched_again() {
        let state = JwksState::new("p".into(), CALL_INTERVAL_DEFAULT);
        let (at, day) = (Timestamp::from_secs, Duration::from_secs(86_400));
        assert!(!state.is_older_than(day, at(1_000_000)), "there are none");
        state.install(KEYS.as_bytes(), at(10)).unwrap();
        state.failed("connection refused");
        assert!(!state.is_older_than(day, at(86_410)));
        assert!(state.is_older_than(day, at(86_411)));
        state.install(KEYS.as_bytes(), at(86_411)).unwrap();
        assert!(!state.is_older_than(day, at(86_411)));
    }

    #[test]
    fn keeps_old_keys_when_new_ones_are_bad() {
        let state = JwksState::new("p".into(), CALL_INTERVAL_DEFAULT);
        state.install(KEYS.as_bytes(), Timestamp::from_secs(10)).unwrap();
        let generation = state.generation();
        assert!(state.install(b"<html>", Timestamp::from_secs(20)).is_err());
        state.failed("connection refused");
        assert_eq!(state.generation(), generation);
        assert_eq!(
            state.health(Timestamp::from_secs(40)),
            JwksHealth {
                keys: 1,
                age: Some(Duration::from_secs(30)),
                failures_in_a_row: 2,
                last_error: Some("connection refused".into())
            }
        );
        state.install(KEYS.as_bytes(), Timestamp::from_secs(50)).unwrap();
        assert_eq!(state.health(Timestamp::from_secs(50)).failures_in_a_row, 0);
    }
}
