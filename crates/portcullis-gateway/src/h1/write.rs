//! Heads and chunks as they are written: always anew, framed by what the gate knows of the body, never by what a
//! field says.

use std::cell::RefCell;

use http::{
    HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
    header::{CONNECTION, CONTENT_LENGTH, DATE, TRANSFER_ENCODING},
};
use portcullis_core::clock::Timestamp;

/// How the receiver will know where the body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// There is no body. A request's head says nothing of it, an answer's what its fields say (`HEAD`, 304).
    Bodiless,
    /// So many bytes.
    Length(u64),
    /// In chunks.
    Chunked,
    /// Up to the connection's end; answers to HTTP/1.0 only.
    WithConnection,
}

/// What an answer says about the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It stays, as is usual.
    Stays,
    /// It stays, which HTTP/1.0 wants to be told.
    StaysAsAsked,
    /// It is closed behind this answer.
    Closes,
    /// The fields say it: it becomes another protocol's.
    AsSaid,
}

/// A request's head. `path` is written in two parts, a server's base path and what is asked for below it; `fields`
/// are without `Host`.
pub(crate) fn request<'a>(
    output: &mut Vec<u8>,
    method: &Method,
    path: [&str; 2],
    host: &[u8],
    fields: impl Iterator<Item = (&'a HeaderName, &'a HeaderValue)>,
    framing: Framing,
) {
    for part in [method.as_str(), " ", path[0], path[1], " HTTP/1.1\r\nhost: "] {
        output.extend_from_slice(part.as_bytes());
    }
    output.extend_from_slice(host);
    output.extend_from_slice(b"\r\n");
    for (name, value) in fields {
        if *name != CONTENT_LENGTH && *name != TRANSFER_ENCODING {
            field(output, name, value.as_bytes());
        }
    }
    frame(output, framing);
    output.extend_from_slice(b"\r\n");
}

/// An answer's head; `now` is for a `Date` where the fields have none (RFC 9110 §6.6.1).
pub(crate) fn answer(
    output: &mut Vec<u8>,
    status: StatusCode,
    headers: &HeaderMap,
    framing: Framing,
    fate: Fate,
    now: impl FnOnce() -> Timestamp,
) {
    output.extend_from_slice(b"HTTP/1.1 ");
    output.extend_from_slice(status.as_str().as_bytes());
    output.push(b' ');
    output.extend_from_slice(status.canonical_reason().unwrap_or_default().as_bytes());
    output.extend_from_slice(b"\r\n");
    // RFC 9110 §8.6: only an answer that could have had a body may say how long it would have been.
    let tells_length =
        framing == Framing::Bodiless && !status.is_informational() && status != StatusCode::NO_CONTENT;
    let mut dated = false;
    for (name, value) in headers {
        let withheld = *name == TRANSFER_ENCODING
            || (*name == CONTENT_LENGTH && !tells_length)
            || (*name == CONNECTION && fate != Fate::AsSaid);
        if !withheld {
            dated |= *name == DATE;
            field(output, name, value.as_bytes());
        }
    }
    if !dated && !status.is_informational() {
        date(output, now());
    }
    match fate {
        Fate::Stays | Fate::AsSaid => {}
        Fate::StaysAsAsked => output.extend_from_slice(b"connection: keep-alive\r\n"),
        Fate::Closes => output.extend_from_slice(b"connection: close\r\n"),
    }
    frame(output, framing);
    output.extend_from_slice(b"\r\n");
}

/// What goes before a chunk's bytes; [`CHUNK_END`] goes behind them.
pub(crate) fn chunk_size(output: &mut Vec<u8>, bytes: usize) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut shift = (usize::BITS - bytes.leading_zeros()).saturating_sub(1) / 4 * 4;
    loop {
        let digit = DIGITS.get((bytes >> shift) & 0xf).copied().unwrap_or(b'0');
        output.push(digit);
        if shift == 0 {
            break;
        }
        shift -= 4;
    }
    output.extend_from_slice(b"\r\n");
}

/// What goes behind a chunk's bytes.
pub(crate) const CHUNK_END: &[u8] = b"\r\n";

/// The last chunk, with trailers where there are any.
pub(crate) fn last_chunk(output: &mut Vec<u8>, trailers: Option<&HeaderMap>) {
    output.extend_from_slice(b"0\r\n");
    for (name, value) in trailers.into_iter().flatten() {
        if *name != CONTENT_LENGTH && *name != TRANSFER_ENCODING {
            field(output, name, value.as_bytes());
        }
    }
    output.extend_from_slice(b"\r\n");
}

fn field(output: &mut Vec<u8>, name: &HeaderName, value: &[u8]) {
    output.extend_from_slice(name.as_str().as_bytes());
    output.extend_from_slice(b": ");
    output.extend_from_slice(value);
    output.extend_from_slice(b"\r\n");
}

fn frame(output: &mut Vec<u8>, framing: Framing) {
    match framing {
        Framing::Bodiless | Framing::WithConnection => {}
        Framing::Chunked => output.extend_from_slice(b"transfer-encoding: chunked\r\n"),
        Framing::Length(bytes) => {
            output.extend_from_slice(b"content-length: ");
            decimal(output, bytes);
            output.extend_from_slice(b"\r\n");
        }
    }
}

/// Without the machinery of formatting, which costs more than the rest of the line.
fn decimal(output: &mut Vec<u8>, number: u64) {
    let mut unit = 10_u64.pow(number.checked_ilog10().unwrap_or(0));
    while unit > 0 {
        output.push(b'0' + u8::try_from(number / unit % 10).unwrap_or(0));
        unit /= 10;
    }
}

fn date(output: &mut Vec<u8>, now: Timestamp) {
    thread_local!(static LINE: RefCell<(u64, String)> = const { RefCell::new((u64::MAX, String::new())) });
    let secs = now.as_micros() / 1_000_000;
    LINE.with_borrow_mut(|(at, line)| {
        if *at != secs {
            let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(secs);
            *line = format!("date: {}\r\n", httpdate::fmt_http_date(time));
            *at = secs;
        }
        output.extend_from_slice(line.as_bytes());
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut output = Vec::new();
        write(&mut output);
        String::from_utf8(output).unwrap()
    }

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn a_request_is_framed_by_its_body_and_not_by_its_fields() {
        let fields = headers(&[("content-length", "9"), ("transfer-encoding", "chunked"), ("x", "1")]);
        let head = text(|out| {
            request(out, &Method::POST, ["/base", "/x?y"], b"h", fields.iter(), Framing::Length(1204))
        });
        assert_eq!(head, "POST /base/x?y HTTP/1.1\r\nhost: h\r\nx: 1\r\ncontent-length: 1204\r\n\r\n");
    }

    #[test]
    fn an_answer_says_what_becomes_of_the_connection_and_when_it_was_made() {
        let fields = headers(&[("connection", "keep-alive"), ("x", "1")]);
        let now = || Timestamp::from_secs(784_111_777);
        let head = text(|out| answer(out, StatusCode::OK, &fields, Framing::Chunked, Fate::Closes, now));
        assert_eq!(
            head,
            "HTTP/1.1 200 OK\r\nx: 1\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\nconnection: close\r\n\
             transfer-encoding: chunked\r\n\r\n"
        );
        let fields = headers(&[("content-length", "7"), ("date", "then")]);
        let head =
            text(|out| answer(out, StatusCode::NOT_MODIFIED, &fields, Framing::Bodiless, Fate::Stays, now));
        assert_eq!(head, "HTTP/1.1 304 Not Modified\r\ncontent-length: 7\r\ndate: then\r\n\r\n");
    }

    #[test]
    fn numbers_are_written_whole() {
        for (number, hex) in
            [(0, "0"), (1, "1"), (15, "f"), (16, "10"), (0x1234, "1234"), (1 << 20, "100000")]
        {
            assert_eq!(text(|out| chunk_size(out, number)), format!("{hex}\r\n"));
            assert_eq!(text(|out| decimal(out, number as u64)), number.to_string());
        }
        assert_eq!(text(|out| decimal(out, u64::MAX)), u64::MAX.to_string());
    }

    #[test]
    fn trailers_cannot_frame() {
        let trailers = headers(&[("content-length", "1"), ("grpc-status", "0")]);
        assert_eq!(text(|out| last_chunk(out, Some(&trailers))), "0\r\ngrpc-status: 0\r\n\r\n");
    }
}
