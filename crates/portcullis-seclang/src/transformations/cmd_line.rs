//! `t:cmdLine`: undoes what shells let through in a command: quotes, carets, backslashes, odd separators, case.

use std::borrow::Cow;

use super::ChangedBy;
use super::rewrite::settle;
use crate::byte_set::ByteSet;

/// A slash or a parenthesis alone changes nothing: it only swallows a space, which is in the set.
pub(super) const CHANGED_BY: ChangedBy =
    ChangedBy::Bytes(ByteSet::of(b"\"'\\^ ,;\t\r\n").union(ByteSet::range(b'A', b'Z')));

pub(super) fn apply(value: &[u8]) -> Cow<'_, [u8]> {
    let mut out = Vec::with_capacity(value.len());
    for byte in value {
        match byte {
            b'"' | b'\'' | b'\\' | b'^' => {}
            b' ' | b',' | b';' | b'\t' | b'\r' | b'\n' => {
                if out.last() != Some(&b' ') {
                    out.push(b' ');
                }
            }
            b'/' | b'(' => {
                if out.last() == Some(&b' ') {
                    out.pop();
                }
                out.push(*byte);
            }
            _ => out.push(byte.to_ascii_lowercase()),
        }
    }
    settle(value, out)
}

#[cfg(test)]
mod tests {
    use super::apply;

    #[test]
    fn strips_what_shells_ignore() {
        assert_eq!(&*apply(b"C^at \"/etc\"  ,;\t'passwd'"), b"cat/etc passwd");
        assert_eq!(&*apply(b"echo (\\x)"), b"echo(x)");
    }

    #[test]
    fn takes_quotes_between_separators_for_nothing() {
        assert_eq!(&*apply(b"a \"\" b"), b"a b");
    }

    #[test]
    fn leaves_a_plain_command() {
        assert!(matches!(apply(b"ls -l"), std::borrow::Cow::Borrowed(_)));
    }
}
