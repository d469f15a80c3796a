//! Expressions between braces, and those of the Spring and Struts languages that need none.

use crate::detectors::code::{cursor, strongest::Strongest};

use super::expression::{self, Delimiter};

/// Judges what stands between every pair of delimiters.
pub(super) fn look(lower: &[u8], strongest: &mut Strongest<'_, '_>) {
    // Nested openings show the same bytes again: the work stays within a few times the value's length.
    let mut budget = lower.len().saturating_mul(2).saturating_add(1024);
    for brace in memchr::memchr_iter(b'{', lower) {
        let Some((delimiter, start, inside)) = delimiter(lower, brace) else { continue };
        let Some(rest) = budget.checked_sub(inside.len() + 1) else { break };
        budget = rest;
        let is_whole = start <= 2 && start + inside.len() + 6 >= lower.len();
        if let Some(found) = expression::judge(delimiter, inside, is_whole) {
            let end = cursor::part(lower, brace, lower.len()).len().min(inside.len() + 4) + brace;
            strongest.offer(found.rule, found.score, start..end, found.why);
        }
        if strongest.is_certain() {
            return;
        }
    }
    bare(lower, strongest);
}

const INSIDE_BYTES_MAX: usize = 400;

/// The kind of the opening brace at `brace`, where the delimiter starts, and what it holds.
fn delimiter(lower: &[u8], brace: usize) -> Option<(Delimiter, usize, &[u8])> {
    let (before, after) = (cursor::before(lower, brace), cursor::at(lower, brace + 1));
    let (delimiter, start, from) = match (before, after) {
        (b'{', _) => return None,
        (_, b'{') => (Delimiter::Double, brace, brace + 2),
        (_, b'%') => (Delimiter::Statement, brace, brace + 2),
        (b'$', _) => (Delimiter::Dollar, brace - 1, brace + 1),
        (b'#', _) => (Delimiter::Hash, brace - 1, brace + 1),
        (b'%', _) => (Delimiter::Percent, brace - 1, brace + 1),
        (b'*' | b'@' | b'~', _) => (Delimiter::Sigil, brace - 1, brace + 1),
        _ => (Delimiter::Single, brace, brace + 1),
    };
    Some((delimiter, start, inside(lower, from)))
}

/// What stands between `from` and the brace that closes it; to the end, where none does.
fn inside(lower: &[u8], from: usize) -> &[u8] {
    let rest = cursor::part(lower, from, from + INSIDE_BYTES_MAX);
    let mut depth = 0_usize;
    for (offset, byte) in rest.iter().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 0 => return rest.get(..offset).unwrap_or_default(),
            b'}' => depth -= 1,
            _ => {}
        }
    }
    rest
}

/// Marks of OGNL and SpEL without delimiters: parameters whose whole value is evaluated.
fn bare(lower: &[u8], strongest: &mut Strongest<'_, '_>) {
    for (mark, score) in BARE {
        let Some(start) = cursor::find(lower, mark, 0) else { continue };
        let span = start..(start + 48).min(lower.len());
        strongest.offer(
            "bare_expression",
            score,
            span,
            "an expression of Spring or Struts that reaches classes",
        );
        if strongest.is_certain() {
            return;
        }
    }
    // Razor: `@(7*7)`.
    for open in memchr::memmem::find_iter(lower, b"@(") {
        let rest = cursor::part(lower, open + 2, open + 2 + 48);
        let inside = rest.split(|byte| *byte == b')').next().unwrap_or_default();
        if expression::computes(inside) >= 9 {
            strongest.offer(
                "computed_expression",
                10,
                open..open + 3 + inside.len(),
                "a Razor expression that computes",
            );
        }
    }
}

const BARE: [(&[u8], u8); 20] = [
    (b"t(java.", 10),
    (b"t(java/", 8),
    (b"t(org.springframework", 10),
    (b"#_memberaccess", 10),
    (b"@ognl.ognlcontext@", 10),
    (b"@java.lang.", 10),
    (b"@java.util.collections@", 9),
    (b"@org.apache.", 10),
    (b"#context[", 10),
    (b"#context.", 9),
    (b"#parameters.", 8),
    (b"#request.get(", 8),
    (b"#this.getclass()", 10),
    (b"class.module.classloader", 10),
    (b"class.classloader", 10),
    (b".getclass().forname(", 10),
    (b"''.getclass()", 10),
    (b"\"\".getclass()", 10),
    (b".class.forname(", 10),
    (b"(new java.lang.", 8),
];
