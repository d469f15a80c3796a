//! `t:removeWhitespace`: white space goes, and the two bytes of a no-break space in UTF-8, wherever they stand.

use std::borrow::Cow;

use super::ChangedBy;
use super::digits::{SPACES, is_space};
use super::rewrite::drop_bytes;

const NO_BREAK_SPACE: [u8; 2] = [0xc2, 0xa0];

pub(super) const CHANGED_BY: ChangedBy = {
    let [lead, tail] = NO_BREAK_SPACE;
    ChangedBy::Bytes(SPACES.with(lead).with(tail))
};

pub(super) fn apply(value: &[u8]) -> Cow<'_, [u8]> {
    drop_bytes(value, |byte| is_space(byte) || NO_BREAK_SPACE.contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::apply;

    #[test]
    fn drops_all_white_space() {
        assert_eq!(&*apply(b" \tg\x0ba\x0c\rt\ne\xc2\xa0"), b"gate");
        assert!(matches!(apply(b"gate"), std::borrow::Cow::Borrowed(_)));
    }
}
