//! What the `@verify...` operators share: an expression proposes, an arithmetic check decides.

use std::ops::Range;

use super::OperatorError;
use crate::pattern::Pattern;

/// How many times its own length a value may be read over. Matches may begin at every byte, so an expression that matches
/// long stretches would make the search quadratic; a number of 16 digits needs a sixteenth of this.
const READS_MAX: usize = 256;

/// An expression and the check on what it matches.
#[derive(Debug)]
pub(crate) struct Verify {
    pattern: Pattern,
    is_valid: fn(&[u8]) -> bool,
}

impl Verify {
    pub(super) fn compile(argument: &[u8], is_valid: fn(&[u8]) -> bool) -> Result<Self, OperatorError> {
        if argument.is_empty() {
            return Err(OperatorError::new("an expression is wanted that finds the numbers to verify"));
        }
        let pattern = Pattern::compile(argument)
            .map_err(|error| OperatorError { message: error.message, offset: error.offset })?;
        Ok(Self { pattern, is_valid })
    }

    pub(crate) fn pattern(&self) -> &Pattern {
        &self.pattern
    }

    /// The first match, of those that begin at each byte, which the check confirms.
    pub(super) fn find(&self, value: &[u8]) -> Option<Range<usize>> {
        let mut reads_left = value.len().saturating_mul(READS_MAX);
        let mut from = 0;
        while from < value.len() {
            let found = self.pattern.find_from(value, from)?;
            if value.get(found.clone()).is_some_and(self.is_valid) {
                return Some(found);
            }
            reads_left = reads_left.checked_sub(found.end - from)?;
            from = found.start + 1;
        }
        None
    }
}

/// The digits of a text, as numbers.
pub(super) fn digits(text: &[u8]) -> impl DoubleEndedIterator<Item = u32> {
    text.iter().filter(|byte| byte.is_ascii_digit()).map(|digit| u32::from(digit - b'0'))
}

/// The digits, if there are exactly so many.
pub(super) fn exactly<const N: usize>(text: &[u8]) -> Option<[u32; N]> {
    let all: Vec<u32> = digits(text).take(N + 1).collect();
    all.try_into().ok()
}

/// Whether all digits are the same, or each is one more than the last: numbers that nobody bears.
pub(super) fn is_monotonous(digits: &[u32]) -> bool {
    let every = |step: u32| digits.windows(2).all(|pair| matches!(pair, [one, next] if *next == one + step));
    every(0) || every(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_matches_at_each_byte() {
        let verify = Verify::compile(br"\d{2}", |text| text == b"34").unwrap();
        assert_eq!(verify.find(b"x1234"), Some(3..5));
        assert_eq!(verify.find(b"x1243"), None);
        assert_eq!(verify.find(b""), None);
    }

    #[test]
    fn gives_up_on_expressions_that_match_everything() {
        let verify = Verify::compile(b".*", |_| false).unwrap();
        assert_eq!(verify.find(&[b'1'; 100_000]), None);
    }

    #[test]
    fn wants_an_expression() {
        assert!(Verify::compile(b"", |_| true).is_err());
        assert_eq!(Verify::compile(b"a(?=b)", |_| true).unwrap_err().offset, Some(1));
    }

    #[test]
    fn knows_numbers_that_nobody_bears() {
        assert!(is_monotonous(&[1, 1, 1]));
        assert!(is_monotonous(&[1, 2, 3]));
        assert!(!is_monotonous(&[1, 2, 2]));
    }
}
