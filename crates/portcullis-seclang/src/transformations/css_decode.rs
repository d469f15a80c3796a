//! `t:cssDecode`: CSS 2 escapes (CSS 2.1 §4.1.3), each to one byte.

use std::borrow::Cow;

use memchr::memchr;

use super::ChangedBy;
use super::digits::{hex, hex_pair, is_space, narrow};
use super::rewrite::rewrite;
use crate::byte_set::ByteSet;

pub(super) const CHANGED_BY: ChangedBy = ChangedBy::Bytes(ByteSet::of(b"\\"));

const DIGITS_MAX: usize = 6;

pub(super) fn apply(value: &[u8]) -> Cow<'_, [u8]> {
    rewrite(
        value,
        |rest| memchr(b'\\', rest),
        |here, out| {
            let after = here.get(1..).unwrap_or_default();
            let count = after.iter().take(DIGITS_MAX).take_while(|byte| hex(**byte).is_some()).count();
            match after.split_at_checked(count) {
                Some((digits @ [_, ..], rest)) => {
                    out.extend(decode(digits));
                    // One white space after the digits belongs to the escape.
                    match rest {
                        [space, tail @ ..] if is_space(*space) => tail,
                        _ => rest,
                    }
                }
                _ => match after {
                    // A backslash before a line end, or at the end of all, stands for nothing.
                    [] => after,
                    [b'\n', tail @ ..] => tail,
                    [byte, tail @ ..] => {
                        out.push(*byte);
                        tail
                    }
                },
            }
        },
    )
}

/// The last two digits make the byte. Four digits, after any leading zeros of five or six, are also looked at for a
/// full-width form.
fn decode(digits: &[u8]) -> Option<u8> {
    match digits {
        [a] => hex(*a),
        [a, b, c, d] | [b'0', a, b, c, d] | [b'0', b'0', a, b, c, d] => {
            let low = hex_pair(*c, *d)?;
            Some(if hex_pair(*a, *b)? == 0xff { narrow(low) } else { low })
        }
        [.., c, d] => hex_pair(*c, *d),
        [] => None,
    }
}

#[cfg(test)]
mod tests {
    use super::apply;

    #[test]
    fn takes_up_to_six_digits_and_one_space() {
        assert_eq!(&*apply(b"\\6a\\000061 vascript"), b"javascript");
        assert_eq!(&*apply(b"\\6a  b\\0000617"), b"j ba7");
    }

    #[test]
    fn narrows_full_width_forms() {
        assert_eq!(&*apply(b"\\ff41 \\0ff42 \\00ff43 \\1ff44 \\fff"), b"abcD\xff");
    }

    #[test]
    fn drops_the_backslash_before_anything_else() {
        assert_eq!(&*apply(b"e\\xp\\r\\\\ession\\\n!\\"), b"expr\\ession!");
    }
}
