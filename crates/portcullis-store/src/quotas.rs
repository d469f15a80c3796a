//! Calendar quotas: what was spent by key, and when the period ends (UTC).
//!
//! An entry's worth is what was spent, and nothing once its period is over. So a flood of fresh keys makes room
//! among themselves, and a key that has spent its day outlasts them.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use portcullis_core::{
    clock::Timestamp,
    limit::{Allowance, CalendarPeriod, CounterKey, Quota},
};

use crate::table::{Entry, Found, Table, join, shard, split};

const SHARDS: usize = 16;

/// Set in an entry's last word while the row on disk is older than the entry.
const CHANGED: u64 = 1 << 63;

/// key low, key high, spent, end of the period in seconds with [`CHANGED`].
type Spent = Entry<4>;

pub(crate) struct Quotas {
    shards: Box<[Shard]>,
    forgotten: AtomicU64,
}

#[repr(align(128))]
struct Shard(Mutex<State>);

struct State {
    table: Table<4>,
    changed: u64,
}

/// One counter as it is kept on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) key: u128,
    pub(crate) spent: u64,
    /// The end of the period, in seconds since the epoch.
    pub(crate) ends: u64,
}

impl Quotas {
    pub(crate) fn new(entries_max: usize) -> Self {
        let shard =
            || Shard(Mutex::new(State { table: Table::new(entries_max.div_ceil(SHARDS)), changed: 0 }));
        Self { shards: (0..SHARDS).map(|_| shard()).collect(), forgotten: AtomicU64::new(0) }
    }

    pub(crate) fn spend(&self, key: CounterKey, quota: &Quota, cost: u64, now: Timestamp) -> Allowance {
        // The period is part of the key: a limit changed from a day to a month starts a count of its own.
        let key = key.0 ^ u128::from(tag(quota.period));
        let now = now.as_secs();
        let refused = |wait| Allowance {
            allowed: false,
            remaining: 0,
            reset: Duration::from_secs(wait),
            retry_after: Duration::from_secs(wait),
        };
        let Some(shard) = shard(&self.shards, key) else { return refused(1) };
        let mut state = shard.0.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = match state.table.find(key, |entry| worth(entry, now)) {
            Some(Found::Held(entry)) => entry,
            Some(Found::Room(entry)) => {
                if worth(entry, now) > 0 {
                    self.forgotten.fetch_add(1, Ordering::Relaxed);
                }
                let [low, high] = split(key);
                *entry = [low, high, 0, 0];
                entry
            }
            None => return refused(1),
        };
        let [_, _, spent, ends] = entry;
        let end = ends_of(*ends);
        // Over, or further away than any period is long: the clock was wrong when it was written.
        if end <= now || end - now > longest(quota.period) {
            if end <= now {
                *spent = 0;
            }
            *ends = end_of_period(quota.period, now) | (*ends & CHANGED);
        }
        let wait = ends_of(*ends).saturating_sub(now);
        let wanted = spent.saturating_add(cost);
        if wanted > quota.count {
            let remaining = quota.count.saturating_sub(*spent);
            return Allowance { remaining, ..refused(wait) };
        }
        *spent = wanted;
        if *ends & CHANGED == 0 {
            *ends |= CHANGED;
            state.changed += 1;
        }
        Allowance {
            allowed: true,
            remaining: quota.count - wanted,
            reset: Duration::from_secs(wait),
            retry_after: Duration::ZERO,
        }
    }

    /// How many entries that still said something had to make room.
    pub(crate) fn forgotten(&self) -> u64 {
        self.forgotten.load(Ordering::Relaxed)
    }

    /// Everything that changed since the last call. Each shard is held while it is searched, and only when
    /// something in it changed.
    pub(crate) fn take_changed(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        for shard in &self.shards {
            let mut state = shard.0.lock().unwrap_or_else(PoisonError::into_inner);
            if state.changed == 0 {
                continue;
            }
            state.changed = 0;
            for [low, high, spent, ends] in state.table.entries_mut() {
                if *ends & CHANGED != 0 {
                    *ends = ends_of(*ends);
                    rows.push(Row { key: join(*low, *high), spent: *spent, ends: *ends });
                }
            }
        }
        rows
    }

    /// Says that these rows could not be written after all.
    pub(crate) fn put_back(&self, rows: &[Row]) {
        for row in rows {
            let Some(shard) = shard(&self.shards, row.key) else { continue };
            let mut state = shard.0.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(Found::Held([_, _, _, ends])) = state.table.find(row.key, |_| 0) {
                *ends |= CHANGED;
                state.changed += 1;
            }
        }
    }

    /// Takes up a row from disk, before anything is counted.
    pub(crate) fn restore(&self, row: Row) {
        let Some(shard) = shard(&self.shards, row.key) else { return };
        let mut state = shard.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Found::Held(entry) | Found::Room(entry)) =
            state.table.find(row.key, |[_, _, spent, _]| *spent)
        {
            let [low, high] = split(row.key);
            *entry = [low, high, row.spent, ends_of(row.ends)];
        }
    }
}

fn ends_of(word: u64) -> u64 {
    word & !CHANGED
}

/// Nothing once the period is over; else at least 1, so that a live entry is told from an empty place.
fn worth([_, _, spent, ends]: &Spent, now: u64) -> u64 {
    if ends_of(*ends) <= now { 0 } else { (*spent).max(1) }
}

fn tag(period: CalendarPeriod) -> u8 {
    match period {
        CalendarPeriod::Hour => 1,
        CalendarPeriod::Day => 2,
        CalendarPeriod::Month => 3,
    }
}

fn longest(period: CalendarPeriod) -> u64 {
    match period {
        CalendarPeriod::Hour => 3_600,
        CalendarPeriod::Day => 86_400,
        CalendarPeriod::Month => 31 * 86_400,
    }
}

/// The first second after the calendar period that holds `now`, both in seconds since the epoch.
fn end_of_period(period: CalendarPeriod, now: u64) -> u64 {
    match period {
        CalendarPeriod::Hour => (now / 3_600 + 1) * 3_600,
        CalendarPeriod::Day => (now / 86_400 + 1) * 86_400,
        CalendarPeriod::Month => end_of_month(now).unwrap_or(now.saturating_add(31 * 86_400)),
    }
}

fn end_of_month(now: u64) -> Option<u64> {
    let moment = jiff::Timestamp::from_second(i64::try_from(now).ok()?).ok()?;
    let day = moment.to_zoned(jiff::tz::TimeZone::UTC).date();
    let next = day.first_of_month().checked_add(jiff::Span::new().months(1)).ok()?;
    let end = next.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second();
    u64::try_from(end).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: CounterKey = CounterKey(77 << 40);

    fn at(text: &str) -> Timestamp {
        let moment: jiff::Timestamp = text.parse().unwrap();
        Timestamp::from_micros(u64::try_from(moment.as_microsecond()).unwrap())
    }

    fn per(count: u64, period: CalendarPeriod) -> Quota {
        Quota { count, period }
    }

    #[test]
    fn a_period_ends_where_the_calendar_says() {
        for (period, now, end) in [
            (CalendarPeriod::Hour, "2026-11-21T22:59:59Z", "2026-11-21T23:00:00Z"),
            (CalendarPeriod::Day, "2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z"),
            (CalendarPeriod::Month, "2026-12-31T23:59:59Z", "2027-01-01T00:00:00Z"),
            (CalendarPeriod::Month, "2028-02-01T00:00:00Z", "2028-03-01T00:00:00Z"),
            (CalendarPeriod::Month, "2026-11-21T12:00:00Z", "2026-12-01T00:00:00Z"),
        ] {
            assert_eq!(end_of_period(period, at(now).as_secs()), at(end).as_secs(), "{now}");
        }
    }

    #[test]
    fn a_spent_day_is_whole_again_at_midnight() {
        let quotas = Quotas::new(100);
        let quota = per(3, CalendarPeriod::Day);
        let evening = at("2026-11-21T23:59:00Z");
        assert_eq!(quotas.spend(KEY, &quota, 2, evening).remaining, 1);
        let refused = quotas.spend(KEY, &quota, 2, evening);
        assert!(!refused.allowed);
        assert_eq!((refused.remaining, refused.retry_after), (1, Duration::from_secs(60)));
        assert!(quotas.spend(KEY, &quota, 1, evening).allowed, "a refused call spent nothing");
        assert!(!quotas.spend(KEY, &quota, 1, evening).allowed);
        assert_eq!(quotas.spend(KEY, &quota, 1, at("2026-11-22T00:00:00Z")).remaining, 2);
        assert_eq!(quotas.spend(KEY, &per(3, CalendarPeriod::Month), 1, evening).remaining, 2);
    }

    #[test]
    fn a_clock_set_back_hands_out_no_new_day() {
        let quotas = Quotas::new(100);
        let quota = per(1, CalendarPeriod::Day);
        assert!(quotas.spend(KEY, &quota, 1, at("2026-11-21T00:00:01Z")).allowed);
        assert!(!quotas.spend(KEY, &quota, 1, at("2026-11-20T23:59:59Z")).allowed);
        let quotas = Quotas::new(100);
        assert!(quotas.spend(KEY, &quota, 1, at("2099-01-01T00:00:00Z")).allowed);
        assert!(!quotas.spend(KEY, &quota, 1, at("2026-11-20T23:59:59Z")).allowed);
        assert!(quotas.spend(KEY, &quota, 1, at("2026-11-21T00:00:00Z")).allowed, "but not until 2099");
    }

    #[test]
    fn what_changed_is_handed_out_once_and_can_be_put_back() {
        let quotas = Quotas::new(100);
        let quota = per(10, CalendarPeriod::Day);
        let now = at("2026-11-21T12:00:00Z");
        quotas.spend(KEY, &quota, 4, now);
        let rows = quotas.take_changed();
        assert_eq!(rows.len(), 1);
        assert_eq!((rows[0].spent, rows[0].ends), (4, at("2026-11-22T00:00:00Z").as_secs()));
        assert_eq!(quotas.take_changed(), []);
        quotas.put_back(&rows);
        assert_eq!(quotas.take_changed(), rows);

        let restarted = Quotas::new(100);
        restarted.restore(rows[0]);
        assert_eq!(restarted.spend(KEY, &quota, 1, now).remaining, 5);
    }

    #[test]
    fn a_flood_of_fresh_keys_does_not_wash_out_a_spent_one() {
        let quotas = Quotas::new(16 * 8);
        let quota = per(100, CalendarPeriod::Day);
        let now = at("2026-11-21T12:00:00Z");
        assert!(quotas.spend(KEY, &quota, 100, now).allowed);
        for key in 0..100_000u128 {
            quotas.spend(
                CounterKey(key.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)),
                &quota,
                1,
                now,
            );
        }
        assert!(quotas.forgotten() > 90_000);
        assert!(!quotas.spend(KEY, &quota, 1, now).allowed);
    }
}
