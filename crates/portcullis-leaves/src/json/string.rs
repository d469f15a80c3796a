//! Strings with escapes.

use super::{ParseErrorKind, scan::plain_run};

/// Unescapes the string whose first character is at `at` into `out`; `at` is left behind the closing quote, or at the
/// fault. What is appended is never longer than what is read.
pub(super) fn unescape(source: &str, at: &mut usize, out: &mut String) -> Result<(), ParseErrorKind> {
    let bytes = source.as_bytes();
    loop {
        let end = *at + plain_run(bytes, *at);
        out.push_str(source.get(*at..end).unwrap_or_default());
        *at = end;
        match bytes.get(end) {
            Some(b'"') => {
                *at += 1;
                return Ok(());
            }
            Some(b'\\') => out.push(escape(bytes, at)?),
            Some(_) => return Err(ParseErrorKind::ControlCharacter),
            None => return Err(ParseErrorKind::UnexpectedEnd),
        }
    }
}

/// Reads the escape at `at`; on failure `at` stays on its backslash.
fn escape(bytes: &[u8], at: &mut usize) -> Result<char, ParseErrorKind> {
    let start = *at;
    let plain = match bytes.get(start + 1) {
        Some(b'"') => '"',
        Some(b'\\') => '\\',
        Some(b'/') => '/',
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => {
            let (character, length) = unicode_escape(bytes, start)?;
            *at = start + length;
            return Ok(character);
        }
        Some(_) => return Err(ParseErrorKind::InvalidEscape),
        None => return Err(ParseErrorKind::UnexpectedEnd),
    };
    *at = start + 2;
    Ok(plain)
}

/// The character of a `\uXXXX` or a surrogate pair of two, and the length of what names it.
fn unicode_escape(bytes: &[u8], start: usize) -> Result<(char, usize), ParseErrorKind> {
    let first = unit(bytes, start)?;
    if let Some(character) = char::from_u32(first) {
        return Ok((character, 6));
    }
    let is_low = |unit: u32| (0xdc00..0xe000).contains(&unit);
    if is_low(first) {
        return Err(ParseErrorKind::LoneSurrogate);
    }
    let second = unit(bytes, start + 6).map_err(|_| ParseErrorKind::LoneSurrogate)?;
    if !is_low(second) {
        return Err(ParseErrorKind::LoneSurrogate);
    }
    let scalar = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
    char::from_u32(scalar).map(|character| (character, 12)).ok_or(ParseErrorKind::LoneSurrogate)
}

/// The four hexadecimal digits after `\u`.
fn unit(bytes: &[u8], start: usize) -> Result<u32, ParseErrorKind> {
    let Some([b'\\', b'u', digits @ ..]) = bytes.get(start..start + 6) else {
        return Err(ParseErrorKind::InvalidEscape);
    };
    digits.iter().try_fold(0, |unit, digit| {
        let value = (*digit as char).to_digit(16).ok_or(ParseErrorKind::InvalidEscape)?;
        Ok(unit << 4 | value)
    })
}
