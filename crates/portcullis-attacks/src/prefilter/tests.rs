//! Which literals are found where, and what bytes say of encodings.

use super::*;
use crate::decode;
use crate::{class::Class, hit::Hits, view::View};

struct Sample(&'static [&'static str]);

impl Detector for Sample {
    fn class(&self) -> Class {
        Class::Sql
    }

    fn literals(&self) -> &'static [&'static str] {
        self.0
    }

    fn inspect(&self, _: &View<'_>, _: &mut Hits) {}
}

fn check(text: &str) -> Vec<usize> {
    let prefilter =
        Prefilter::new(&[&Sample(&["union", "'"]), &Sample(&["onion", "<", "x"]), &Sample(&["union all"])]);
    let found = prefilter.look(text.as_bytes()).detectors();
    (0..DETECTORS_MAX).filter(|place| found & 1 << place != 0).collect()
}

#[test]
fn finds_literals_in_either_case_and_where_they_overlap() {
    assert_eq!(check("a plain word"), []);
    assert_eq!(check("UnIoN"), [0]);
    assert_eq!(check("UNION ALL"), [0, 2]);
    assert_eq!(check("unonion"), [1]);
    assert_eq!(check("it's"), [0]);
    assert_eq!(check("X"), [1]);
    assert_eq!(check(""), []);
}

#[test]
fn a_detector_without_literals_looks_at_everything() {
    let prefilter = Prefilter::new(&[&Sample(&["union"]), &Sample(&[])]);
    assert_eq!(prefilter.look(b"").detectors(), 0b10);
}

#[test]
fn marks_what_may_be_encoded() {
    let prefilter = Prefilter::new(&[]);
    let seen = |text: &str| prefilter.look(text.as_bytes());
    let may_be_encoded = |text: &str| decode::may_be_encoded(text.as_bytes(), seen(text));
    assert!(!may_be_encoded("a plain, word.") && !may_be_encoded("quantity") && !may_be_encoded(""));
    assert!(may_be_encoded("50%") && may_be_encoded("c2VsZWN0IDE=") && may_be_encoded("'a'"));
    assert!(seen("50%").has_percent() && seen("a&b").has_ampersand() && seen("a\\b").has_backslash());
    assert!(seen("é").has_high() && seen("a\0").has_control() && !seen("a\nb\t").has_control());
    assert!(seen("QUJD-_=").may_be_base64() && !seen("QUJD.").may_be_base64());
    assert!(seen("00ff").may_be_hex() && !seen("00fg").may_be_hex());
    assert!(seen("{}").has_bracket() && !seen("()").has_bracket());
}

#[test]
fn all_literals_of_the_registry_fit_a_small_automaton() {
    let prefilter = Prefilter::new(crate::detectors::all());
    assert!(prefilter.memory_bytes() < 8 << 20, "{} bytes", prefilter.memory_bytes());
    assert!(crate::detectors::all().len() <= DETECTORS_MAX);
}

#[test]
fn literals_that_begin_alike_are_told_apart_in_either_case() {
    let prefilter =
        Prefilter::new(&[&Sample(&["a1"]), &Sample(&["a1b"]), &Sample(&["a1b@"]), &Sample(&["a1b@c"])]);
    let found = |text: &str| prefilter.look(text.as_bytes()).detectors();
    assert_eq!(found("A1"), 0b1);
    assert_eq!(found("xA1B"), 0b11);
    // `@` and the backtick differ by the bit that tells letters' cases apart.
    assert_eq!(found("a1b`c"), 0b11);
    assert_eq!(found("A1b@"), 0b111);
    assert_eq!(found("..a1B@C.."), 0b1111);
}
