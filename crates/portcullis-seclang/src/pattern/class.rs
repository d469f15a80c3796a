//! Bracketed classes: read into a set of bytes, written as ranges.

use super::PatternError;
use super::escape::{self, DIGIT, Escape, SPACE, WORD, Within};
use super::translate::Flags;
use crate::byte_set::ByteSet;

/// Translates the class that opens at `start`; answers where it ends.
///
/// A negated class stays one: under the caseless flag the engine folds the set before it negates, as PCRE does.
pub(super) fn translate(
    pattern: &[u8],
    start: usize,
    flags: Flags,
    out: &mut String,
) -> Result<usize, PatternError> {
    let mut at = start + 1;
    let negated = pattern.get(at) == Some(&b'^');
    at += usize::from(negated);
    let first = at;
    let mut set = ByteSet::EMPTY;
    loop {
        match pattern.get(at) {
            None => return Err(PatternError::at(start, "this `[` is not closed")),
            Some(b']') if at > first => break,
            Some(_) => {}
        }
        let (item, end) = item(pattern, at, flags)?;
        let (range_to, range_end) = match item {
            Item::Byte(_) => range_end(pattern, end, flags)?,
            Item::Set(_) => (None, end),
        };
        match (item, range_to) {
            (Item::Byte(low), Some(high)) if low > high => {
                return Err(PatternError::at(at, "this range runs backwards"));
            }
            (Item::Byte(low), Some(high)) => set = set.union(ByteSet::range(low, high)),
            (Item::Byte(byte), None) => set = set.with(byte),
            (Item::Set(more), _) => set = set.union(more),
        }
        at = range_end;
    }
    write(set, negated, out);
    Ok(at + 1)
}

/// Writes a set as a class.
pub(super) fn write_set(set: ByteSet, out: &mut String) {
    write(set, false, out);
}

enum Item {
    Byte(u8),
    Set(ByteSet),
}

/// One item and where it ends.
fn item(pattern: &[u8], at: usize, flags: Flags) -> Result<(Item, usize), PatternError> {
    match pattern.get(at..).unwrap_or_default() {
        [b'[', b':', name @ ..] => match posix(name, flags) {
            Some((Some(set), length)) => Ok((Item::Set(set), at + 2 + length)),
            Some((None, _)) => Err(PatternError::at(at, "there is no class of that name")),
            // Without a closing `:]` the bracket is a plain character.
            None => Ok((Item::Byte(b'['), at + 1)),
        },
        [b'\\', b'Q', ..] => {
            Err(PatternError::at(at, r"`\Q` in a class is not supported; escape the characters"))
        }
        [b'\\', b'E', ..] => Ok((Item::Set(ByteSet::EMPTY), at + 2)),
        [b'\\', ..] => {
            let (escape, end) = escape::read(pattern, at, Within::Class)?;
            match escape {
                Escape::Byte(byte) => Ok((Item::Byte(byte), end)),
                Escape::Set(set) => Ok((Item::Set(set), end)),
                _ => Err(PatternError::at(at, "this escape has no meaning in a class")),
            }
        }
        [byte, ..] => Ok((Item::Byte(*byte), at + 1)),
        [] => Err(PatternError::at(at, "the class is not closed")),
    }
}

/// The upper end of a range, when a hyphen and a byte follow. A hyphen before the closing bracket, or before a set, is a
/// plain character.
fn range_end(pattern: &[u8], at: usize, flags: Flags) -> Result<(Option<u8>, usize), PatternError> {
    match pattern.get(at..).unwrap_or_default() {
        [b'-', b']', ..] => Ok((None, at)),
        [b'-', _, ..] => match item(pattern, at + 1, flags)? {
            (Item::Byte(high), end) => Ok((Some(high), end)),
            (Item::Set(_), _) => Ok((None, at)),
        },
        _ => Ok((None, at)),
    }
}

/// `name:]` or `^name:]`: its set, if the name is known, and the length; `None` when it is not closed.
fn posix(text: &[u8], flags: Flags) -> Option<(Option<ByteSet>, usize)> {
    let close = text.windows(2).position(|pair| pair == b":]")?;
    let name = text.get(..close)?;
    if !name.iter().all(|byte| byte.is_ascii_lowercase() || *byte == b'^') {
        return None;
    }
    let (negated, name) = match name {
        [b'^', name @ ..] => (true, name),
        name => (false, name),
    };
    let set = named(name, flags.caseless).map(|set| if negated { set.complement() } else { set });
    Some((set, close + 2))
}

fn named(name: &[u8], caseless: bool) -> Option<ByteSet> {
    let lower = ByteSet::range(b'a', b'z');
    let upper = ByteSet::range(b'A', b'Z');
    let alpha = lower.union(upper);
    let graph = ByteSet::range(b'!', b'~');
    Some(match name {
        b"alpha" => alpha,
        b"lower" | b"upper" if caseless => alpha,
        b"lower" => lower,
        b"upper" => upper,
        b"digit" => DIGIT,
        b"alnum" => alpha.union(DIGIT),
        b"xdigit" => DIGIT.union(ByteSet::range(b'a', b'f')).union(ByteSet::range(b'A', b'F')),
        b"space" => SPACE,
        b"blank" => ByteSet::of(b" \t"),
        b"cntrl" => ByteSet::range(0, 0x1f).with(0x7f),
        b"graph" => graph,
        b"print" => graph.with(b' '),
        b"punct" => graph.intersection(alpha.union(DIGIT).complement()),
        b"word" => WORD,
        b"ascii" => ByteSet::range(0, 0x7f),
        _ => return None,
    })
}

fn write(set: ByteSet, negated: bool, out: &mut String) {
    out.push_str(if negated { "[^" } else { "[" });
    let mut bytes = set.iter().peekable();
    if bytes.peek().is_none() {
        // Only `\E` alone makes an empty class. The engine spells it as the complement of everything.
        let spelling = if negated { r"\x00-\xff]" } else { r"^\x00-\xff]" };
        out.truncate(out.len() - usize::from(negated));
        out.push_str(spelling);
        return;
    }
    while let Some(low) = bytes.next() {
        let mut high = low;
        while let Some(next) = bytes.next_if(|next| high.checked_add(1) == Some(*next)) {
            high = next;
        }
        escape::write_literal(low, out);
        if high > low {
            out.push('-');
            escape::write_literal(high, out);
        }
    }
    out.push(']');
}
