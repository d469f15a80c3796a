//! How large a pattern's automaton can become, without building it.
//!
//! Patterns that cannot reach the limit are accepted on their syntax alone and built when they are first asked.

use regex_syntax::hir::{Class, Hir, HirKind};

/// Bytes that one state can take, with what the builder keeps beside it; twice what it takes in fact.
const STATE_BYTES: usize = 64;
/// Bytes of one range of a class.
const RANGE_BYTES: usize = 32;

/// Bytes that the automaton of an expression takes at most; `None` where that depends on the encoding of characters. No
/// deeper than the parser's limit on nesting.
pub(super) fn bytes_max(hir: &Hir) -> Option<usize> {
    let sum = |parts: &[Hir]| {
        parts.iter().try_fold(STATE_BYTES, |all, part| {
            Some(all.saturating_add(bytes_max(part)?).saturating_add(STATE_BYTES))
        })
    };
    Some(match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => STATE_BYTES,
        HirKind::Literal(literal) => literal.0.len().saturating_mul(STATE_BYTES),
        HirKind::Class(Class::Bytes(class)) => STATE_BYTES + class.ranges().len() * RANGE_BYTES,
        HirKind::Class(Class::Unicode(class)) => {
            let is_ascii = class.ranges().last().is_none_or(|range| range.end().is_ascii());
            return is_ascii.then(|| STATE_BYTES + class.ranges().len() * RANGE_BYTES);
        }
        HirKind::Repetition(repetition) => {
            let copies = repetition.max.unwrap_or(repetition.min).max(repetition.min) as usize + 1;
            bytes_max(&repetition.sub)?.saturating_add(2 * STATE_BYTES).saturating_mul(copies)
        }
        HirKind::Capture(capture) => bytes_max(&capture.sub)?.saturating_add(4 * STATE_BYTES),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => sum(parts)?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::{Pattern, build, parse};
    use super::bytes_max;
    use regex_automata::nfa::thompson;

    fn bound(pattern: &str) -> Option<usize> {
        bytes_max(&parse(pattern).unwrap())
    }

    #[test]
    fn is_never_below_what_the_automaton_takes() {
        for pattern in [
            "",
            "a",
            "(?i)union\\s+select",
            "(?:a|b|cd|[^x]{3,9}){0,40}",
            "((((a))))",
            "[a-c1-3;:,!]{200}",
            "(?i-u:\\W|\\b)(?:ab?c*d+){2,}",
            "^(?:\\d+(?:\\.\\d+){1,7}|x{5})$",
            "(?:a{20}){20}",
        ] {
            for reverse in [false, true] {
                let nfa = thompson::Compiler::new()
                    .configure(thompson::Config::new().reverse(reverse).utf8(false).which_captures(
                        if reverse { thompson::WhichCaptures::None } else { thompson::WhichCaptures::All },
                    ))
                    .build_from_hir(&parse(pattern).unwrap())
                    .unwrap();
                let taken = nfa.memory_usage();
                // The fixed part of any automaton is small beside the limit.
                assert!(taken <= bound(pattern).unwrap() + (4 << 10), "{pattern}: {taken}");
            }
        }
    }

    #[test]
    fn sees_what_grows_beyond_the_limit() {
        assert!(bound("(?:a{1000}){1000}").unwrap() > 16 << 20);
        assert!(bound("(?:(?:a{1000}){1000}){1000}").unwrap() > 16 << 20);
        assert!(Pattern::compile(b"(?:a{1000}){1000}").is_err());
        assert!(build(&parse("(?:a{1000}){1000}").unwrap()).is_err());
    }
}
