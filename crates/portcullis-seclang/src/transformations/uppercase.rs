//! `t:uppercase`: ASCII letters to upper case.

use std::borrow::Cow;

use super::ChangedBy;
use super::rewrite::map_bytes;
use crate::byte_set::ByteSet;

pub(super) const CHANGED_BY: ChangedBy = ChangedBy::Bytes(ByteSet::range(b'a', b'z'));

pub(super) fn apply(value: &[u8]) -> Cow<'_, [u8]> {
    map_bytes(value, |byte| byte.to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::apply;

    #[test]
    fn raises_ascii_alone() {
        assert_eq!(&*apply("GaTe é{".as_bytes()), "GATE é{".as_bytes());
        assert!(matches!(apply(b"GATE"), std::borrow::Cow::Borrowed(_)));
    }
}
