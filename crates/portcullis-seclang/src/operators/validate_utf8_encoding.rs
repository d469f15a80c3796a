//! `@validateUtf8Encoding`: matches when the value is not UTF-8 (RFC 3629), overlong forms and surrogates included.

pub(super) fn matches(value: &[u8]) -> bool {
    std::str::from_utf8(value).is_err()
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn finds_what_is_not_utf_8() {
        for value in [&b"\x80"[..], b"\xc3", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\xe2\x82"] {
            assert!(matches(value), "{}", value.escape_ascii());
        }
        for value in ["", "gate", "é€😀", "\0"] {
            assert!(!matches(value.as_bytes()), "{value}");
        }
    }

    #[test]
    fn finds_code_points_beyond_unicode_which_modsecurity_lets_through() {
        assert!(matches(b"\xf4\x90\x80\x80"));
    }
}
