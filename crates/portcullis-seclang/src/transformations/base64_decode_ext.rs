//! `t:base64DecodeExt`: base64 with whatever else between, as PHP's decoder takes it (RFC 2045 §6.8).

use std::borrow::Cow;

use super::ChangedBy;
use super::base64_encode::sextet;

pub(super) const CHANGED_BY: ChangedBy = ChangedBy::Anything;

/// A pad after one character of a group makes the whole empty, since one character holds less than a byte. ModSecurity
/// takes a closing `9` for a pad there, a slip that would hide a value; we do not.
pub(super) fn apply(value: &[u8]) -> Cow<'_, [u8]> {
    let mut out = Vec::with_capacity(value.len() / 4 * 3 + 3);
    let (mut group, mut count) = (0u32, 0u8);
    let mut rest = value;
    while let [byte, tail @ ..] = rest {
        rest = tail;
        if *byte == b'=' {
            if count == 1 && tail.first() != Some(&b'=') {
                return Cow::Owned(Vec::new());
            }
            continue;
        }
        let Some(bits) = sextet(*byte) else { continue };
        group = group << 6 | u32::from(bits);
        count = (count + 1) % 4;
        // The n-th character of a group completes its (n-1)-th byte.
        match count {
            2 => out.push((group >> 4) as u8),
            3 => out.push((group >> 2) as u8),
            0 => out.push(group as u8),
            _ => {}
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::apply;

    #[test]
    fn skips_what_is_not_of_the_alphabet() {
        assert_eq!(&*apply(b"Z.2\0F0-ZQ=="), b"gate");
        assert_eq!(&*apply(b"Z2F0ZQ"), b"gate");
        assert_eq!(&*apply(b"!!"), b"");
    }

    #[test]
    fn reads_on_after_a_pad() {
        assert_eq!(&*apply(b"Z2F0ZQ==ZQ"), b"gate\x06\x50");
    }

    #[test]
    fn becomes_empty_when_a_pad_follows_one_character() {
        assert_eq!(&*apply(b"Z2F0Z="), b"");
        assert_eq!(&*apply(b"Z2F0Z=="), b"");
    }
}
