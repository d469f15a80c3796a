//! Percent-encoding, leniently: what is not encoded stays as it is.

use super::{Buffer, hex_digit};

/// Decodes once; whether anything was encoded.
pub(super) fn decode(text: &[u8], out: &mut Buffer) -> bool {
    let mut rest = text;
    let mut found = false;
    while let Some(at) = memchr::memchr(b'%', rest) {
        let (before, from) = rest.split_at_checked(at).unwrap_or((rest, &[]));
        out.extend_from_slice(before);
        match from {
            [_, high, low, after @ ..]
                if let (Some(high), Some(low)) = (hex_digit(*high), hex_digit(*low)) =>
            {
                out.push(high << 4 | low);
                found = true;
                rest = after;
            }
            _ => {
                out.push(b'%');
                rest = from.get(1..).unwrap_or_default();
            }
        }
    }
    out.extend_from_slice(rest);
    found
}
