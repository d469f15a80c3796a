//! Constant folding: the name that pieces of strings make when they are put together.

use super::{calls::Name, cursor};

/// Longer names are of no function worth naming.
const NAME_BYTES_MAX: usize = 40;

/// An identifier with its `\uXXXX` escapes resolved. The scan stops at a backslash before a word, so that what it
/// found may begin with the rest of an escape: `u0061lert`.
pub(crate) fn name(word: &[u8]) -> Name {
    let mut name = Name::new();
    let mut rest = word;
    while let Some((first, more)) = rest.split_first() {
        if *first == b'\\' {
            rest = more;
            continue;
        }
        let code = if *first == b'u' { more.get(..4).and_then(hexadecimal) } else { None };
        match code {
            Some(code @ 0x24..=0x7a) => {
                name.push((code as u8).to_ascii_lowercase());
                rest = more.get(4..).unwrap_or_default();
            }
            _ => {
                name.push(*first);
                rest = more;
            }
        }
    }
    name
}

/// What the quoted strings and `/regex/.source` pieces of an expression say one after another. Of an array literal
/// the first item counts, as in `['t','x'][0]`.
pub(crate) fn strings(expression: &[u8]) -> Name {
    let mut name = Name::new();
    let mut position = 0;
    let mut in_array = false;
    let mut is_first = true;
    while position < expression.len() && name.len() < NAME_BYTES_MAX {
        let byte = cursor::at(expression, position);
        position += 1;
        match byte {
            b'[' => (in_array, is_first) = (true, true),
            b']' => in_array = false,
            b',' if in_array => is_first = false,
            b'/' if cursor::at(expression, position) == b'*' => {
                position = cursor::find(expression, b"*/", position).map_or(expression.len(), |it| it + 2);
            }
            b'\'' | b'"' | b'`' => {
                position = quoted(expression, position, byte, (!in_array || is_first).then_some(&mut name));
            }
            b'/' => {
                let Some(end) = cursor::find(expression, b"/", position) else { continue };
                if cursor::stands_at(expression, end, b"/.source") {
                    let piece = cursor::part(expression, position, end);
                    name.extend(piece.iter().copied().take(NAME_BYTES_MAX));
                    position = end + 8;
                }
            }
            _ => {}
        }
    }
    name
}

/// Reads a string's rest into `name`; answers where it ends.
fn quoted(text: &[u8], from: usize, quote: u8, mut name: Option<&mut Name>) -> usize {
    let mut position = from;
    while position < text.len() {
        let byte = cursor::at(text, position);
        position += 1;
        if byte == quote {
            break;
        }
        let (value, length) = if byte == b'\\' { escape(text, position) } else { (byte, 0) };
        position += length;
        if let Some(name) = name.as_mut()
            && name.len() < NAME_BYTES_MAX
            && value != 0
        {
            name.push(value.to_ascii_lowercase());
        }
    }
    position
}

/// The character of an escape whose backslash stands before `position`, and the bytes it takes.
fn escape(text: &[u8], position: usize) -> (u8, usize) {
    let narrow = |code: u32| u8::try_from(code).unwrap_or(b'?');
    match cursor::at(text, position) {
        b'u' => hexadecimal(cursor::part(text, position + 1, position + 5))
            .map_or((b'u', 1), |it| (narrow(it), 5)),
        b'x' => hexadecimal(cursor::part(text, position + 1, position + 3))
            .map_or((b'x', 1), |it| (narrow(it), 3)),
        b'0'..=b'7' => {
            let digits = cursor::part(text, position, position + 3);
            let length = digits.iter().take_while(|it| (b'0'..=b'7').contains(it)).count();
            let code =
                digits.iter().take(length).fold(0_u32, |code, digit| code * 8 + u32::from(digit - b'0'));
            (narrow(code), length)
        }
        b'\n' => (0, 1),
        byte => (byte, 1),
    }
}

fn hexadecimal(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u32, |code, digit| Some(code * 16 + char::from(*digit).to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn puts_pieces_together() {
        let check = |text: &str| String::from_utf8_lossy(&strings(text.as_bytes())).into_owned();
        assert_eq!(check("'al'+'ert'"), "alert");
        assert_eq!(check(r"'\x61l'+`\u0065rt`"), "alert");
        assert_eq!(check(r"'\146\151\154\164\145\162'"), "filter");
        assert_eq!(check("/al/.source+/ert/.source"), "alert");
        assert_eq!(check("'al'+'er'+(['t','b','c'][0])"), "alert");
        assert_eq!(check("/*foo*/'alert'/*bar*/"), "alert");
        assert_eq!(check("key"), "");
        assert_eq!(check("'open"), "open");
        assert_eq!(check("'\\"), "");
    }

    #[test]
    fn resolves_escapes_in_identifiers() {
        assert_eq!(name(b"u0061lert").as_slice(), b"alert");
        assert_eq!(name(b"uuid").as_slice(), b"uuid");
        assert_eq!(name(b"user").as_slice(), b"user");
    }
}
