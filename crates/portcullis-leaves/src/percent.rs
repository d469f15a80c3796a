//! Percent-encoding (RFC 3986 §2.1), strictly.

use std::borrow::Cow;

use thiserror::Error;

/// What is wrong with a percent-encoded text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PercentError {
    /// A `%` without two hexadecimal digits: receivers differ in whether they keep it.
    #[error("invalid percent sequence at byte {0}")]
    InvalidSequence(usize),
    /// The decoded bytes are not UTF-8.
    #[error("invalid UTF-8 behind percent-encoding")]
    InvalidUtf8,
}

/// What a `+` stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plus {
    /// A space, as in forms and queries (WHATWG URL §5.1).
    Space,
    /// Itself, as in paths, headers and cookies.
    Plus,
}

/// Decodes once. Borrows where nothing is encoded; NUL and control characters are kept.
///
/// # Errors
/// See [`PercentError`].
pub fn decode(text: &str, plus: Plus) -> Result<Cow<'_, str>, PercentError> {
    let is_coded = |byte: &u8| *byte == b'%' || (*byte == b'+' && plus == Plus::Space);
    if !text.as_bytes().iter().any(is_coded) {
        return Ok(Cow::Borrowed(text));
    }
    let mut decoded = Vec::with_capacity(text.len());
    decode_into(text.as_bytes(), plus, &mut decoded).map_err(PercentError::InvalidSequence)?;
    match String::from_utf8(decoded) {
        Ok(decoded) => Ok(Cow::Owned(decoded)),
        Err(_) => Err(PercentError::InvalidUtf8),
    }
}

/// Decodes once, appending to `out` no more bytes than are read. `Err` is the place of an invalid `%`.
pub(crate) fn decode_into(text: &[u8], plus: Plus, out: &mut Vec<u8>) -> Result<(), usize> {
    let mut rest = text;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'+' if plus == Plus::Space => out.push(b' '),
            b'%' => {
                let place = text.len() - after.len() - 1;
                let Some(([high, low], after)) = after.split_first_chunk::<2>() else { return Err(place) };
                let (Some(high), Some(low)) = (digit(*high), digit(*low)) else { return Err(place) };
                out.push(high << 4 | low);
                rest = after;
            }
            other => out.push(*other),
        }
    }
    Ok(())
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_once_and_strictly() {
        let plain = |text| decode(text, Plus::Plus).map(Cow::into_owned);
        assert_eq!(plain("a%2520+b"), Ok("a%20+b".to_owned()));
        assert_eq!(decode("a+b%00", Plus::Space).as_deref(), Ok("a b\0"));
        assert!(matches!(decode("plain", Plus::Space), Ok(Cow::Borrowed("plain"))));
        assert_eq!(plain("ab%"), Err(PercentError::InvalidSequence(2)));
        assert_eq!(plain("%4"), Err(PercentError::InvalidSequence(0)));
        assert_eq!(plain("%+1"), Err(PercentError::InvalidSequence(0)));
        assert_eq!(plain("%ff"), Err(PercentError::InvalidUtf8));
    }
}
