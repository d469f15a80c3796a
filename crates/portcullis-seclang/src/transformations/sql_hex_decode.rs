//! `t:sqlHexDecode`: `0x` and the pairs of digits after it become bytes.

use std::borrow::Cow;

use memchr::memchr2;

use super::ChangedBy;
use super::digits::hex_pair;
use super::rewrite::rewrite;
use crate::byte_set::ByteSet;

pub(super) const CHANGED_BY: ChangedBy = ChangedBy::Bytes(ByteSet::of(b"xX"));

pub(super) fn apply(value: &[u8]) -> Cow<'_, [u8]> {
    if memchr2(b'x', b'X', value).is_none() {
        return Cow::Borrowed(value);
    }
    rewrite(
        value,
        |rest| memchr::memchr(b'0', rest),
        |here, out| match here {
            [b'0', b'x' | b'X', digits @ ..] => {
                let bytes = digits.chunks_exact(2).map_while(|pair| match pair {
                    [high, low] => hex_pair(*high, *low),
                    _ => None,
                });
                let before = out.len();
                out.extend(bytes);
                match out.len() - before {
                    0 => plain(here, out),
                    pairs => digits.get(pairs * 2..).unwrap_or_default(),
                }
            }
            _ => plain(here, out),
        },
    )
}

/// Copies the one byte that begins no literal.
fn plain<'a>(here: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
    let Some((first, rest)) = here.split_first() else { return here };
    out.push(*first);
    rest
}

#[cfg(test)]
mod tests {
    use super::apply;

    #[test]
    fn decodes_as_many_pairs_as_there_are() {
        assert_eq!(&*apply(b"or 0x67617465="), b"or gate=");
        assert_eq!(&*apply(b"0X676"), b"g6");
        assert_eq!(&*apply(b"00x67"), b"0g");
    }

    #[test]
    fn leaves_a_prefix_without_a_pair() {
        for text in ["0x", "0x6", "0xg0", "x67", "0 x67"] {
            assert!(matches!(apply(text.as_bytes()), std::borrow::Cow::Borrowed(_)), "{text}");
        }
    }
}
