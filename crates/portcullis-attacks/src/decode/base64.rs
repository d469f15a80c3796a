//! Base64 of a whole value, or of a part of it that stands by itself: the standard and the URL-safe alphabet, padded
//! or flat.

use super::{Buffer, is_printable, is_serialized, is_text};

/// Shorter values hold nothing worth hiding, and words of that length are read as base64 too often.
const BYTES_MIN: usize = 8;

/// After so many bytes that no text would begin with, the value is taken for a word or a token.
const PROBE_BYTES: usize = 12;

/// Whether a value may be base64 by its length and first bytes: most words are not.
#[inline]
pub(super) fn may_be(text: &[u8]) -> bool {
    let Some([a, b, c, d]) = text.first_chunk::<4>() else { return false };
    if text.len() < BYTES_MIN {
        return false;
    }
    let (Some(a), Some(b), Some(c), Some(d)) = (value(*a), value(*b), value(*c), value(*d)) else {
        // Blanks around it.
        return a.is_ascii_whitespace();
    };
    let held = [a, b, c, d].into_iter().fold(0_u32, |held, value| held << 6 | u32::from(value));
    let [_, first, second, third] = held.to_be_bytes();
    let is_ascii = is_printable(first) && is_printable(second) && is_printable(third);
    let is_utf8 = first >= 0xc2 && second & 0xc0 == 0x80;
    // Serialized objects, whose first bytes are what they are.
    let is_magic = matches!([first, second], [0xac, 0xed] | [0, 1] | [4, 8] | [0x1f, 0x8b] | [0x80, 2..=5]);
    is_ascii || is_utf8 || is_magic
}

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
            if out.len() == PROBE_BYTES && !begins_like_content(out) {
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

/// Shorter parts of a value are words.
const PART_BYTES_MIN: usize = 16;

/// Decodes the first part between quotes, in brackets or behind a comma (serialized data, `data:` URLs, parameters of
/// an indexed name) that is base64; whether there is one.
pub(super) fn decode_part(text: &[u8], out: &mut Buffer) -> bool {
    let is_mark = |byte: &u8| matches!(byte, b'"' | b'\'' | b'[' | b']' | b',');
    let mut parts = text.split(is_mark);
    // What comes before the first mark does not stand by itself.
    parts.next();
    for part in parts.filter(|part| part.len() >= PART_BYTES_MIN && may_be(part)) {
        out.clear();
        let is_dense = !part.iter().any(u8::is_ascii_whitespace);
        if is_dense && decode(part, out) {
            return true;
        }
    }
    false
}

/// Whether the first bytes are those of a text or of serialized objects, whose end is not there yet.
fn begins_like_content(bytes: &[u8]) -> bool {
    let odd = bytes.iter().filter(|byte| !is_printable(**byte)).count();
    odd <= 2
        || std::str::from_utf8(bytes).is_ok()
        || is_serialized(bytes)
        || matches!(bytes, [0x80, 2..=5, ..])
}

/// By byte, what it stands for; [`NONE`] for bytes of no meaning.
static VALUES: [u8; 256] = values();
const NONE: u8 = 0xff;

const fn values() -> [u8; 256] {
    let mut values = [NONE; 256];
    let mut byte = 0;
    while byte < 256 {
        let letter = byte as u8;
        #[expect(
            clippy::indexing_slicing,
            reason = "evaluated when compiling; iterators are not yet possible there"
        )]
        {
            values[byte] = match letter {
                b'A'..=b'Z' => letter - b'A',
                b'a'..=b'z' => letter - b'a' + 26,
                b'0'..=b'9' => letter - b'0' + 52,
                // A blank is what a form makes of a `+`.
                b'+' | b'-' | b' ' => 62,
                b'/' | b'_' => 63,
                _ => NONE,
            };
        }
        byte += 1;
    }
    values
}

#[inline]
fn value(byte: u8) -> Option<u8> {
    VALUES.get(usize::from(byte)).copied().filter(|value| *value != NONE)
}
