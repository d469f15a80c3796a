//! Concurrent exchanges: how many places are taken, by key.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU32, Ordering},
};

use hashbrown::HashMap;
use portcullis_core::limit::{CounterKey, Permit};

use crate::table::shard;

const SHARDS: usize = 64;

/// A shard with fewer keys than this is never searched for idle ones.
const IDLE_MIN: usize = 256;

/// Keys are forgotten once none of their places is taken, so there are never more than twice as many as there
/// are exchanges under way (and [`IDLE_MIN`] a shard): the listener's bounds are the bound here.
pub(crate) struct Places {
    shards: Box<[Mutex<Shard>]>,
}

struct Shard {
    taken: HashMap<u128, Arc<AtomicU32>>,
    /// The number of keys at which the idle ones are next swept out.
    sweep_at: usize,
}

impl Places {
    pub(crate) fn new() -> Self {
        let shard = || Mutex::new(Shard { taken: HashMap::new(), sweep_at: IDLE_MIN });
        Self { shards: (0..SHARDS).map(|_| shard()).collect() }
    }

    pub(crate) fn take(&self, key: CounterKey, places_max: u32) -> Option<Permit> {
        let mut shard = shard(&self.shards, key.0)?.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(taken) = shard.taken.get(&key.0) {
            return Permit::take(taken, places_max);
        }
        if shard.taken.len() >= shard.sweep_at {
            shard.sweep();
        }
        let taken = Arc::new(AtomicU32::new(0));
        let permit = Permit::take(&taken, places_max)?;
        shard.taken.insert(key.0, taken);
        Some(permit)
    }

    pub(crate) fn keys(&self) -> usize {
        self.shards.iter().map(|it| it.lock().unwrap_or_else(PoisonError::into_inner).taken.len()).sum()
    }
}

impl Shard {
    /// Paid for by the insertions since the last sweep: constant time a call on average.
    fn sweep(&mut self) {
        self.taken.retain(|_, taken| taken.load(Ordering::Relaxed) > 0);
        self.sweep_at = IDLE_MIN.max(self.taken.len() * 2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_by_key_and_given_back() {
        let places = Places::new();
        let first = places.take(CounterKey(1), 2);
        let second = places.take(CounterKey(1), 2);
        assert!(first.is_some() && second.is_some());
        assert!(places.take(CounterKey(1), 2).is_none());
        assert!(places.take(CounterKey(2), 1).is_some());
        drop(first);
        assert!(places.take(CounterKey(1), 2).is_some());
        assert!(places.take(CounterKey(3), 0).is_none());
    }

    #[test]
    fn idle_keys_are_forgotten_and_busy_ones_are_not() {
        let places = Places::new();
        let held: Vec<_> = (0..100u128).map(|key| places.take(CounterKey(key << 64), 1).unwrap()).collect();
        for key in 1_000..1_000_000u128 {
            drop(places.take(CounterKey(key << 64), 1));
        }
        assert!(places.keys() <= SHARDS * IDLE_MIN, "{}", places.keys());
        for key in 0..100u128 {
            assert!(places.take(CounterKey(key << 64), 1).is_none());
        }
        drop(held);
    }

    #[test]
    fn threads_never_hold_more_places_than_there_are() {
        let places = Places::new();
        let (inside, most) = (AtomicU32::new(0), AtomicU32::new(0));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..5_000 {
                        if let Some(permit) = places.take(CounterKey(9), 3) {
                            most.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                            inside.fetch_sub(1, Ordering::SeqCst);
                            drop(permit);
                        }
                    }
                });
            }
        });
        let most = most.into_inner();
        assert!((1..=3).contains(&most), "{most}");
    }
}
