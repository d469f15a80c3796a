//! JSON (RFC 8259), strictly.
//!
//! Refused beyond the grammar, because parsers read them differently and an attacker picks the difference
//! (CWE-436): duplicate members, a byte order mark, lone surrogates, invalid UTF-8, numbers too large for a double.
//! The parser does not recurse, looks at each byte a bounded number of times, and takes its memory from the limits.

mod error;
mod scan;
mod string;

use bytes::Bytes;

pub use error::{ParseError, ParseErrorKind};
pub(crate) use scan::number_end;

use crate::{
    limits::{LENGTH_MAX, LimitExceeded, Limits},
    pointer,
    tape::{Frame, Node, Refusal, Tag, Tape},
    tree::Tree,
};
use scan::{plain_run, skip_whitespace};

/// Parses one JSON text.
///
/// # Errors
/// The first place where the body is no JSON text, is ambiguous, or exceeds a limit.
pub fn parse(body: Bytes, limits: &Limits) -> Result<Tree, ParseError> {
    if body.len() > LENGTH_MAX {
        return Err(ParseError::at(0, ParseErrorKind::Limit(LimitExceeded::Length(LENGTH_MAX))));
    }
    if body.starts_with(b"\xef\xbb\xbf") {
        return Err(ParseError::at(0, ParseErrorKind::ByteOrderMark));
    }
    // Taken over without a copy where this handle is the only one.
    let source = String::from_utf8(Vec::from(body))
        .map_err(|error| ParseError::at(error.utf8_error().valid_up_to(), ParseErrorKind::InvalidUtf8))?;
    let mut parser = Parser {
        source: &source,
        bytes: source.as_bytes(),
        at: 0,
        // Ordinary documents have a node for every 8 to 16 bytes.
        tape: Tape::new(source.len() / 12 + 4, limits),
    };
    match parser.document() {
        Ok(()) => {
            let tape = parser.tape;
            Ok(Tree::new(source, tape))
        }
        Err(kind) => Err(parser.explain(kind)),
    }
}

struct Parser<'s> {
    source: &'s str,
    bytes: &'s [u8],
    at: usize,
    tape: Tape,
}

/// Whether the element at fault is among those that its array has counted.
#[derive(Clone, Copy)]
enum Counted {
    Yes,
    No,
}

const AFTER_ELEMENT: &str = "`,` or `]`";
const AFTER_MEMBER: &str = "`,` or `}`";
const MEMBER_NAME: &str = "a member name";

/// What comes after a token.
enum Next {
    Value,
    AfterValue,
}

impl Parser<'_> {
    fn document(&mut self) -> Result<(), ParseErrorKind> {
        loop {
            if let Next::Value = self.value()? {
                continue;
            }
            // Closes as many containers as end here; `Value` when another element or member follows.
            loop {
                let byte = self.peek();
                match self.tape.current.tag {
                    Tag::Object => match byte {
                        Some(b',') => {
                            self.at += 1;
                            self.name()?;
                            break;
                        }
                        Some(b'}') => self.close()?,
                        _ => return Err(ParseErrorKind::Expected(AFTER_MEMBER)),
                    },
                    Tag::Array => match byte {
                        Some(b',') => {
                            self.at += 1;
                            break;
                        }
                        Some(b']') => self.close()?,
                        _ => return Err(ParseErrorKind::Expected(AFTER_ELEMENT)),
                    },
                    Tag::Null | Tag::False | Tag::True | Tag::Number | Tag::String | Tag::Name => {
                        return match byte {
                            None => Ok(()),
                            Some(_) => Err(ParseErrorKind::TrailingData),
                        };
                    }
                }
            }
        }
    }

    /// Reads a scalar, or the beginning of a container up to its first value.
    fn value(&mut self) -> Result<Next, ParseErrorKind> {
        let start = {
            self.peek();
            self.at
        };
        match self.bytes.get(start) {
            Some(b'"') => {
                let max = self.tape.limits().string_bytes_max;
                let node = self.string(Tag::String)?;
                if node.len() > max as usize {
                    self.at = start;
                    return Err(LimitExceeded::StringBytes(max).into());
                }
                self.tape.scalar(node)?;
            }
            Some(b'{') => {
                self.tape.open(Tag::Object, start)?;
                self.at = start + 1;
                if self.peek() != Some(b'}') {
                    self.name()?;
                    return Ok(Next::Value);
                }
                self.close()?;
            }
            Some(b'[') => {
                self.tape.open(Tag::Array, start)?;
                self.at = start + 1;
                if self.peek() != Some(b']') {
                    return Ok(Next::Value);
                }
                self.close()?;
            }
            Some(b'-' | b'0'..=b'9') => self.number(start)?,
            Some(b't') => self.word(start, Tag::True, b"true")?,
            Some(b'f') => self.word(start, Tag::False, b"false")?,
            Some(b'n') => self.word(start, Tag::Null, b"null")?,
            _ => return Err(ParseErrorKind::Expected("a value")),
        }
        Ok(Next::AfterValue)
    }

    /// Reads a member's name and the colon after it.
    fn name(&mut self) -> Result<(), ParseErrorKind> {
        if self.peek() != Some(b'"') {
            return Err(ParseErrorKind::Expected(MEMBER_NAME));
        }
        let node = self.string(Tag::Name)?;
        self.tape.name(self.source, node)?;
        if self.peek() != Some(b':') {
            return Err(ParseErrorKind::Expected("`:`"));
        }
        self.at += 1;
        Ok(())
    }

    /// Reads the string that begins here; the limit on its length is the caller's.
    fn string(&mut self, tag: Tag) -> Result<Node, ParseErrorKind> {
        let start = self.at;
        let text = start + 1;
        let end = text + plain_run(self.bytes, text);
        if self.bytes.get(end) == Some(&b'"') {
            self.at = end + 1;
            return Ok(Node::borrowed(tag, text..end, start..end + 1));
        }
        let side_start = self.tape.side.len();
        let mut at = text;
        let ended = string::unescape(self.source, &mut at, &mut self.tape.side);
        self.at = at;
        ended?;
        Ok(Node::owned(tag, side_start..self.tape.side.len(), start..at))
    }

    fn number(&mut self, start: usize) -> Result<(), ParseErrorKind> {
        let max = self.tape.limits().number_bytes_max;
        let number = number_end(self.bytes, start).map_err(|at| {
            self.at = at;
            ParseErrorKind::Expected("a digit")
        })?;
        if number.end - start > max as usize {
            return Err(LimitExceeded::NumberBytes(max).into());
        }
        // Without an exponent it takes more than 300 digits to leave the range of a double.
        if number.exponent || number.end - start > 300 {
            let literal = self.source.get(start..number.end).unwrap_or_default();
            if !literal.parse::<f64>().is_ok_and(f64::is_finite) {
                return Err(ParseErrorKind::NumberOutOfRange);
            }
        }
        self.at = number.end;
        let span = start..number.end;
        let node = Node::borrowed(Tag::Number, span.clone(), span).written_as_integer(number.integer);
        Ok(self.tape.scalar(node)?)
    }

    fn word(&mut self, start: usize, tag: Tag, word: &[u8]) -> Result<(), ParseErrorKind> {
        let end = start + word.len();
        if self.bytes.get(start..end) != Some(word) {
            return Err(ParseErrorKind::Expected("a value"));
        }
        self.at = end;
        Ok(self.tape.scalar(Node::word(tag, start, end))?)
    }

    /// Takes the bracket that ends the current container.
    fn close(&mut self) -> Result<(), ParseErrorKind> {
        self.at += 1;
        Ok(self.tape.close(self.source, self.at)?)
    }

    /// The next byte that is not whitespace; `at` is moved to it.
    fn peek(&mut self) -> Option<u8> {
        let byte = self.bytes.get(self.at).copied()?;
        if byte > b' ' {
            return Some(byte);
        }
        self.at = skip_whitespace(self.bytes, self.at);
        self.bytes.get(self.at).copied()
    }

    /// Adds the place to what went wrong.
    fn explain(&self, kind: ParseErrorKind) -> ParseError {
        let mut pointer = String::new();
        for frame in &self.tape.parents {
            self.push_token(&mut pointer, frame, Counted::Yes);
        }
        match &kind {
            // The container itself is at fault.
            ParseErrorKind::Expected(AFTER_ELEMENT | AFTER_MEMBER | MEMBER_NAME)
            | ParseErrorKind::TrailingData => {}
            ParseErrorKind::Limit(
                LimitExceeded::Depth(_) | LimitExceeded::Elements(_) | LimitExceeded::Values(_),
            ) => {
                self.push_token(&mut pointer, &self.tape.current, Counted::Yes);
            }
            _ => self.push_token(&mut pointer, &self.tape.current, Counted::No),
        }
        let name = self.tape.nodes.get(self.tape.current.name as usize);
        let offset = match (&kind, name) {
            (ParseErrorKind::DuplicateMember, Some(name)) => name.source_start as usize,
            _ => self.at,
        };
        let kind = match kind {
            ParseErrorKind::Expected(_) if self.at >= self.bytes.len() => ParseErrorKind::UnexpectedEnd,
            other => other,
        };
        ParseError { offset, pointer: pointer.into_boxed_str(), kind }
    }

    /// Appends the place within a container that is still open.
    fn push_token(&self, pointer: &mut String, frame: &Frame, counted: Counted) {
        match frame.tag {
            Tag::Object if frame.name > 0 => {
                if let Some(name) = self.tape.nodes.get(frame.name as usize) {
                    pointer::push_name(pointer, name.text(self.source, &self.tape.side));
                }
            }
            Tag::Array => {
                let count = frame.count as usize;
                let index = match counted {
                    Counted::Yes => count.saturating_sub(1),
                    Counted::No => count,
                };
                pointer::push_index(pointer, index);
            }
            Tag::Object | Tag::Null | Tag::False | Tag::True | Tag::Number | Tag::String | Tag::Name => {}
        }
    }
}

impl From<Refusal> for ParseErrorKind {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Limit(limit) => Self::Limit(limit),
            Refusal::DuplicateMember => Self::DuplicateMember,
        }
    }
}
