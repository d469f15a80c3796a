//! Trials of detectors in tests: a value in, the strongest hit out.

use crate::{
    detectors::Detector,
    hit::{Hit, Hits},
    leaf::{Field, Leaf, Where},
    view::View,
};

/// The strongest hit in a value.
pub(crate) fn hit(detector: &dyn Detector, at: Where, field: Field, text: &[u8]) -> Option<Hit> {
    let lower = text.to_ascii_lowercase();
    let view = View { text, lower: &lower, leaf: Leaf { at, field, name: "", value: text }, depth: 0 };
    let mut hits = Hits::new();
    detector.inspect(&view, &mut hits);
    for hit in &hits {
        assert_eq!(hit.class, detector.class());
        assert!((1..=10).contains(&hit.score), "{hit:?}");
        assert!(
            hit.span.start <= hit.span.end && hit.span.end <= text.len(),
            "{hit:?} in {} bytes",
            text.len()
        );
    }
    let strongest = hits.into_iter().max_by_key(|hit| hit.score);
    if strongest.as_ref().is_some_and(|hit| hit.score >= 5) {
        let seen = detector.literals().iter().any(|it| memchr::memmem::find(&lower, it.as_bytes()).is_some());
        assert!(seen, "the prefilter would not let `{}` through", text.escape_ascii());
    }
    strongest
}

fn score(detector: &dyn Detector, at: Where, field: Field, text: &str) -> u8 {
    hit(detector, at, field, text.as_bytes()).map_or(0, |hit| hit.score)
}

/// Every one of these is refused in a field of which nothing is known.
pub(crate) fn refuses(detector: &dyn Detector, attacks: &[&str]) {
    let missed: Vec<_> =
        attacks.iter().filter(|text| score(detector, Where::Query, Field::Unknown, text) < 10).collect();
    assert!(missed.is_empty(), "let through: {missed:#?}");
}

/// None of these is even suspicious in that field.
pub(crate) fn passes(detector: &dyn Detector, field: Field, values: &[&str]) {
    let refused: Vec<_> = values
        .iter()
        .filter_map(|text| hit(detector, Where::Body, field, text.as_bytes()).map(|hit| (hit, text)))
        .filter(|(hit, _)| hit.score > 5)
        .collect();
    assert!(refused.is_empty(), "refused: {refused:#?}");
}

/// Looks at any bytes and at fragments of the detector's language in any order, in every field.
pub(crate) fn never_panics(detector: &dyn Detector, fragments: &'static [&'static str]) {
    use proptest::prelude::*;
    let piece = prop_oneof![
        3 => proptest::sample::select(fragments).prop_map(|it| it.as_bytes().to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..8),
    ];
    let value = proptest::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat());
    let field = proptest::sample::select(
        &[Field::Unknown, Field::Prose, Field::Code, Field::Markup, Field::Query, Field::Url][..],
    );
    proptest!(ProptestConfig::with_cases(400), |(value in value, field in field)| {
        hit(detector, Where::Body, field, &value);
        hit(detector, Where::Name, field, &value);
    });
}
