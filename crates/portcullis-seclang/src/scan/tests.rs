//! Tests of scan: what holds, at its edges, and for any bytes.

use proptest::prelude::*;

use super::Scanner;
use crate::byte_set::ByteClasses;
use crate::operators::{Operator, OperatorPorts};

fn operators() -> Vec<Operator> {
    [
        ("rx", r"(?i)union\s+select"),
        ("rx", r"[;|&]\s*(?:cat|ls)\b"),
        ("rx", r"^\d+$"),
        ("rx", r"(?:a|b)+c?"),
        ("rx", ""),
        ("pm", "passwd /etc/ .env"),
        ("pm", "/etc/ .env"),
        ("contains", "Union"),
        ("streq", "ls"),
        ("beginsWith", "a"),
        ("endsWith", "c"),
        ("within", "abc ls"),
        ("containsWord", "cat"),
        ("eq", "0"),
        ("noMatch", ""),
        ("unconditionalMatch", ""),
        ("detectSQLi", ""),
        ("detectXSS", ""),
        ("validateByteRange", "32-126"),
        ("validateUrlEncoding", ""),
        ("validateUtf8Encoding", ""),
        ("ipMatch", "10.0.0.0/8"),
        ("verifyCC", r"\d{2}"),
    ]
    .map(|(name, argument)| Operator::compile(name, argument.as_bytes(), OperatorPorts::default()).unwrap())
    .into()
}

fn one_by_one(operators: &[Operator], value: &[u8], wanted: u64) -> u64 {
    let matching = operators.iter().enumerate().filter(|(_, operator)| operator.matches(value));
    matching.fold(0, |words, (number, _)| words | 1 << number) & wanted
}

fn check(scanner: &Scanner, operators: &[Operator], value: &[u8], wanted: u64) -> Result<(), TestCaseError> {
    let mut matching = [u64::MAX];
    let classes = ByteClasses::of_value(value);
    scanner.matches(value, classes, &[wanted], &mut matching);
    let expected = one_by_one(operators, value, wanted);
    prop_assert_eq!(matching[0], expected, "{:?}", value.escape_ascii().to_string());
    let mut candidates = [u64::MAX];
    scanner.narrow(value, classes, &[wanted], &mut candidates);
    prop_assert_eq!(candidates[0] & expected, expected);
    prop_assert_eq!(candidates[0] & !wanted, 0);
    Ok(())
}

#[test]
fn agrees_on_chosen_values() {
    let operators = operators();
    let scanner = Scanner::new(&operators);
    for value in [
        "",
        "ls",
        "LS",
        "1 UNION  select",
        "; cat /etc/passwd",
        "12",
        "10.1.2.3",
        "%",
        "é",
        "1' or '1'='1",
        "<script>",
        "abc",
        "x.env",
        "cat",
        "59",
    ] {
        check(&scanner, &operators, value.as_bytes(), u64::MAX).unwrap();
    }
}

#[test]
fn passes_over_a_plain_word() {
    let operators = operators();
    let scanner = Scanner::new(&operators[..2]);
    let mut candidates = [0];
    scanner.narrow(b"portcullis", ByteClasses::of_value(b"portcullis"), &[3], &mut candidates);
    assert_eq!(candidates, [0]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn agrees_with_asking_each(
        parts in proptest::collection::vec(
            prop_oneof![
                proptest::sample::select(vec![
                    "union", "UNION", " ", "\t", "select", ";", "|", "cat", "ls", "/etc/", "passwd", ".env", "1", "59",
                    "10.1.2.3", "%", "%41", "é", "<", "a", "b", "c", "'", "or", "=", "\n",
                ]).prop_map(|part| part.as_bytes().to_vec()),
                proptest::collection::vec(any::<u8>(), 1..3),
            ],
            0..8,
        ),
        wanted: u64,
    ) {
        let operators = operators();
        check(&Scanner::new(&operators), &operators, &parts.concat(), wanted)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn one_search_serves_texts_that_differ_in_case(
        parts in proptest::collection::vec(
            prop_oneof![
                proptest::sample::select(vec![
                    "union", "UNION", "Union", " ", "select", "SELECT", ";", "cat", "CAT", "/etc/", "/ETC/", "passwd",
                    ".Env", "1", "é", "É", "<", "a", "C", "'", "OR", "=", "-",
                ]).prop_map(|part| part.as_bytes().to_vec()),
                proptest::collection::vec(any::<u8>(), 1..3),
            ],
            0..8,
        ),
        wanted: [u64; 3],
    ) {
        let operators = operators();
        let scanner = Scanner::new(&operators);
        let text = parts.concat();
        let texts = [text.clone(), text.to_ascii_lowercase(), text.to_ascii_uppercase()];
        let words = wanted.map(|wanted| [wanted]);
        let alike = || {
            texts.iter().zip(&words).map(|(text, words)| (&text[..], ByteClasses::of_value(text), &words[..]))
        };
        let mut found = [u64::MAX];
        scanner.search_alike(alike(), &mut found);
        for (text, classes, words) in alike() {
            let mut matching = [u64::MAX];
            scanner.matches_found(text, classes, words, &found, &mut matching);
            prop_assert_eq!(matching[0], one_by_one(&operators, text, words[0]), "{:?}", text.escape_ascii().to_string());
        }
    }
}
