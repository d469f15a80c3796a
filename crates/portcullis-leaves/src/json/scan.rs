//! The inner loops over bytes.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// How many bytes from `start` a string may hold as they are: up to a quote, backslash or control character.
#[inline]
pub(super) fn plain_run(bytes: &[u8], start: usize) -> usize {
    let rest = bytes.get(start..).unwrap_or_default();
    let (words, tail) = rest.as_chunks::<8>();
    let mut run = 0;
    for word in words {
        let special = special_bytes(u64::from_le_bytes(*word));
        if special != 0 {
            return run + (special.trailing_zeros() / 8) as usize;
        }
        run += 8;
    }
    run + tail.iter().position(|byte| matches!(byte, 0..0x20 | b'"' | b'\\')).unwrap_or(tail.len())
}

/// A word whose lowest set bit is the high bit of the first byte that is a quote, a backslash or below 0x20. Borrows
/// can mark bytes after that one wrongly, never before it.
#[inline]
fn special_bytes(word: u64) -> u64 {
    let quote = word ^ (ONES * b'"' as u64);
    let backslash = word ^ (ONES * b'\\' as u64);
    let found = quote.wrapping_sub(ONES) & !quote
        | backslash.wrapping_sub(ONES) & !backslash
        | word.wrapping_sub(ONES * 0x20) & !word;
    found & HIGHS
}

/// The first place from `at` on that is not whitespace (RFC 8259 §2).
pub(super) fn skip_whitespace(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    let run = rest.iter().position(|byte| !matches!(byte, b' ' | b'\n' | b'\r' | b'\t'));
    at + run.unwrap_or(rest.len())
}

/// A number that was scanned.
pub(crate) struct Scanned {
    /// The byte after it.
    pub(crate) end: usize,
    /// Neither fraction nor exponent.
    pub(crate) integer: bool,
    pub(crate) exponent: bool,
}

/// Scans the number that begins at `start` by the grammar of RFC 8259 §6; `Err` is where a digit is missing.
#[inline]
pub(crate) fn number_end(bytes: &[u8], start: usize) -> Result<Scanned, usize> {
    let byte = |at: usize| bytes.get(at).copied();
    let mut at = if byte(start) == Some(b'-') { start + 1 } else { start };
    at = if byte(at) == Some(b'0') { at + 1 } else { digits(bytes, at)? };
    let mut scanned = Scanned { end: at, integer: true, exponent: false };
    if byte(at) == Some(b'.') {
        at = digits(bytes, at + 1)?;
        scanned.integer = false;
    }
    if let Some(b'e' | b'E') = byte(at) {
        let sign = matches!(byte(at + 1), Some(b'+' | b'-'));
        at = digits(bytes, at + 1 + usize::from(sign))?;
        scanned.integer = false;
        scanned.exponent = true;
    }
    scanned.end = at;
    Ok(scanned)
}

/// The end of one or more digits.
#[inline]
fn digits(bytes: &[u8], start: usize) -> Result<usize, usize> {
    let mut at = start;
    while let Some(b'0'..=b'9') = bytes.get(at) {
        at += 1;
    }
    if at == start { Err(start) } else { Ok(at) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_first_special_byte_wherever_it_is() {
        for special in [b'"', b'\\', 0x1f, 0, b'\n'] {
            for other in [b'a', 0x20, 0x21, 0x23, 0x5b, 0x5d, 0x7f, 0x80, 0xff] {
                for place in 0..40 {
                    let mut bytes = vec![other; 40];
                    bytes[place] = special;
                    assert_eq!(plain_run(&bytes, 0), place, "{special:#x} among {other:#x}");
                }
                assert_eq!(plain_run(&[other; 37], 3), 34);
            }
        }
    }
}
