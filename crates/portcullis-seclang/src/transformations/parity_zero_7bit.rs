//! `t:parityZero7bit`: the eighth bit is cleared.

use std::borrow::Cow;

use super::ChangedBy;
use super::rewrite::map_bytes;
use crate::byte_set::ByteSet;

pub(super) const CHANGED_BY: ChangedBy = ChangedBy::Bytes(ByteSet::range(0x80, 0xff));

pub(super) fn apply(value: &[u8]) -> Cow<'_, [u8]> {
    map_bytes(value, |byte| byte & 0x7f)
}

#[cfg(test)]
mod tests {
    use super::apply;

    #[test]
    fn clears_the_eighth_bit() {
        assert_eq!(&*apply(b"\xe1\xff\x80a"), b"a\x7f\0a");
        assert!(matches!(apply(b"gate"), std::borrow::Cow::Borrowed(_)));
    }
}
