//! `multipart/form-data` bodies (RFC 7578 over RFC 2046 §5.1), strictly.
//!
//! Refused, because receivers read them differently and attacks hide in the difference (CWE-436): text before the first
//! and after the last delimiter, bare line feeds, folded or repeated header fields, a boundary followed by other text,
//! `filename*`, backslashes in quoted parameters, transfer encodings that change the bytes, and a delimiter after a bare
//! line feed or carriage return.

mod header;

use std::ops::Range;

use bytes::Bytes;
use memchr::memmem;
use thiserror::Error;

use crate::{
    limits::{LimitExceeded, Limits},
    media::{MediaType, MediaTypeError},
};

/// What is wrong with a multipart body. Parts are counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum MultipartError {
    /// A bound on bodies.
    #[error(transparent)]
    Limit(#[from] LimitExceeded),
    /// The `Content-Type` cannot be parsed.
    #[error(transparent)]
    MediaType(#[from] MediaTypeError),
    /// The `Content-Type` is not multipart.
    #[error("media type is not multipart")]
    NotMultipart,
    /// The boundary is missing or ambiguous, or not 1 to 70 of the characters of RFC 2046 §5.1.1 without blank and
    /// comma, at which some receivers end it.
    #[error("missing or invalid boundary")]
    Boundary,
    /// The body does not begin with the boundary.
    #[error("body does not begin with the boundary")]
    Preamble,
    /// The boundary is followed by something else than a line end.
    #[error("text after the boundary at byte {0}")]
    TextAfterBoundary(usize),
    /// The closing delimiter is missing.
    #[error("missing closing boundary")]
    MissingEnd,
    /// The content of a part has a line that begins like a delimiter, after a line end that is none.
    #[error("boundary within part {0}")]
    HiddenBoundary(usize),
    /// Something follows the closing delimiter.
    #[error("text after the closing boundary at byte {0}")]
    Epilogue(usize),
    /// The header block of a part is not made of well-formed, unfolded fields.
    #[error("invalid header in part {0}")]
    Header(usize),
    /// A part repeats a header field.
    #[error("repeated header field in part {0}")]
    RepeatedHeader(usize),
    /// A part has no `Content-Disposition: form-data` with a name, or an ambiguous one.
    #[error("missing or invalid content disposition in part {0}")]
    Disposition(usize),
    /// A part has a transfer encoding that changes its bytes (deprecated by RFC 7578 §4.7).
    #[error("transfer encoding in part {0}")]
    TransferEncoding(usize),
}

/// A multipart body taken apart.
#[derive(Clone, Debug)]
pub struct Multipart {
    source: Bytes,
    parts: Vec<Part>,
}

/// One part of a multipart body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The form field's name, as written: browsers leave `%22`, `%0D` and `%0A` in it (WHATWG HTML §4.10.21.8).
    pub name: String,
    /// The file's name, likewise. Never to be used as a path.
    pub filename: Option<String>,
    /// The part's `Content-Type`, not yet parsed; `None` means `text/plain`.
    pub content_type: Option<String>,
    /// All header fields in order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The bytes of the body that are its content.
    pub content: Range<usize>,
}

impl Multipart {
    /// The parts in order.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The content of a part of this body, sharing its memory.
    pub fn content(&self, part: &Part) -> Bytes {
        if part.content.end <= self.source.len() {
            self.source.slice(part.content.clone())
        } else {
            Bytes::new()
        }
    }
}

/// The boundary that a `Content-Type` of `multipart/…` names.
///
/// # Errors
/// [`MultipartError::NotMultipart`], [`MultipartError::Boundary`], [`MultipartError::MediaType`].
pub fn boundary(content_type: &str) -> Result<String, MultipartError> {
    let media = MediaType::parse(content_type)?;
    if !media.main().eq_ignore_ascii_case("multipart") {
        return Err(MultipartError::NotMultipart);
    }
    let boundary = media.parameter("boundary").ok_or(MultipartError::Boundary)?;
    // Receivers differ in whether they undo escapes, and in whether they know the extended notation.
    let ambiguous = media.extends("boundary") || content_type.contains('\\');
    if !ambiguous && is_boundary(&boundary) {
        Ok(boundary.into_owned())
    } else {
        Err(MultipartError::Boundary)
    }
}

/// Takes a body apart. Linear in its length.
///
/// # Errors
/// See [`MultipartError`].
pub fn parse(body: Bytes, boundary: &str, limits: &Limits) -> Result<Multipart, MultipartError> {
    if !is_boundary(boundary) {
        return Err(MultipartError::Boundary);
    }
    let delimiter = format!("\r\n--{boundary}");
    let finder = memmem::Finder::new(&delimiter);
    // The line end before the first delimiter is that of the header block, which is not in the body.
    let first = delimiter.as_bytes().get(2..).unwrap_or_default();
    if !body.starts_with(first) {
        return Err(MultipartError::Preamble);
    }
    let mut at = first.len();
    let mut parts = Vec::new();
    loop {
        match body.get(at..at + 2) {
            Some(b"\r\n") => at += 2,
            Some(b"--") => break,
            Some(_) => return Err(MultipartError::TextAfterBoundary(at)),
            None => return Err(MultipartError::MissingEnd),
        }
        if parts.len() >= limits.parts_max as usize {
            return Err(LimitExceeded::Parts(limits.parts_max).into());
        }
        let rest = body.get(at..).unwrap_or_default();
        let head = header::read(rest, parts.len(), limits)?;
        // The blank line's own line end may be that of the delimiter: then the content is empty.
        let search = at + head.length - 2;
        let found = finder.find(body.get(search..).unwrap_or_default()).ok_or(MultipartError::MissingEnd)?;
        let content_start = at + head.length;
        let content_end = search + found;
        let content = body.get(content_start..content_end).unwrap_or_default();
        if memmem::find_iter(content, first).any(|at| is_after_line_end(content, at)) {
            return Err(MultipartError::HiddenBoundary(parts.len()));
        }
        parts.push(head.part(content_start..content_end.max(content_start)));
        at = content_end + delimiter.len();
    }
    match body.get(at + 2..) {
        None | Some(b"" | b"\r\n") => Ok(Multipart { source: body, parts }),
        Some(_) => Err(MultipartError::Epilogue(at + 2)),
    }
}

fn is_boundary(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"'()+_-./:=?".contains(&byte);
    (1..=70).contains(&text.len()) && text.bytes().all(is_allowed)
}

/// Whether a line begins there to receivers that take a bare CR or LF for a line end. The first line of a content
/// begins at its start.
fn is_after_line_end(content: &[u8], at: usize) -> bool {
    match at.checked_sub(1) {
        Some(before) => matches!(content.get(before), Some(b'\r' | b'\n')),
        None => true,
    }
}
