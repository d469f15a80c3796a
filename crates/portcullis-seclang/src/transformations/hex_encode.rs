//! `t:hexEncode`: each byte as two lower-case hexadecimal digits.

use std::borrow::Cow;

use super::ChangedBy;

pub(super) const CHANGED_BY: ChangedBy = ChangedBy::Anything;

pub(super) fn apply(value: &[u8]) -> Cow<'_, [u8]> {
    Cow::Owned(value.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect())
}

/// The lower-case digit for a value below 16.
pub(super) fn digit(value: u8) -> u8 {
    if value < 10 { b'0' + value } else { b'a' + (value - 10) }
}

#[cfg(test)]
mod tests {
    use super::apply;

    #[test]
    fn writes_two_digits_a_byte() {
        assert_eq!(&*apply(b"\x00g\xff"), b"0067ff");
        assert_eq!(&*apply(b""), b"");
    }
}
