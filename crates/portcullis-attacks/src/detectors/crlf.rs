//! Header injection and response splitting (CWE-93, CWE-113).
//!
//! A line's end before a header that steers a browser, a cache or a mail server. Texts have lines, and lines have
//! colons: only names that no text begins a line with count, and a text of many lines counts less.

use super::Detector;
use crate::{
    class::Class,
    hit::{Hit, Hits},
    leaf::{Field, Where},
    view::View,
};

/// Finds header lines after a line's end.
pub(super) struct Crlf;

impl Detector for Crlf {
    fn class(&self) -> Class {
        Class::Crlf
    }

    fn literals(&self) -> &'static [&'static str] {
        &["\r", "\n", "\u{560a}", "\u{560d}", "\\r\\n", "%0a", "%0d", "\u{85}", "\u{2028}"]
    }

    fn inspect(&self, view: &View<'_>, hits: &mut Hits) {
        let mut best: Option<Hit> = None;
        let mut lines = 0;
        let mut at = 0;
        while let Some((end, next)) = line_end(view.lower, at) {
            lines += 1;
            at = next;
            if lines > LINES_MAX {
                break;
            }
            let rest = view.lower.get(next..).unwrap_or_default();
            let Some((strength, rule, why, length)) = header(rest) else { continue };
            let score = weigh(view, strength, lines);
            if best.as_ref().is_none_or(|best| best.score < score) {
                best = Some(Hit {
                    class: Class::Crlf,
                    rule,
                    score,
                    span: end..(next + length).min(view.text.len()),
                    why,
                });
            }
        }
        if best.is_none() && lines > 0 && view.leaf.at == Where::Path {
            let why = "a line's end in a path, where nothing but a header can follow";
            best = Some(Hit {
                class: Class::Crlf,
                rule: "line_end_in_path",
                score: 10,
                span: 0..view.text.len(),
                why,
            });
        }
        hits.extend(best);
    }
}

/// Lines looked at.
const LINES_MAX: usize = 256;

/// The next line's end at or after a place, in any of its spellings: where it begins and where the next line does.
fn line_end(lower: &[u8], from: usize) -> Option<(usize, usize)> {
    let mut at = from;
    loop {
        let skipped = lower
            .get(at..)?
            .iter()
            .position(|byte| matches!(byte, b'\r' | b'\n' | b'\\' | b'%' | 0xc2 | 0xe2 | 0xe5))?;
        at += skipped;
        let length = end_length(lower.get(at..)?);
        if length == 0 {
            at += 1;
            continue;
        }
        let mut next = at + length;
        loop {
            match end_length(lower.get(next..).unwrap_or_default()) {
                0 => return Some((at, next)),
                length => next += length,
            }
        }
    }
}

fn end_length(rest: &[u8]) -> usize {
    match rest {
        [b'\r' | b'\n', ..] => 1,
        [b'\\', b'r' | b'n', ..] => 2,
        [b'%', b'0', b'a' | b'd', ..] => 3,
        // NEL and the line separator; U+560A and U+560D lose their upper byte in some servers.
        [0xc2, 0x85, ..] => 2,
        [0xe2, 0x80, 0xa8, ..] | [0xe5, 0x98, 0x8a | 0x8d, ..] => 3,
        _ => 0,
    }
}

/// Headers of responses that change what a browser or a cache does.
const RESPONSE: [&[u8]; 14] = [
    b"set-cookie",
    b"location",
    b"content-type",
    b"content-length",
    b"refresh",
    b"x-xss-protection",
    b"access-control-allow-origin",
    b"content-disposition",
    b"content-encoding",
    b"last-modified",
    b"cache-control",
    b"content-security-policy",
    b"link",
    b"access-control-allow-credentials",
];

/// Headers of requests and of HTTP/1.1 framing that a forged request needs.
const REQUEST: [&[u8]; 8] = [
    b"transfer-encoding",
    b"host",
    b"x-forwarded-for",
    b"x-forwarded-host",
    b"cookie",
    b"authorization",
    b"x-real-ip",
    b"x-original-url",
];

/// Headers of mail that add recipients (CWE-93).
const MAIL: [&[u8]; 5] = [b"bcc", b"cc", b"to", b"reply-to", b"mime-version"];

/// Judges what a line begins with.
fn header(rest: &[u8]) -> Option<(u8, &'static str, &'static str, usize)> {
    if rest.starts_with(b"http/1.") || rest.starts_with(b"http/2 ") {
        return Some((10, "split_response", "the beginning of a response of its own", 8));
    }
    if rest.starts_with(b"<html") || rest.starts_with(b"<script") {
        return Some((6, "split_response", "markup after a line's end, as the body of a response", 6));
    }
    let length =
        rest.iter().take(40).take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'-').count();
    let after = rest.get(length..)?;
    if !after.trim_ascii_start().starts_with(b":") {
        return None;
    }
    let name = rest.get(..length)?;
    let why = "a header line after a line's end";
    if RESPONSE.contains(&name) {
        let strength = if matches!(name, b"link" | b"location" | b"refresh") { 9 } else { 10 };
        return Some((strength, "injected_header", why, length + 1));
    }
    if REQUEST.contains(&name) {
        let strength = if name == b"host" { 6 } else { 9 };
        return Some((strength, "injected_header", why, length + 1));
    }
    if MAIL.contains(&name) {
        return Some((
            if name == b"bcc" { 10 } else { 6 },
            "injected_mail_header",
            "a header line of mail after a line's end",
            length + 1,
        ));
    }
    // `X-Anything: …` right after the first line's end.
    if name.starts_with(b"x-") && name.len() > 4 {
        return Some((7, "injected_header", why, length + 1));
    }
    None
}

fn weigh(view: &View<'_>, strength: u8, lines: usize) -> u8 {
    let is_path = view.leaf.at == Where::Path;
    // A parameter of an address has one line.
    let strength = if view.leaf.at == Where::Query && strength >= 7 { 10 } else { strength };
    match view.leaf.field {
        Field::Code => strength.min(2),
        Field::Prose | Field::Markup | Field::Query | Field::Opaque => strength.min(3),
        _ if is_path => 10,
        // What begins with a header itself is a list of them.
        _ if header(view.lower).is_some() => strength.min(4),
        // Request dumps, mails and logs hold headers in their later lines too.
        _ if lines > 3 || view.text.len() > 1024 => strength.min(4),
        _ => strength,
    }
}

#[cfg(test)]
#[path = "crlf/tests.rs"]
mod tests;
