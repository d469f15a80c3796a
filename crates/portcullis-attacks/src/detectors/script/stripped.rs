//! What is left when a filter strips tags: `al<x>ert(1)` passes whoever looks for `alert`, and comes out whole.

use smallvec::SmallVec;

use crate::{
    detectors::code::{cursor, strongest::Strongest},
    view::View,
};

use super::{handlers, idioms, tags};

/// Judges the value without its short tags, if words are cut by at least two of them.
pub(super) fn look(view: &View<'_>, strongest: &mut Strongest<'_, '_>) {
    let lower = view.lower;
    if lower.len() > VALUE_BYTES_MAX || memchr::memchr(b'>', lower).is_none() {
        return;
    }
    let mut plain: SmallVec<[u8; 256]> = SmallVec::new();
    let (mut position, mut cuts) = (0, 0);
    while position < lower.len() {
        let end = tag_end(lower, position);
        if end > position {
            cuts += usize::from(is_cut(cursor::before(lower, position)) && is_cut(cursor::at(lower, end)));
            position = end;
        } else {
            plain.push(cursor::at(lower, position));
            position += 1;
        }
    }
    if cuts < CUTS_MIN {
        return;
    }
    // The scores are those of the whole value, which is what the reader gets to see.
    let whole = View { text: &plain, lower: &plain, ..*view };
    let mut inner = Strongest::of(crate::class::Class::Script, &whole);
    tags::look(&whole, &mut inner);
    handlers::look(&plain, &mut inner);
    idioms::look(&plain, &mut inner);
    if inner.is_certain() {
        strongest.offer(
            "split_by_tags",
            10,
            0..lower.len(),
            "a script that is whole once a filter has stripped its tags",
        );
    }
}

/// Longer values are no trick of this kind.
const VALUE_BYTES_MAX: usize = 4096;
const CUTS_MIN: usize = 2;
const TAG_BYTES_MAX: usize = 10;

/// Where a tag of letters alone ends, `<x>`, `</div>`, `<>`; the position itself where there is none.
fn tag_end(lower: &[u8], position: usize) -> usize {
    if cursor::at(lower, position) != b'<' {
        return position;
    }
    let rest = cursor::part(lower, position + 1, position + 1 + TAG_BYTES_MAX);
    let rest_named = rest.strip_prefix(b"/").unwrap_or(rest);
    let letters = rest_named.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let is_script = rest_named.get(..letters) == Some(b"script");
    if !is_script && rest_named.get(letters) == Some(&b'>') {
        position + 1 + (rest.len() - rest_named.len()) + letters + 1
    } else {
        position
    }
}

fn is_cut(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'<' | b'>' | b'/' | b'(' | b'=' | b')')
}
