//! `t:jsDecode`: JavaScript escapes: `\uHHHH` and `\xHH` to one byte, octal, single letters.

use std::borrow::Cow;

use memchr::memchr;

use super::ChangedBy;
use super::digits::{c_letter, hex_pair, octal, wide};
use super::rewrite::rewrite;
use crate::byte_set::ByteSet;

pub(super) const CHANGED_BY: ChangedBy = ChangedBy::Bytes(ByteSet::of(b"\\"));

pub(super) fn apply(value: &[u8]) -> Cow<'_, [u8]> {
    rewrite(
        value,
        |rest| memchr(b'\\', rest),
        |here, out| {
            let (byte, rest) = escape(here);
            out.push(byte);
            rest
        },
    )
}

/// The byte of the escape at the start, and what follows it.
fn escape(here: &[u8]) -> (u8, &[u8]) {
    if let [_, b'u', a, b, c, d, tail @ ..] = here
        && let Some(byte) = wide([*a, *b, *c, *d])
    {
        return (byte, tail);
    }
    if let [_, b'x', high, low, tail @ ..] = here
        && let Some(byte) = hex_pair(*high, *low)
    {
        return (byte, tail);
    }
    match here {
        [_, b'0'..=b'7', ..] => {
            let after = here.get(1..).unwrap_or_default();
            let (mut code, mut count) = octal(after);
            // Three digits that exceed a byte are two digits and a character.
            if code > 0xff {
                (code, count) = (code >> 3, 2);
            }
            (code as u8, after.get(count..).unwrap_or_default())
        }
        [_, letter, tail @ ..] => (c_letter(*letter).unwrap_or(*letter), tail),
        _ => (b'\\', &[]),
    }
}

#[cfg(test)]
mod tests {
    use super::apply;

    #[test]
    fn decodes_each_form() {
        assert_eq!(&*apply(br"\u0061\uff1c\x3e\101\377\400\n\'\/"), b"a<>A\xff\x200\n'/");
    }

    #[test]
    fn keeps_only_the_letter_of_a_broken_escape() {
        assert_eq!(&*apply(br"\u00g1\x4z\q\8"), b"u00g1x4zq8");
        assert_eq!(&*apply(br"\u006"), b"u006");
    }

    #[test]
    fn keeps_a_backslash_at_the_end() {
        assert!(matches!(apply(b"\\"), std::borrow::Cow::Borrowed(b"\\")));
    }
}
