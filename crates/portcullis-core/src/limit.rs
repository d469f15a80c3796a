//! Rates, quotas and the answers of the counters that keep them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

/// A sustained rate with a burst, kept by GCRA (ITU-T I.371): `count` cells per `period`, at most `burst` at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rate {
    /// Cells allowed in one period, at least 1.
    pub count: u32,
    /// The period, longer than zero.
    pub period: Duration,
    /// Cells allowed back to back, at least 1.
    pub burst: u32,
}

/// An allowance per calendar period, counted from its start in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Quota {
    /// Calls allowed in one period.
    pub count: u64,
    /// The calendar period.
    pub period: CalendarPeriod,
}

/// The calendar periods a quota may name. Days and months begin at midnight UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CalendarPeriod {
    /// A clock hour.
    Hour,
    /// A day.
    Day,
    /// A month.
    Month,
}

/// Identifies one counter: a keyed hash of the limit's stable name and of the subject it counts for.
/// Stable over reloads, so a reload forgets nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CounterKey(pub u128);

/// What a counter says about one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Whether the call may pass. A refused call costs nothing.
    pub allowed: bool,
    /// Calls that could follow at once.
    pub remaining: u64,
    /// How long until the allowance is whole again.
    pub reset: Duration,
    /// When refused: how long until one call would pass.
    pub retry_after: Duration,
}

/// One limit as told to the client in `RateLimit` and `RateLimit-Policy` (IETF draft-ietf-httpapi-ratelimit-headers).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitState {
    /// The policy's name.
    pub policy: Arc<str>,
    /// Calls per window.
    pub quota: u64,
    /// The window in seconds.
    pub window_secs: u64,
    /// Calls left.
    pub remaining: u64,
    /// Seconds until the allowance is whole again, rounded up.
    pub reset_secs: u64,
}

/// One place among a bounded number of concurrent exchanges; given back when dropped, whatever ends the exchange.
#[derive(Debug)]
pub struct Permit(Arc<AtomicU32>);

impl Permit {
    /// Takes a place if fewer than `places_max` are taken.
    pub fn take(taken: &Arc<AtomicU32>, places_max: u32) -> Option<Self> {
        taken
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |now| (now < places_max).then_some(now + 1))
            .ok()
            .map(|_| Self(Arc::clone(taken)))
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permits_are_given_back_when_dropped() {
        let taken = Arc::new(AtomicU32::new(0));
        let first = Permit::take(&taken, 1);
        assert!(first.is_some());
        assert!(Permit::take(&taken, 1).is_none());
        drop(first);
        assert!(Permit::take(&taken, 1).is_some());
    }
}
