//! `t:escapeSeqDecode`: ANSI C escapes; the backslash of an unknown one is dropped.

use std::borrow::Cow;

use memchr::memchr;

use super::ChangedBy;
use super::digits::{c_letter, hex_pair, octal};
use super::rewrite::rewrite;
use crate::byte_set::ByteSet;

pub(super) const CHANGED_BY: ChangedBy = ChangedBy::Bytes(ByteSet::of(b"\\"));

pub(super) fn apply(value: &[u8]) -> Cow<'_, [u8]> {
    rewrite(
        value,
        |rest| memchr(b'\\', rest),
        |here, out| match here {
            [_, b'x' | b'X', high, low, tail @ ..] if hex_pair(*high, *low).is_some() => {
                out.extend(hex_pair(*high, *low));
                tail
            }
            [_, b'0'..=b'7', ..] => {
                let after = here.get(1..).unwrap_or_default();
                let (code, count) = octal(after);
                // Codes above 255 keep their low byte, as C does.
                out.push(code as u8);
                after.get(count..).unwrap_or_default()
            }
            [_, letter, tail @ ..] => {
                out.push(c_letter(*letter).unwrap_or(*letter));
                tail
            }
            _ => {
                out.extend_from_slice(here);
                &[]
            }
        },
    )
}

#[cfg(test)]
mod tests {
    use super::apply;

    #[test]
    fn decodes_letters_octal_and_hexadecimal() {
        assert_eq!(&*apply(br"\a\n\'\x41\X42\101\7z\0018"), b"\x07\n'ABA\x07z\x018");
        assert_eq!(&*apply(br"\777"), b"\xff");
    }

    #[test]
    fn drops_the_backslash_of_the_unknown() {
        assert_eq!(&*apply(br"\q\xg1\x4\9"), b"qxg1x49");
    }

    #[test]
    fn keeps_a_backslash_at_the_end() {
        assert!(matches!(apply(b"a\\"), std::borrow::Cow::Borrowed(b"a\\")));
    }
}
