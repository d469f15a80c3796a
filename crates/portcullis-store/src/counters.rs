//! The counters of one process: rates, quotas and concurrent places, in memory of a fixed size.

use portcullis_core::{
    clock::{Entropy, Timestamp},
    limit::{Allowance, CounterKey, Permit, Quota, Rate},
    ports::Counters,
};

use crate::{
    places::Places,
    quotas::{Quotas, Row},
    rates::Rates,
    siphash::SipKey,
};

/// How much the counters may remember.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// Keys of rates, 24 bytes each; rounded up to a power of two.
    pub rates_max: usize,
    /// Keys of quotas, 32 bytes each; rounded up to a power of two.
    pub quotas_max: usize,
}

impl Default for Capacity {
    /// A million rates and a quarter of a million quotas: 32 MiB at most, in parts that are asked for when first used.
    fn default() -> Self {
        Self { rates_max: 1 << 20, quotas_max: 1 << 18 }
    }
}

/// What the counters hold, for metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Places for rates.
    pub rate_places: usize,
    /// Rates that still said something and had to make room for others. Grows under a flood only.
    pub rates_forgotten: u64,
    /// Quotas that still said something and had to make room for others.
    pub quotas_forgotten: u64,
    /// Keys with concurrent places, idle ones among them.
    pub concurrency_keys: usize,
}

/// Counts in process. Survives reloads: it lives outside the plan, under the limits' stable names.
pub struct ProcessCounters {
    key: SipKey,
    rates: Rates,
    quotas: Quotas,
    places: Places,
}

impl ProcessCounters {
    /// Empty counters under a fresh random key. Quotas do not outlive it: see [`crate::keeper::open`] for those
    /// that do.
    pub fn new(capacity: Capacity, entropy: &dyn Entropy) -> Self {
        let mut key = [0; 16];
        entropy.fill(&mut key);
        Self::with_key(capacity, key)
    }

    /// Empty counters under a given secret key: the same key gives the same [`CounterKey`]s.
    pub fn with_key(capacity: Capacity, key: [u8; 16]) -> Self {
        Self {
            key: SipKey::new(key),
            rates: Rates::new(capacity.rates_max),
            quotas: Quotas::new(capacity.quotas_max),
            places: Places::new(),
        }
    }

    /// What the counters hold now. Takes every lock once: for a scrape, not for a call.
    pub fn usage(&self) -> Usage {
        Usage {
            rate_places: self.rates.places(),
            rates_forgotten: self.rates.forgotten(),
            quotas_forgotten: self.quotas.forgotten(),
            concurrency_keys: self.places.keys(),
        }
    }

    pub(crate) fn take_changed(&self) -> Vec<Row> {
        self.quotas.take_changed()
    }

    pub(crate) fn put_back(&self, rows: &[Row]) {
        self.quotas.put_back(rows);
    }

    pub(crate) fn restore(&self, row: Row) {
        self.quotas.restore(row);
    }
}

impl Counters for ProcessCounters {
    fn rate(&self, key: CounterKey, rate: &Rate, cost: u32, now: Timestamp) -> Allowance {
        self.rates.take(key, rate, cost, now)
    }

    fn quota(&self, key: CounterKey, quota: &Quota, cost: u64, now: Timestamp) -> Allowance {
        self.quotas.spend(key, quota, cost, now)
    }

    fn concurrency(&self, key: CounterKey, places_max: u32, _now: Timestamp) -> Option<Permit> {
        self.places.take(key, places_max)
    }

    fn key(&self, limit: &str, subject: &[u8]) -> CounterKey {
        let mut hasher = self.key.hasher();
        // The length keeps `a` + `bc` and `ab` + `c` apart.
        hasher.write(&limit.len().to_le_bytes());
        hasher.write(limit.as_bytes());
        hasher.write(subject);
        CounterKey(hasher.finish())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn keys_depend_on_limit_subject_and_secret() {
        let small = Capacity { rates_max: 64, quotas_max: 16 };
        let counters = ProcessCounters::with_key(small, [1; 16]);
        assert_eq!(counters.key("a", b"bc"), counters.key("a", b"bc"));
        assert_ne!(counters.key("a", b"bc"), counters.key("ab", b"c"));
        assert_ne!(counters.key("a", b"bc"), ProcessCounters::with_key(small, [2; 16]).key("a", b"bc"));
    }

    #[test]
    fn a_flood_of_five_million_keys_stays_within_its_places() {
        let counters = ProcessCounters::with_key(Capacity { rates_max: 1 << 16, quotas_max: 16 }, [1; 16]);
        let rate = Rate { count: 10, period: Duration::from_secs(1), burst: 10 };
        let before = counters.usage().rate_places;
        let start = Timestamp::from_secs(1_800_000_000);
        for n in 0..5_000_000u64 {
            let key = counters.key("per-ip", &n.to_le_bytes());
            // 50,000 calls a second, so about 5,000 of them still say something at any moment.
            let now = start.plus(Duration::from_micros(n * 20));
            assert!(counters.rate(key, &rate, 1, now).allowed);
        }
        let after = counters.usage();
        assert_eq!(after.rate_places, before);
        // Nearly everything that was dropped said nothing any more; chance crowds a set of eight now and then.
        assert!(after.rates_forgotten < 100, "{}", after.rates_forgotten);
    }
}
