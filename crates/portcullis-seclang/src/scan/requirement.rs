//! What a value must show for an operator to match it.

use regex_syntax::hir::Hir;

use super::needs::Needs;
use crate::byte_set::ByteSet;
use crate::operators::{Compiled, Operator, OperatorKind};

/// What a match requires.
#[derive(Debug, Default)]
pub(super) struct Requirement {
    /// Bytes from each set.
    pub(super) bytes: Vec<ByteSet>,
    /// Bytes that the value is long.
    pub(super) length_min: usize,
    /// Strings one of which occurs, in any case.
    pub(super) strings: Strings,
}

/// Strings, and what finding one means.
#[derive(Debug, Default)]
pub(super) enum Strings {
    /// None is known.
    #[default]
    Unknown,
    /// The operator may match once one is found.
    Any(Vec<Vec<u8>>),
    /// The operator matches once one is found, and only then.
    Phrases(Vec<Vec<u8>>),
    /// Nothing can match.
    Never,
}

/// Bytes of which SQL injections hold one. A value of letters, digits and underscores is a word, or a number and a word:
/// libinjection knows no such fingerprint.
const SQLI: ByteSet = ByteSet::range(b'0', b'9')
    .union(ByteSet::range(b'A', b'Z'))
    .union(ByteSet::range(b'a', b'z'))
    .with(b'_')
    .complement();
/// Bytes of which script injections hold one: a tag opens, or an attribute has a value.
const XSS: ByteSet = ByteSet::of(b"<=");

/// The syntax tree of an operator's pattern, if it has one.
pub(super) fn tree_of(operator: &Operator) -> Option<Hir> {
    match &*operator.0 {
        Compiled::Pattern(_, rx) => rx.pattern().hir(),
        Compiled::Verify(_, verify) => verify.pattern().hir(),
        _ => None,
    }
}

impl Requirement {
    /// What a match of a value of these bytes requires. `tree` is the operator's [`tree_of`].
    pub(super) fn of(operator: &Operator, tree: Option<&Hir>, alphabet: ByteSet) -> Self {
        let bytes = |set: ByteSet| match set.intersection(alphabet).is_empty() {
            true => Self::never(),
            false => Self { bytes: vec![set], length_min: 1, ..Self::default() },
        };
        match &*operator.0 {
            Compiled::Text(kind, text) => Self::of_text(*kind, text),
            Compiled::Contains(contains) => Self::of_string(contains.text()),
            Compiled::DetectSqli => bytes(SQLI),
            Compiled::DetectXss => bytes(XSS),
            Compiled::IpMatch(..) => bytes(ByteSet::of(b".:")),
            Compiled::NoMatch => Self::never(),
            Compiled::Outside(..) | Compiled::UnconditionalMatch => Self::default(),
            Compiled::Phrases(_, phrases) => Self::of_phrases(phrases.listed(), alphabet),
            Compiled::Pattern(..) => Self::of_pattern(tree, alphabet),
            Compiled::ValidateByteRange(allowed) => bytes(allowed.complement()),
            Compiled::ValidateUrlEncoding => bytes(ByteSet::of(b"%")),
            Compiled::ValidateUtf8Encoding => bytes(ByteSet::range(0x80, 0xff)),
            Compiled::Verify(..) => {
                let mut requirement = Self::of_pattern(tree, alphabet);
                requirement.bytes.push(ByteSet::range(b'0', b'9'));
                requirement
            }
        }
    }

    fn never() -> Self {
        Self { strings: Strings::Never, ..Self::default() }
    }

    /// The comparisons are as quick as a search would be: only their lengths are looked at before.
    fn of_text(kind: OperatorKind, text: &[u8]) -> Self {
        let length_min = match kind {
            OperatorKind::BeginsWith
            | OperatorKind::EndsWith
            | OperatorKind::StrEq
            | OperatorKind::ContainsWord => text.len(),
            _ => 0,
        };
        Self { length_min, ..Self::default() }
    }

    fn of_string(text: &[u8]) -> Self {
        if text.is_empty() {
            return Self::default();
        }
        let strings = vec![text.to_ascii_lowercase()];
        Self { bytes: Vec::new(), length_min: text.len(), strings: Strings::Any(strings) }
    }

    fn of_phrases<'a>(phrases: impl Iterator<Item = &'a [u8]>, alphabet: ByteSet) -> Self {
        let can_occur = |phrase: &&[u8]| {
            let either = |byte: &u8| {
                alphabet.contains(byte.to_ascii_lowercase()) || alphabet.contains(byte.to_ascii_uppercase())
            };
            phrase.iter().all(either)
        };
        let mut strings: Vec<Vec<u8>> = phrases.filter(can_occur).map(<[u8]>::to_ascii_lowercase).collect();
        if strings.is_empty() {
            return Self::never();
        }
        strings.sort_unstable();
        strings.dedup();
        let length_min = strings.iter().map(Vec::len).min().unwrap_or(0);
        // A mark that is in every phrase, or one of a few marks, lets plain words pass.
        let mark = |phrase: &Vec<u8>| phrase.iter().copied().find(|byte| !byte.is_ascii_alphanumeric());
        let marks = strings.iter().map(mark).try_fold(ByteSet::EMPTY, |all, mark| Some(all.with(mark?)));
        Self { bytes: marks.into_iter().collect(), length_min, strings: Strings::Phrases(strings) }
    }

    fn of_pattern(tree: Option<&Hir>, alphabet: ByteSet) -> Self {
        let Some(tree) = tree else { return Self::default() };
        let Some(needs) = Needs::of(tree, alphabet) else { return Self::never() };
        let strings = needs.literals.map_or(Strings::Unknown, Strings::Any);
        Self { bytes: needs.bytes, length_min: needs.length_min, strings }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operators::OperatorPorts;
    use proptest::prelude::*;

    fn compiled(name: &str, argument: &str) -> Operator {
        Operator::compile(name, argument.as_bytes(), OperatorPorts::default()).unwrap()
    }

    #[test]
    fn a_word_is_no_sql_injection_whatever_its_kind() {
        let sqli = compiled("detectSQLi", "");
        // One word of each kind that libinjection tells apart, alone and behind each kind of number.
        for word in [
            "foo",
            "union",
            "select",
            "or",
            "and",
            "like",
            "in",
            "sleep",
            "drop",
            "if",
            "null",
            "int",
            "as",
            "from",
            "group",
            "having",
            "collate",
            "current_user",
            "waitfor",
            "exec",
            "case",
            "when",
            "limit",
            "not",
            "is",
            "div",
            "between",
            "escape",
            "insert",
            "into",
            "update",
            "delete",
            "begin",
            "declare",
            "goto",
            "user",
        ] {
            for number in ["", "1", "10", "0x41", "0b1", "1e5", "1d", "1f", "0x", "1e", "0xg"] {
                for value in
                    [format!("{number}{word}"), format!("{word}{number}"), format!("_{number}{word}_")]
                {
                    assert!(!sqli.matches(value.as_bytes()), "{value}");
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5000))]

        #[test]
        fn no_word_is_a_sql_injection(value in "[A-Za-z0-9_]{0,24}") {
            prop_assert!(!compiled("detectSQLi", "").matches(value.as_bytes()));
        }

        #[test]
        fn no_script_injection_is_without_tag_and_value(
            parts in proptest::collection::vec(
                proptest::sample::select(vec![
                    "onclick", "script", ">", "/", "\"", "'", "`", " ", "javascript:", "!--", "style", "%", "\0",
                    "href", "&lt;", "?", "-->", "\t", "x", "svg", "xlink:href", "!doctype", "]]>",
                ]),
                0..10,
            )
        ) {
            prop_assert!(!compiled("detectXSS", "").matches(parts.concat().as_bytes()));
        }
    }

    #[test]
    fn marks_of_phrases_are_required_only_where_all_have_one() {
        assert_eq!(
            Requirement::of(&compiled("pm", "etc/passwd .env"), None, ByteSet::ALL).bytes,
            [ByteSet::of(b"/.")]
        );
        assert!(Requirement::of(&compiled("pm", "etc/passwd env"), None, ByteSet::ALL).bytes.is_empty());
        assert_eq!(Requirement::of(&compiled("pm", "abc de"), None, ByteSet::ALL).length_min, 2);
    }
}
