//! `t:urlDecodeUni`: as `urlDecode`, and `%uHHHH` of IIS to one byte.
//!
//! Without a [`UnicodeMap`] the byte is the low one, with full-width ASCII narrowed. With a map the byte is what the code
//! page's best fit says, and the low byte where the map is silent.

use std::borrow::Cow;

use memchr::memchr2;

use super::ChangedBy;
use super::digits::{hex_pair, wide};
use super::rewrite::rewrite;
use super::unicode_map::UnicodeMap;
use super::url_decode;
use crate::byte_set::ByteSet;

pub(super) const CHANGED_BY: ChangedBy = ChangedBy::Bytes(ByteSet::of(b"%+"));

pub(super) fn apply<'a>(value: &'a [u8], map: Option<&UnicodeMap>) -> Cow<'a, [u8]> {
    rewrite(
        value,
        |rest| memchr2(b'%', b'+', rest),
        |here, out| {
            let [b'%', b'u' | b'U', after @ ..] = here else { return url_decode::step(here, out) };
            if let [a, b, c, d, tail @ ..] = after
                && let Some(byte) = decode([*a, *b, *c, *d], map)
            {
                out.push(byte);
                return tail;
            }
            // The letter is passed over with the sign, so that it is not looked at again.
            let (raw, rest) = here.split_at_checked(2).unwrap_or((here, &[]));
            out.extend_from_slice(raw);
            rest
        },
    )
}

fn decode(digits: [u8; 4], map: Option<&UnicodeMap>) -> Option<u8> {
    let [a, b, c, d] = digits;
    let code = u16::from_be_bytes([hex_pair(a, b)?, hex_pair(c, d)?]);
    map.and_then(|map| map.best_fit(code)).or_else(|| wide(digits))
}

#[cfg(test)]
mod tests {
    use super::super::unicode_map::UnicodeMap;
    use super::apply;

    #[test]
    fn decodes_the_forms_of_iis() {
        assert_eq!(&*apply(b"%u0041%Uff1c%u2215+%41", None), b"A<\x15 A");
    }

    #[test]
    fn asks_the_map_first() {
        let map = UnicodeMap::parse(b"20127 (US-ASCII)\n2215:2f ff1c:3c\n", 20127).unwrap();
        assert_eq!(&*apply(b"%u2215%u2216", Some(&map)), b"/\x16");
    }

    #[test]
    fn leaves_the_malformed() {
        for text in ["%u", "%u00", "%u004", "%u00g1", "%"] {
            assert!(matches!(apply(text.as_bytes(), None), std::borrow::Cow::Borrowed(_)), "{text}");
        }
    }
}
