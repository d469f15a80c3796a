//! PHP's `serialize` format: `O:8:"Exploit":1:{…}`.

use super::Found;

/// Openings looked at in one value.
const OPENINGS_MAX: usize = 64;

/// The first object in a value; else what hides in an array's strings.
pub(super) fn find(lower: &[u8]) -> Option<Found> {
    let mut weaker: Option<Found> = None;
    for colon in memchr::memchr_iter(b':', lower).take(OPENINGS_MAX) {
        let Some(at) = colon.checked_sub(1) else { continue };
        let Some(letter) = lower.get(at) else { continue };
        let is_edge = at
            .checked_sub(1)
            .and_then(|before| lower.get(before))
            .is_none_or(|byte| !byte.is_ascii_alphanumeric());
        if !is_edge {
            continue;
        }
        let rest = lower.get(colon + 1..).unwrap_or_default();
        // `O:+8:` passes filters that ask for a digit.
        let rest = rest.strip_prefix(b"+").unwrap_or(rest);
        let digits = rest.iter().take(10).take_while(|byte| byte.is_ascii_digit()).count();
        if digits == 0 {
            continue;
        }
        let rest = rest.get(digits..).unwrap_or_default();
        match (letter, rest) {
            // The class' name, then its properties' number.
            (b'o' | b'c', [b':', b'"', name @ ..]) | (b'o' | b'c', [b':', b'\\', b'"', name @ ..]) => {
                let length = name
                    .iter()
                    .take(128)
                    .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'\\'))
                    .count();
                if length == 0
                    || !name
                        .get(length..)
                        .is_some_and(|rest| rest.starts_with(b"\":") || rest.starts_with(b"\\\":"))
                {
                    continue;
                }
                let why = "a serialized PHP object, whose class chooses what runs when it is read";
                return Some(Found {
                    rule: "php_object",
                    strength: 10,
                    at,
                    length: 6 + digits + length,
                    why,
                });
            }
            (b'a', [b':', b'{', ..]) => {
                let why = "a serialized PHP array where a value was expected";
                weaker.get_or_insert(Found { rule: "php_array", strength: 5, at, length: digits + 4, why });
            }
            // A long string that begins with code or ends a query.
            (b's', [b':', b'"', content @ ..]) => {
                let is_code = [&b"<?"[..], b"*/", b"'", b"../", b"/etc/", b"1' "]
                    .iter()
                    .any(|mark| content.starts_with(mark));
                if is_code {
                    let why = "a serialized PHP string that holds code or breaks out of a query";
                    return Some(Found { rule: "php_string", strength: 9, at, length: digits + 4, why });
                }
            }
            _ => {}
        }
    }
    weaker
}
