//! Sets of bytes, and the coarse class bitmap of a value.
//!
//! [`ByteSet`] is exact and belongs to load time. [`ByteClasses`] is what the request path computes: one table look-up a
//! byte, 128 bits in all. Every printable ASCII byte and every ASCII white space has a bit of its own, so that a class test
//! is exact where rules look; the other controls share one bit and the bytes above 127 share four.

/// An exact set of byte values.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct ByteSet([u64; 4]);

impl ByteSet {
    /// The set without members.
    pub const EMPTY: Self = Self([0; 4]);
    /// All 256 bytes.
    pub const ALL: Self = Self([u64::MAX; 4]);

    /// The set of the given bytes.
    pub const fn of(bytes: &[u8]) -> Self {
        let mut set = Self::EMPTY;
        let mut rest = bytes;
        while let [first, tail @ ..] = rest {
            set = set.with(*first);
            rest = tail;
        }
        set
    }

    /// The bytes from `first` to `last`, both included; empty when `first > last`.
    pub const fn range(first: u8, last: u8) -> Self {
        let mut set = Self::EMPTY;
        let mut at = first as u16;
        while at <= last as u16 {
            set = set.with(at as u8);
            at += 1;
        }
        set
    }

    /// This set and one byte more.
    pub const fn with(self, byte: u8) -> Self {
        let bit = 1u64 << (byte & 63);
        let [a, b, c, d] = self.0;
        match byte >> 6 {
            0 => Self([a | bit, b, c, d]),
            1 => Self([a, b | bit, c, d]),
            2 => Self([a, b, c | bit, d]),
            _ => Self([a, b, c, d | bit]),
        }
    }

    /// The bytes in either set.
    pub const fn union(self, other: Self) -> Self {
        let ([a, b, c, d], [e, f, g, h]) = (self.0, other.0);
        Self([a | e, b | f, c | g, d | h])
    }

    /// The bytes in both sets.
    pub const fn intersection(self, other: Self) -> Self {
        let ([a, b, c, d], [e, f, g, h]) = (self.0, other.0);
        Self([a & e, b & f, c & g, d & h])
    }

    /// The bytes that are not in this set.
    pub const fn complement(self) -> Self {
        let [a, b, c, d] = self.0;
        Self([!a, !b, !c, !d])
    }

    /// Whether the byte is a member.
    pub const fn contains(self, byte: u8) -> bool {
        let [a, b, c, d] = self.0;
        let word = match byte >> 6 {
            0 => a,
            1 => b,
            2 => c,
            _ => d,
        };
        word & (1 << (byte & 63)) != 0
    }

    /// Whether the set has no member.
    pub const fn is_empty(self) -> bool {
        let [a, b, c, d] = self.0;
        a | b | c | d == 0
    }

    /// How many bytes are members.
    pub fn len(self) -> u32 {
        self.0.iter().map(|word| word.count_ones()).sum()
    }

    /// The members in ascending order.
    pub fn iter(self) -> impl Iterator<Item = u8> {
        self.0.into_iter().zip([0u8, 64, 128, 192]).flat_map(|(word, first)| {
            let mut rest = word;
            std::iter::from_fn(move || {
                let bit = rest.trailing_zeros() as u8;
                (rest != 0).then(|| {
                    rest &= rest - 1;
                    first + bit
                })
            })
        })
    }

    /// The classes that a value with any of these bytes shows at least one of: a value whose own classes do not
    /// intersect them holds no byte of this set.
    pub fn classes(self) -> ByteClasses {
        ByteClasses(self.iter().fold(0, |bits, byte| bits | class_of(byte)))
    }
}

impl std::fmt::Debug for ByteSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let members: Vec<u8> = self.iter().collect();
        write!(f, "ByteSet(\"{}\")", members.escape_ascii())
    }
}

/// Which classes of bytes a value holds. Cheap to compute once a value and to test often.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct ByteClasses(u128);

impl ByteClasses {
    /// The classes of the empty value.
    pub const NONE: Self = Self(0);
    /// Every class.
    pub const ALL: Self = Self(u128::MAX);

    /// The classes of the bytes of `value`: one look-up a byte.
    pub fn of_value(value: &[u8]) -> Self {
        Self(value.iter().fold(0, |bits, byte| bits | table(*byte)))
    }

    /// Whether any class is in both. A value for which this is false against [`ByteSet::classes`] holds none of the set.
    #[inline]
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// The classes in either.
    #[inline]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether every class of `self` is in `other`: a value of these classes holds no byte outside that set, when the
    /// set was made of whole classes.
    #[inline]
    pub const fn within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// Whether there is no class, which is so for the empty value alone.
    #[inline]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

const CLASS_TABLE: [u128; 256] = {
    let mut table = [0; 256];
    let mut rest: &mut [u128] = &mut table;
    let mut byte = 0u16;
    while let [first, tail @ ..] = rest {
        *first = class_of(byte as u8);
        byte += 1;
        rest = tail;
    }
    table
};

#[inline]
fn table(byte: u8) -> u128 {
    CLASS_TABLE.get(usize::from(byte)).copied().unwrap_or(0)
}

const fn class_of(byte: u8) -> u128 {
    let bit = match byte {
        0 | b'\t'..=b'\r' | b' '..=b'~' => byte,
        // Bits 1 to 5 are free, since these controls have no bit of their own.
        1..=8 | 14..=31 | 127 => 1,
        0x80..=0xbf => 2,
        0xc0..=0xdf => 3,
        0xe0..=0xef => 4,
        0xf0..=0xff => 5,
    };
    1 << bit
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn holds_exactly_what_was_put_in() {
        let set = ByteSet::of(b"a\x00\xff@");
        assert_eq!(set.iter().collect::<Vec<_>>(), b"\x00@a\xff");
        assert_eq!(set.len(), 4);
        assert!(set.complement().intersection(set).is_empty());
        assert_eq!(set.union(set.complement()), ByteSet::ALL);
        assert_eq!(ByteSet::range(0, 255), ByteSet::ALL);
        assert!(ByteSet::range(2, 1).is_empty());
    }

    #[test]
    fn tells_printable_bytes_apart() {
        let quote = ByteSet::of(b"'").classes();
        assert!(ByteClasses::of_value(b"it's").intersects(quote));
        assert!(!ByteClasses::of_value(b"it\"s;--").intersects(quote));
        assert!(!ByteClasses::of_value(b"").intersects(quote));
        assert!(ByteClasses::of_value(b"").is_empty());
    }

    #[test]
    fn says_when_a_value_stays_within_classes() {
        let word = ByteSet::range(b'a', b'z').classes();
        assert!(ByteClasses::of_value(b"word").within(word));
        assert!(!ByteClasses::of_value(b"Word").within(word));
    }

    proptest! {
        #[test]
        fn classes_never_hide_a_member(members: Vec<u8>, value: Vec<u8>) {
            let set = ByteSet::of(&members);
            let holds = value.iter().any(|byte| set.contains(*byte));
            prop_assert!(!holds || ByteClasses::of_value(&value).intersects(set.classes()));
        }
    }
}
