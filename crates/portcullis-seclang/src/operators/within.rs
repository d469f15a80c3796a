//! `@within`: the value occurs in the argument. The empty value does.

use memchr::memmem;

pub(super) fn matches(argument: &[u8], value: &[u8]) -> bool {
    value.len() <= argument.len() && memmem::find(argument, value).is_some()
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn looks_for_the_value_in_the_argument() {
        assert!(matches(b"GET,POST", b"POST"));
        assert!(matches(b"GET,POST", b"T,P"));
        assert!(matches(b"", b""));
        assert!(!matches(b"GET,POST", b"PUT"));
        assert!(!matches(b"GET", b"GET,POST"));
    }
}
