//! Percent-encoding, leniently: what is not encoded stays as it is.

use super::{Buffer, hex_digit};

/// Decodes once; whether anything was encoded.
pub(super) fn decode(text: &[u8], out: &mut Buffer) -> bool {
    let mut rest = text;
    let mut found = false;
    loop {
        // Escapes often come in a row.
        let from = if rest.first() == Some(&b'%') {
            rest
        } else {
            let Some((before, from)) = memchr::memchr(b'%', rest).and_then(|at| rest.split_at_checked(at))
            else {
                break;
            };
            out.extend_from_slice(before);
            from
        };
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
