//! Marks of request smuggling inside values (CWE-444): a whole request where a value should be.

use memchr::memmem;

use super::Detector;
use crate::{
    class::Class,
    hit::{Hit, Hits},
    leaf::Field,
    view::View,
};

/// Finds request lines and chunked framing in values.
pub(super) struct Smuggling;

impl Detector for Smuggling {
    fn class(&self) -> Class {
        Class::Smuggling
    }

    fn literals(&self) -> &'static [&'static str] {
        &[" http/1.", " http/0.9", "transfer-encoding", "%20http/1."]
    }

    fn inspect(&self, view: &View<'_>, hits: &mut Hits) {
        let Some((rule, strength, at, why)) = request_line(view.lower).or_else(|| chunked(view.lower)) else {
            return;
        };
        let lines = view.lower.iter().filter(|byte| **byte == b'\n').take(8).count();
        let score = match view.leaf.field {
            Field::Code => strength.min(2),
            Field::Prose | Field::Markup | Field::Query => strength.min(4),
            // A dump of an exchange has many header lines; a smuggled request is as short as can be.
            _ if lines >= 8 => strength.min(6),
            _ => strength,
        };
        hits.push(Hit { class: Class::Smuggling, rule, score, span: at..view.text.len().min(at + 48), why });
    }
}

const METHODS: [&[u8]; 9] =
    [b"get", b"post", b"put", b"delete", b"patch", b"head", b"options", b"connect", b"trace"];

/// The longest request target between a method and the version.
const TARGET_BYTES_MAX: usize = 512;

/// `GET /path HTTP/1.1` after a line's end, or at a value's beginning with a header after it.
fn request_line(lower: &[u8]) -> Option<(&'static str, u8, usize, &'static str)> {
    for version in memmem::find_iter(lower, b" http/").take(8) {
        let before = lower.get(..version)?;
        let target_length =
            before.iter().rev().take(TARGET_BYTES_MAX).take_while(|byte| !byte.is_ascii_whitespace()).count();
        let before = before.get(..before.len() - target_length)?;
        let is_target = matches!(lower.get(before.len()), Some(b'/' | b'*' | b'h'));
        let before = before.trim_ascii_end();
        let Some(method) = METHODS.iter().find(|method| before.ends_with(method)) else { continue };
        let start = before.len() - method.len();
        let ahead = before.get(..start)?;
        let after = lower.get(version + 9..).unwrap_or_default();
        let is_followed = matches!(after, [b'\r' | b'\n', ..]) || after.starts_with(b"\\r\\n");
        if !is_target {
            continue;
        }
        let why = "a request line inside a value";
        return match ahead.last() {
            Some(b'\n' | b'\r') => Some(("request_line", 10, start, why)),
            None if is_followed => Some(("request_line", 9, start, why)),
            _ if ahead.ends_with(b"\\n") || ahead.ends_with(b"%0a") => Some(("request_line", 10, start, why)),
            _ if is_followed => Some(("request_line", 8, start, why)),
            _ => continue,
        };
    }
    None
}

/// `Transfer-Encoding: chunked` as a line, and in the spellings that only one of two servers takes.
fn chunked(lower: &[u8]) -> Option<(&'static str, u8, usize, &'static str)> {
    let at = memmem::find(lower, b"transfer-encoding")?;
    let after = lower.get(at + 17..)?;
    let colon = after.iter().take(4).position(|byte| *byte == b':')?;
    let value = after.get(colon + 1..)?.trim_ascii_start();
    let names_chunked = value.get(..16).unwrap_or(value).windows(7).any(|seven| seven == b"chunked")
        || value.starts_with(b"x");
    if !names_chunked {
        return None;
    }
    let is_line =
        at == 0 || lower.get(at - 1).is_some_and(|byte| matches!(byte, b'\n' | b'\r' | b' ' | b'n'));
    let strength = match (is_line && at > 0, colon > 0) {
        (true, _) | (_, true) => 10,
        (false, false) => 7,
    };
    Some(("chunked_framing", strength, at, "a framing header inside a value"))
}

#[cfg(test)]
#[path = "smuggling/tests.rs"]
mod tests;
