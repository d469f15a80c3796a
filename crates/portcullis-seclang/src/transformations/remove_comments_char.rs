//! `t:removeCommentsChar`: the marks of comments go, what is between them stays.

use std::borrow::Cow;

use memchr::memchr3;

use super::ChangedBy;
use super::rewrite::rewrite;
use crate::byte_set::ByteSet;

pub(super) const CHANGED_BY: ChangedBy = ChangedBy::Bytes(ByteSet::of(b"*-#"));

/// Each mark holds one of three bytes: without them slashes and angle brackets need no look.
pub(super) fn apply(value: &[u8]) -> Cow<'_, [u8]> {
    if memchr3(b'*', b'-', b'#', value).is_none() {
        return Cow::Borrowed(value);
    }
    rewrite(
        value,
        |rest| rest.iter().position(|byte| matches!(byte, b'/' | b'*' | b'<' | b'-' | b'#')),
        |here, out| match here {
            [b'<', b'!', b'-', b'-', tail @ ..]
            | [b'-', b'-', b'>', tail @ ..]
            | [b'/', b'*', tail @ ..]
            | [b'*', b'/', tail @ ..]
            | [b'-', b'-', tail @ ..]
            | [b'#', tail @ ..] => tail,
            [byte, tail @ ..] => {
                out.push(*byte);
                tail
            }
            [] => here,
        },
    )
}

#[cfg(test)]
mod tests {
    use super::apply;

    #[test]
    fn removes_each_mark() {
        assert_eq!(&*apply(b"a/*b*/c<!--d-->e--f#g"), b"abcdefg");
        assert_eq!(&*apply(b"/*/"), b"/");
        assert_eq!(&*apply(b"--->"), b"->");
    }

    #[test]
    fn leaves_single_characters_of_marks() {
        assert!(matches!(apply(b"a/b * c - d <! e"), std::borrow::Cow::Borrowed(_)));
    }
}
