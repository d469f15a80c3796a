//! `t:removeNulls`: NUL bytes go.

use std::borrow::Cow;

use super::ChangedBy;
use super::rewrite::drop_bytes;
use crate::byte_set::ByteSet;

pub(super) const CHANGED_BY: ChangedBy = ChangedBy::Bytes(ByteSet::of(b"\0"));

pub(super) fn apply(value: &[u8]) -> Cow<'_, [u8]> {
    drop_bytes(value, |byte| byte == 0)
}

#[cfg(test)]
mod tests {
    use super::apply;

    #[test]
    fn drops_nul_alone() {
        assert_eq!(&*apply(b"\0ga\0\0te\x01"), b"gate\x01");
        assert!(matches!(apply(b"gate0"), std::borrow::Cow::Borrowed(_)));
    }
}
