//! `t:trim`: white space at both ends goes.

use std::borrow::Cow;

use super::ChangedBy;
use super::digits::SPACES;
use super::{trim_left, trim_right};

pub(super) const CHANGED_BY: ChangedBy = ChangedBy::Bytes(SPACES);

pub(super) fn apply(value: &[u8]) -> Cow<'_, [u8]> {
    Cow::Borrowed(trim_right::trimmed(trim_left::trimmed(value)))
}

#[cfg(test)]
mod tests {
    use super::apply;

    #[test]
    fn trims_both_ends() {
        assert_eq!(&*apply(b" \t\x0b a b \r\n"), b"a b");
        assert_eq!(&*apply(b" \n"), b"");
        assert_eq!(&*apply(b"\0 a"), b"\0 a");
    }
}
