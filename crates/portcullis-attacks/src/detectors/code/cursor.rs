//! Reading bytes by position: every function is total, so that no input can panic.

/// The byte at a position; NUL beyond the ends.
pub(crate) fn at(text: &[u8], position: usize) -> u8 {
    text.get(position).copied().unwrap_or(0)
}

/// The byte before a position; NUL at the start.
pub(crate) fn before(text: &[u8], position: usize) -> u8 {
    position.checked_sub(1).map_or(0, |it| at(text, it))
}

/// The bytes of a range, as far as they exist.
pub(crate) fn part(text: &[u8], start: usize, end: usize) -> &[u8] {
    let end = end.min(text.len());
    text.get(start.min(end)..end).unwrap_or_default()
}

/// Letters, digits, `_` and `$`: what identifiers are made of in most languages.
pub(crate) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$')
}

/// A blank to an HTML tokenizer or a programming language; NUL too, which some of them drop.
pub(crate) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c | 0)
}

/// Where `needle` stands at or after `from`.
pub(crate) fn find(text: &[u8], needle: &[u8], from: usize) -> Option<usize> {
    // Most texts do not even have the first byte, and to prepare the search for more costs more than to look for it.
    let first = needle.first().map_or(Some(0), |first| memchr::memchr(*first, text.get(from..)?))?;
    let from = from + first;
    memchr::memmem::find(text.get(from..)?, needle).map(|it| it + from)
}

/// Whether `needle` occurs.
pub(crate) fn has(text: &[u8], needle: &[u8]) -> bool {
    find(text, needle, 0).is_some()
}

/// Whether one of the needles occurs.
pub(crate) fn has_any(text: &[u8], needles: &[&[u8]]) -> bool {
    needles.iter().any(|needle| has(text, needle))
}

/// Whether `needle` stands at a position.
pub(crate) fn stands_at(text: &[u8], position: usize, needle: &[u8]) -> bool {
    text.get(position..).is_some_and(|rest| rest.starts_with(needle))
}

/// The first position at or after `from` whose byte is no blank.
pub(crate) fn skip_blanks(text: &[u8], from: usize) -> usize {
    let mut position = from;
    while position < text.len() && is_blank(at(text, position)) {
        position += 1;
    }
    position
}

/// The first position at or after `from` that is neither blank nor inside a `/*…*/` comment; looks at 64 bytes.
pub(crate) fn skip_filler(text: &[u8], from: usize) -> usize {
    let limit = from.saturating_add(FILLER_BYTES_MAX);
    let mut position = from;
    loop {
        position = skip_blanks(part(text, 0, limit), position);
        if !stands_at(text, position, b"/*") {
            return position;
        }
        match find(part(text, 0, limit), b"*/", position + 2) {
            Some(end) => position = end + 2,
            None => return position,
        }
    }
}

/// The position after the last byte before `end` that is neither blank nor inside a `/*…*/` comment; looks at 64
/// bytes.
pub(crate) fn skip_filler_back(text: &[u8], end: usize) -> usize {
    let limit = end.saturating_sub(FILLER_BYTES_MAX);
    let mut position = end;
    loop {
        while position > limit && is_blank(before(text, position)) {
            position -= 1;
        }
        if !part(text, limit, position).ends_with(b"*/") {
            return position;
        }
        match memchr::memmem::rfind(part(text, limit, position.saturating_sub(2)), b"/*") {
            Some(start) => position = limit + start,
            None => return position,
        }
    }
}

const FILLER_BYTES_MAX: usize = 64;

/// Where the identifier that ends at `end` begins; at most `most` bytes back.
pub(crate) fn word_start(text: &[u8], end: usize, most: usize) -> usize {
    let mut start = end;
    while start > end.saturating_sub(most) && is_word(before(text, start)) {
        start -= 1;
    }
    start
}

/// Where the identifier that begins at `start` ends; at most `most` bytes on.
pub(crate) fn word_end(text: &[u8], start: usize, most: usize) -> usize {
    let mut end = start;
    while end < start.saturating_add(most) && end < text.len() && is_word(at(text, end)) {
        end += 1;
    }
    end
}
