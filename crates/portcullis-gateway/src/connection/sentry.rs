//! Reads HTTP/1 framing along with the parser, and more strictly, before the parser sees a byte.
//!
//! Request smuggling (CWE-444) lives where two readers of one stream disagree about where a message ends. The parser
//! behind is lenient in places that others are not: it takes a bare line feed for a line's end, drops
//! `Content-Length` beside `Transfer-Encoding` without a word, cuts fragments off targets, and reads over anything in
//! chunk extensions. Here each of these ends the connection (RFC 9112 §2.2, §6.1, §6.3, §7.1).

use portcullis_core::verdict::{Reason, RuleId, Severity};

/// What is wrong with the framing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FramingFault {
    /// A line ends without a carriage return, or has one in its midst.
    BareLineEnd,
    /// A line of the head begins with white space (RFC 9112 §5.2).
    FoldedLine,
    /// The request line is not `method target version`, or its target has a fragment.
    RequestLine,
    /// `Content-Length` and `Transfer-Encoding`.
    LengthAndEncoding,
    /// More than one `Content-Length`, or `Transfer-Encoding`.
    Repeated,
    /// `Content-Length` is not a number.
    Length,
    /// `Transfer-Encoding` is not exactly `chunked`, or comes with HTTP/1.0.
    Encoding,
    /// A chunk's size, extension or end is not what it must be.
    Chunk,
}

impl FramingFault {
    /// What the operator is told.
    pub(crate) fn reason(self) -> Reason {
        let (rule, message) = match self {
            Self::BareLineEnd => {
                ("framing/bare_line_end", "a line ends without carriage return and line feed")
            }
            Self::FoldedLine => ("framing/folded_line", "a header field goes on in the next line"),
            Self::RequestLine => {
                ("framing/request_line", "the request line is not method, target and version")
            }
            Self::LengthAndEncoding => {
                ("framing/length_and_encoding", "both `Content-Length` and `Transfer-Encoding` are given")
            }
            Self::Repeated => ("framing/repeated_length", "the length of the body is given more than once"),
            Self::Length => ("framing/length", "`Content-Length` is not a number"),
            Self::Encoding => ("framing/encoding", "`Transfer-Encoding` is not exactly `chunked`"),
            Self::Chunk => ("framing/chunk", "a chunk is not framed as it must be"),
        };
        Reason::new(RuleId::new(rule), Severity::High, message)
    }
}

/// What makes the parser refuse whatever it was in the midst of: a head, a chunk's size, its extension.
pub(super) const POISON: &[u8] = b"\0\r\0\r\n\r\n";

/// The state of one connection.
#[derive(Debug)]
pub(super) struct Sentry {
    state: State,
    /// The beginning of a line that the last read broke off.
    line: Vec<u8>,
    /// The parser answers 431 before a longer line ends.
    line_bytes_max: usize,
    head: Head,
}

/// What the head under way has said about its body.
#[derive(Debug, Default)]
struct Head {
    begun: bool,
    blank_before: bool,
    old_version: bool,
    length: Option<u64>,
    chunked: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// In a head, line by line.
    Head,
    /// In a body or chunk of which so many bytes are still to come.
    Data { left: u64, then: After },
    /// Before a chunk's size.
    ChunkSize,
    /// Behind a chunk's data, before its line end.
    ChunkEnd,
    /// Behind the last chunk, line by line.
    Trailers,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum After {
    Message,
    Chunk,
}

impl Sentry {
    pub(super) fn new(line_bytes_max: usize) -> Self {
        Self { state: State::Head, line: Vec::new(), line_bytes_max, head: Head::default() }
    }

    /// Reads on. What was read before a fault may be passed on; nothing after it.
    pub(super) fn read(&mut self, mut bytes: &[u8]) -> Result<(), FramingFault> {
        while !bytes.is_empty() {
            bytes = match self.state {
                State::Data { left, then } => {
                    let here = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                    let left = left - here as u64;
                    self.state = match (left, then) {
                        (0, After::Message) => State::Head,
                        (0, After::Chunk) => State::ChunkEnd,
                        (left, then) => State::Data { left, then },
                    };
                    bytes.get(here..).unwrap_or_default()
                }
                State::Head | State::ChunkSize | State::ChunkEnd | State::Trailers => {
                    self.read_line(bytes)?
                }
            };
        }
        Ok(())
    }

    /// Takes a line off the front; what follows it.
    fn read_line<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8], FramingFault> {
        let Some(end) = memchr::memchr(b'\n', bytes) else {
            if self.line.len() + bytes.len() <= self.line_bytes_max {
                self.line.extend_from_slice(bytes);
            }
            return Ok(&[]);
        };
        let (line, rest) = bytes.split_at_checked(end).unwrap_or((bytes, &[]));
        let rest = rest.get(1..).unwrap_or_default();
        if self.line.is_empty() {
            self.take_line(line)?;
        } else {
            let mut whole = std::mem::take(&mut self.line);
            whole.extend_from_slice(line);
            self.take_line(&whole)?;
            whole.clear();
            self.line = whole;
        }
        Ok(rest)
    }

    fn take_line(&mut self, line: &[u8]) -> Result<(), FramingFault> {
        let Some((b'\r', line)) = line.split_last() else {
            return Err(FramingFault::BareLineEnd);
        };
        if memchr::memchr(b'\r', line).is_some() {
            return Err(FramingFault::BareLineEnd);
        }
        match self.state {
            State::Head if !self.head.begun => self.take_request_line(line),
            State::Head if line.is_empty() => {
                self.state = self.head.body();
                self.head = Head::default();
                Ok(())
            }
            State::Head => self.head.take_field(line),
            State::ChunkSize => {
                self.state = match chunk_size(line).ok_or(FramingFault::Chunk)? {
                    0 => State::Trailers,
                    left => State::Data { left, then: After::Chunk },
                };
                Ok(())
            }
            State::ChunkEnd if line.is_empty() => {
                self.state = State::ChunkSize;
                Ok(())
            }
            State::ChunkEnd | State::Data { .. } => Err(FramingFault::Chunk),
            State::Trailers => {
                if line.is_empty() {
                    self.state = State::Head;
                }
                if is_folded(line) { Err(FramingFault::FoldedLine) } else { Ok(()) }
            }
        }
    }

    fn take_request_line(&mut self, line: &[u8]) -> Result<(), FramingFault> {
        if line.is_empty() {
            // One is forgiven, for clients that send it behind a form (RFC 9112 §2.2).
            let first = !self.head.blank_before;
            self.head.blank_before = true;
            return if first { Ok(()) } else { Err(FramingFault::RequestLine) };
        }
        let mut parts = line.split(|byte| *byte == b' ');
        let (Some(method), Some(target), Some(version), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(FramingFault::RequestLine);
        };
        if method.is_empty() || target.is_empty() || memchr::memchr(b'#', target).is_some() {
            return Err(FramingFault::RequestLine);
        }
        self.head.begun = true;
        self.head.old_version = version == b"HTTP/1.0";
        Ok(())
    }
}

impl Head {
    /// What follows the head.
    fn body(&self) -> State {
        match (self.chunked, self.length) {
            (true, _) => State::ChunkSize,
            (false, Some(left)) if left > 0 => State::Data { left, then: After::Message },
            (false, _) => State::Head,
        }
    }

    fn take_field(&mut self, line: &[u8]) -> Result<(), FramingFault> {
        if is_folded(line) {
            return Err(FramingFault::FoldedLine);
        }
        // Any other field is the parser's to judge.
        let (name, value) = match line.first().map(u8::to_ascii_lowercase) {
            Some(b'c' | b't') => match memchr::memchr(b':', line).and_then(|at| line.split_at_checked(at)) {
                Some((name, value)) => (name.trim_ascii(), value.get(1..).unwrap_or_default().trim_ascii()),
                None => return Ok(()),
            },
            Some(_) | None => return Ok(()),
        };
        if name.eq_ignore_ascii_case(b"content-length") {
            if self.length.is_some() {
                return Err(FramingFault::Repeated);
            }
            self.length = Some(number(value).ok_or(FramingFault::Length)?);
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            if self.chunked {
                return Err(FramingFault::Repeated);
            }
            if self.old_version || !value.eq_ignore_ascii_case(b"chunked") {
                return Err(FramingFault::Encoding);
            }
            self.chunked = true;
        }
        if self.chunked && self.length.is_some() { Err(FramingFault::LengthAndEncoding) } else { Ok(()) }
    }
}

fn is_folded(line: &[u8]) -> bool {
    matches!(line.first(), Some(b' ' | b'\t'))
}

fn number(digits: &[u8]) -> Option<u64> {
    let plain = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    let text = plain.then(|| std::str::from_utf8(digits).ok()).flatten()?;
    text.parse().ok()
}

/// The size of a chunk; `None` when the line is not one. Extensions must be printable, and something.
fn chunk_size(line: &[u8]) -> Option<u64> {
    /// Nobody sends longer ones in good faith; some proxies have been brought down by them.
    const EXTENSION_BYTES_MAX: usize = 256;
    let (digits, extension) = match memchr::memchr(b';', line) {
        Some(at) => (line.get(..at)?, Some(line.get(at + 1..)?)),
        None => (line, None),
    };
    let plain = matches!(digits.len(), 1..=16) && digits.iter().all(u8::is_ascii_hexdigit);
    if let Some(extension) = extension {
        let printable = extension.iter().all(|byte| matches!(byte, b'\t' | b' '..=b'~'));
        let something = extension.iter().any(u8::is_ascii_graphic) && extension.first() != Some(&b';');
        if !printable || !something || extension.len() > EXTENSION_BYTES_MAX {
            return None;
        }
    }
    let text = plain.then(|| std::str::from_utf8(digits).ok()).flatten()?;
    u64::from_str_radix(text, 16).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(bytes: &str) -> Result<State, FramingFault> {
        let mut sentry = Sentry::new(8192);
        sentry.read(bytes.as_bytes()).map(|()| sentry.state)
    }

    #[test]
    fn follows_messages_to_their_ends() {
        for bytes in [
            "GET / HTTP/1.1\r\nHost: h\r\n\r\n",
            "\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\na\nbGET / HTTP/1.1\r\nHost: h\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
            "POST / HTTP/1.1\r\ntransfer-encoding:\tChunked \r\n\r\n3\r\na\nb\r\nA;x=\"y\"\r\n0123456789\r\n0\r\nT: 1\r\n\r\n",
            "GET / HTTP/1.0\r\n\r\n",
        ] {
            assert_eq!(read(bytes), Ok(State::Head), "{bytes:?}");
        }
    }

    #[test]
    fn refuses_what_others_read_otherwise() {
        for (bytes, fault) in [
            ("GET / HTTP/1.1\nHost: h\r\n\r\n", FramingFault::BareLineEnd),
            ("GET / HTTP/1.1\r\nHost: h\n\r\n", FramingFault::BareLineEnd),
            ("GET / HTTP/1.1\r\nHost: h\r\n\n", FramingFault::BareLineEnd),
            ("GET / HTTP/1.1\r\nA: b\rC: d\r\n", FramingFault::BareLineEnd),
            ("GET / HTTP/1.1\r\nA: b\r\n c\r\n", FramingFault::FoldedLine),
            ("GET / HTTP/1.1\r\n\tA: b\r\n", FramingFault::FoldedLine),
            ("\r\n\r\nGET / HTTP/1.1\r\n", FramingFault::RequestLine),
            ("GET  / HTTP/1.1\r\n", FramingFault::RequestLine),
            ("GET /\r\n", FramingFault::RequestLine),
            ("GET /#x HTTP/1.1\r\n", FramingFault::RequestLine),
            ("GET / HTTP/1.1 x\r\n", FramingFault::RequestLine),
            (
                "P / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n",
                FramingFault::LengthAndEncoding,
            ),
            (
                "P / HTTP/1.1\r\nTransfer-Encoding: chunked\r\ncontent-length: 1\r\n",
                FramingFault::LengthAndEncoding,
            ),
            ("P / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n", FramingFault::Repeated),
            ("P / HTTP/1.1\r\nContent-Length: 1, 1\r\n", FramingFault::Length),
            ("P / HTTP/1.1\r\nContent-Length: +1\r\n", FramingFault::Length),
            ("P / HTTP/1.1\r\nContent-Length: 0x1\r\n", FramingFault::Length),
            ("P / HTTP/1.1\r\nContent-Length:\r\n", FramingFault::Length),
            ("P / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n", FramingFault::Length),
            ("P / HTTP/1.1\r\nContent-Length : 1\r\nContent-Length: 2\r\n", FramingFault::Repeated),
            ("P / HTTP/1.1\r\nTransfer-Encoding: chunked, chunked\r\n", FramingFault::Encoding),
            ("P / HTTP/1.1\r\nTransfer-Encoding: xchunked\r\n", FramingFault::Encoding),
            ("P / HTTP/1.1\r\nTransfer-Encoding: identity\r\n", FramingFault::Encoding),
            ("P / HTTP/1.1\r\nTransfer-Encoding: \u{b}chunked\r\n", FramingFault::Encoding),
            (
                "P / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
                FramingFault::Repeated,
            ),
            ("P / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n", FramingFault::Encoding),
        ] {
            assert_eq!(read(bytes), Err(fault), "{bytes:?}");
        }
        for chunks in [
            "3\nabc\r\n",
            "3 \r\nabc\r\n",
            "+3\r\nabc\r\n",
            "0x3\r\nabc\r\n",
            "\r\n",
            ";x\r\nabc\r\n",
            "3;\r\nabc\r\n",
            "3;a\u{1}\r\nabc\r\n",
            "3;a\nabc\r\n",
            "3\r\nabcd\r\n",
            "3\r\nabc0\r\n",
            "11111111111111111\r\n",
        ] {
            let bytes = format!("P / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}");
            let fault = read(&bytes).unwrap_err();
            assert!(matches!(fault, FramingFault::Chunk | FramingFault::BareLineEnd), "{chunks:?}");
        }
    }

    proptest! {
        #[test]
        fn reads_alike_however_the_bytes_are_cut(
            parts in prop::collection::vec(prop::sample::select(vec![
                "GET / HTTP/1.1\r\n", "POST / HTTP/1.1\r\n", "Host: h\r\n", "Content-Length: 4\r\n",
                "Transfer-Encoding: chunked\r\n", "\r\n", "4\r\nabcd\r\n", "0\r\n", "abcd", "\n", "\r", " ", "x: y",
            ]), 0..12),
            cuts in prop::collection::vec(0usize..200, 0..6),
        ) {
            let text = parts.concat();
            let whole = read(&text);
            let mut sentry = Sentry::new(8192);
            let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
            cuts.extend([0, text.len()]);
            cuts.sort_unstable();
            let cut = cuts.windows(2).try_for_each(|cut| sentry.read(&text.as_bytes()[cut[0]..cut[1]]));
            prop_assert_eq!(whole, cut.map(|()| sentry.state));
        }
    }
}
