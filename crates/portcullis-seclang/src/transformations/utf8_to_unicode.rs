//! `t:utf8toUnicode`: multi-byte UTF-8 to `%uHHHH`.
//!
//! Rules see the decoder of ModSecurity, with its oddities: a lead byte without its continuations vanishes, a lone
//! continuation stays, a NUL vanishes unless it is last, and a surrogate or an overlong form is followed by its lead byte.

use std::borrow::Cow;

use super::ChangedBy;
use super::hex_encode::digit;
use super::rewrite::rewrite;
use crate::byte_set::ByteSet;

pub(super) const CHANGED_BY: ChangedBy = ChangedBy::Bytes(ByteSet::range(0xc0, 0xf7).with(0));

pub(super) fn apply(value: &[u8]) -> Cow<'_, [u8]> {
    rewrite(
        value,
        |rest| rest.iter().position(|byte| matches!(byte, 0 | 0xc0..=0xf7)),
        |here, out| {
            let Some((lead, after)) = here.split_first() else { return here };
            if *lead == 0 {
                if after.is_empty() {
                    out.push(0);
                }
                return after;
            }
            if *lead >= 0xf5 {
                out.push(*lead);
            }
            let (first_bits, more, least) = match lead {
                0xc0..=0xdf => (lead & 0x1f, 1, 0x80),
                0xe0..=0xef => (lead & 0x0f, 2, 0x800),
                _ => (lead & 0x07, 3, 0x1_0000),
            };
            let continued = after.iter().take(more).take_while(|byte| **byte & 0xc0 == 0x80);
            let (code, count) = continued.fold((u32::from(first_bits), 0), |(code, count), byte| {
                (code << 6 | u32::from(byte & 0x3f), count + 1)
            });
            if count < more {
                return after;
            }
            write_escape(code, out);
            if (0xd800..=0xdfff).contains(&code) {
                out.push(*lead);
            }
            if code < least {
                out.push(*lead);
            }
            after.get(more..).unwrap_or_default()
        },
    )
}

/// `%u` and at least four lower-case digits.
fn write_escape(code: u32, out: &mut Vec<u8>) {
    out.extend_from_slice(b"%u");
    let digits = (32 - code.leading_zeros()).div_ceil(4).max(4);
    out.extend((0..digits).rev().map(|place| digit((code >> (4 * place) & 15) as u8)));
}

#[cfg(test)]
mod tests {
    use super::apply;

    #[test]
    fn writes_code_points() {
        assert_eq!(&*apply("aé€😀".as_bytes()), b"a%u00e9%u20ac%u1f600");
    }

    #[test]
    fn marks_overlong_forms_and_surrogates() {
        assert_eq!(&*apply(b"\xc0\xaf"), b"%u002f\xc0");
        assert_eq!(&*apply(b"\xed\xa0\x80"), b"%ud800\xed");
        assert_eq!(&*apply(b"\xf5\x80\x80\x80"), b"\xf5%u140000");
    }

    #[test]
    fn drops_broken_leads_and_inner_nuls() {
        assert_eq!(&*apply(b"\xc3a\xe2\x82b\0c\0"), b"a\x82bc\0");
    }

    #[test]
    fn leaves_ascii_and_lone_continuations() {
        assert!(matches!(apply(b"gate\x80\xbf\xff"), std::borrow::Cow::Borrowed(_)));
    }
}
