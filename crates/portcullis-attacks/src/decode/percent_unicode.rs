//! `%uXXXX`, which no standard has and IIS, classic ASP and many applications read.

use super::{Buffer, hex_digit, push_char};

/// Decodes once; whether anything was encoded.
pub(super) fn decode(text: &[u8], out: &mut Buffer) -> bool {
    let mut rest = text;
    let mut found = false;
    while let Some(at) = memchr::memchr(b'%', rest) {
        let (before, from) = rest.split_at_checked(at).unwrap_or((rest, &[]));
        out.extend_from_slice(before);
        if let [_, b'u' | b'U', a, b, c, d, after @ ..] = from
            && let Some(code) = unit([*a, *b, *c, *d])
        {
            push_char(code, out);
            found = true;
            rest = after;
        } else {
            out.push(b'%');
            rest = from.get(1..).unwrap_or_default();
        }
    }
    out.extend_from_slice(rest);
    found
}

/// The number that four hexadecimal digits write.
pub(super) fn unit(digits: [u8; 4]) -> Option<u32> {
    digits.into_iter().try_fold(0, |unit, digit| Some(unit << 4 | u32::from(hex_digit(digit)?)))
}
