//! `t:hexDecode`: each pair of characters becomes a byte; an odd last one is dropped.

use std::borrow::Cow;

use super::ChangedBy;

pub(super) const CHANGED_BY: ChangedBy = ChangedBy::Anything;

pub(super) fn apply(value: &[u8]) -> Cow<'_, [u8]> {
    let pair = |pair: &[u8]| match pair {
        [high, low] => Some(lenient(*high).wrapping_mul(16).wrapping_add(lenient(*low))),
        _ => None,
    };
    Cow::Owned(value.chunks_exact(2).filter_map(pair).collect())
}

/// ModSecurity decodes other characters by the arithmetic of digits too. Rules see what that yields, so we yield the same.
fn lenient(byte: u8) -> u8 {
    if byte >= b'A' { (byte & 0xdf).wrapping_sub(b'A').wrapping_add(10) } else { byte.wrapping_sub(b'0') }
}

#[cfg(test)]
mod tests {
    use super::apply;

    #[test]
    fn decodes_pairs() {
        assert_eq!(&*apply(b"67617465"), b"gate");
        assert_eq!(&*apply(b"0aFf"), b"\x0a\xff");
    }

    #[test]
    fn drops_an_odd_character() {
        assert_eq!(&*apply(b"676"), b"g");
        assert_eq!(&*apply(b"6"), b"");
        assert_eq!(&*apply(b""), b"");
    }

    #[test]
    fn yields_a_byte_for_pairs_that_are_no_digits() {
        assert_eq!(&*apply(b"0zzz"), b"\x23\x53");
    }
}
