//! `t:normalisePathWin`: backslashes become slashes, then as `normalisePath`.
//!
//! ModSecurity leaves the last of three backslashes or more in a row, and a segment after it unresolved: a gap that would
//! hide a climb, so every backslash becomes a slash here.

use std::borrow::Cow;

use super::rewrite::{map_bytes, settle};
use super::{ChangedBy, normalise_path};
use crate::byte_set::ByteSet;

pub(super) const CHANGED_BY: ChangedBy = ChangedBy::Bytes(ByteSet::of(b"/.\\"));

pub(super) fn apply(value: &[u8]) -> Cow<'_, [u8]> {
    match map_bytes(value, |byte| if byte == b'\\' { b'/' } else { byte }) {
        Cow::Borrowed(same) => normalise_path::apply(same),
        Cow::Owned(slashed) => settle(value, normalise_path::normalise(&slashed)),
    }
}

#[cfg(test)]
mod tests {
    use super::apply;

    #[test]
    fn treats_both_slashes_alike() {
        assert_eq!(&*apply(b"\\a\\..\\b/\\c\\"), b"/b/c/");
        assert_eq!(&*apply(b"..\\..\\boot.ini"), b"../../boot.ini");
    }

    #[test]
    fn leaves_a_name() {
        assert!(matches!(apply(b"gate"), std::borrow::Cow::Borrowed(_)));
    }
}
