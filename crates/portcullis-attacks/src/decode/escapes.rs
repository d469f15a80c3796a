//! Escapes as programming languages write them in strings.

use super::{Buffer, hex_digit, percent_unicode::unit, push_char};

/// Decodes `\uXXXX`, `\u{…}`, `\xHH`, octal and the named control characters; whether there was one.
///
/// Other characters keep their backslash: a quote that is escaped is no quote, and a Windows path is one.
pub(super) fn decode(text: &[u8], out: &mut Buffer) -> bool {
    let mut rest = text;
    let mut found = false;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        let (before, from) = rest.split_at_checked(at).unwrap_or((rest, &[]));
        out.extend_from_slice(before);
        let from = from.get(1..).unwrap_or_default();
        match escape(from) {
            Some((code, length)) => {
                push_char(code, out);
                found = true;
                rest = from.get(length..).unwrap_or_default();
            }
            None => {
                out.push(b'\\');
                rest = from;
            }
        }
    }
    out.extend_from_slice(rest);
    found
}

/// The character that an escape stands for, and its length without the backslash.
fn escape(from: &[u8]) -> Option<(u32, usize)> {
    match from {
        [b'u', b'{', digits @ ..] => {
            let end = digits.iter().take(8).position(|byte| *byte == b'}').filter(|end| *end > 0)?;
            let code = digits
                .iter()
                .take(end)
                .try_fold(0_u32, |code, digit| Some(code.checked_mul(16)? | u32::from(hex_digit(*digit)?)))?;
            Some((code, end + 3))
        }
        [b'u', a, b, c, d, ..] => {
            // Characters outside the basic plane hide nothing that a detector reads: half a pair stays as it is.
            let character = char::from_u32(unit([*a, *b, *c, *d])?)?;
            Some((u32::from(character), 5))
        }
        [b'x', high, low, ..] => Some((u32::from(hex_digit(*high)? << 4 | hex_digit(*low)?), 3)),
        [b'0'..=b'3', b'0'..=b'7', b'0'..=b'7', ..] => {
            let code = from.iter().take(3).fold(0, |code, digit| code << 3 | u32::from(digit & 7));
            Some((code, 3))
        }
        [b'4'..=b'7', b'0'..=b'7', ..] => {
            let code = from.iter().take(2).fold(0, |code, digit| code << 3 | u32::from(digit & 7));
            Some((code, 2))
        }
        [b'n', ..] => Some((u32::from(b'\n'), 1)),
        [b'r', ..] => Some((u32::from(b'\r'), 1)),
        [b't', ..] => Some((u32::from(b'\t'), 1)),
        _ => None,
    }
}
