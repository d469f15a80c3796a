//! Chance from a seed: the same seed gives the same ids and tokens, and nobody can guess the next.

use aws_lc_rs::hmac;

/// A keyed counter. Deterministic for one seed and one order of calls.
pub(crate) struct Dice {
    key: hmac::Key,
    drawn: u64,
}

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, &seed.to_be_bytes()), drawn: 0 }
    }

    /// 32 fresh bytes.
    pub(crate) fn bytes(&mut self) -> Vec<u8> {
        self.drawn = self.drawn.wrapping_add(1);
        hmac::sign(&self.key, &self.drawn.to_be_bytes()).as_ref().to_vec()
    }

    /// So many hexadecimal digits, 64 at most.
    pub(crate) fn hex(&mut self, digits: usize) -> String {
        hex(&self.bytes()).chars().take(digits).collect()
    }

    /// A version 4 UUID (RFC 9562).
    pub(crate) fn uuid(&mut self) -> String {
        let digits: Vec<char> = self.hex(32).chars().collect();
        let mut out = String::with_capacity(36);
        for (at, digit) in digits.iter().enumerate() {
            if matches!(at, 8 | 12 | 16 | 20) {
                out.push('-');
            }
            out.push(match at {
                12 => '4',
                16 => 'a',
                _ => *digit,
            });
        }
        out
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        let word: [u8; 8] = self.bytes().first_chunk().copied().unwrap_or_default();
        u64::from_be_bytes(word) % bound.max(1)
    }
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_gives_one_sequence_and_another_seed_another() {
        let (mut one, mut same, mut other) = (Dice::new(1), Dice::new(1), Dice::new(2));
        assert_eq!([one.uuid(), one.hex(8)], [same.uuid(), same.hex(8)]);
        assert_ne!(one.uuid(), other.uuid());
    }
}
