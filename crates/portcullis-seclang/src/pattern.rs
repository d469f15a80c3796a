//! Regular expressions as rules write them (PCRE) for an engine that is linear in its input.
//!
//! ModSecurity v3 compiles with `DOTALL` and `MULTILINE` and without UTF: so do we, over bytes. Spellings that only PCRE
//! has are translated; what no linear engine can do (look-around, back-references, atomic and possessive forms, recursion)
//! is refused with its place in the pattern. Two differences remain, both at the very end of a value: `^` also matches
//! behind a line feed that ends the value, and the line feed that `\Z` looks over becomes part of the match.

mod class;
mod escape;
mod group;
mod size;
mod translate;

use std::sync::OnceLock;

use regex_automata::meta;
use regex_syntax::hir::Hir;

pub use translate::translate;

/// Bytes of compiled automaton that one pattern may take. The longest of the CRS takes a tenth.
const AUTOMATON_BYTES_MAX: usize = 16 << 20;
/// Bytes of lazily built automaton that one pattern may keep a thread. When it is full too often the search falls back to
/// slower engines that need none; all are linear.
const LAZY_BYTES_MAX: usize = 1 << 20;

/// Bytes that an automaton takes at most for it to be built without fail.
const SURELY_SMALL_BYTES: usize = AUTOMATON_BYTES_MAX / 4;
const CANNOT: &str = "the pattern cannot be compiled";

/// Why a pattern was refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{message}")]
pub struct PatternError {
    /// What is wrong.
    pub message: String,
    /// Where, in bytes from the start of the pattern, when known.
    pub offset: Option<usize>,
}

impl PatternError {
    fn at(offset: usize, message: impl Into<String>) -> Self {
        Self { message: message.into(), offset: Some(offset) }
    }
}

/// A compiled pattern. Its automaton is built when it is first asked, for most patterns of a rule set seldom are; what could
/// fail then has been ruled out before.
#[derive(Clone, Debug)]
pub struct Pattern {
    regex: OnceLock<Option<meta::Regex>>,
    translated: String,
}

impl Pattern {
    /// Compiles a pattern as a rule writes it.
    ///
    /// # Errors
    /// When the pattern is malformed, asks for what a linear engine cannot do, or compiles to too much.
    pub fn compile(pattern: &[u8]) -> Result<Self, PatternError> {
        let translated = translate(pattern)?;
        let hir = parse(&translated)?;
        let regex = match size::bytes_max(&hir) {
            Some(bytes) if bytes <= SURELY_SMALL_BYTES => OnceLock::new(),
            _ => OnceLock::from(Some(build(&hir)?)),
        };
        Ok(Self { regex, translated })
    }

    /// Whether the pattern matches anywhere in the value.
    pub fn is_match(&self, value: &[u8]) -> bool {
        self.regex().is_some_and(|regex| regex.is_match(value))
    }

    /// The leftmost match that starts at or after `from`.
    pub fn find_from(&self, value: &[u8], from: usize) -> Option<std::ops::Range<usize>> {
        if from > value.len() {
            return None;
        }
        self.regex()?.find(regex_automata::Input::new(value).range(from..)).map(|found| found.range())
    }

    /// The engine, for captures; `None` never in practice, since what is built late is far below every limit.
    pub(crate) fn regex(&self) -> Option<&meta::Regex> {
        self.regex.get_or_init(|| build(&self.hir()?).ok()).as_ref()
    }

    /// The pattern in the engine's own spelling.
    pub(crate) fn translated(&self) -> &str {
        &self.translated
    }

    /// The syntax tree, for those who want to know what a match requires; `None` never in practice, since the same text
    /// has been parsed.
    pub(crate) fn hir(&self) -> Option<Hir> {
        parse(&self.translated).ok()
    }
}

/// Parses a translated pattern with the flags that every rule is compiled with.
fn parse(translated: &str) -> Result<Hir, PatternError> {
    let mut parser = regex_syntax::ParserBuilder::new()
        .unicode(false)
        .utf8(false)
        .multi_line(true)
        .dot_matches_new_line(true)
        .build();
    parser.parse(translated).map_err(|error| {
        // The engine's offsets are those of the translated text and would mislead.
        let message = match error {
            regex_syntax::Error::Parse(error) => error.kind().to_string(),
            regex_syntax::Error::Translate(error) => error.kind().to_string(),
            _ => CANNOT.to_string(),
        };
        PatternError { message, offset: None }
    })
}

fn build(hir: &Hir) -> Result<meta::Regex, PatternError> {
    let config = meta::Config::new()
        .utf8_empty(false)
        .nfa_size_limit(Some(AUTOMATON_BYTES_MAX))
        .hybrid_cache_capacity(LAZY_BYTES_MAX);
    meta::Regex::builder().configure(config).build_from_hir(hir).map_err(|error| {
        let message = match error.size_limit() {
            Some(limit) => format!("the pattern compiles to more than {limit} bytes"),
            None => CANNOT.to_string(),
        };
        PatternError { message, offset: None }
    })
}

#[cfg(test)]
mod tests;
