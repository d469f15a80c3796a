//! `@rx`: a regular expression matches somewhere in the value.

use std::borrow::Cow;

use super::{Captures, OperatorError};
use crate::pattern::Pattern;

/// Bytes of an expression that became known only at run time; a longer one matches nothing, since it is compiled for one
/// value alone.
const EXPANDED_BYTES_MAX: usize = 4096;

/// A compiled expression; the empty one matches everything.
#[derive(Debug)]
pub(crate) struct Rx {
    pattern: Pattern,
}

impl Rx {
    pub(super) fn compile(argument: &[u8]) -> Result<Self, OperatorError> {
        let pattern = Pattern::compile(argument)
            .map_err(|error| OperatorError { message: error.message, offset: error.offset })?;
        Ok(Self { pattern })
    }

    pub(super) fn expanded(argument: &[u8]) -> Option<Self> {
        if argument.len() > EXPANDED_BYTES_MAX {
            return None;
        }
        Self::compile(argument).ok()
    }

    pub(super) fn matches(&self, value: &[u8]) -> bool {
        self.pattern.is_match(value)
    }

    /// The match and its groups, by number.
    pub(super) fn captures<'v>(&self, value: &'v [u8]) -> Captures<'v> {
        let Some(regex) = self.pattern.regex() else { return Captures::new() };
        let mut found = regex.create_captures();
        regex.captures(value, &mut found);
        let groups = found.iter().enumerate();
        groups.filter_map(|(number, span)| Some((number, Cow::Borrowed(value.get(span?.range())?)))).collect()
    }

    pub(crate) fn pattern(&self) -> &Pattern {
        &self.pattern
    }
}

#[cfg(test)]
mod tests {
    use super::Rx;

    fn captured(pattern: &str, value: &str) -> Vec<(usize, String)> {
        let rx = Rx::compile(pattern.as_bytes()).unwrap();
        let captures = rx.captures(value.as_bytes());
        captures
            .iter()
            .map(|(number, bytes)| (*number, String::from_utf8_lossy(bytes).into_owned()))
            .collect()
    }

    #[test]
    fn matches_anywhere() {
        let rx = Rx::compile(b"(?i)union\\s+select").unwrap();
        assert!(rx.matches(b"1 UNION\n select"));
        assert!(!rx.matches(b"unionselect"));
        assert!(Rx::compile(b"").unwrap().matches(b""));
    }

    #[test]
    fn captures_the_leftmost_match_and_skips_idle_groups() {
        assert_eq!(
            captured("(a)|(b)(c)?", "xxbcab"),
            [(0, "bc".to_string()), (2, "b".to_string()), (3, "c".to_string())]
        );
        assert!(captured("z", "abc").is_empty());
    }

    #[test]
    fn refuses_long_expansions() {
        assert!(Rx::expanded(&[b'a'; 5000]).is_none());
        assert!(Rx::expanded(b"(").is_none());
        assert!(Rx::expanded(b"a").unwrap().matches(b"ba"));
    }
}
