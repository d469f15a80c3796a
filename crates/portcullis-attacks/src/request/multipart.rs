//! Multipart bodies: names, file names, texts and files.

use super::pairs::text_of;
use crate::{
    inspector::{Judging, Spot},
    leaf::{Field, Where},
};

/// Parts looked at by themselves.
const PARTS_MAX: usize = 200;

impl Judging<'_> {
    /// Looks at the parts, leniently: receivers differ, and each part's content is looked at whatever its headers
    /// say. `false` when there is no boundary, or none of it in the body.
    pub(crate) fn multipart(&mut self, content_type: &str, body: &[u8]) -> bool {
        let Some(boundary) = boundary(content_type) else { return false };
        let delimiter = [b"--", boundary.as_bytes()].concat();
        let finder = memchr::memmem::Finder::new(&delimiter);
        let mut starts = finder.find_iter(body).take(PARTS_MAX + 1).peekable();
        if starts.peek().is_none() {
            return false;
        }
        while let Some(start) = starts.next() {
            let end = starts.peek().copied().unwrap_or(body.len());
            let part = body.get(start + delimiter.len()..end).unwrap_or_default();
            if !part.starts_with(b"--") {
                self.part(part);
            }
        }
        true
    }

    fn part(&mut self, part: &[u8]) {
        let part = part.strip_prefix(b"\r\n").or_else(|| part.strip_prefix(b"\n")).unwrap_or(part);
        let (head, content) = head_and_content(part);
        let name = parameter(head, b"name").unwrap_or_default();
        let filename = parameter(head, b"filename");
        let name = text_of(name);
        if !name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'[' | b']' | b'.'))
        {
            self.value(&Spot { at: Where::Name, ..Spot::named(Where::Body, name) }, name.as_bytes());
        }
        match filename {
            Some(filename) => {
                let spot = Spot::named(Where::Body, name);
                self.value(&Spot { name: "filename", declared: Some(Field::File), ..spot }, filename);
                let file = Spot { name: text_of(filename), declared: Some(purpose(filename)), ..spot };
                self.value(&file, content);
            }
            None => self.value(&Spot::named(Where::Body, name), content),
        }
    }
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

/// A parameter of the `Content-Disposition` among header fields.
fn parameter<'p>(head: &'p [u8], name: &[u8]) -> Option<&'p [u8]> {
    let lower = head.to_ascii_lowercase();
    let wanted = [name, b"="].concat();
    let at = memchr::memmem::find_iter(&lower, &wanted).find(|at| {
        let before = at.checked_sub(1).and_then(|before| lower.get(before));
        before.is_none_or(|byte| matches!(byte, b' ' | b';' | b'\t' | b'\n'))
    })?;
    let value = head.get(at + wanted.len()..)?;
    let end = |stop: &dyn Fn(&u8) -> bool| value.iter().position(stop).unwrap_or(value.len());
    match value.first() {
        Some(b'"') => {
            let inner = value.get(1..)?;
            let end =
                inner.iter().position(|byte| matches!(byte, b'"' | b'\r' | b'\n')).unwrap_or(inner.len());
            inner.get(..end)
        }
        _ => value.get(..end(&|byte| matches!(byte, b';' | b'\r' | b'\n'))),
    }
}
