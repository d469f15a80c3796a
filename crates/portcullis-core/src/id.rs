//! Names of things that outlive a reload, and the reference that ties a refusal to its record.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::clock::Timestamp;

/// The one thing a client and an operator share about a refusal: a UUID version 7 (RFC 9562 §5.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReferenceId([u8; 16]);

impl ReferenceId {
    /// Composes an id from the moment and ten random bytes; the six bits that RFC 9562 fixes are overwritten.
    pub fn new(at: Timestamp, random: [u8; 10]) -> Self {
        let millis = (at.as_micros() / 1_000).to_be_bytes();
        let [_, _, m0, m1, m2, m3, m4, m5] = millis;
        let [r0, r1, r2, r3, r4, r5, r6, r7, r8, r9] = random;
        Self([m0, m1, m2, m3, m4, m5, 0x70 | (r0 & 0x0f), r1, 0x80 | (r2 & 0x3f), r3, r4, r5, r6, r7, r8, r9])
    }

    /// The sixteen bytes, most significant first.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The moment in the id, in whole milliseconds.
    pub fn at(&self) -> Timestamp {
        let [m0, m1, m2, m3, m4, m5, ..] = self.0;
        Timestamp::from_micros(u64::from_be_bytes([0, 0, m0, m1, m2, m3, m4, m5]).saturating_mul(1_000))
    }
}

impl ReferenceId {
    /// The canonical text (RFC 9562 §4): 36 lower-case characters.
    pub fn text(self) -> [u8; 36] {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let digit = |nibble: u8| HEX.get(usize::from(nibble)).copied().unwrap_or(b'0');
        let mut text = [b'-'; 36];
        let (a, rest) = text.split_at_mut(9);
        let (b, rest) = rest.split_at_mut(5);
        let (c, rest) = rest.split_at_mut(5);
        let (d, e) = rest.split_at_mut(5);
        let mut bytes = self.0.iter();
        for (group, count) in [(a, 4), (b, 2), (c, 2), (d, 2), (e, 6)] {
            for (pair, byte) in group.chunks_exact_mut(2).zip(bytes.by_ref().take(count)) {
                pair.copy_from_slice(&[digit(byte >> 4), digit(byte & 0x0f)]);
            }
        }
        text
    }
}

impl fmt::Display for ReferenceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.text()).unwrap_or_default())
    }
}

/// The text is not a UUID in its canonical form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAReference;

impl fmt::Display for NotAReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a reference id (expected the form 01234567-89ab-7cde-8f01-23456789abcd)")
    }
}

impl std::error::Error for NotAReference {}

impl FromStr for ReferenceId {
    type Err = NotAReference;

    fn from_str(text: &str) -> Result<Self, NotAReference> {
        if text.len() != 36
            || text.bytes().enumerate().any(|(i, b)| matches!(i, 8 | 13 | 18 | 23) != (b == b'-'))
        {
            return Err(NotAReference);
        }
        let mut bytes = [0u8; 16];
        let mut digits = text.chars().filter(|c| *c != '-').map(|c| c.to_digit(16));
        for slot in &mut bytes {
            let (Some(Some(high)), Some(Some(low))) = (digits.next(), digits.next()) else {
                return Err(NotAReference);
            };
            *slot = u8::try_from(high * 16 + low).map_err(|_| NotAReference)?;
        }
        Ok(Self(bytes))
    }
}

impl Serialize for ReferenceId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ReferenceId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        std::borrow::Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_what_it_prints() {
        let id = ReferenceId::new(Timestamp::from_secs(1_700_000_000), [0xff; 10]);
        assert_eq!(id.to_string(), "018bcfe5-6800-7fff-bfff-ffffffffffff");
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(id.at(), Timestamp::from_secs(1_700_000_000));
    }

    #[test]
    fn refuses_other_shapes() {
        for text in [
            "",
            "018bcfe568007fffbfffffffffffffff",
            "018bcfe5-6800-7fff-bfff-fffffffffff-",
            "zz8bcfe5-6800-7fff-bfff-ffffffffffff",
        ] {
            assert_eq!(text.parse::<ReferenceId>(), Err(NotAReference), "{text}");
        }
    }
}
