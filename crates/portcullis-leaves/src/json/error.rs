//! Why a body is no JSON text.

use thiserror::Error;

use crate::limits::LimitExceeded;

/// What is wrong with a JSON text, and where.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{kind} at byte {offset}")]
pub struct ParseError {
    /// The byte at which the fault was noticed.
    pub offset: usize,
    /// JSON pointer (RFC 6901) to the value being read; a name in it is as long as the limits allow.
    pub pointer: Box<str>,
    /// What is wrong.
    pub kind: ParseErrorKind,
}

impl ParseError {
    /// A fault of the document as a whole.
    pub(crate) fn at(offset: usize, kind: ParseErrorKind) -> Self {
        Self { offset, pointer: Box::default(), kind }
    }
}

/// What is wrong with a JSON text. Quotes nothing from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ParseErrorKind {
    /// A bound on bodies.
    #[error(transparent)]
    Limit(#[from] LimitExceeded),
    /// An object names a member twice: parsers differ in which one they take (RFC 8259 §4).
    #[error("duplicate member")]
    DuplicateMember,
    /// It begins with a byte order mark, which RFC 8259 §8.1 forbids to send.
    #[error("byte order mark")]
    ByteOrderMark,
    /// It is not UTF-8 (RFC 8259 §8.1).
    #[error("invalid UTF-8")]
    InvalidUtf8,
    /// Something else than the grammar asks for; the text says what it asks for.
    #[error("expected {0}")]
    Expected(&'static str),
    /// The text ends too early.
    #[error("unexpected end")]
    UnexpectedEnd,
    /// More follows after the value.
    #[error("trailing data")]
    TrailingData,
    /// A string holds an unescaped control character.
    #[error("control character in a string")]
    ControlCharacter,
    /// A backslash is followed by something that RFC 8259 §7 does not know.
    #[error("invalid escape")]
    InvalidEscape,
    /// An escape names half of a surrogate pair, which no UTF-8 can hold (RFC 8259 §8.2).
    #[error("lone surrogate")]
    LoneSurrogate,
    /// The number is too large for a double.
    #[error("number out of range")]
    NumberOutOfRange,
}
