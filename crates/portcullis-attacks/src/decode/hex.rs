//! Hexadecimal of a whole value.

use super::{Buffer, hex_digit, is_serialized, is_text};

/// Shorter values are numbers, colours and short hashes.
pub(super) const BYTES_MIN: usize = 12;

/// Decodes; whether the value is hexadecimal of text or of serialized objects.
pub(super) fn decode(text: &[u8], out: &mut Buffer) -> bool {
    let (pairs, rest) = text.as_chunks::<2>();
    if text.len() < BYTES_MIN || !rest.is_empty() {
        return false;
    }
    for [high, low] in pairs {
        let (Some(high), Some(low)) = (hex_digit(*high), hex_digit(*low)) else { return false };
        out.push(high << 4 | low);
    }
    is_text(out) || is_serialized(out)
}
