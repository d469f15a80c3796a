//! `@containsWord`: the argument occurs in the value with no letter next to it.

use memchr::memmem;

/// Each search begins one byte behind the last place: the cost is the value's length, plus the argument's for each place,
/// and the argument is the rule's.
pub(super) fn matches(argument: &[u8], value: &[u8]) -> bool {
    if argument.is_empty() {
        return true;
    }
    let finder = memmem::Finder::new(argument);
    let is_letter = |at: Option<usize>| at.and_then(|at| value.get(at)).is_some_and(u8::is_ascii_alphabetic);
    let mut from = 0;
    while let Some(at) = value.get(from..).and_then(|rest| finder.find(rest)).map(|at| from + at) {
        if !is_letter(at.checked_sub(1)) && !is_letter(Some(at + argument.len())) {
            return true;
        }
        from = at + 1;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn wants_no_letter_beside() {
        assert!(matches(b"eval", b"eval"));
        assert!(matches(b"eval", b"medieval eval(1)"));
        assert!(matches(b"eval", b"0eval_"));
        assert!(!matches(b"eval", b"medieval"));
        assert!(!matches(b"eval", b"evaluate"));
    }

    #[test]
    fn takes_the_empty_argument_for_always() {
        assert!(matches(b"", b""));
        assert!(!matches(b"a", b""));
    }
}
