//! Heads of requests and answers: where they end, what they say, and how long the body behind them is.

use std::ops::Range;

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, Version,
    header::{CONNECTION, CONTENT_LENGTH, EXPECT, TE, TRANSFER_ENCODING},
};

use super::Fault;

/// Where the body ends (RFC 9112 §6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyEnd {
    /// There is none.
    Nobody,
    /// After so many bytes, at least one.
    After(u64),
    /// With the last chunk.
    Chunked,
    /// With the connection; answers only.
    WithConnection,
}

/// What else a head says about the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Manners {
    /// Whether another message may follow on the connection.
    pub(crate) persistent: bool,
    /// `Expect: 100-continue`: the body comes once it is asked for.
    pub(crate) waits_for_continue: bool,
    /// `TE: trailers`.
    pub(crate) takes_trailers: bool,
}

/// A request's head.
#[derive(Debug)]
pub(crate) struct RequestHead {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) version: Version,
    pub(crate) headers: HeaderMap,
    pub(crate) body: BodyEnd,
    pub(crate) manners: Manners,
}

/// An answer's head.
#[derive(Debug)]
pub(crate) struct AnswerHead {
    pub(crate) status: StatusCode,
    pub(crate) version: Version,
    pub(crate) headers: HeaderMap,
    pub(crate) body: BodyEnd,
    pub(crate) persistent: bool,
}

/// Finds the end of a head: the number of bytes up to and with its empty line. `seen` is how many were looked at
/// before and found to hold no end; it spares a head that trickles in from being read over and over.
pub(crate) fn end(input: &[u8], seen: &mut usize) -> Result<Option<usize>, Fault> {
    let from = (*seen).min(input.len());
    for offset in memchr::memchr_iter(b'\n', input.get(from..).unwrap_or_default()) {
        let at = from + offset;
        let before = input.get(..at).unwrap_or_default();
        if before.last() != Some(&b'\r') {
            return Err(Fault::BareLineEnd);
        }
        if before.ends_with(b"\r\n\r") {
            return Ok(Some(at + 1));
        }
    }
    *seen = input.len();
    Ok(None)
}

/// Reads a request's head, empty line included.
pub(crate) fn request(head: &Bytes, fields_max: usize) -> Result<RequestHead, Fault> {
    let mut lines = Lines { head, at: 0 };
    let line = lines.next().ok_or(Fault::RequestLine)?;
    let (method, uri, version) = request_line(head, line)?;
    let (headers, facts) = fields(&mut lines, version, fields_max)?;
    let body = match (facts.chunked, facts.length) {
        (true, _) => BodyEnd::Chunked,
        (false, Some(length)) if length > 0 => BodyEnd::After(length),
        (false, Some(_) | None) => BodyEnd::Nobody,
    };
    let manners = Manners {
        persistent: facts.is_persistent(version),
        waits_for_continue: facts.expects && version == Version::HTTP_11,
        takes_trailers: facts.takes_trailers,
    };
    Ok(RequestHead { method, uri, version, headers, body, manners })
}

/// Reads an answer's head to a request of that method, empty line included.
pub(crate) fn answer(head: &Bytes, fields_max: usize, asked: &Method) -> Result<AnswerHead, Fault> {
    let mut lines = Lines { head, at: 0 };
    let line = lines.next().ok_or(Fault::StatusLine)?;
    let (version, status) = status_line(head.get(line).unwrap_or_default())?;
    let (headers, facts) = fields(&mut lines, version, fields_max)?;
    let bodiless = *asked == Method::HEAD
        || status.is_informational()
        || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    let body = match (bodiless, facts.chunked, facts.length) {
        (true, _, _) | (false, false, Some(0)) => BodyEnd::Nobody,
        (false, true, _) => BodyEnd::Chunked,
        (false, false, Some(length)) => BodyEnd::After(length),
        (false, false, None) => BodyEnd::WithConnection,
    };
    let persistent = facts.is_persistent(version) && body != BodyEnd::WithConnection;
    Ok(AnswerHead { status, version, headers, body, persistent })
}

/// Reads the trailer section of a chunked body, empty line included.
pub(crate) fn trailers(section: &Bytes, fields_max: usize) -> Result<HeaderMap, Fault> {
    let mut lines = Lines { head: section, at: 0 };
    let mut trailers = HeaderMap::new();
    let mut count = 0;
    while let Some(line) = lines.next() {
        if line.is_empty() {
            break;
        }
        count += 1;
        if count > fields_max {
            return Err(Fault::HeadFields);
        }
        let (name, value) = field(section, line)?;
        add(&mut trailers, name, value)?;
    }
    Ok(trailers)
}

fn request_line(head: &Bytes, line: Range<usize>) -> Result<(Method, Uri, Version), Fault> {
    let start = line.start;
    let text = head.get(line).unwrap_or_default();
    let mut spaces = memchr::memchr_iter(b' ', text);
    let (Some(first), Some(second), None) = (spaces.next(), spaces.next(), spaces.next()) else {
        return Err(Fault::RequestLine);
    };
    let method = Method::from_bytes(text.get(..first).unwrap_or_default()).map_err(|_| Fault::RequestLine)?;
    let target = start + first + 1..start + second;
    let bytes = head.get(target.clone()).unwrap_or_default();
    // A fragment never travels (RFC 9110 §4.2.5), and the type below would cut it off without a word.
    if bytes.is_empty() || bytes.iter().any(|byte| matches!(byte, 0..=b' ' | b'#' | 0x7f)) {
        return Err(Fault::RequestLine);
    }
    let uri = Uri::from_maybe_shared(head.slice(target)).map_err(|_| Fault::RequestLine)?;
    let version = version(text.get(second + 1..).unwrap_or_default()).ok_or(Fault::RequestLine)?;
    Ok((method, uri, version))
}

fn status_line(line: &[u8]) -> Result<(Version, StatusCode), Fault> {
    let (name, rest) = line.split_at_checked(8).ok_or(Fault::StatusLine)?;
    let version = version(name).ok_or(Fault::StatusLine)?;
    let (code, reason) = rest.split_at_checked(4).ok_or(Fault::StatusLine)?;
    // Some servers leave the space out where there is no reason.
    if !matches!(reason.first(), None | Some(b' '))
        || reason.iter().any(|byte| matches!(byte, 0..=8 | 10..=31 | 127))
    {
        return Err(Fault::StatusLine);
    }
    let code = code.strip_prefix(b" ").ok_or(Fault::StatusLine)?;
    let status = StatusCode::from_bytes(code).map_err(|_| Fault::StatusLine)?;
    Ok((version, status))
}

fn version(text: &[u8]) -> Option<Version> {
    match text {
        b"HTTP/1.1" => Some(Version::HTTP_11),
        b"HTTP/1.0" => Some(Version::HTTP_10),
        _ => None,
    }
}

/// The lines of a section, without their ends, the empty one that closes it included.
struct Lines<'a> {
    head: &'a Bytes,
    at: usize,
}

impl Lines<'_> {
    fn next(&mut self) -> Option<Range<usize>> {
        let start = self.at;
        let rest = self.head.get(start..)?;
        let end = memchr::memchr(b'\n', rest)?;
        self.at = start + end + 1;
        Some(start..start + end.saturating_sub(1))
    }
}

fn fields(lines: &mut Lines<'_>, version: Version, fields_max: usize) -> Result<(HeaderMap, Facts), Fault> {
    let mut headers = HeaderMap::with_capacity(FIELDS_USUAL);
    let mut facts = Facts::default();
    let mut count = 0;
    while let Some(line) = lines.next() {
        if line.is_empty() {
            break;
        }
        count += 1;
        if count > fields_max {
            return Err(Fault::HeadFields);
        }
        let (name, value) = field(lines.head, line)?;
        facts.note(&name, value.as_bytes(), version)?;
        add(&mut headers, name, value)?;
    }
    Ok((headers, facts))
}

/// The map has a bound of its own, at which it would panic.
fn add(headers: &mut HeaderMap, name: HeaderName, value: HeaderValue) -> Result<(), Fault> {
    headers.try_append(name, value).map(|_| ()).map_err(|_| Fault::HeadFields)
}

/// Room for the fields of a usual message, so that the map need not grow.
const FIELDS_USUAL: usize = 12;

fn field(head: &Bytes, line: Range<usize>) -> Result<(HeaderName, HeaderValue), Fault> {
    let text = head.get(line.clone()).unwrap_or_default();
    if matches!(text.first(), Some(b' ' | b'\t')) {
        return Err(Fault::FoldedLine);
    }
    let colon = memchr::memchr(b':', text).ok_or_else(|| stray_return(text, Fault::Field))?;
    let (name, value) = text.split_at_checked(colon).unwrap_or_default();
    // White space between name and colon is no part of a token (RFC 9112 §5.1).
    let name = HeaderName::from_bytes(name).map_err(|_| stray_return(name, Fault::Field))?;
    let mut rest = value.get(1..).unwrap_or_default();
    while let [b' ' | b'\t', trimmed @ ..] = rest {
        rest = trimmed;
    }
    let start = line.end.saturating_sub(rest.len());
    while let [trimmed @ .., b' ' | b'\t'] = rest {
        rest = trimmed;
    }
    let end = start + rest.len();
    match HeaderValue::from_maybe_shared(head.slice(start..end)) {
        Ok(value) => Ok((name, value)),
        Err(_) => Err(stray_return(value, Fault::Field)),
    }
}

/// A carriage return in the midst of a line is a line's end to some readers.
fn stray_return(text: &[u8], otherwise: Fault) -> Fault {
    if memchr::memchr(b'\r', text).is_some() { Fault::BareLineEnd } else { otherwise }
}

/// What the fields say about body and connection.
#[derive(Default)]
struct Facts {
    length: Option<u64>,
    chunked: bool,
    close: bool,
    keep_alive: bool,
    expects: bool,
    takes_trailers: bool,
}

impl Facts {
    fn note(&mut self, name: &HeaderName, value: &[u8], version: Version) -> Result<(), Fault> {
        if *name == CONTENT_LENGTH {
            if self.length.is_some() {
                return Err(Fault::Repeated);
            }
            self.length = Some(number(value).ok_or(Fault::Length)?);
        } else if *name == TRANSFER_ENCODING {
            if self.chunked {
                return Err(Fault::Repeated);
            }
            if version == Version::HTTP_10 || !value.eq_ignore_ascii_case(b"chunked") {
                return Err(Fault::Encoding);
            }
            self.chunked = true;
        } else if *name == CONNECTION {
            for word in words(value) {
                self.close |= word.eq_ignore_ascii_case(b"close");
                self.keep_alive |= word.eq_ignore_ascii_case(b"keep-alive");
            }
        } else if *name == EXPECT {
            self.expects |= value.eq_ignore_ascii_case(b"100-continue");
        } else if *name == TE {
            self.takes_trailers |= words(value).any(|word| word.eq_ignore_ascii_case(b"trailers"));
        }
        if self.chunked && self.length.is_some() { Err(Fault::LengthAndEncoding) } else { Ok(()) }
    }

    /// RFC 9112 §9.3.
    fn is_persistent(&self, version: Version) -> bool {
        !self.close && (version == Version::HTTP_11 || self.keep_alive)
    }
}

fn words(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii)
}

/// Digits and nothing else.
fn number(digits: &[u8]) -> Option<u64> {
    let plain = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    let text = plain.then(|| std::str::from_utf8(digits).ok()).flatten()?;
    text.parse().ok()
}

#[cfg(test)]
mod tests;
