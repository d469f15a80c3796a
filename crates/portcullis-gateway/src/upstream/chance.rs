//! Chance for balancing and jitter: cheap, shared by all threads, not for secrets.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use portcullis_core::clock::Entropy;

/// A stream of numbers (SplitMix64: Steele, Lea, Flood 2014) seeded once.
#[derive(Debug)]
pub(super) struct Chance(AtomicU64);

impl Chance {
    pub(super) fn new(entropy: &dyn Entropy) -> Self {
        let mut seed = [0; 8];
        entropy.fill(&mut seed);
        Self(AtomicU64::new(u64::from_le_bytes(seed)))
    }

    pub(super) fn next(&self) -> u64 {
        const STEP: u64 = 0x9E37_79B9_7F4A_7C15;
        let mut mixed = self.0.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`; 0 when `end` is 0. The bias of the multiplication does not matter here.
    pub(super) fn below(&self, end: usize) -> usize {
        let product = u128::from(self.next()) * (end as u128);
        usize::try_from(product >> 64).unwrap_or(0)
    }

    /// A pause between half of `time` and the whole of it.
    pub(super) fn jitter(&self, time: Duration) -> Duration {
        let half = time / 2;
        let span = u64::try_from(half.as_micros()).unwrap_or(u64::MAX);
        let more = (u128::from(self.next()) * u128::from(span)) >> 64;
        half + Duration::from_micros(u64::try_from(more).unwrap_or(0))
    }
}
