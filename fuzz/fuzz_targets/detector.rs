//! What every detector of attacks promises, whatever the bytes: no panic, the same answer twice, spans inside the view
//! and scores from 1 to 10.

use portcullis_attacks::{Class, Field, Hits, Leaf, View, Where, all};

const FIELDS: [Field; 11] = [
    Field::Unknown,
    Field::Token,
    Field::Prose,
    Field::Markup,
    Field::Code,
    Field::Query,
    Field::Url,
    Field::UserAgent,
    Field::File,
    Field::Opaque,
    Field::Referer,
];

const PLACES: [Where; 5] = [Where::Query, Where::Body, Where::Name, Where::Path, Where::Header];

/// Names that detectors know: of a command's field, an uploaded file, a type hint.
const NAMES: [&str; 4] = ["", "cmd", "filename", "@type"];

/// Lets the detector of a class look at a text; `kind` chooses the field, the place and the name.
pub fn holds(class: Class, kind: u8, text: &[u8]) {
    let detector = all().iter().find(|it| it.class() == class).expect("every class has a detector");
    let lower = text.to_ascii_lowercase();
    let field = FIELDS[usize::from(kind) % FIELDS.len()];
    let at = PLACES[usize::from(kind) / FIELDS.len() % PLACES.len()];
    let name = NAMES[usize::from(kind) / FIELDS.len() / PLACES.len() % NAMES.len()];
    let view = View { text, lower: &lower, leaf: Leaf { at, field, name, value: text }, depth: 0 };
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
