//! `t:length`: the length in bytes, in decimal.

use std::borrow::Cow;

use super::ChangedBy;

pub(super) const CHANGED_BY: ChangedBy = ChangedBy::Anything;

pub(super) fn apply(value: &[u8]) -> Cow<'_, [u8]> {
    Cow::Owned(value.len().to_string().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::apply;

    #[test]
    fn counts_bytes() {
        assert_eq!(&*apply("é\0".as_bytes()), b"3");
        assert_eq!(&*apply(b""), b"0");
    }
}
