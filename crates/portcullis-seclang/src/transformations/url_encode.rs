//! `t:urlEncode`: a space becomes `+`; all but letters, digits and `*` become `%hh`.

use std::borrow::Cow;

use super::ChangedBy;
use super::hex_encode::digit;
use crate::byte_set::ByteSet;

const PLAIN: ByteSet =
    ByteSet::range(b'0', b'9').union(ByteSet::range(b'A', b'Z')).union(ByteSet::range(b'a', b'z')).with(b'*');

pub(super) const CHANGED_BY: ChangedBy = ChangedBy::Bytes(PLAIN.complement());

pub(super) fn apply(value: &[u8]) -> Cow<'_, [u8]> {
    if value.iter().all(|byte| PLAIN.contains(*byte)) {
        return Cow::Borrowed(value);
    }
    let mut out = Vec::with_capacity(value.len() * 3);
    for byte in value {
        match byte {
            b' ' => out.push(b'+'),
            byte if PLAIN.contains(*byte) => out.push(*byte),
            byte => out.extend([b'%', digit(byte >> 4), digit(byte & 15)]),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::apply;

    #[test]
    fn encodes_as_a_form_does() {
        assert_eq!(&*apply(b"a b-*/\xff"), b"a+b%2d*%2f%ff");
        assert!(matches!(apply(b"Gate7*"), std::borrow::Cow::Borrowed(_)));
    }
}
