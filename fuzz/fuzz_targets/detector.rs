//! What every detector of attacks promises, whatever the bytes: no panic, the same answer twice, spans inside the view
//! and scores from 1 to 10.

use portcullis_attacks::{Class, Field, Hits, Leaf, View, Where, all};

const FIELDS: [Field; 8] = [
    Field::Unknown,
    Field::Token,
    Field::Prose,
    Field::Markup,
    Field::Code,
    Field::Query,
    Field::Url,
    Field::UserAgent,
];

const PLACES: [Where; 3] = [Where::Query, Where::Body, Where::Name];

/// Lets the detector of a class look at a text; `kind` chooses the field and the place.
pub fn holds(class: Class, kind: u8, text: &[u8]) {
    let detector = all().iter().find(|it| it.class() == class).expect("every class has a detector");
    let lower = text.to_ascii_lowercase();
    let field = FIELDS[usize::from(kind) % FIELDS.len()];
    let at = PLACES[usize::from(kind) / FIELDS.len() % PLACES.len()];
    let view = View { text, lower: &lower, leaf: Leaf { at, field, name: "", value: text }, depth: 0 };
    let (mut hits, mut again) = (Hits::new(), Hits::new());
    detector.inspect(&view, &mut hits);
    detector.inspect(&view, &mut again);
    assert_eq!(hits, again);
    for hit in hits {
        assert_eq!(hit.class, class);
        assert!((1..=10).contains(&hit.score), "{hit:?}");
        assert!(text.get(hit.span.clone()).is_some(), "{hit:?}");
    }
}
