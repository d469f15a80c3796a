//! What may be tried again, and how often.

use std::{
    sync::atomic::{AtomicU32, AtomicU64, Ordering},
    time::Duration,
};

use http::{Method, StatusCode};
use tokio::time::Instant;

use super::{
    chance::Chance,
    settings::{RetryCause, RetryMethods, RetrySettings},
};

/// [`RetrySettings`] in the form that a call asks.
#[derive(Debug)]
pub(super) struct RetryPolicy {
    causes: u8,
    methods: RetryMethods,
    pub(super) attempts: u32,
    backoff_min: Duration,
    backoff_max: Duration,
    budget_percent: u64,
    budget_floor: u64,
}

/// What one route says about retries in place of its upstream's settings. The calls that the budget is a part of
/// are counted for the whole upstream.
#[derive(Debug)]
pub struct RetryOverride(RetryPolicy);

impl RetryOverride {
    /// Prepares the settings once, for all calls.
    pub fn new(settings: &RetrySettings) -> Self {
        Self(RetryPolicy::new(settings))
    }

    pub(super) const fn policy(&self) -> &RetryPolicy {
        &self.0
    }
}

impl RetryPolicy {
    pub(super) fn new(settings: &RetrySettings) -> Self {
        Self {
            causes: settings.on.iter().fold(0, |causes, cause| causes | bit(*cause)),
            methods: settings.methods,
            attempts: u32::from(settings.attempts),
            backoff_min: settings.backoff_min,
            backoff_max: settings.backoff_max.max(settings.backoff_min),
            budget_percent: u64::from(settings.budget_percent.min(100)),
            budget_floor: u64::from(settings.budget_floor),
        }
    }

    pub(super) const fn wants(&self, cause: RetryCause) -> bool {
        self.attempts > 0 && self.causes & bit(cause) != 0
    }

    /// The cause that an answer's status is, where it is one.
    pub(super) fn cause_of(status: StatusCode) -> Option<RetryCause> {
        match status {
            StatusCode::BAD_GATEWAY => Some(RetryCause::Status502),
            StatusCode::SERVICE_UNAVAILABLE => Some(RetryCause::Status503),
            StatusCode::GATEWAY_TIMEOUT => Some(RetryCause::Status504),
            _ => None,
        }
    }

    /// Whether a request that a server may have seen may be sent again.
    pub(super) fn may_repeat(&self, method: &Method) -> bool {
        match self.methods {
            RetryMethods::Idempotent => method.is_idempotent(),
            RetryMethods::All => true,
        }
    }

    /// The pause before the retry of this number, counted from 1.
    pub(super) fn backoff(&self, retry: u32, chance: &Chance) -> Duration {
        let doubled = 1_u32.checked_shl(retry.saturating_sub(1)).unwrap_or(u32::MAX);
        chance.jitter(self.backoff_min.saturating_mul(doubled).min(self.backoff_max))
    }
}

const fn bit(cause: RetryCause) -> u8 {
    match cause {
        RetryCause::Connect => 1,
        RetryCause::Reset => 2,
        RetryCause::Timeout => 4,
        RetryCause::Status502 => 8,
        RetryCause::Status503 => 16,
        RetryCause::Status504 => 32,
    }
}

/// Keeps retries a small part of the calls, so that an upstream in trouble does not get twice the load. Calls and
/// retries are counted over the running and the last window of ten seconds; a race between threads at the turn
/// of a window miscounts by a few, which does not matter here.
pub(super) struct Budget {
    epoch: Instant,
    window: AtomicU64,
    calls: AtomicU32,
    retries: AtomicU32,
    calls_before: AtomicU32,
    retries_before: AtomicU32,
}

const WINDOW_SECS: u64 = 10;

impl Budget {
    pub(super) fn new(epoch: Instant) -> Self {
        Self {
            epoch,
            window: AtomicU64::new(0),
            calls: AtomicU32::new(0),
            retries: AtomicU32::new(0),
            calls_before: AtomicU32::new(0),
            retries_before: AtomicU32::new(0),
        }
    }

    /// Counts a call.
    pub(super) fn call(&self, now: Instant) {
        self.turn(now);
        self.calls.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes one retry from the budget; false when it is spent.
    pub(super) fn take_retry(&self, policy: &RetryPolicy, now: Instant) -> bool {
        self.turn(now);
        let sum = |now: &AtomicU32, before: &AtomicU32| {
            u64::from(now.load(Ordering::Relaxed)) + u64::from(before.load(Ordering::Relaxed))
        };
        let allowed =
            policy.budget_floor.max(sum(&self.calls, &self.calls_before) * policy.budget_percent / 100);
        let allows = sum(&self.retries, &self.retries_before) < allowed;
        if allows {
            self.retries.fetch_add(1, Ordering::Relaxed);
        }
        allows
    }

    fn turn(&self, now: Instant) {
        let window = now.saturating_duration_since(self.epoch).as_secs() / WINDOW_SECS;
        let seen = self.window.load(Ordering::Relaxed);
        if window <= seen
            || self.window.compare_exchange(seen, window, Ordering::Relaxed, Ordering::Relaxed).is_err()
        {
            return;
        }
        let (calls, retries) =
            (self.calls.swap(0, Ordering::Relaxed), self.retries.swap(0, Ordering::Relaxed));
        let next_to_it = window == seen + 1;
        self.calls_before.store(if next_to_it { calls } else { 0 }, Ordering::Relaxed);
        self.retries_before.store(if next_to_it { retries } else { 0 }, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(percent: u8, floor: u32) -> RetryPolicy {
        RetryPolicy::new(&RetrySettings {
            budget_percent: percent,
            budget_floor: floor,
            ..RetrySettings::default()
        })
    }

    #[test]
    fn retries_stay_a_part_of_the_calls() {
        let now = Instant::now();
        let (budget, policy) = (Budget::new(now), policy(20, 1));
        for _ in 0..100 {
            budget.call(now);
        }
        assert_eq!((0..100).filter(|_| budget.take_retry(&policy, now)).count(), 20);
    }

    #[test]
    fn a_quiet_upstream_has_its_floor_each_window() {
        let now = Instant::now();
        let (budget, policy) = (Budget::new(now), policy(20, 3));
        assert_eq!((0..10).filter(|_| budget.take_retry(&policy, now)).count(), 3);
        let later = now + Duration::from_secs(25);
        assert_eq!((0..10).filter(|_| budget.take_retry(&policy, later)).count(), 3);
    }

    #[test]
    fn pauses_double_up_to_the_longest() {
        struct Zero;
        impl portcullis_core::clock::Entropy for Zero {
            fn fill(&self, buffer: &mut [u8]) {
                buffer.fill(0);
            }
        }
        let chance = Chance::new(&Zero);
        let policy = RetryPolicy::new(&RetrySettings::default());
        for (retry, most) in [(1, 25), (2, 50), (3, 100), (9, 250), (40, 250)] {
            let pause = policy.backoff(retry, &chance);
            assert!(pause >= Duration::from_millis(most / 2), "{retry}: {pause:?}");
            assert!(pause <= Duration::from_millis(most), "{retry}: {pause:?}");
        }
    }
}
