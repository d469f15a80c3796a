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
    class: u32,
    /// Most values and their few units fit in without heap.
    value: SmallVec<[u8; 32]>,
    units: SmallVec<[u32; 4]>,
}

/// The verdicts of one desk.
///
/// The hashes stand apart from what they speak of: looking for a value that is not there, as most new ones are, touches
/// one line of them and nothing else. A value is kept only when its hash is met again, so that those which never come
/// back cost a hash each.
#[derive(Debug, Default)]
pub(crate) struct Verdicts {
    hashes: Vec<[u64; SEATS]>,
    verdicts: Vec<Option<Verdict>>,
    /// The seat that is given away next.
    next: usize,
}

/// Where a value would sit, for [`Verdicts::remember`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seat {
    hash: u64,
    /// The seat that has its hash already.
    met: Option<usize>,
}

impl Verdicts {
    /// The units that match, where that is known; else where the value would sit.
    pub(super) fn find(&self, class: u32, value: &[u8]) -> Result<&[u32], Seat> {
        let hash = hash(class, value);
        let set = hash as usize % SETS;
        let seats = self.hashes.get(set);
        let Some(seat) = seats.and_then(|seats| seats.iter().position(|known| *known == hash)) else {
            return Err(Seat { hash, met: None });
        };
        let place = set * SEATS + seat;
        match self.verdicts.get(place) {
            Some(Some(verdict)) if verdict.class == class && *verdict.value == *value => Ok(&verdict.units),
            _ => Err(Seat { hash, met: Some(place) }),
        }
    }

    /// Remembers which units match, or that the value was met.
    pub(super) fn remember(&mut self, seat: Seat, class: u32, value: &[u8], units: &[u32]) {
        if value.len() > VALUE_BYTES_MAX {
            return;
        }
        if self.hashes.is_empty() {
            self.hashes.resize(SETS, [0; SEATS]);
            self.verdicts.resize(SETS * SEATS, None);
        }
        match seat.met {
            Some(place) => {
                if let Some(verdict) = self.verdicts.get_mut(place) {
                    *verdict = Some(Verdict { class, value: value.into(), units: units.into() });
                }
            }
            None => {
                let set = seat.hash as usize % SETS;
                self.next = self.next.wrapping_add(1);
                let given = self.next % SEATS;
                if let Some(hash) = self.hashes.get_mut(set).and_then(|seats| seats.get_mut(given)) {
                    *hash = seat.hash;
                }
            }
        }
    }

    pub(super) fn clear(&mut self) {
        self.hashes.clear();
        self.verdicts.clear();
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
    // Zero stands for a seat that nobody has taken.
    (hash ^ hash >> 32).max(1)
}
