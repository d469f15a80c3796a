//! `@endsWith`: the value ends with the argument.

pub(super) fn matches(argument: &[u8], value: &[u8]) -> bool {
    value.ends_with(argument)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn compares_the_end() {
        assert!(matches(b".bak", b"/a.bak"));
        assert!(matches(b"", b""));
        assert!(!matches(b".bak", b"/a.bak/"));
        assert!(!matches(b".bak", b"bak"));
    }
}
