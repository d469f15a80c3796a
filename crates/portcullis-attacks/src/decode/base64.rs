//! Base64 of a whole value: the standard and the URL-safe alphabet, padded or flat.

use super::{Buffer, is_printable, is_serialized, is_text};

/// Shorter values hold nothing worth hiding, and words of that length are read as base64 too often.
const BYTES_MIN: usize = 8;

/// After so many bytes that no text would begin with, the value is taken for a word or a token.
const PROBE_BYTES: usize = 12;

/// Decodes; whether the value is base64 of text or of serialized objects.
pub(super) fn decode(text: &[u8], out: &mut Buffer) -> bool {
    let text = text.trim_ascii();
    let end = text.iter().rposition(|byte| *byte != b'=').map_or(0, |last| last + 1);
    let digits = text.get(..end).unwrap_or_default();
    if digits.len() < BYTES_MIN || text.len() - end > 2 {
        return false;
    }
    let mut held = 0_u32;
    let mut count = 0_u32;
    for byte in digits {
        let Some(value) = value(*byte) else {
            // Wrapped lines, as mail writes them.
            if matches!(byte, b'\r' | b'\n') {
                continue;
            }
            return false;
        };
        held = held << 6 | u32::from(value);
        count += 1;
        if count == 4 {
            let [_, bytes @ ..] = held.to_be_bytes();
            out.extend_from_slice(&bytes);
            (held, count) = (0, 0);
            if out.len() == PROBE_BYTES
                && out.iter().filter(|it| !is_printable(**it)).count() > 2
                && !is_serialized_start(out)
            {
                return false;
            }
        }
    }
    match count {
        0 => {}
        2 => out.push((held >> 4) as u8),
        3 => out.extend_from_slice(&[(held >> 10) as u8, (held >> 2) as u8]),
        _ => return false,
    }
    is_text(out) || is_serialized(out)
}

/// Whether the first bytes may belong to serialized objects, whose end is not there yet.
fn is_serialized_start(bytes: &[u8]) -> bool {
    is_serialized(bytes) || matches!(bytes, [0x80, 2..=5, ..])
}

fn value(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' | b'-' | b' ' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    }
}
