//! Rates by GCRA (ITU-T I.371): one number a key, the theoretical arrival time (TAT).
//!
//! The TAT is the moment at which the key's allowance is whole again. A call of cost *c* moves it by *c·T*,
//! where *T* is period ÷ count rounded up to a nanosecond, and passes if the TAT is then at most burst·*T* ahead of
//! now. Rounded up, so that no window of length *t* ever admits more than burst + *t*·count/period.
//!
//! **Eviction.** An entry's worth is its TAT. One that lies in the past says nothing that an absent entry would
//! not, so dropping it is exact; those go first. Under a flood that fills a set with live entries the one whole
//! again soonest goes, so a spent key outlasts the one-call keys of the flood: to wash it out, an attacker needs
//! eight keys of its set (which the keyed hash hides) spent at least as far, which costs as much as it wins.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use portcullis_core::{
    clock::Timestamp,
    limit::{Allowance, CounterKey, Rate},
};

use crate::table::{Found, Table, shard, split};

const SHARDS: usize = 64;

/// A reading of the clock older than the latest by less than this is a late reader (the context's `now` is read
/// once an exchange) and counts as the latest; by more, the clock was set back, and time goes on from there.
const LATE_NANOS: u64 = 60 * 1_000_000_000;

/// No allowance reaches further into the future than this (146 years), so that sums stay within 64 bits.
const HORIZON_NANOS: u64 = 1 << 62;

pub(crate) struct Rates {
    shards: Box<[Shard]>,
    forgotten: AtomicU64,
}

/// On a cache line of its own: neighbours are locked by other threads.
#[repr(align(128))]
struct Shard(Mutex<State>);

struct State {
    table: Table<3>,
    latest: u64,
}

impl Rates {
    pub(crate) fn new(entries_max: usize) -> Self {
        let shard =
            || Shard(Mutex::new(State { table: Table::new(entries_max.div_ceil(SHARDS)), latest: 0 }));
        Self { shards: (0..SHARDS).map(|_| shard()).collect(), forgotten: AtomicU64::new(0) }
    }

    pub(crate) fn take(&self, key: CounterKey, rate: &Rate, cost: u32, now: Timestamp) -> Allowance {
        let terms = Terms::of(rate);
        let Some(shard) = shard(&self.shards, key.0) else { return terms.refusal(cost) };
        let mut state = shard.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = state.moment(now);
        match state.table.find(key.0, |[_, _, tat]| *tat) {
            Some(Found::Held([_, _, tat])) => {
                let (after, allowance) = terms.decide(*tat, now, cost);
                *tat = after;
                allowance
            }
            Some(Found::Room(entry)) => {
                let (after, allowance) = terms.decide(now, now, cost);
                if entry[2] > now {
                    self.forgotten.fetch_add(1, Ordering::Relaxed);
                }
                let [low, high] = split(key.0);
                *entry = [low, high, after];
                allowance
            }
            None => terms.refusal(cost),
        }
    }

    /// How many entries that still said something had to make room.
    pub(crate) fn forgotten(&self) -> u64 {
        self.forgotten.load(Ordering::Relaxed)
    }

    pub(crate) fn places(&self) -> usize {
        let places = |shard: &Shard| shard.0.lock().unwrap_or_else(PoisonError::into_inner).table.places();
        self.shards.iter().map(places).sum()
    }
}

impl State {
    /// The moment to reckon with, in nanoseconds since the epoch.
    fn moment(&mut self, now: Timestamp) -> u64 {
        let now = now.as_micros().saturating_mul(1_000).min(u64::MAX - HORIZON_NANOS);
        if now >= self.latest || self.latest - now > LATE_NANOS {
            self.latest = now;
        }
        self.latest
    }
}

/// A rate in nanoseconds.
struct Terms {
    /// What one cell costs.
    cell: u64,
    /// How far the TAT may lie ahead.
    tolerance: u64,
}

impl Terms {
    fn of(rate: &Rate) -> Self {
        let cell = rate.period.as_nanos().div_ceil(u128::from(rate.count.max(1)));
        let cell = u64::try_from(cell).unwrap_or(HORIZON_NANOS).clamp(1, HORIZON_NANOS);
        let tolerance = cell.saturating_mul(u64::from(rate.burst.max(1))).min(HORIZON_NANOS);
        Self { cell, tolerance }
    }

    /// The TAT afterwards and the answer. `tat` further ahead than the tolerance comes of a clock set back or
    /// a rate made stricter by a reload; it counts as the tolerance, lest a key be locked for good.
    fn decide(&self, tat: u64, now: u64, cost: u32) -> (u64, Allowance) {
        let behind = tat.clamp(now, now.saturating_add(self.tolerance)) - now;
        let wanted = behind.saturating_add(self.cell.saturating_mul(u64::from(cost)));
        let allowed = wanted <= self.tolerance;
        let behind = if allowed { wanted } else { behind };
        let allowance = Allowance {
            allowed,
            remaining: (self.tolerance - behind) / self.cell,
            reset: Duration::from_nanos(behind),
            retry_after: if allowed { Duration::ZERO } else { Duration::from_nanos(wanted - self.tolerance) },
        };
        (now.saturating_add(behind), allowance)
    }

    /// Where a count cannot be kept, the answer is no. Not reachable: a table always has a place.
    fn refusal(&self, cost: u32) -> Allowance {
        let retry_after = Duration::from_nanos(self.cell.saturating_mul(u64::from(cost)));
        Allowance { allowed: false, remaining: 0, reset: retry_after, retry_after }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const START: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn rate(count: u32, period: Duration, burst: u32) -> Rate {
        Rate { count, period, burst }
    }

    fn micros(at: u64) -> Timestamp {
        START.plus(Duration::from_micros(at))
    }

    #[test]
    fn a_burst_passes_then_one_cell_at_a_time() {
        let rates = Rates::new(1000);
        let limit = rate(10, Duration::from_secs(1), 3);
        let key = CounterKey(7);
        for left in [2, 1, 0] {
            let it = rates.take(key, &limit, 1, START);
            assert!(it.allowed);
            assert_eq!(it.remaining, left);
        }
        let refused = rates.take(key, &limit, 1, START);
        assert_eq!(refused.retry_after, Duration::from_millis(100));
        assert_eq!(refused.reset, Duration::from_millis(300));
        assert!(!rates.take(key, &limit, 1, micros(99_999)).allowed);
        assert!(rates.take(key, &limit, 1, micros(100_000)).allowed);
        assert!(
            rates.take(CounterKey(8), &limit, 3, micros(100_000)).allowed,
            "another key is another count"
        );
        assert!(
            !rates.take(CounterKey(9), &limit, 4, micros(100_000)).allowed,
            "more than the burst never passes"
        );
    }

    #[test]
    fn the_longest_reload_and_clock_steps_lock_nobody_out() {
        let rates = Rates::new(1000);
        let key = CounterKey(7);
        let daily = rate(1, Duration::from_secs(86_400), 1);
        assert!(rates.take(key, &daily, 1, START).allowed);
        let fast = rate(10, Duration::from_secs(1), 1);
        assert!(!rates.take(key, &fast, 1, START).allowed);
        assert!(
            rates.take(key, &fast, 1, micros(100_000)).allowed,
            "no longer than the new limit's own time"
        );

        let back = Timestamp::from_secs(1_700_000_000);
        assert!(!rates.take(key, &fast, 1, back).allowed);
        assert!(rates.take(key, &fast, 1, back.plus(Duration::from_millis(100))).allowed);
    }

    #[test]
    fn a_late_reader_of_the_clock_wins_nothing() {
        let rates = Rates::new(1000);
        let limit = rate(1, Duration::from_secs(1), 1);
        assert!(rates.take(CounterKey(7), &limit, 1, micros(5_000_000)).allowed);
        assert!(!rates.take(CounterKey(7), &limit, 1, micros(0)).allowed);
        assert!(!rates.take(CounterKey(7), &limit, 1, micros(5_999_999)).allowed);
    }

    #[test]
    fn a_flood_of_one_call_keys_does_not_wash_out_a_spent_key() {
        let rates = Rates::new(64 * 8 * 4);
        let limit = rate(1, Duration::from_secs(1), 100);
        let spent = CounterKey(u128::MAX / 3);
        while rates.take(spent, &limit, 1, START).allowed {}
        let mut key: u128 = 1;
        for _ in 0..200_000 {
            // An odd multiplier spreads the keys as the keyed hash would.
            key = key.wrapping_mul(0x2d35_8dcc_aa6c_78a5_8bb8_4b93_962e_acc9).wrapping_add(1);
            assert!(rates.take(CounterKey(key), &limit, 1, START).allowed);
        }
        assert!(rates.forgotten() > 190_000, "{}", rates.forgotten());
        assert!(!rates.take(spent, &limit, 1, START).allowed);
        assert_eq!(rates.places(), 64 * 8 * 4);
    }

    #[test]
    fn eight_threads_admit_exactly_the_burst() {
        let rates = Rates::new(1000);
        let limit = rate(1, Duration::from_secs(3600), 5_000);
        let admitted = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for thread in 0..8u64 {
                let (rates, limit, admitted) = (&rates, &limit, &admitted);
                scope.spawn(move || {
                    for call in 0..2_000 {
                        // Readings of the clock differ between threads by microseconds.
                        if rates.take(CounterKey(42), limit, 1, micros(call % 50 + thread)).allowed {
                            admitted.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                });
            }
        });
        assert_eq!(admitted.into_inner(), 5_000);
    }

    proptest! {
        /// The oracle: over every window between two admitted calls, at most burst + t·count/period cells.
        #[test]
        fn no_window_admits_more_than_its_share(
            count in 1u32..2_000, period_millis in 1u64..5_000, burst in 1u32..50,
            steps in proptest::collection::vec((0u64..400_000, 1u32..4), 1..300),
        ) {
            let rates = Rates::new(8);
            let period = Duration::from_millis(period_millis);
            let limit = rate(count, period, burst);
            let mut at = 0;
            let mut admitted: Vec<(u64, u64)> = Vec::new();
            for (wait, cost) in steps {
                at += wait;
                let answer = rates.take(CounterKey(1), &limit, cost, micros(at));
                if answer.allowed {
                    admitted.push((at, u64::from(cost)));
                } else if cost <= burst {
                    let then = micros(at).plus(answer.retry_after + Duration::from_micros(1));
                    let fresh = Rates::new(8);
                    // Not a moment later than it says: replay, then ask at that moment.
                    for (at, cost) in &admitted {
                        fresh.take(CounterKey(1), &limit, u32::try_from(*cost).unwrap(), micros(*at));
                    }
                    prop_assert!(fresh.take(CounterKey(1), &limit, cost, then).allowed);
                }
            }
            for (first, (from, _)) in admitted.iter().enumerate() {
                let mut cells = 0;
                for (to, cost) in &admitted[first..] {
                    cells += cost;
                    let share = u128::from(to - from) * u128::from(count) / period.as_micros();
                    prop_assert!(u128::from(cells) <= u128::from(burst) + share);
                }
            }
        }
    }
}
