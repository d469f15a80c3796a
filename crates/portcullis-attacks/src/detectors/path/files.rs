//! Files that are asked for because they stand in the same place on every machine.

use std::{ops::Range, sync::LazyLock};

use aho_corasick::{AhoCorasick, MatchKind};

pub(super) use super::families::Worth;
use super::families::{FAMILIES, Family};
use crate::leaf::Where;

/// A well-known file named in a value.
pub(super) struct Found {
    pub(super) worth: Worth,
    pub(super) rule: &'static str,
    pub(super) why: &'static str,
    pub(super) span: Range<usize>,
}

/// Families by pattern of the automaton.
struct Table {
    names: AhoCorasick,
    families: Vec<usize>,
}

#[expect(
    clippy::expect_used,
    reason = "the names are constants, and a few hundred of them fit any automaton"
)]
static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let (mut names, mut families) = (Vec::new(), Vec::new());
    for (place, family) in FAMILIES.iter().enumerate() {
        for name in family.names {
            names.push(*name);
            families.push(place);
        }
    }
    let names = AhoCorasick::builder().match_kind(MatchKind::Standard).build(names).expect("constant names");
    Table { names, families }
});

/// The most telling well-known file in a value. The text is in lower case.
pub(super) fn find(lower: &[u8], at: Where) -> Option<Found> {
    if lower.len() < 4 {
        return None;
    }
    let mut best: Option<Found> = None;
    for found in TABLE.names.find_overlapping_iter(lower) {
        let Some(family) = TABLE.families.get(found.pattern().as_usize()).and_then(|it| FAMILIES.get(*it))
        else {
            continue;
        };
        if best.as_ref().is_some_and(|best| rank(best.worth) <= rank(family.worth)) {
            continue;
        }
        if !ends_name(lower, found.end(), family.worth) {
            continue;
        }
        let Some(start) = begins(lower, found.start(), family, at) else { continue };
        let is_secret = family.worth == Worth::Secret;
        let is_in_path = || separators(lower.get(..found.start()).unwrap_or_default()).is_some();
        let worth = match family.worth {
            Worth::Name if family.is_rare_in_paths && is_in_path() => Worth::NameInPath,
            other => other,
        };
        best = Some(Found { worth, rule: family.rule, why: family.why, span: start..found.end() });
        if is_secret {
            break;
        }
    }
    best
}

fn rank(worth: Worth) -> u8 {
    match worth {
        Worth::Secret => 0,
        Worth::Telling => 1,
        Worth::NameInPath => 2,
        Worth::Name => 3,
    }
}

/// A name ends where a word ends; `passwords` is none.
fn ends_name(lower: &[u8], end: usize, worth: Worth) -> bool {
    match lower.get(end) {
        Some(b'-') => worth == Worth::Secret,
        Some(b'_') => false,
        Some(byte) => !byte.is_ascii_alphanumeric(),
        None => true,
    }
}

/// Where the path begins, if the directory that the family asks for stands before the name.
fn begins(lower: &[u8], name: usize, family: &Family, at: Where) -> Option<usize> {
    let before = lower.get(..name)?;
    if family.under.is_empty() {
        let is_name =
            before.last().is_none_or(|byte| !byte.is_ascii_alphanumeric() && !matches!(byte, b'_' | b'-'));
        // A disguised separator may end in a letter: `%c0%9vboot.ini`, `0x5cboot.ini`.
        return (is_name || ends_with_escape(before)).then_some(name);
    }
    let directory_end = before.len() - separators(before)?;
    let directory = before.get(..directory_end)?;
    let under = family.under.iter().find(|under| directory.ends_with(under.as_bytes()))?;
    let start = directory_end - under.len();
    let ahead = lower.get(..start)?;
    let is_word =
        ahead.last().is_none_or(|byte| !byte.is_ascii_alphanumeric() && !matches!(byte, b'_' | b'-'))
            || ends_with_escape(ahead);
    if !is_word {
        return None;
    }
    // Below a URL's host or an application's own directory `/etc/…` is a path of that host, or a route; at the root it
    // is the machine's. What reads it from a route gets it percent-encoded or with ways up before it.
    (at == Where::Path || !is_of_url(ahead)).then_some(start)
}

/// How far back an address' scheme is looked for.
const ADDRESS_BYTES_MAX: usize = 128;

/// Whether a path continues an address of another host.
fn is_of_url(ahead: &[u8]) -> bool {
    let ahead = ahead.get(ahead.len().saturating_sub(ADDRESS_BYTES_MAX)..).unwrap_or(ahead);
    let Some(colon) = memchr::memmem::rfind(ahead, b"://") else { return false };
    let authority = ahead.get(colon + 3..).unwrap_or_default();
    let is_file = ahead.get(..colon).is_some_and(|scheme| scheme.ends_with(b"file"));
    let is_host = authority.first().is_some_and(u8::is_ascii_alphanumeric);
    let breaks = |byte: &u8| matches!(byte, b' ' | b'=' | b'?' | b'"' | b'\'');
    !is_file
        && is_host
        && authority.ends_with(b"/")
        && !authority.iter().any(breaks)
        && !authority.windows(2).any(|two| matches!(two, b".." | b"//"))
}

/// The longest spelling of separators looked at between a directory and a name.
const SEPARATORS_BYTES_MAX: usize = 32;

/// How many bytes of separators, in whatever spelling, end the text; none where nothing does.
fn separators(before: &[u8]) -> Option<usize> {
    let mut length = 0;
    let mut separates = false;
    while length < SEPARATORS_BYTES_MAX {
        let rest = before.get(..before.len().checked_sub(length)?)?;
        let step = match rest {
            [.., b'0', b'x', b'2' | b'5', b'f' | b'c' | b'e'] => 4,
            [.., b'%', b'u', a, b, c, d] if [a, b, c, d].iter().all(|it| it.is_ascii_alphanumeric()) => 6,
            [.., b'%', a, b] if a.is_ascii_alphanumeric() && b.is_ascii_alphanumeric() => 3,
            // `%C0AF`: a careless decoder's leftovers.
            [.., 0xc0 | 0xc1, a, b] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() => 3,
            // An old server takes C0 or C1 with whatever follows.
            [.., 0xc0 | 0xc1, _] => 2,
            [.., b'/' | b'\\' | b'?'] => 1,
            [.., b'.' | b'%' | b'\'' | b'"' | b'$' | b'*'] => {
                length += 1;
                continue;
            }
            [.., byte] if *byte >= 0x80 || *byte < 0x20 => 1,
            _ => break,
        };
        separates = true;
        length += step;
    }
    separates.then_some(length)
}

/// Whether the text ends with an encoded character whose last byte may be a letter.
fn ends_with_escape(text: &[u8]) -> bool {
    match text {
        [.., b'%', _, _]
        | [.., b'0', b'x', b'2' | b'5', b'f' | b'c' | b'e']
        | [.., b'%', b'u', _, _, _, _] => true,
        [.., 0xc0 | 0xc1, _] | [.., 0xc0 | 0xc1, _, _] => true,
        [.., byte] => *byte >= 0x80 || *byte < 0x20,
        [] => false,
    }
}
