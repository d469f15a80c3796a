//! Regular expressions as rules write them (PCRE) for an engine that is linear in its input.
//!
//! ModSecurity v3 compiles with `DOTALL` and `MULTILINE` and without UTF: so do we, over bytes. Spellings that only PCRE
//! has are translated; what no linear engine can do (look-around, back-references, atomic and possessive forms, recursion)
//! is refused with its place in the pattern. Two differences remain, both at the very end of a value: `^` also matches
//! behind a line feed that ends the value, and the line feed that `\Z` looks over becomes part of the match.

mod class;
mod escape;
mod group;
mod translate;

use regex_automata::meta;
use regex_automata::util::syntax;

pub use translate::translate;

/// Bytes of compiled automaton that one pattern may take. The longest of the CRS takes a tenth.
const AUTOMATON_BYTES_MAX: usize = 16 << 20;
/// Bytes of lazily built automaton that one pattern may keep a thread. When it is full too often the search falls back to
/// slower engines that need none; all are linear.
const LAZY_BYTES_MAX: usize = 1 << 20;

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

/// A compiled pattern.
#[derive(Clone, Debug)]
pub struct Pattern {
    regex: meta::Regex,
    translated: String,
}

impl Pattern {
    /// Compiles a pattern as a rule writes it.
    ///
    /// # Errors
    /// When the pattern is malformed, asks for what a linear engine cannot do, or compiles to too much.
    pub fn compile(pattern: &[u8]) -> Result<Self, PatternError> {
        let translated = translate(pattern)?;
        let regex = meta::Regex::builder()
            .syntax(syntax_config())
            .configure(
                meta::Config::new()
                    .utf8_empty(false)
                    .nfa_size_limit(Some(AUTOMATON_BYTES_MAX))
                    .hybrid_cache_capacity(LAZY_BYTES_MAX),
            )
            .build(&translated)
            .map_err(|error| refused(&error))?;
        Ok(Self { regex, translated })
    }

    /// Whether the pattern matches anywhere in the value.
    pub fn is_match(&self, value: &[u8]) -> bool {
        self.regex.is_match(value)
    }

    /// The leftmost match that starts at or after `from`.
    pub fn find_from(&self, value: &[u8], from: usize) -> Option<std::ops::Range<usize>> {
        if from > value.len() {
            return None;
        }
        self.regex.find(regex_automata::Input::new(value).range(from..)).map(|found| found.range())
    }

    /// The engine, for captures.
    pub(crate) fn regex(&self) -> &meta::Regex {
        &self.regex
    }

    /// The pattern in the engine's own spelling.
    pub(crate) fn translated(&self) -> &str {
        &self.translated
    }

    /// The syntax tree, for those who want to know what a match requires; `None` never in practice, since the same text
    /// has been compiled.
    pub(crate) fn hir(&self) -> Option<regex_syntax::hir::Hir> {
        let mut parser = regex_syntax::ParserBuilder::new()
            .unicode(false)
            .utf8(false)
            .multi_line(true)
            .dot_matches_new_line(true)
            .build();
        parser.parse(&self.translated).ok()
    }
}

/// The flags that every rule is compiled with.
pub(crate) fn syntax_config() -> syntax::Config {
    syntax::Config::new().unicode(false).utf8(false).multi_line(true).dot_matches_new_line(true)
}

fn refused(error: &meta::BuildError) -> PatternError {
    // The engine's offsets are those of the translated text and would mislead.
    let message = match (error.size_limit(), error.syntax_error()) {
        (Some(limit), _) => format!("the pattern compiles to more than {limit} bytes"),
        (None, Some(regex_syntax::Error::Parse(error))) => error.kind().to_string(),
        (None, Some(regex_syntax::Error::Translate(error))) => error.kind().to_string(),
        (None, _) => "the pattern cannot be compiled".to_string(),
    };
    PatternError { message, offset: None }
}

#[cfg(test)]
mod tests;
