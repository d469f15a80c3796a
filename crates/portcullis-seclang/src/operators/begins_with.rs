//! `@beginsWith`: the value begins with the argument.

pub(super) fn matches(argument: &[u8], value: &[u8]) -> bool {
    value.starts_with(argument)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn compares_the_start() {
        assert!(matches(b"/a", b"/a/b"));
        assert!(matches(b"", b""));
        assert!(!matches(b"/a", b"/A"));
        assert!(!matches(b"/a/b", b"/a"));
    }
}
