//! Multipart bodies: names, file names, texts and files.

mod disposition;

use self::disposition::Disposition;
use super::pairs::text_of;
use crate::{
    inspector::{Judging, Spot},
    leaf::{Field, Where},
};

/// Parts looked at by themselves; the rest of a body is looked at as one text.
const PARTS_MAX: usize = 10_000;

impl Judging<'_> {
    /// Looks at the parts, leniently: each part's content is looked at whatever its headers say. Receivers differ in
    /// where parts begin, so a body on which they might not agree is looked at as one text too. `false` when there
    /// is no boundary, or none of it in the body.
    pub(crate) fn multipart(&mut self, content_type: &str, body: &[u8]) -> bool {
        let Some(boundary) = boundary(content_type) else { return false };
        let delimiter = [b"--", boundary.as_bytes()].concat();
        let finder = memchr::memmem::Finder::new(&delimiter);
        // A delimiter stands at the beginning of a line; elsewhere it is content that wants to be taken for one.
        let begins_line = |at: &usize| matches!(before(body, *at), None | Some(b'\r' | b'\n'));
        let mut starts = finder.find_iter(body).filter(begins_line).peekable();
        let Some(first) = starts.peek().copied() else { return false };
        let mut is_plain = portcullis_leaves::multipart::boundary(content_type).is_ok();
        self.beside_the_parts(body.get(..first).unwrap_or_default());
        let mut count = 0;
        while let Some(start) = starts.next() {
            if count >= PARTS_MAX {
                self.raw(body.get(start..).unwrap_or_default());
                break;
            }
            count += 1;
            let end = starts.peek().copied().unwrap_or(body.len());
            let part = body.get(start + delimiter.len()..end).unwrap_or_default();
            is_plain &= matches!(part, [b'\r', b'\n', ..] | [b'-', b'-', ..])
                && body.get(..start).is_some_and(|before| before.is_empty() || before.ends_with(b"\r\n"));
            match part.strip_prefix(b"--") {
                Some(beyond) => self.beside_the_parts(beyond),
                None => self.part(part),
            }
        }
        if !is_plain {
            self.unread_body = Some("receivers may not agree on where the parts of the body begin");
            self.raw(body);
        }
        true
    }

    /// Text before the first and after the last delimiter, which a receiver with another boundary reads.
    fn beside_the_parts(&mut self, text: &[u8]) {
        if !text.trim_ascii().is_empty() {
            self.raw(text);
        }
    }

    fn part(&mut self, part: &[u8]) {
        let part = part.strip_prefix(b"\r\n").or_else(|| part.strip_prefix(b"\n")).unwrap_or(part);
        let (head, content) = head_and_content(part);
        let disposition = Disposition::of(head);
        let name = text_of(disposition.name);
        if !name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'[' | b']' | b'.'))
        {
            self.value(&Spot { at: Where::Name, ..Spot::named(Where::Body, name) }, name.as_bytes());
        }
        let field = Spot::named(Where::Body, name);
        let spot = match disposition.filename {
            Some(filename) => {
                self.value(&Spot { name: "filename", declared: Some(Field::File), ..field }, filename);
                // Some receivers take a file without a name for a field.
                let purpose = if filename.is_empty() { None } else { Some(purpose(filename)) };
                Spot { name: text_of(filename), declared: purpose, ..field }
            }
            None => field,
        };
        self.value(&spot, content);
        if head.to_ascii_lowercase().windows(CODED.len()).any(|it| it == CODED) {
            self.value(&spot, &unquoted(content));
        }
    }
}

/// A transfer encoding that some receivers still take off (RFC 2045 §6.7).
const CODED: &[u8] = b"quoted-printable";

fn before(body: &[u8], at: usize) -> Option<u8> {
    at.checked_sub(1).and_then(|before| body.get(before)).copied()
}

/// Bytes without their quoted-printable encoding.
fn unquoted(content: &[u8]) -> Vec<u8> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|it| u8::try_from(it).ok());
    let mut plain = Vec::with_capacity(content.len());
    let mut rest = content;
    while let Some((first, more)) = rest.split_first() {
        rest = more;
        match (first, more) {
            (b'=', [b'\r', b'\n', after @ ..] | [b'\n', after @ ..]) => rest = after,
            (b'=', [high, low, after @ ..]) => match (digit(high), digit(low)) {
                (Some(high), Some(low)) => {
                    plain.push(high << 4 | low);
                    rest = after;
                }
                _ => plain.push(b'='),
            },
            (byte, _) => plain.push(*byte),
        }
    }
    plain
}

/// Files that a server would run are looked at as what they would do to it.
fn purpose(filename: &[u8]) -> Field {
    const RUN: [&[u8]; 14] = [
        b"php", b"phtml", b"phar", b"jsp", b"jspx", b"jspf", b"asp", b"aspx", b"ashx", b"asmx", b"cer",
        b"cfm", b"war", b"cgi",
    ];
    let lower = filename.to_ascii_lowercase();
    let mut endings = lower.split(|byte| matches!(byte, b'.' | b' ' | b';' | b':' | 0)).skip(1);
    if endings.any(|ending| RUN.iter().any(|run| ending.starts_with(run))) {
        Field::Unknown
    } else {
        Field::Code
    }
}

/// The part's header fields and its content without the line end before the next delimiter.
fn head_and_content(part: &[u8]) -> (&[u8], &[u8]) {
    let crlf = memchr::memmem::find(part, b"\r\n\r\n").map(|at| (at, 4));
    let lf = memchr::memmem::find(part, b"\n\n").map(|at| (at, 2));
    let Some((at, length)) = [crlf, lf].into_iter().flatten().min() else { return (&[], part) };
    let content = part.get(at + length..).unwrap_or_default();
    let content = content.strip_suffix(b"\r\n").or_else(|| content.strip_suffix(b"\n")).unwrap_or(content);
    (part.get(..at).unwrap_or_default(), content)
}

/// The boundary, quoted or not.
fn boundary(content_type: &str) -> Option<&str> {
    let lower = content_type.to_ascii_lowercase();
    let at = lower.find("boundary=")? + "boundary=".len();
    let value = content_type.get(at..)?;
    let value = match value.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next()?,
        None => value.split([';', ' ', ',']).next()?,
    };
    (!value.is_empty()).then_some(value)
}

#[cfg(test)]
mod tests;
