//! `t:parityEven7bit`: the eighth bit becomes the parity of the byte, set when its ones are odd in number.

use std::borrow::Cow;

use super::ChangedBy;
use super::rewrite::map_bytes;
use crate::byte_set::ByteSet;

pub(super) const CHANGED_BY: ChangedBy = ChangedBy::Bytes(changed(0));

pub(super) fn apply(value: &[u8]) -> Cow<'_, [u8]> {
    map_bytes(value, |byte| with_parity(byte, 0))
}

/// Sets the eighth bit where the number of ones, eighth bit included, plus `odd` is odd, and clears it elsewhere.
pub(super) const fn with_parity(byte: u8, odd: u32) -> u8 {
    if (byte.count_ones() + odd) % 2 == 1 { byte | 0x80 } else { byte & 0x7f }
}

/// The bytes that [`with_parity`] changes.
pub(super) const fn changed(odd: u32) -> ByteSet {
    let mut set = ByteSet::EMPTY;
    let mut byte = 0u8;
    loop {
        if with_parity(byte, odd) != byte {
            set = set.with(byte);
        }
        if byte == u8::MAX {
            return set;
        }
        byte += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::apply;

    #[test]
    fn sets_the_bit_for_an_odd_number_of_ones() {
        assert_eq!(&*apply(b"\x01\x03\x07"), b"\x81\x03\x87");
        assert_eq!(&*apply(b"\x81\x83"), b"\x01\x83");
    }

    #[test]
    fn leaves_even_bytes() {
        assert!(matches!(apply(b"\x03\x05"), std::borrow::Cow::Borrowed(_)));
    }
}
