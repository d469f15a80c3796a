//! `t:parityOdd7bit`: the eighth bit is set when the byte's ones are even in number.

use std::borrow::Cow;

use super::ChangedBy;
use super::parity_even_7bit::{changed, with_parity};
use super::rewrite::map_bytes;

pub(super) const CHANGED_BY: ChangedBy = ChangedBy::Bytes(changed(1));

pub(super) fn apply(value: &[u8]) -> Cow<'_, [u8]> {
    map_bytes(value, |byte| with_parity(byte, 1))
}

#[cfg(test)]
mod tests {
    use super::apply;

    #[test]
    fn sets_the_bit_for_an_even_number_of_ones() {
        assert_eq!(&*apply(b"\x01\x03\x00"), b"\x01\x83\x80");
    }

    #[test]
    fn leaves_odd_bytes() {
        assert!(matches!(apply(b"\x01\x07"), std::borrow::Cow::Borrowed(_)));
    }
}
