//! `t:urlDecode`: `%HH` to a byte and `+` to a space; what is malformed stays.

use std::borrow::Cow;

use memchr::memchr2;

use super::ChangedBy;
use super::digits::hex_pair;
use super::rewrite::rewrite;
use crate::byte_set::ByteSet;

pub(super) const CHANGED_BY: ChangedBy = ChangedBy::Bytes(ByteSet::of(b"%+"));

pub(super) fn apply(value: &[u8]) -> Cow<'_, [u8]> {
    rewrite(value, |rest| memchr2(b'%', b'+', rest), step)
}

/// Decodes what stands at a percent or plus sign.
pub(super) fn step<'a>(here: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
    match here {
        [b'%', high, low, tail @ ..] if hex_pair(*high, *low).is_some() => {
            out.extend(hex_pair(*high, *low));
            tail
        }
        [b'+', tail @ ..] => {
            out.push(b' ');
            tail
        }
        [byte, tail @ ..] => {
            out.push(*byte);
            tail
        }
        [] => here,
    }
}

#[cfg(test)]
mod tests {
    use super::apply;

    #[test]
    fn decodes_percent_and_plus() {
        assert_eq!(&*apply(b"a%20b+c%00%fF"), b"a b c\0\xff");
    }

    #[test]
    fn decodes_once() {
        assert_eq!(&*apply(b"%2541"), b"%41");
    }

    #[test]
    fn leaves_the_malformed() {
        for text in ["%", "%4", "%g1", "%1g", "%u0041", "100%"] {
            assert!(matches!(apply(text.as_bytes()), std::borrow::Cow::Borrowed(_)), "{text}");
        }
    }
}
