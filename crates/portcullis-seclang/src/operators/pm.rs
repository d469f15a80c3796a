//! `@pm`: one of many phrases occurs in the value, in any case (of ASCII).

use std::sync::OnceLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use super::OperatorError;

/// Bytes of phrases that one operator may hold.
const PHRASE_BYTES_MAX: usize = 4 << 20;

/// Phrases and the automaton that finds them.
#[derive(Debug)]
pub(crate) struct Phrases {
    phrases: Vec<Box<[u8]>>,
    /// Built when first asked: most phrases are looked for by the scan, along with those of other operators. `None` never
    /// in practice, since so few phrases exceed no limit of the automaton.
    automaton: OnceLock<Option<AhoCorasick>>,
}

/// Reads the phrases of `@pm`: words between white space, `|41 42|` in hexadecimal, and `\:`, `\;`, `\"`, `\\` escaped.
pub(super) fn compile(argument: &[u8]) -> Result<Phrases, OperatorError> {
    let text = unescape(argument).unwrap_or_else(|| argument.to_vec());
    let words = text.split(|byte| matches!(byte, b' ' | b'\t'..=b'\r')).filter(|word| !word.is_empty());
    Phrases::new(words)
}

impl Phrases {
    pub(super) fn new<'a>(phrases: impl Iterator<Item = &'a [u8]>) -> Result<Self, OperatorError> {
        let phrases: Vec<Box<[u8]>> = phrases.map(Into::into).collect();
        if phrases.is_empty() {
            return Err(OperatorError::new("there is no phrase to look for"));
        }
        if phrases.iter().map(|phrase| phrase.len()).sum::<usize>() > PHRASE_BYTES_MAX {
            return Err(OperatorError::new(format!("the phrases exceed {PHRASE_BYTES_MAX} bytes")));
        }
        Ok(Self { phrases, automaton: OnceLock::new() })
    }

    fn automaton(&self) -> Option<&AhoCorasick> {
        let build = || {
            AhoCorasick::builder()
                .ascii_case_insensitive(true)
                .match_kind(MatchKind::Standard)
                .kind(Some(AhoCorasickKind::ContiguousNFA))
                .build(&self.phrases)
                .ok()
        };
        self.automaton.get_or_init(build).as_ref()
    }

    pub(super) fn matches(&self, value: &[u8]) -> bool {
        self.automaton().is_some_and(|automaton| automaton.is_match(value))
    }

    /// The phrase, as it is listed, whose match ends first.
    pub(super) fn first(&self, value: &[u8]) -> Option<Vec<u8>> {
        let found = self.automaton()?.find(value)?;
        self.phrases.get(found.pattern().as_usize()).map(|phrase| phrase.to_vec())
    }

    pub(crate) fn listed(&self) -> impl Iterator<Item = &[u8]> {
        self.phrases.iter().map(|phrase| &**phrase)
    }
}

/// Undoes quotes, hexadecimal stretches and escapes; `None` when they are malformed, and then the text counts as written.
fn unescape(argument: &[u8]) -> Option<Vec<u8>> {
    let blanks = argument.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let text = match argument.get(blanks..)? {
        [b'"', inner @ .., b'"'] => inner,
        text => text,
    };
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    loop {
        rest = match rest {
            [] => return Some(out),
            [b'|', tail @ ..] => {
                let length = tail.iter().position(|byte| *byte == b'|').unwrap_or(tail.len());
                let digits = tail.get(..length)?;
                let value = |digit: u8| char::from(digit).to_digit(16);
                for pair in digits.chunks(2) {
                    match pair {
                        [high, low] => out.push((value(*high)? << 4 | value(*low)?) as u8),
                        [odd] => value(*odd).map(|_| ())?,
                        _ => {}
                    }
                }
                tail.get(length + 1..).unwrap_or_default()
            }
            [b'\\', escaped @ (b':' | b';' | b'\\' | b'"'), tail @ ..] => {
                out.push(*escaped);
                tail
            }
            [b'\\', ..] => return None,
            [byte, tail @ ..] => {
                out.push(*byte);
                tail
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::{compile, unescape};

    #[test]
    fn finds_any_phrase_in_any_case() {
        let phrases = compile(b"nikto  sqlMap\tw3af").unwrap();
        assert!(phrases.matches(b"Mozilla (SQLMAP/1.0)"));
        assert_eq!(phrases.first(b"Mozilla (SQLMAP/1.0)").unwrap(), b"sqlMap");
        assert!(!phrases.matches(b"Mozilla"));
        assert!(!phrases.matches(b""));
    }

    #[test]
    fn keeps_the_phrase_that_ends_first() {
        let phrases = compile(b"abcd bc").unwrap();
        assert_eq!(phrases.first(b"abcd").unwrap(), b"bc");
    }

    #[test]
    fn reads_hexadecimal_and_escapes() {
        assert_eq!(unescape(b"  \"a|4142|b\\;\\\\\"").unwrap(), b"aABb;\\");
        assert!(compile(b"|0d0a|X-a:").unwrap().matches(b"x-A: 1"));
    }

    #[test]
    fn takes_malformed_escapes_as_written() {
        assert!(unescape(b"a\\d").is_none());
        assert!(unescape(b"|4g|").is_none());
        assert!(compile(b"a\\d").unwrap().matches(b"A\\D"));
    }

    #[test]
    fn refuses_an_empty_list() {
        assert!(compile(b"  ").is_err());
    }
}
