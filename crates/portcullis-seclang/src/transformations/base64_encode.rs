//! `t:base64Encode`: the standard alphabet with padding (RFC 4648 §4).

use std::borrow::Cow;

use super::ChangedBy;

pub(super) const CHANGED_BY: ChangedBy = ChangedBy::Anything;

pub(super) fn apply(value: &[u8]) -> Cow<'_, [u8]> {
    let mut out = Vec::with_capacity(value.len().div_ceil(3) * 4);
    for group in value.chunks(3) {
        let byte = |at: usize| u32::from(group.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4u8 {
            let used = usize::from(at) <= group.len();
            out.push(if used { letter(bits >> (18 - 6 * u32::from(at))) } else { b'=' });
        }
    }
    Cow::Owned(out)
}

fn letter(bits: u32) -> u8 {
    match (bits & 63) as u8 {
        bits @ 0..=25 => b'A' + bits,
        bits @ 26..=51 => b'a' + (bits - 26),
        bits @ 52..=61 => b'0' + (bits - 52),
        62 => b'+',
        _ => b'/',
    }
}

/// The six bits of a letter of the alphabet.
pub(super) fn sextet(byte: u8) -> Option<u8> {
    Some(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::apply;
    use proptest::prelude::*;

    #[test]
    fn pads_to_whole_groups() {
        assert_eq!(&*apply(b""), b"");
        assert_eq!(&*apply(b"gate"), b"Z2F0ZQ==");
        assert_eq!(&*apply(b"gates"), b"Z2F0ZXM=");
        assert_eq!(&*apply(b"\xfb\xff\xfe"), b"+//+");
    }

    proptest! {
        #[test]
        fn is_undone_by_both_decoders(value: Vec<u8>) {
            let encoded = apply(&value);
            prop_assert_eq!(&*super::super::base64_decode::apply(&encoded), &value[..]);
            prop_assert_eq!(&*super::super::base64_decode_ext::apply(&encoded), &value[..]);
        }
    }
}
