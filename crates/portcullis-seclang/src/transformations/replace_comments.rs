//! `t:replaceComments`: each `/* */` becomes one space, also one that stays open.

use std::borrow::Cow;

use memchr::memmem;

use super::ChangedBy;
use super::rewrite::rewrite;
use crate::byte_set::ByteSet;

/// The star: rarer in values than the slash, and every comment has one.
pub(super) const CHANGED_BY: ChangedBy = ChangedBy::Bytes(ByteSet::of(b"*"));

pub(super) fn apply(value: &[u8]) -> Cow<'_, [u8]> {
    rewrite(
        value,
        |rest| memmem::find(rest, b"/*"),
        |here, out| {
            out.push(b' ');
            let inside = here.get(2..).unwrap_or_default();
            memmem::find(inside, b"*/").and_then(|at| inside.get(at + 2..)).unwrap_or_default()
        },
    )
}

#[cfg(test)]
mod tests {
    use super::apply;

    #[test]
    fn puts_a_space_for_each_comment() {
        assert_eq!(&*apply(b"union/**/select/*!x*//*y"), b"union select  ");
        assert_eq!(&*apply(b"/*/ */"), b" ");
    }

    #[test]
    fn leaves_a_close_without_open() {
        assert!(matches!(apply(b"a */ b / *"), std::borrow::Cow::Borrowed(_)));
    }
}
