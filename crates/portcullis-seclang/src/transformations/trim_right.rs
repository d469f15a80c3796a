//! `t:trimRight`: white space at the end goes.

use std::borrow::Cow;

use super::ChangedBy;
use super::digits::{SPACES, is_space};

pub(super) const CHANGED_BY: ChangedBy = ChangedBy::Bytes(SPACES);

pub(super) fn apply(value: &[u8]) -> Cow<'_, [u8]> {
    Cow::Borrowed(trimmed(value))
}

pub(super) fn trimmed(mut value: &[u8]) -> &[u8] {
    while let [rest @ .., last] = value
        && is_space(*last)
    {
        value = rest;
    }
    value
}

#[cfg(test)]
mod tests {
    use super::apply;

    #[test]
    fn trims_the_end_alone() {
        assert_eq!(&*apply(b" a \x0b\r\n"), b" a");
        assert_eq!(&*apply(b" a"), b" a");
    }
}
