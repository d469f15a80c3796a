//! `@streq`: the value is the argument, byte by byte.

pub(super) fn matches(argument: &[u8], value: &[u8]) -> bool {
    value == argument
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn compares_all_bytes() {
        assert!(matches(b"", b""));
        assert!(matches(b"a\0b", b"a\0b"));
        assert!(!matches(b"GET", b"get"));
        assert!(!matches(b"a", b"a\0"));
    }
}
