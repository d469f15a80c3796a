//! Digits of escapes, and what C calls white space.

/// The value of a hexadecimal digit.
pub(super) fn hex(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// The byte that two hexadecimal digits stand for.
pub(super) fn hex_pair(high: u8, low: u8) -> Option<u8> {
    Some(hex(high)? << 4 | hex(low)?)
}

/// The byte of `\uHHHH` and its like: the low byte alone, except that the full-width forms of ASCII (U+FF01 to U+FF5E)
/// become ASCII.
pub(super) fn wide([a, b, c, d]: [u8; 4]) -> Option<u8> {
    let high = hex_pair(a, b)?;
    let low = hex_pair(c, d)?;
    Some(if high == 0xff { narrow(low) } else { low })
}

/// What the low byte of a full-width form becomes.
pub(super) fn narrow(low: u8) -> u8 {
    if matches!(low, 0x01..=0x5e) { low + 0x20 } else { low }
}

/// Reads up to three octal digits: their value, which may exceed a byte, and how many there are.
pub(super) fn octal(bytes: &[u8]) -> (u16, usize) {
    let digits = bytes.iter().take(3).take_while(|byte| matches!(byte, b'0'..=b'7'));
    digits.fold((0, 0), |(value, count), digit| (value * 8 + u16::from(digit - b'0'), count + 1))
}

/// What the single letters of C escapes stand for.
pub(super) fn c_letter(byte: u8) -> Option<u8> {
    Some(match byte {
        b'a' => 0x07,
        b'b' => 0x08,
        b'f' => 0x0c,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 0x0b,
        _ => return None,
    })
}

/// `isspace` of the C locale. Unlike Rust's it counts the vertical tab.
pub(super) const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// The bytes of [`is_space`].
pub(super) const SPACES: crate::byte_set::ByteSet = crate::byte_set::ByteSet::range(b'\t', b'\r').with(b' ');
