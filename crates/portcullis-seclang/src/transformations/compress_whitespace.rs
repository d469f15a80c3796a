//! `t:compressWhitespace`: each run of white space becomes one space.

use std::borrow::Cow;

use super::ChangedBy;
use super::digits::{SPACES, is_space};
use super::rewrite::settle;

pub(super) const CHANGED_BY: ChangedBy = ChangedBy::Bytes(SPACES);

pub(super) fn apply(value: &[u8]) -> Cow<'_, [u8]> {
    let mut after_space = false;
    let single = |byte: &u8| {
        let keep = !is_space(*byte) || (*byte == b' ' && !after_space);
        after_space = is_space(*byte);
        keep
    };
    if value.iter().all(single) {
        return Cow::Borrowed(value);
    }
    let mut out: Vec<u8> = value.iter().map(|byte| if is_space(*byte) { b' ' } else { *byte }).collect();
    out.dedup_by(|next, before| *next == b' ' && *before == b' ');
    settle(value, out)
}

#[cfg(test)]
mod tests {
    use super::apply;

    #[test]
    fn folds_runs() {
        assert_eq!(&*apply(b"\t a \x0b\x0c\r\n b  "), b" a b ");
        assert_eq!(&*apply(b"a\tb"), b"a b");
    }

    #[test]
    fn leaves_single_spaces_and_other_blanks() {
        assert!(matches!(apply(b"a b\xa0\xa0c"), std::borrow::Cow::Borrowed(_)));
    }
}
