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
    tape::{Frame, Node, Refusal, Refused, Tag, Tape},
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
        tape: Tape::new((source.len() / BYTES_A_NODE + 8).min(NODES_EXPECTED_MAX), limits),
        fault: ParseErrorKind::UnexpectedEnd,
    };
    match parser.document() {
        Ok(()) => {
            let tape = parser.tape;
            Ok(Tree::new(source, tape))
        }
        Err(Fault) => Err(parser.explain()),
    }
}

/// Dense documents have a node for this many bytes; room that is not used costs nothing but addresses.
const BYTES_A_NODE: usize = 7;

/// Room that is taken beforehand: a body that is one long string needs no more.
const NODES_EXPECTED_MAX: usize = 1 << 16;

struct Parser<'s> {
    source: &'s str,
    bytes: &'s [u8],
    at: usize,
    tape: Tape,
    /// Meaningful once a [`Fault`] was returned and the tape has no refusal.
    fault: ParseErrorKind,
}

/// The document is refused; why is in the parser or its tape, so that the common path returns next to nothing.
struct Fault;

impl From<Refused> for Fault {
    fn from(Refused: Refused) -> Self {
        Self
    }
}

const AFTER_ELEMENT: &str = "`,` or `]`";
const AFTER_MEMBER: &str = "`,` or `}`";
const MEMBER_NAME: &str = "a member name";

/// What the grammar asks for next.
#[derive(Clone, Copy, PartialEq)]
enum Next {
    /// A member's name, then a value.
    Member,
    /// A value.
    Value,
    /// Whatever may follow a value.
    AfterValue,
    /// Nothing.
    End,
}

impl Parser<'_> {
    fn document(&mut self) -> Result<(), Fault> {
        let mut next = Next::Value;
        loop {
            if next == Next::Member {
                self.name()?;
            }
            next = self.value()?;
            while next == Next::AfterValue {
                next = self.after_value()?;
            }
            if next == Next::End {
                return Ok(());
            }
        }
    }

    /// Takes the comma to the next element or member, or closes the container.
    #[inline(always)]
    fn after_value(&mut self) -> Result<Next, Fault> {
        let byte = self.peek();
        match self.tape.current.tag {
            Tag::Object => match byte {
                Some(b',') => {
                    self.at += 1;
                    Ok(Next::Member)
                }
                Some(b'}') => self.close(),
                _ => self.fails(ParseErrorKind::Expected(AFTER_MEMBER)),
            },
            Tag::Array => match byte {
                Some(b',') => {
                    self.at += 1;
                    self.tape.element()?;
                    Ok(Next::Value)
                }
                Some(b']') => self.close(),
                _ => self.fails(ParseErrorKind::Expected(AFTER_ELEMENT)),
            },
            Tag::Null | Tag::False | Tag::True | Tag::Number | Tag::String | Tag::Name => match byte {
                None => Ok(Next::End),
                Some(_) => self.fails(ParseErrorKind::TrailingData),
            },
        }
    }

    /// Reads a scalar, or the beginning of a container up to its first value.
    #[inline(always)]
    fn value(&mut self) -> Result<Next, Fault> {
        let byte = self.peek();
        let start = self.at;
        match byte {
            Some(b'"') => {
                let node = self.string(Tag::String)?;
                let max = self.tape.limits().string_bytes_max;
                if node.len() > max as usize {
                    self.at = start;
                    self.tape.exceeds(LimitExceeded::StringBytes(max))?;
                }
                self.tape.scalar(node)?;
            }
            Some(b'-' | b'0'..=b'9') => self.number(start)?,
            Some(b'{') => {
                self.tape.open(Tag::Object, start)?;
                self.at = start + 1;
                return if self.peek() == Some(b'}') { self.close() } else { Ok(Next::Member) };
            }
            Some(b'[') => {
                self.tape.open(Tag::Array, start)?;
                self.at = start + 1;
                if self.peek() == Some(b']') {
                    return self.close();
                }
                self.tape.element()?;
                return Ok(Next::Value);
            }
            Some(b't') => self.word(start, Tag::True, b"true")?,
            Some(b'f') => self.word(start, Tag::False, b"false")?,
            Some(b'n') => self.word(start, Tag::Null, b"null")?,
            _ => return self.fails(ParseErrorKind::Expected("a value")),
        }
        Ok(Next::AfterValue)
    }

    /// Reads a member's name and the colon after it.
    #[inline(always)]
    fn name(&mut self) -> Result<(), Fault> {
        if self.peek() != Some(b'"') {
            return self.fails(ParseErrorKind::Expected(MEMBER_NAME));
        }
        let node = self.string(Tag::Name)?;
        self.tape.name(self.source, node)?;
        if self.peek() != Some(b':') {
            return self.fails(ParseErrorKind::Expected("`:`"));
        }
        self.at += 1;
        Ok(())
    }

    /// Reads the string that begins here; the limit on its length is the caller's.
    #[inline(always)]
    fn string(&mut self, tag: Tag) -> Result<Node, Fault> {
        let start = self.at;
        let text = start + 1;
        let end = text + plain_run(self.bytes, text);
        if self.bytes.get(end) == Some(&b'"') {
            self.at = end + 1;
            return Ok(Node::borrowed(tag, text..end, start..end + 1));
        }
        self.unescape(tag)
    }

    /// Reads the string that begins here and is not plain.
    #[inline(never)]
    fn unescape(&mut self, tag: Tag) -> Result<Node, Fault> {
        let start = self.at;
        let side_start = self.tape.side.len();
        self.at += 1;
        match string::unescape(self.source, &mut self.at, &mut self.tape.side) {
            Ok(()) => Ok(Node::owned(tag, side_start..self.tape.side.len(), start..self.at)),
            Err(kind) => self.fails(kind),
        }
    }

    #[inline(always)]
    fn number(&mut self, start: usize) -> Result<(), Fault> {
        let number = match number_end(self.bytes, start) {
            Ok(number) => number,
            Err(at) => {
                self.at = at;
                return self.fails(ParseErrorKind::Expected("a digit"));
            }
        };
        let max = self.tape.limits().number_bytes_max;
        if number.end - start > max as usize {
            self.tape.exceeds(LimitExceeded::NumberBytes(max))?;
        }
        // Without an exponent it takes more than 300 digits to leave the range of a double.
        if number.exponent || number.end - start > 300 {
            let literal = self.source.get(start..number.end).unwrap_or_default();
            if !literal.parse::<f64>().is_ok_and(f64::is_finite) {
                return self.fails(ParseErrorKind::NumberOutOfRange);
            }
        }
        self.at = number.end;
        let span = start..number.end;
        let node = Node::borrowed(Tag::Number, span.clone(), span).written_as_integer(number.integer);
        Ok(self.tape.scalar(node)?)
    }

    #[inline]
    fn word(&mut self, start: usize, tag: Tag, word: &[u8]) -> Result<(), Fault> {
        let end = start + word.len();
        if self.bytes.get(start..end) != Some(word) {
            return self.fails(ParseErrorKind::Expected("a value"));
        }
        self.at = end;
        Ok(self.tape.scalar(Node::word(tag, start, end))?)
    }

    #[cold]
    fn fails<T>(&mut self, kind: ParseErrorKind) -> Result<T, Fault> {
        self.fault = kind;
        Err(Fault)
    }

    /// Takes the bracket that ends the current container.
    fn close(&mut self) -> Result<Next, Fault> {
        self.at += 1;
        self.tape.close(self.source, self.at)?;
        Ok(Next::AfterValue)
    }

    /// The next byte that is not whitespace; `at` is moved to it.
    #[inline(always)]
    fn peek(&mut self) -> Option<u8> {
        let byte = self.bytes.get(self.at).copied()?;
        if byte > b' ' {
            return Some(byte);
        }
        self.at = skip_whitespace(self.bytes, self.at);
        self.bytes.get(self.at).copied()
    }

    /// Says what went wrong, and where.
    fn explain(&self) -> ParseError {
        let kind = match self.tape.refusal {
            Some(Refusal::Limit(limit)) => ParseErrorKind::Limit(limit),
            Some(Refusal::DuplicateMember) => ParseErrorKind::DuplicateMember,
            None => self.fault,
        };
        let mut pointer = String::new();
        for frame in &self.tape.parents {
            self.push_token(&mut pointer, frame);
        }
        match &kind {
            // The container itself is at fault.
            ParseErrorKind::Expected(AFTER_ELEMENT | AFTER_MEMBER | MEMBER_NAME)
            | ParseErrorKind::TrailingData
            | ParseErrorKind::Limit(LimitExceeded::Keys(_) | LimitExceeded::NameBytes(_)) => {}
            _ => self.push_token(&mut pointer, &self.tape.current),
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
    fn push_token(&self, pointer: &mut String, frame: &Frame) {
        match frame.tag {
            Tag::Object if frame.name > 0 => {
                if let Some(name) = self.tape.nodes.get(frame.name as usize) {
                    pointer::push_name(pointer, name.text(self.source, &self.tape.side));
                }
            }
            Tag::Array => pointer::push_index(pointer, (frame.count as usize).saturating_sub(1)),
            Tag::Object | Tag::Null | Tag::False | Tag::True | Tag::Number | Tag::String | Tag::Name => {}
        }
    }
}
