//! `t:lowercase`: ASCII letters to lower case.

use std::borrow::Cow;

use super::ChangedBy;
use super::rewrite::map_bytes;
use crate::byte_set::ByteSet;

pub(super) const CHANGED_BY: ChangedBy = ChangedBy::Bytes(ByteSet::range(b'A', b'Z'));

pub(super) fn apply(value: &[u8]) -> Cow<'_, [u8]> {
    map_bytes(value, |byte| byte.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::apply;

    #[test]
    fn lowers_ascii_alone() {
        assert_eq!(&*apply("GaTe É\u{212a}[".as_bytes()), "gate É\u{212a}[".as_bytes());
        assert!(matches!(apply(b"gate"), std::borrow::Cow::Borrowed(_)));
    }
}
