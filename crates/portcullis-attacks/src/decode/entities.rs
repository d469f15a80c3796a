//! HTML character references (WHATWG HTML §13.5): numeric ones, and the named ones for ASCII characters.

use super::{Buffer, hex_digit, push_char};

/// Names with the ASCII character they stand for; those that browsers read without a semicolon come first.
const NAMED: [(&[u8], u8); 48] = [
    (b"lt", b'<'),
    (b"LT", b'<'),
    (b"gt", b'>'),
    (b"GT", b'>'),
    (b"amp", b'&'),
    (b"AMP", b'&'),
    (b"quot", b'"'),
    (b"QUOT", b'"'),
    (b"nbsp", b' '),
    (b"apos", b'\''),
    (b"Tab", b'\t'),
    (b"NewLine", b'\n'),
    (b"excl", b'!'),
    (b"num", b'#'),
    (b"dollar", b'$'),
    (b"percnt", b'%'),
    (b"lpar", b'('),
    (b"rpar", b')'),
    (b"ast", b'*'),
    (b"midast", b'*'),
    (b"plus", b'+'),
    (b"comma", b','),
    (b"period", b'.'),
    (b"sol", b'/'),
    (b"colon", b':'),
    (b"semi", b';'),
    (b"equals", b'='),
    (b"quest", b'?'),
    (b"commat", b'@'),
    (b"lsqb", b'['),
    (b"lbrack", b'['),
    (b"bsol", b'\\'),
    (b"rsqb", b']'),
    (b"rbrack", b']'),
    (b"Hat", b'^'),
    (b"lowbar", b'_'),
    (b"UnderBar", b'_'),
    (b"grave", b'`'),
    (b"DiacriticalGrave", b'`'),
    (b"lcub", b'{'),
    (b"lbrace", b'{'),
    (b"verbar", b'|'),
    (b"vert", b'|'),
    (b"VerticalLine", b'|'),
    (b"rcub", b'}'),
    (b"rbrace", b'}'),
    (b"dash", b'-'),
    (b"hyphen", b'-'),
];

/// How many of [`NAMED`] need no semicolon.
const BARE: usize = 9;

/// The longest of [`NAMED`].
const NAME_BYTES_MAX: usize = 16;

/// Decodes once; whether there was a reference.
pub(super) fn decode(text: &[u8], out: &mut Buffer) -> bool {
    let mut rest = text;
    let mut found = false;
    while let Some(at) = memchr::memchr(b'&', rest) {
        let (before, from) = rest.split_at_checked(at).unwrap_or((rest, &[]));
        out.extend_from_slice(before);
        let from = from.get(1..).unwrap_or_default();
        let read = match from {
            [b'#', digits @ ..] => numeric(digits).map(|(code, length)| (code, length + 1)),
            _ => named(from),
        };
        match read {
            Some((code, length)) => {
                push_char(code, out);
                found = true;
                rest = from.get(length..).unwrap_or_default();
            }
            None => {
                out.push(b'&');
                rest = from;
            }
        }
    }
    out.extend_from_slice(rest);
    found
}

/// The character behind `&#`, and the length of what names it. Leading zeros may be any number: they are skipped.
fn numeric(digits: &[u8]) -> Option<(u32, usize)> {
    let (start, base) = match digits {
        [b'x' | b'X', ..] => (1, 16),
        _ => (0, 10),
    };
    let mut code = 0_u32;
    let mut end = start;
    for byte in digits.iter().skip(start) {
        let digit = match (base, hex_digit(*byte)) {
            (16, Some(digit)) => u32::from(digit),
            (10, Some(digit)) if digit < 10 => u32::from(digit),
            _ => break,
        };
        code = code.saturating_mul(base).saturating_add(digit);
        end += 1;
    }
    if end == start {
        return None;
    }
    let semicolon = usize::from(digits.get(end) == Some(&b';'));
    Some((code, end + semicolon))
}

/// The character behind `&`, and the length of what names it.
fn named(from: &[u8]) -> Option<(u32, usize)> {
    let length = from.iter().take(NAME_BYTES_MAX + 1).position(|byte| !byte.is_ascii_alphabetic());
    let closed = length.filter(|length| from.get(*length) == Some(&b';'));
    if let Some(length) = closed {
        let name = from.get(..length)?;
        return NAMED.iter().find(|it| it.0 == name).map(|it| (u32::from(it.1), length + 1));
    }
    NAMED.iter().take(BARE).find(|it| from.starts_with(it.0)).map(|it| (u32::from(it.1), it.0.len()))
}
