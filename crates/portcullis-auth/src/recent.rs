//! A bounded memory of recent answers: what was verified a moment ago need not be verified again.

use std::sync::{Mutex, MutexGuard, PoisonError};

use hashbrown::HashMap;

/// Enough shards that the data threads seldom meet; each lock is held for one map operation.
const SHARDS: usize = 16;

/// Values by a 32-byte digest, in two generations: when the young one is full it becomes the old one and the old
/// one is forgotten. Inserting costs the same however full it is, and memory never exceeds the bound.
///
/// Keys must be digests that nobody outside can choose (SHA-256 of a verified credential, or a keyed hash).
pub struct Recent<V> {
    shards: Box<[Mutex<Generations<V>>]>,
    per_generation_max: usize,
}

struct Generations<V> {
    young: HashMap<[u8; 32], V>,
    old: HashMap<[u8; 32], V>,
}

impl<V: Clone> Recent<V> {
    /// A memory of about `entries_max` values, never more than that rounded up to a multiple of 32.
    pub fn new(entries_max: usize) -> Self {
        Self {
            shards: (0..SHARDS)
                .map(|_| Mutex::new(Generations { young: HashMap::new(), old: HashMap::new() }))
                .collect(),
            per_generation_max: entries_max.div_ceil(SHARDS * 2).max(1),
        }
    }

    /// The value, if remembered. What is asked for lives on into the next generation.
    pub fn find(&self, digest: &[u8; 32]) -> Option<V> {
        let mut shard = self.shard(digest)?;
        if let Some(value) = shard.young.get(digest) {
            return Some(value.clone());
        }
        let value = shard.old.remove(digest)?;
        shard.insert(*digest, value.clone(), self.per_generation_max);
        Some(value)
    }

    /// Remembers a value, in place of an earlier one.
    pub fn insert(&self, digest: [u8; 32], value: V) {
        if let Some(mut shard) = self.shard(&digest) {
            shard.insert(digest, value, self.per_generation_max);
        }
    }

    /// Forgets a value.
    pub fn remove(&self, digest: &[u8; 32]) {
        if let Some(mut shard) = self.shard(digest) {
            shard.young.remove(digest);
            shard.old.remove(digest);
        }
    }

    /// How many values are remembered.
    pub fn len(&self) -> usize {
        self.shards.iter().map(lock).map(|shard| shard.young.len() + shard.old.len()).sum()
    }

    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn shard(&self, digest: &[u8; 32]) -> Option<MutexGuard<'_, Generations<V>>> {
        let [first, ..] = digest;
        self.shards.get(usize::from(*first) % SHARDS).map(lock)
    }
}

impl<V> Generations<V> {
    fn insert(&mut self, digest: [u8; 32], value: V, max: usize) {
        if self.young.len() >= max && !self.young.contains_key(&digest) {
            self.old = std::mem::take(&mut self.young);
        }
        self.old.remove(&digest);
        self.young.insert(digest, value);
    }
}

/// A panic elsewhere while the lock was held cannot leave a map half-written, so a poisoned lock is still good.
fn lock<V>(shard: &Mutex<Generations<V>>) -> MutexGuard<'_, Generations<V>> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(n: u32) -> [u8; 32] {
        let mut digest = [0; 32];
        digest[..4].copy_from_slice(&n.to_le_bytes());
        digest
    }

    #[test]
    fn never_holds_more_than_its_bound() {
        let recent = Recent::new(64);
        for n in 0..10_000 {
            recent.insert(digest(n), n);
            assert!(recent.len() <= 64, "{} after {n}", recent.len());
        }
        assert_eq!(recent.find(&digest(9_999)), Some(9_999));
        assert_eq!(recent.find(&digest(0)), None);
    }

    #[test]
    fn keeps_what_is_asked_for() {
        let recent = Recent::new(32);
        recent.insert(digest(0), 0);
        for n in 1..1_000 {
            assert_eq!(recent.find(&digest(0)), Some(0), "forgotten after {n}");
            recent.insert(digest(n), n);
        }
    }

    #[test]
    fn forgets_on_demand() {
        let recent = Recent::new(8);
        recent.insert(digest(1), 1);
        recent.remove(&digest(1));
        assert!(recent.is_empty());
    }
}
