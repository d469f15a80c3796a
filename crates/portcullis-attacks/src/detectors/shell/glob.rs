//! Paths written with wildcards, so that no filter finds the name: `/???/c?t /e*c/p*s*d`.

use crate::{class::Class, hit::Hit, leaf::Field, view::View};

/// What such a pattern is meant to find.
const TARGETS: [&[u8]; 17] = [
    b"etc/passwd",
    b"etc/shadow",
    b"etc/hosts",
    b"etc/group",
    b"bin/cat",
    b"bin/ls",
    b"bin/sh",
    b"bin/bash",
    b"bin/nc",
    b"bin/id",
    b"usr/bin/id",
    b"usr/bin/whoami",
    b"usr/bin/curl",
    b"usr/bin/wget",
    b"bin/head",
    b"bin/uname",
    b"usr/bin/python3",
];

/// The first word of a value whose wildcards name a well-known file or program.
pub(super) fn find(view: &View<'_>) -> Option<Hit> {
    let is_wild = |byte: &u8| matches!(byte, b'?' | b'*' | b'[');
    if memchr::memchr(b'/', view.lower).is_none() || !view.lower.iter().any(is_wild) {
        return None;
    }
    let words = view.lower.split(|byte| is_edge(*byte));
    let mut start = 0;
    let mut patterns = 0;
    for word in words {
        let span = start..start + word.len();
        start = span.end + 1;
        if !(5..=WORD_BYTES_MAX).contains(&word.len()) || !word.contains(&b'/') {
            continue;
        }
        if !word.iter().any(is_wild) {
            continue;
        }
        patterns += 1;
        if patterns > PATTERNS_MAX {
            return None;
        }
        if !names_target(word) {
            continue;
        }
        let score = match view.leaf.field {
            Field::Code | Field::Query => 3,
            Field::Prose | Field::Markup => 5,
            _ => 10,
        };
        let why = "a path with wildcards that stand for the letters of a well-known file or program";
        return Some(Hit { class: Class::Shell, rule: "wildcard_path", score, span, why });
    }
    None
}

/// Longer words are no path that somebody typed.
const WORD_BYTES_MAX: usize = 96;

/// Patterns tried in one value.
const PATTERNS_MAX: usize = 16;

fn is_edge(byte: u8) -> bool {
    byte.is_ascii_whitespace()
        || matches!(
            byte,
            b';' | b'|' | b'&' | b'`' | b'+' | b'(' | b')' | b'<' | b'>' | b',' | b'=' | b'{' | b'}'
        )
}

fn names_target(word: &[u8]) -> bool {
    let mut path: smallvec::SmallVec<[u8; WORD_BYTES_MAX]> = smallvec::SmallVec::new();
    // Quotes and backslashes within a word are glue.
    path.extend(word.iter().copied().filter(|byte| !matches!(byte, b'\'' | b'"' | b'\\')));
    let mut path = path.as_slice();
    while let Some(rest) =
        path.strip_prefix(b"../").or_else(|| path.strip_prefix(b"./")).or_else(|| path.strip_prefix(b"/"))
    {
        path = rest;
    }
    let letters = path.iter().filter(|byte| byte.is_ascii_alphabetic()).count();
    let wild = path.iter().filter(|byte| matches!(byte, b'?' | b'*')).count();
    // `*/*` and `**/bin/*` name nothing.
    if wild == 0 || letters == 0 || (letters == 1 && wild < 4) {
        return false;
    }
    let Some(slash) = path.iter().rposition(|byte| *byte == b'/') else { return false };
    let last_has_letters = path.get(slash..).is_some_and(|last| last.iter().any(u8::is_ascii_alphabetic));
    last_has_letters && TARGETS.iter().any(|target| matches(path, target))
}

/// Whether a pattern of `?`, `*` and letters matches all of a name. One place to return to is enough, because a later
/// `*` takes over what an earlier one could still do.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    while let Some(byte) = name.get(n) {
        match pattern.get(p) {
            Some(b'*') => {
                back = Some((p, n));
                p += 1;
            }
            Some(b'?') if *byte != b'/' => {
                p += 1;
                n += 1;
            }
            Some(letter) if letter == byte => {
                p += 1;
                n += 1;
            }
            _ => match back {
                Some((star, from)) if name.get(from) != Some(&b'/') => {
                    back = Some((star, from + 1));
                    p = star + 1;
                    n = from + 1;
                }
                _ => return false,
            },
        }
    }
    pattern.get(p..).is_some_and(|rest| rest.iter().all(|byte| *byte == b'*' || *byte == b'?'))
}
