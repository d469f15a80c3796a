//! Heads of requests and answers, as fields.

use bytes::{Bytes, BytesMut};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri, Version,
    header::{CONNECTION, CONTENT_LENGTH, COOKIE, EXPECT, TE, TRANSFER_ENCODING, UPGRADE},
    uri::{Authority, Parts, PathAndQuery, Scheme},
};

use super::{
    fault::HeadFault,
    hpack::{Encoder, Field, Pseudo},
};

/// Bounds of a head.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) bytes_max: usize,
    pub(crate) fields_max: usize,
}

/// A head as it is read, field by field. Only its first fault is kept.
pub(crate) struct Draft {
    bounds: Bounds,
    bytes: usize,
    fields: usize,
    method: Option<Bytes>,
    scheme: Option<Bytes>,
    authority: Option<Bytes>,
    path: Option<Bytes>,
    headers: HeaderMap,
    length: Option<u64>,
    expects: bool,
    cookies: usize,
    fault: Option<HeadFault>,
}

/// A request's head, and what it says about the body.
#[derive(Debug)]
pub(crate) struct RequestHead {
    pub(crate) request: Request<()>,
    pub(crate) length: Option<u64>,
    pub(crate) waits_for_continue: bool,
}

impl Draft {
    pub(crate) fn new(bounds: Bounds) -> Self {
        /// So that the map of a usual head need not grow.
        const FIELDS_USUAL: usize = 12;
        Self {
            bounds,
            bytes: 0,
            fields: 0,
            method: None,
            scheme: None,
            authority: None,
            path: None,
            headers: HeaderMap::with_capacity(FIELDS_USUAL),
            length: None,
            expects: false,
            cookies: 0,
            fault: None,
        }
    }

    pub(crate) fn add(&mut self, field: Field) {
        if self.fault.is_some() {
            return;
        }
        self.bytes += field.size();
        self.fields += 1;
        if self.bytes > self.bounds.bytes_max {
            self.fault = Some(HeadFault::Bytes);
            return;
        }
        let added = match field {
            Field::Pseudo(pseudo, value) => self.add_pseudo(pseudo, value),
            Field::Plain(name, value) => self.add_plain(name, value),
            Field::Bad { .. } => Err(HeadFault::Field),
        };
        self.fault = added.err();
    }

    fn add_pseudo(&mut self, pseudo: Pseudo, value: Bytes) -> Result<(), HeadFault> {
        if !self.headers.is_empty() {
            return Err(HeadFault::Pseudo);
        }
        // They are the request line, and do not count as fields.
        self.fields -= 1;
        let place = match pseudo {
            Pseudo::Method => &mut self.method,
            Pseudo::Scheme => &mut self.scheme,
            Pseudo::Authority => &mut self.authority,
            Pseudo::Path => &mut self.path,
            Pseudo::Status => return Err(HeadFault::Pseudo),
        };
        if place.is_some() {
            return Err(HeadFault::Pseudo);
        }
        *place = Some(value);
        Ok(())
    }

    fn add_plain(&mut self, name: HeaderName, value: HeaderValue) -> Result<(), HeadFault> {
        if self.fields > self.bounds.fields_max {
            return Err(HeadFault::Fields);
        }
        if is_of_connection(&name) || (name == TE && !value.as_bytes().eq_ignore_ascii_case(b"trailers")) {
            return Err(HeadFault::OfConnection);
        }
        if name == CONTENT_LENGTH {
            if self.length.is_some() {
                return Err(HeadFault::Length);
            }
            self.length = Some(number(value.as_bytes()).ok_or(HeadFault::Length)?);
        } else if name == COOKIE {
            self.cookies += 1;
        } else if name == EXPECT {
            self.expects = value.as_bytes().eq_ignore_ascii_case(b"100-continue");
        }
        self.headers.try_append(name, value).map(|_| ()).map_err(|_| HeadFault::Fields)
    }

    /// The head of a request; `ends` says that no body follows. `known` is the authority of the request before.
    pub(crate) fn request(
        mut self,
        ends: bool,
        known: &mut Option<Authority>,
    ) -> Result<RequestHead, HeadFault> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        if ends && self.length.is_some_and(|length| length > 0) {
            return Err(HeadFault::Length);
        }
        let method = self.method.take().ok_or(HeadFault::Pseudo)?;
        let method = Method::from_bytes(&method).map_err(|_| HeadFault::Method)?;
        let uri = self.uri(&method, known)?;
        if self.cookies > 1 {
            join_cookies(&mut self.headers);
        }
        let mut request = Request::new(());
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        *request.version_mut() = Version::HTTP_2;
        *request.headers_mut() = self.headers;
        Ok(RequestHead { request, length: self.length, waits_for_continue: self.expects && !ends })
    }

    fn uri(&mut self, method: &Method, known: &mut Option<Authority>) -> Result<Uri, HeadFault> {
        let authority = match self.authority.take() {
            None => None,
            Some(text) => Some(match known {
                Some(authority) if authority.as_str().as_bytes() == &*text => authority.clone(),
                _ => {
                    // RFC 9113 §8.3.1: user and password have no place there.
                    if text.contains(&b'@') {
                        return Err(HeadFault::Authority);
                    }
                    let authority = Authority::from_maybe_shared(text).map_err(|_| HeadFault::Authority)?;
                    known.insert(authority).clone()
                }
            }),
        };
        let mut parts = Parts::default();
        if *method == Method::CONNECT {
            // RFC 9113 §8.5. The gate refuses it, with a word of its own.
            if self.scheme.is_some() || self.path.is_some() || authority.is_none() {
                return Err(HeadFault::Pseudo);
            }
        } else {
            let scheme = self.scheme.take().ok_or(HeadFault::Pseudo)?;
            let path = self.path.take().ok_or(HeadFault::Pseudo)?;
            let whole = path.first() == Some(&b'/') || (*method == Method::OPTIONS && &*path == b"*");
            // A fragment never travels (RFC 9110 §4.2.5), and the type below would cut it off without a word.
            if !whole || path.iter().any(|byte| matches!(byte, 0..=b' ' | b'#' | 0x7f)) {
                return Err(HeadFault::Path);
            }
            parts.path_and_query = Some(PathAndQuery::from_maybe_shared(path).map_err(|_| HeadFault::Path)?);
            // Without an authority the type has no place for a scheme.
            if authority.is_some() {
                parts.scheme = Some(match &*scheme {
                    b"https" => Scheme::HTTPS,
                    b"http" => Scheme::HTTP,
                    other => Scheme::try_from(other).map_err(|_| HeadFault::Authority)?,
                });
            }
        }
        parts.authority = authority;
        Uri::from_parts(parts).map_err(|_| HeadFault::Path)
    }

    /// Fields behind a body: no pseudo-header fields among them.
    pub(crate) fn trailers(self) -> Result<HeaderMap, HeadFault> {
        let pseudo = [&self.method, &self.scheme, &self.authority, &self.path];
        match self.fault {
            Some(fault) => Err(fault),
            None if pseudo.iter().any(|it| it.is_some()) => Err(HeadFault::Pseudo),
            None => Ok(self.headers),
        }
    }
}

/// One field, as HTTP/1 has it: servers that see several may heed the first alone (RFC 9113 §8.2.3).
fn join_cookies(headers: &mut HeaderMap) {
    let mut joined = BytesMut::new();
    for value in headers.get_all(COOKIE) {
        if !joined.is_empty() {
            joined.extend_from_slice(b"; ");
        }
        joined.extend_from_slice(value.as_bytes());
    }
    if let Ok(value) = HeaderValue::from_maybe_shared(joined.freeze()) {
        headers.insert(COOKIE, value);
    }
}

/// Fields that only HTTP/1 has a use for (RFC 9113 §8.2.2).
fn is_of_connection(name: &HeaderName) -> bool {
    *name == CONNECTION
        || *name == TRANSFER_ENCODING
        || *name == UPGRADE
        || matches!(name.as_str(), "keep-alive" | "proxy-connection" | "http2-settings")
}

/// Digits and nothing else.
fn number(digits: &[u8]) -> Option<u64> {
    let plain = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    plain.then(|| std::str::from_utf8(digits).ok()).flatten()?.parse().ok()
}

/// Writes the block of an answer's head. Of its length it says what the gate knows, `length`, and never what a field
/// does, but where there can be no body to measure (`tells_length`).
pub(crate) fn answer<'a>(
    encoder: &mut Encoder,
    output: &mut Vec<u8>,
    status: StatusCode,
    fields: impl Iterator<Item = (&'a HeaderName, &'a HeaderValue)>,
    length: Length,
    date: impl FnOnce() -> HeaderValue,
) {
    encoder.begin(output);
    encoder.status(status, output);
    let mut dated = false;
    for (name, value) in fields {
        if is_of_connection(name) || (*name == CONTENT_LENGTH && length != Length::AsSaid) {
            continue;
        }
        dated |= *name == http::header::DATE;
        encoder.field(name, value, output);
    }
    if let Length::Is(bytes) = length {
        encoder.field(&CONTENT_LENGTH, &HeaderValue::from(bytes), output);
    }
    if !dated {
        encoder.field(&http::header::DATE, &date(), output);
    }
}

/// What an answer says about the length of its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Length {
    /// So many bytes.
    Is(u64),
    /// Nothing: it ends where it ends, or there can be none.
    Unsaid,
    /// What its fields say: it has no body, and tells how long it would have been (`HEAD`, 304).
    AsSaid,
}

/// Writes the block of fields behind a body.
pub(crate) fn trailers(encoder: &mut Encoder, output: &mut Vec<u8>, fields: &HeaderMap) {
    encoder.begin(output);
    for (name, value) in fields {
        if !is_of_connection(name) && *name != CONTENT_LENGTH {
            encoder.field(name, value, output);
        }
    }
}

#[cfg(test)]
mod tests;
