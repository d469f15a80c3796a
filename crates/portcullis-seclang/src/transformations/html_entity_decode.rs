//! `t:htmlEntityDecode`: numeric entities to one byte, and `quot`, `amp`, `lt`, `gt`, `nbsp`. The semicolon is optional.

use std::borrow::Cow;

use memchr::memchr;

use super::ChangedBy;
use super::digits::hex;
use super::rewrite::rewrite;
use crate::byte_set::ByteSet;

pub(super) const CHANGED_BY: ChangedBy = ChangedBy::Bytes(ByteSet::of(b"&"));

const NAMED: [(&[u8], u8); 5] =
    [(b"quot", b'"'), (b"amp", b'&'), (b"lt", b'<'), (b"gt", b'>'), (b"nbsp", 0xa0)];

pub(super) fn apply(value: &[u8]) -> Cow<'_, [u8]> {
    rewrite(
        value,
        |rest| memchr(b'&', rest),
        |here, out| {
            let (byte, consumed) = entity(here);
            let Some((raw, rest)) = here.split_at_checked(consumed) else {
                out.extend_from_slice(here);
                return &[];
            };
            match byte {
                Some(byte) => out.push(byte),
                None => out.extend_from_slice(raw),
            }
            match rest {
                [b';', tail @ ..] if byte.is_some() => tail,
                _ => rest,
            }
        },
    )
}

/// The byte that the entity at the start stands for, and how many bytes it takes; without a byte, how many are plain.
fn entity(here: &[u8]) -> (Option<u8>, usize) {
    match here {
        [_, b'#', b'x' | b'X', after @ ..] => number(after, 16, 3),
        [_, b'#', after @ ..] => number(after, 10, 2),
        [_, after @ ..] => {
            let letters = after.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
            // A name that merely begins with a known one counts, and is consumed whole: so ModSecurity decodes.
            let known = NAMED.iter().find(|(name, _)| {
                after.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
            });
            (known.map(|(_, byte)| *byte), letters + 1)
        }
        [] => (None, 0),
    }
}

/// Values above 255 keep their low byte; those that overflow C's `long` are taken for the greatest one.
fn number(after: &[u8], radix: u64, marks: usize) -> (Option<u8>, usize) {
    let digits = after.iter().map_while(|byte| hex(*byte).map(u64::from)).take_while(|digit| *digit < radix);
    let (value, count) = digits.fold((0u64, 0), |(value, count), digit| {
        (value.saturating_mul(radix).saturating_add(digit), count + 1)
    });
    ((count > 0).then_some(value.min(i64::MAX as u64) as u8), marks + count)
}

#[cfg(test)]
mod tests {
    use super::apply;

    #[test]
    fn decodes_numbers_and_names() {
        assert_eq!(&*apply(b"&#60;&#x3E;&LT&gt;&quot;&nbsp;&amp;lt;"), b"<><>\"\xa0&lt;");
    }

    #[test]
    fn reads_all_digits_and_keeps_the_low_byte() {
        assert_eq!(&*apply(b"&#0000060;&#x000000000000000000003c;"), b"<<");
        assert_eq!(&*apply(b"&#x13c;&#999;&#xffffffffffffffffff00;"), b"<\xe7\xff");
    }

    #[test]
    fn consumes_a_name_that_begins_with_a_known_one() {
        assert_eq!(&*apply(b"&ltscript;>"), b"<>");
    }

    #[test]
    fn leaves_what_is_no_entity() {
        for text in ["&", "&&", "&;", "&#", "&#;", "&#x", "&#xg;", "&copy;", "a & b"] {
            assert!(matches!(apply(text.as_bytes()), std::borrow::Cow::Borrowed(_)), "{text}");
        }
    }
}
