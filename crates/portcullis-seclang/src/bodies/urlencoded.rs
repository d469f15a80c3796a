//! Query strings and `application/x-www-form-urlencoded` bodies, as ModSecurity v3 reads them: every piece between
//! separators is an argument, an invalid escape stays as it is and is counted.

use crate::values::{List, Span, Values};

/// What was found besides the arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Parsed {
    /// Some `%` was not followed by two hexadecimal digits.
    pub(crate) invalid_escape: bool,
    /// Arguments beyond the limit were left out.
    pub(crate) over_limit: bool,
    /// Bytes of the decoded names and values.
    pub(crate) bytes: u64,
}

/// Adds the arguments of `text` to `list`, no more than `room` of them.
pub(crate) fn parse(values: &mut Values, list: List, text: Span, separator: u8, room: usize) -> Parsed {
    let mut parsed = Parsed::default();
    let length = text.len();
    let mut start = 0;
    let mut taken = 0;
    while start < length {
        let rest = values.bytes(Values::part(text, start, length));
        let piece_length = memchr::memchr(separator, rest).unwrap_or(rest.len());
        let piece = Values::part(text, start, start + piece_length);
        start += piece_length + 1;
        if taken == room {
            parsed.over_limit = true;
            break;
        }
        taken += 1;
        let bytes = values.bytes(piece);
        let split = memchr::memchr(b'=', bytes).unwrap_or(bytes.len());
        let name = decode(values, Values::part(piece, 0, split), &mut parsed);
        let value = decode(values, Values::part(piece, split + 1, piece_length), &mut parsed);
        parsed.bytes += (name.len() + value.len()) as u64;
        values.add(list, name, value);
    }
    parsed
}

/// The span decoded; itself where nothing is escaped.
fn decode(values: &mut Values, span: Span, parsed: &mut Parsed) -> Span {
    if memchr::memchr2(b'%', b'+', values.bytes(span)).is_none() {
        return span;
    }
    let start = values.open();
    let mut at = 0;
    while at < span.len() {
        let bytes = values.bytes(Values::part(span, at, span.len()));
        let (byte, taken) = match bytes {
            [b'+', ..] => (b' ', 1),
            [b'%', high, low, ..] => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => (high << 4 | low, 3),
                _ => {
                    parsed.invalid_escape = true;
                    (b'%', 1)
                }
            },
            [b'%', ..] => {
                parsed.invalid_escape = true;
                (b'%', 1)
            }
            [byte, ..] => (*byte, 1),
            [] => break,
        };
        values.push(byte);
        at += taken;
    }
    values.span_from(start)
}

/// The value of a hexadecimal digit.
pub(crate) const fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::Variable;

    fn check(text: &[u8], expected: &[(&str, &str)]) -> Parsed {
        let mut values = Values::new(0);
        let list = List::of(Variable::ArgsGet);
        let span = values.store(text);
        let parsed = parse(&mut values, list, span, b'&', 100);
        let found: Vec<(String, String)> = values
            .list(list)
            .iter()
            .map(|entry| {
                (
                    String::from_utf8_lossy(values.bytes(entry.name)).into_owned(),
                    String::from_utf8_lossy(values.bytes(entry.value)).into_owned(),
                )
            })
            .collect();
        let expected: Vec<(String, String)> =
            expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        assert_eq!(found, expected);
        parsed
    }

    #[test]
    fn splits_and_decodes() {
        let parsed = check(
            b"a=1&b+c=%3Cx%3e&d&=e&f=g=h",
            &[("a", "1"), ("b c", "<x>"), ("d", ""), ("", "e"), ("f", "g=h")],
        );
        assert!(!parsed.invalid_escape);
        assert_eq!(parsed.bytes, 2 + 6 + 1 + 1 + 4);
    }

    #[test]
    fn keeps_invalid_escapes_and_says_so() {
        assert!(check(b"a=%zz%4&b=%", &[("a", "%zz%4"), ("b", "%")]).invalid_escape);
        assert!(check(b"a=%3", &[("a", "%3")]).invalid_escape);
    }

    #[test]
    fn an_empty_piece_is_an_argument_but_a_trailing_separator_is_none() {
        check(b"a=1&&b=2&", &[("a", "1"), ("", ""), ("b", "2")]);
        check(b"", &[]);
    }

    #[test]
    fn stops_at_the_limit() {
        let mut values = Values::new(0);
        let list = List::of(Variable::ArgsPost);
        let span = values.store(b"a=1&b=2&c=3");
        assert!(parse(&mut values, list, span, b'&', 2).over_limit);
        assert_eq!(values.list(list).len(), 2);
    }
}
