//! URLs that are code: `javascript:` and its kind, and documents in `data:`.

use crate::{
    detectors::code::{cursor, strongest::Strongest},
    leaf::{Field, Where},
    view::View,
};

use super::idioms;

/// Judges every scheme that runs. Browsers drop tabs and line ends inside a URL, so blanks count for nothing.
pub(super) fn look(view: &View<'_>, strongest: &mut Strongest<'_, '_>) {
    let lower = view.lower;
    for colon in memchr::memchr_iter(b':', lower) {
        let scheme = match cursor::before(lower, skip_back(lower, colon)) {
            b't' => {
                SCRIPTS.iter().find_map(|name| word_before(lower, colon, name)).map(|start| (start, true))
            }
            b'a' => word_before(lower, colon, b"data").map(|start| (start, false)),
            _ => None,
        };
        let Some((start, is_script)) = scheme else { continue };
        let span = start..(colon + 1 + SPAN_BYTES).min(lower.len());
        let body = cursor::part(lower, colon + 1, colon + 1 + BODY_BYTES_MAX);
        let place = place(lower, start);
        if is_script {
            let score = script(&place, body);
            strongest.offer("script_url", score, span, "a URL that the browser runs as a script");
        } else if let Some(score) = document(view, &place, start, body) {
            strongest.offer(
                "data_document",
                score,
                span,
                "a URL that holds a document with scripts of its own",
            );
        }
        if strongest.is_certain() {
            return;
        }
    }
}

const SCRIPTS: [&[u8]; 4] = [b"javascript", b"vbscript", b"livescript", b"jscript"];
const BODY_BYTES_MAX: usize = 200;
const SPAN_BYTES: usize = 60;

/// How far before a URL its element's or attribute's name is looked for.
const OWNER_BYTES: usize = 64;

/// Blanks between two letters of a scheme that are looked past.
const BLANKS_MAX: usize = 12;

fn skip_back(lower: &[u8], end: usize) -> usize {
    let mut position = end;
    while position > end.saturating_sub(BLANKS_MAX) && position > 0 && cursor::before(lower, position) <= b' '
    {
        position -= 1;
    }
    position
}

/// Where `word` begins, read backwards from `end` past blanks.
fn word_before(lower: &[u8], end: usize, word: &[u8]) -> Option<usize> {
    let mut position = end;
    for letter in word.iter().rev() {
        position = skip_back(lower, position);
        if cursor::before(lower, position) != *letter {
            return None;
        }
        position -= 1;
    }
    Some(position)
}

#[derive(PartialEq, Eq)]
enum Place {
    /// The value itself is the URL.
    Start,
    /// Behind `=`, a quote or a bracket: an attribute, a property, a CSS `url(`.
    Attribute,
    /// In the middle of words.
    Inside,
    /// The tail of a longer word.
    Tail,
}

fn place(lower: &[u8], start: usize) -> Place {
    let mut from = start;
    while from > start.saturating_sub(BLANKS_MAX)
        && from > 0
        && matches!(cursor::before(lower, from), 0..=b' ' | 0x80..=0xff)
    {
        from -= 1;
    }
    let before = cursor::before(lower, from);
    if from == 0 {
        Place::Start
    } else if matches!(before, b'=' | b'"' | b'\'' | b'`' | b'(' | b'<' | b'>' | b'/' | b'#' | b':' | b';') {
        Place::Attribute
    } else if cursor::is_word(before) && from == start || before == b'-' {
        Place::Tail
    } else {
        Place::Inside
    }
}

fn script(place: &Place, body: &[u8]) -> u8 {
    let body = cursor::part(body, cursor::skip_blanks(body, 0), body.len());
    if [&b"void(0)"[..], b"void 0", b";", b"//\"", b"\""].iter().any(|idle| body.starts_with(idle)) {
        return 2;
    }
    let names_sink = idioms::names_sink(body);
    let is_code = body.iter().any(|byte| matches!(byte, b'(' | b'`' | b'='))
        || body.starts_with(b"//")
        || body.starts_with(b"/*");
    match (place, names_sink, is_code) {
        (Place::Start | Place::Attribute, true, _) | (Place::Start | Place::Attribute, _, true) => 10,
        (Place::Inside, true, true) => 9,
        (Place::Attribute, false, false) => 5,
        (Place::Tail, true, true) => 8,
        (Place::Inside, _, true) => 4,
        _ => 1,
    }
}

/// Judges what follows `data:`; documents and scripts alone matter.
fn document(view: &View<'_>, place: &Place, start: usize, body: &[u8]) -> Option<u8> {
    let plain: smallvec::SmallVec<[u8; 48]> =
        body.iter().copied().filter(|byte| *byte > b' ').take(40).collect();
    let starts = |it: &[u8]| plain.starts_with(it);
    let is_document = starts(b"text/html")
        || starts(b"application/xhtml")
        || starts(b"text/javascript")
        || starts(b"application/javascript");
    let is_image_document = starts(b"image/svg+xml")
        || starts(b"text/xml")
        || starts(b"application/xml")
        || starts(b"application/x-");
    let is_untyped = (starts(b",") || starts(b";base64,")) && *place == Place::Attribute;
    let is_upload = view.leaf.at == Where::Body && matches!(view.leaf.field, Field::Url | Field::Opaque);
    let owner = cursor::part(view.lower, start.saturating_sub(OWNER_BYTES), start);
    match place {
        Place::Tail => None,
        Place::Start if is_document => Some(if is_upload { 6 } else { 10 }),
        Place::Attribute if is_document => Some(10),
        Place::Inside if is_document => Some(6),
        Place::Attribute
            if is_image_document && cursor::has_any(owner, &[b"href", b"embed", b"object", b"frame"]) =>
        {
            Some(10)
        }
        Place::Attribute if is_untyped && idioms::names_sink(body) => Some(8),
        _ => None,
    }
}
