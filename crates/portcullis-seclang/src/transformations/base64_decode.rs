//! `t:base64Decode`: strict base64, up to the first NUL.
//!
//! Line ends are skipped, and spaces before them. A value that is not whole, well padded base64 stays as it is: so since
//! ModSecurity 3.0.15.

use std::borrow::Cow;

use super::ChangedBy;
use super::base64_encode::sextet;

pub(super) const CHANGED_BY: ChangedBy = ChangedBy::Anything;

pub(super) fn apply(value: &[u8]) -> Cow<'_, [u8]> {
    let text = value.split(|byte| *byte == 0).next().unwrap_or_default();
    decode(text).map_or(Cow::Borrowed(value), Cow::Owned)
}

/// `None` when the text is not base64.
fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut group, mut count, mut pads) = (0u32, 0, 0);
    let mut rest = text;
    loop {
        rest = match skip_layout(rest)? {
            [] => return (count == 0).then_some(out),
            [b'=', tail @ ..] => {
                pads += 1;
                group <<= 6;
                tail
            }
            [byte, tail @ ..] => {
                group = group << 6 | u32::from(sextet(*byte)?);
                tail
            }
        };
        // Nothing but a second pad may follow a pad.
        if pads > 2 || (pads > 0 && !matches!(skip_layout(rest)?, [] | [b'=', ..])) {
            return None;
        }
        count += 1;
        if count == 4 {
            let [_, bytes @ ..] = group.to_be_bytes();
            out.extend(bytes.iter().take(3 - pads));
            (group, count) = (0, 0);
        }
    }
}

/// Skips line ends, with the spaces before them; `None` for a space within a line.
fn skip_layout(mut rest: &[u8]) -> Option<&[u8]> {
    loop {
        let spaces = rest.iter().take_while(|byte| **byte == b' ').count();
        rest = match rest.split_at_checked(spaces)?.1 {
            [] => return Some(&[]),
            [b'\r', b'\n', tail @ ..] | [b'\n', tail @ ..] => tail,
            _ if spaces > 0 => return None,
            text => return Some(text),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::apply;

    #[test]
    fn decodes_whole_groups() {
        assert_eq!(&*apply(b"Z2F0ZQ=="), b"gate");
        assert_eq!(&*apply(b"Z2F0\r\nZQ== \n"), b"gate");
        assert_eq!(&*apply(b"Z2F0ZXM="), b"gates");
    }

    #[test]
    fn stops_at_a_nul() {
        assert_eq!(&*apply(b"Z2F0\0!!!"), b"gat");
    }

    #[test]
    fn leaves_what_is_not_base64() {
        for text in ["a-b", "Z2F0ZQ", "Z2F0ZQ=", "Z2F0=", "Z2F0 ZQ==", "Z=2=", "Z===", "\u{e9}"] {
            assert_eq!(&*apply(text.as_bytes()), text.as_bytes());
        }
    }
}
