//! UTF-8 that spends more bytes on an ASCII character than needed, which careless decoders accept (CWE-176).

use super::Buffer;

/// Decodes overlong forms of two to six bytes; whether there was one.
///
/// The bytes that follow the first are masked and not checked: old servers took `C0 2F` for `/` just as `C0 AF`.
pub(super) fn decode(text: &[u8], out: &mut Buffer) -> bool {
    let mut rest = text;
    let mut found = false;
    while let Some((byte, after)) = rest.split_first() {
        match ascii(*byte, after) {
            Some((character, length)) => {
                out.push(character);
                found = true;
                rest = after.get(length..).unwrap_or_default();
            }
            None => {
                out.push(*byte);
                rest = after;
            }
        }
    }
    found
}

/// The ASCII character that a sequence stands for, and how many bytes follow its first.
fn ascii(first: u8, after: &[u8]) -> Option<(u8, usize)> {
    let (length, high) = match first {
        0xc0 | 0xc1 => (1, u32::from(first & 0x1f)),
        0xe0 => (2, 0),
        0xf0 => (3, 0),
        0xf8 => (4, 0),
        0xfc => (5, 0),
        _ => return None,
    };
    let tail = after.get(..length)?;
    // The longer forms are rare enough to ask for what they should look like.
    if length > 1 && !tail.iter().all(|byte| byte & 0xc0 == 0x80) {
        return None;
    }
    let code = tail.iter().fold(high, |code, byte| code << 6 | u32::from(byte & 0x3f));
    u8::try_from(code).ok().filter(u8::is_ascii).map(|character| (character, length))
}
