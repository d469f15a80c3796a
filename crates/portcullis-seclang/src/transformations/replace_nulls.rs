//! `t:replaceNulls`: each NUL becomes a space.

use std::borrow::Cow;

use super::ChangedBy;
use super::rewrite::map_bytes;
use crate::byte_set::ByteSet;

pub(super) const CHANGED_BY: ChangedBy = ChangedBy::Bytes(ByteSet::of(b"\0"));

pub(super) fn apply(value: &[u8]) -> Cow<'_, [u8]> {
    map_bytes(value, |byte| if byte == 0 { b' ' } else { byte })
}

#[cfg(test)]
mod tests {
    use super::apply;

    #[test]
    fn puts_a_space_for_each_nul() {
        assert_eq!(&*apply(b"\0ga\0\0te"), b" ga  te");
        assert!(matches!(apply(b"gate"), std::borrow::Cow::Borrowed(_)));
    }
}
