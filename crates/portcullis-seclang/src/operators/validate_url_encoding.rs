//! `@validateUrlEncoding`: matches when a percent sign is not followed by two hexadecimal digits.

pub(super) fn matches(value: &[u8]) -> bool {
    let mut rest = value;
    while let Some(at) = memchr::memchr(b'%', rest) {
        rest = match rest.get(at + 1..).unwrap_or_default() {
            [high, low, tail @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => tail,
            _ => return true,
        };
    }
    false
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn finds_broken_escapes() {
        for value in ["%", "a%4", "%g0", "%0g", "%41%"] {
            assert!(matches(value.as_bytes()), "{value}");
        }
        for value in ["", "a", "%41", "%2525"] {
            assert!(!matches(value.as_bytes()), "{value}");
        }
    }
}
