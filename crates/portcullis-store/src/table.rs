//! A table of fixed size for counters: eight places a set, the set chosen by the keyed hash.
//!
//! It never grows and never rehashes, so that a flood of distinct keys costs neither memory nor a pause. When a
//! set is full, the entry of least worth makes room; what worth means is the counter's to say. The memory is asked for
//! with the first key: where the system backs memory by huge pages, even what was never written is resident.

/// Places a set. With half of the table in use, fewer than one set in fifty is full.
const WAYS: usize = 8;

/// The words of one entry: the key's low and high half, then the counter's own. All zero is empty: no key
/// is zero but with a chance of 2⁻¹²⁸.
pub(crate) type Entry<const WORDS: usize> = [u64; WORDS];

pub(crate) struct Table<const WORDS: usize> {
    /// Empty until the first key.
    sets: Vec<[Entry<WORDS>; WAYS]>,
    sets_max: usize,
    mask: u64,
}

/// What a look for a key found.
pub(crate) enum Found<'a, const WORDS: usize> {
    /// Its entry.
    Held(&'a mut Entry<WORDS>),
    /// The entry that must make room for it: empty, or the one of least worth.
    Room(&'a mut Entry<WORDS>),
}

impl<const WORDS: usize> Table<WORDS> {
    /// A table of at least `entries_max` places: rounded up to a power of two.
    pub(crate) fn new(entries_max: usize) -> Self {
        let sets_max = entries_max.div_ceil(WAYS).max(1).next_power_of_two();
        Self { sets: Vec::new(), sets_max, mask: u64::try_from(sets_max - 1).unwrap_or(0) }
    }

    /// Looks for `key`. The hash is keyed, so its bits choose the set as they are.
    pub(crate) fn find(
        &mut self,
        key: u128,
        worth: impl Fn(&Entry<WORDS>) -> u64,
    ) -> Option<Found<'_, WORDS>> {
        let words = split(key);
        if self.sets.is_empty() {
            self.sets = vec![[[0; WORDS]; WAYS]; self.sets_max];
        }
        let set = self.sets.get_mut(usize::try_from(words[0] & self.mask).ok()?)?;
        let mut least = (u64::MAX, 0);
        let mut held = None;
        for (at, entry) in set.iter().enumerate() {
            if is_for(entry, words) {
                held = Some(at);
                break;
            }
            let worth = worth(entry);
            if worth < least.0 {
                least = (worth, at);
            }
        }
        match held {
            Some(at) => set.get_mut(at).map(Found::Held),
            None => set.get_mut(least.1).map(Found::Room),
        }
    }

    pub(crate) fn entries_mut(&mut self) -> impl Iterator<Item = &mut Entry<WORDS>> {
        self.sets.iter_mut().flatten()
    }

    pub(crate) fn places(&self) -> usize {
        self.sets_max * WAYS
    }
}

/// The key as the first two words of an entry.
pub(crate) fn split(key: u128) -> [u64; 2] {
    #[expect(clippy::as_conversions, reason = "the low half of a u128, on purpose")]
    [key as u64, (key >> 64) as u64]
}

/// The key of an entry.
pub(crate) fn join(low: u64, high: u64) -> u128 {
    u128::from(low) | (u128::from(high) << 64)
}

fn is_for<const WORDS: usize>(entry: &Entry<WORDS>, words: [u64; 2]) -> bool {
    entry.first() == Some(&words[0]) && entry.get(1) == Some(&words[1])
}

/// The shard of a key: of another half than the set, so that the two choices are independent.
pub(crate) fn shard<T>(shards: &[T], key: u128) -> Option<&T> {
    let [_, high] = split(key);
    let count = u64::try_from(shards.len()).ok()?;
    shards.get(usize::try_from(high.checked_rem(count)?).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(table: &mut Table<3>, key: u128, worth: u64) -> bool {
        let [low, high] = split(key);
        match table.find(key, |e| e[2]).unwrap() {
            Found::Held(entry) => {
                entry[2] = worth;
                true
            }
            Found::Room(entry) => {
                *entry = [low, high, worth];
                false
            }
        }
    }

    #[test]
    fn the_entry_of_least_worth_makes_room() {
        let mut table = Table::<3>::new(8);
        assert_eq!((table.places(), table.entries_mut().count()), (8, 0), "nothing is allocated yet");
        for key in 1..=8 {
            assert!(!put(&mut table, key, 100 + u64::try_from(key).unwrap()));
        }
        assert!(!put(&mut table, 9, 500), "a ninth key finds no place of its own");
        assert!(!put(&mut table, 1, 500), "key 1 had the least worth and was dropped");
        assert!(put(&mut table, 3, 500) && put(&mut table, 9, 500) && put(&mut table, 8, 500));
    }
}
