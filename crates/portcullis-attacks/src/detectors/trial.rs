//! What the tests of all detectors ask of one.

use proptest::prelude::*;

use super::Detector;
use crate::{
    hit::Hits,
    leaf::{Field, Leaf, Where},
    view::View,
};

/// A value in a place; a query's parameter of no special name unless said otherwise.
#[derive(Clone, Copy)]
pub(super) struct Trial<'a> {
    pub(super) at: Where,
    pub(super) field: Field,
    pub(super) name: &'a str,
    pub(super) value: &'a [u8],
}

impl<'a> Trial<'a> {
    pub(super) fn new(value: &'a (impl AsRef<[u8]> + ?Sized)) -> Self {
        Self { at: Where::Query, field: Field::Unknown, name: "q", value: value.as_ref() }
    }

    pub(super) fn at(self, at: Where) -> Self {
        Self { at, ..self }
    }

    pub(super) fn field(self, field: Field) -> Self {
        Self { field, ..self }
    }

    pub(super) fn name(self, name: &'a str) -> Self {
        Self { name, ..self }
    }

    /// What a detector finds once its literals have let the value through.
    pub(super) fn hits(self, detector: &dyn Detector) -> Hits {
        let lower = self.value.to_ascii_lowercase();
        let mut hits = Hits::new();
        let is_wanted = detector.literals().iter().any(|literal| {
            literal.is_empty() || lower.windows(literal.len()).any(|part| part == literal.as_bytes())
        });
        if is_wanted {
            let leaf = Leaf { at: self.at, field: self.field, name: self.name, value: self.value };
            detector.inspect(&View { text: self.value, lower: &lower, leaf, depth: 0 }, &mut hits);
        }
        for hit in &hits {
            assert_eq!(hit.class, detector.class());
            assert!((1..=10).contains(&hit.score), "{hit:?}");
            assert!(
                hit.span.start <= hit.span.end && hit.span.end <= self.value.len(),
                "{hit:?} of {}",
                self.value.len()
            );
        }
        hits
    }

    /// The highest score, 0 where nothing is found.
    pub(super) fn score(self, detector: &dyn Detector) -> u8 {
        self.hits(detector).iter().map(|hit| hit.score).max().unwrap_or(0)
    }

    /// The rule of the highest score, empty where nothing is found.
    pub(super) fn rule(self, detector: &dyn Detector) -> &'static str {
        self.hits(detector).iter().max_by_key(|hit| hit.score).map_or("", |hit| hit.rule)
    }
}

/// Each value alone refuses a call, by that rule.
pub(super) fn refuses(detector: &dyn Detector, rule: &str, values: &[&str]) {
    for value in values {
        let hits = Trial::new(*value).hits(detector);
        let is_sure = hits.iter().any(|hit| hit.rule == rule && hit.score == 10);
        assert!(is_sure, "`{}` is no {rule}: {hits:?}", value.escape_debug());
    }
}

/// No value alone refuses a call, nor comes near it.
pub(super) fn lets_pass(detector: &dyn Detector, values: &[&str]) {
    for value in values {
        let trial = Trial::new(*value);
        assert!(trial.score(detector) < 7, "`{}`: {:?}", value.escape_debug(), trial.hits(detector));
    }
}

/// Any bytes, and any sequence of what the detector's language is made of, in any place.
pub(super) fn never_panics(detector: &'static dyn Detector, fragments: &'static [&'static str]) {
    let any = prop::collection::vec(any::<u8>(), 0..256);
    let made = prop::collection::vec(prop::sample::select(fragments), 0..24)
        .prop_map(|parts| parts.concat().into_bytes());
    let at = prop::sample::select(vec![
        Where::Path,
        Where::Query,
        Where::Header,
        Where::Cookie,
        Where::Body,
        Where::Name,
    ]);
    let field = prop::sample::select(vec![
        Field::Unknown,
        Field::Token,
        Field::Prose,
        Field::Markup,
        Field::Code,
        Field::Query,
        Field::Url,
        Field::File,
        Field::Opaque,
        Field::UserAgent,
        Field::Referer,
    ]);
    let mut runner = proptest::test_runner::TestRunner::default();
    let outcome = runner.run(&(prop_oneof![any, made], at, field), |(value, at, field)| {
        Trial::new(&value).at(at).field(field).name("filename").hits(detector);
        // The literals must not be what keeps a panic away.
        let lower = value.to_ascii_lowercase();
        let leaf = Leaf { at, field, name: "cmd", value: &value };
        detector.inspect(&View { text: &value, lower: &lower, leaf, depth: 0 }, &mut Hits::new());
        Ok(())
    });
    outcome.unwrap();
}

/// Twice the value is about twice the work: a detector looks at a value of 64 KiB of one fragment in a moment. A
/// quadratic one would need minutes, which the test runner's own limit ends.
pub(super) fn is_linear(detector: &dyn Detector, fragments: &[&str]) {
    for fragment in fragments {
        let value = fragment.repeat(64 * 1024 / fragment.len());
        for field in [Field::Unknown, Field::Prose] {
            Trial::new(&value).field(field).hits(detector);
        }
    }
}
