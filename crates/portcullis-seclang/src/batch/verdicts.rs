//! Verdicts remembered: which units match a value of a class. Bounded, compared in full.
//!
//! Four seats a hash value, replaced in turn: whoever finds colliding values spoils four seats and nothing else.

use smallvec::SmallVec;

/// Sets of seats.
const SETS: usize = 4096;
const SEATS: usize = 4;
/// Longer values are not remembered: they seldom come again.
const VALUE_BYTES_MAX: usize = 512;

#[derive(Debug, Default, Clone)]
struct Verdict {
    hash: u64,
    class: u32,
    /// Most values and their few units fit in without heap.
    value: SmallVec<[u8; 32]>,
    units: SmallVec<[u32; 4]>,
}

#[derive(Debug, Default, Clone)]
struct Set {
    seats: [Option<Verdict>; SEATS],
    next: u8,
}

/// The verdicts of one desk.
#[derive(Debug, Default)]
pub(crate) struct Verdicts {
    sets: Vec<Set>,
}

impl Verdicts {
    /// The units that match, where that is known; else the hash for [`Self::remember`].
    pub(super) fn find(&self, class: u32, value: &[u8]) -> Result<&[u32], u64> {
        let hash = hash(class, value);
        let set = self.sets.get(hash as usize % SETS);
        let known = set.and_then(|set| {
            set.seats
                .iter()
                .flatten()
                .find(|verdict| verdict.hash == hash && verdict.class == class && *verdict.value == *value)
        });
        known.map(|verdict| &*verdict.units).ok_or(hash)
    }

    /// Remembers which units match.
    pub(super) fn remember(&mut self, hash: u64, class: u32, value: &[u8], units: &[u32]) {
        if value.len() > VALUE_BYTES_MAX {
            return;
        }
        if self.sets.is_empty() {
            self.sets.resize(SETS, Set::default());
        }
        let Some(set) = self.sets.get_mut(hash as usize % SETS) else { return };
        let next = usize::from(set.next) % SEATS;
        set.next = set.next.wrapping_add(1);
        if let Some(seat) = set.seats.get_mut(next) {
            *seat = Some(Verdict { hash, class, value: value.into(), units: units.into() });
        }
    }

    pub(super) fn clear(&mut self) {
        self.sets.clear();
    }
}

/// Eight bytes a step; no secret, for collisions cost little here.
fn hash(class: u32, value: &[u8]) -> u64 {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let mix = |hash: u64, word: u64| (hash ^ word).wrapping_mul(FACTOR).rotate_left(29);
    let mut hash = mix(u64::from(class), value.len() as u64);
    let mut words = value.chunks_exact(8);
    for word in &mut words {
        hash = mix(hash, word.try_into().map_or(0, u64::from_le_bytes));
    }
    let mut last = [0; 8];
    for (to, from) in last.iter_mut().zip(words.remainder()) {
        *to = *from;
    }
    hash = mix(hash, u64::from_le_bytes(last));
    hash ^ hash >> 32
}
