//! `t:none`: changes nothing; the engine drops the transformations before it.

use std::borrow::Cow;

use super::ChangedBy;

pub(super) const CHANGED_BY: ChangedBy = ChangedBy::Nothing;

pub(super) fn apply(value: &[u8]) -> Cow<'_, [u8]> {
    Cow::Borrowed(value)
}

#[cfg(test)]
mod tests {
    use super::apply;

    #[test]
    fn changes_nothing() {
        assert!(matches!(apply(b"\0A%41"), std::borrow::Cow::Borrowed(b"\0A%41")));
    }
}
