//! What is wrong with a message.

use portcullis_core::verdict::{Denial, Reason, RuleId, Severity};

/// Why a message cannot be taken for one of HTTP/1.1. After any of these nothing more is read from the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    /// RFC 9112 §2.2.
    #[error("a line ends without carriage return and line feed")]
    BareLineEnd,
    /// A line of the head begins with white space (RFC 9112 §5.2).
    #[error("a header field goes on in the next line")]
    FoldedLine,
    /// RFC 9112 §3.
    #[error("the request line is not method, target and version")]
    RequestLine,
    /// RFC 9112 §4.
    #[error("the status line is not version, status and reason")]
    StatusLine,
    /// A field without a colon, or with bytes in its name or value that it cannot have (RFC 9110 §5.5).
    #[error("a header field is not name, colon and value")]
    Field,
    /// RFC 9112 §6.1.
    #[error("both `Content-Length` and `Transfer-Encoding` are given")]
    LengthAndEncoding,
    /// More than one `Content-Length`, or `Transfer-Encoding`.
    #[error("the length of the body is given more than once")]
    Repeated,
    /// RFC 9110 §8.6.
    #[error("`Content-Length` is not a number")]
    Length,
    /// Anything but `chunked`, or any coding with HTTP/1.0.
    #[error("`Transfer-Encoding` is not exactly `chunked`")]
    Encoding,
    /// A chunk's size, extension or end is not what it must be (RFC 9112 §7.1).
    #[error("a chunk is not framed as it must be")]
    Chunk,
    /// More bytes before the body than the bound.
    #[error("the head is larger than it may be")]
    HeadBytes,
    /// More fields than the bound.
    #[error("the head has more fields than it may have")]
    HeadFields,
    /// The stream ended inside a message.
    #[error("the message is cut off")]
    CutOff,
    /// The head did not come in time.
    #[error("the head did not arrive in time")]
    SlowHead,
}

impl Fault {
    /// What the operator is told.
    pub(crate) fn reason(self) -> Reason {
        let (rule, severity) = match self {
            Self::BareLineEnd => ("framing/bare_line_end", Severity::High),
            Self::FoldedLine => ("framing/folded_line", Severity::High),
            Self::RequestLine | Self::StatusLine => ("framing/request_line", Severity::High),
            Self::Field => ("framing/field", Severity::High),
            Self::LengthAndEncoding => ("framing/length_and_encoding", Severity::High),
            Self::Repeated => ("framing/repeated_length", Severity::High),
            Self::Length => ("framing/length", Severity::High),
            Self::Encoding => ("framing/encoding", Severity::High),
            Self::Chunk => ("framing/chunk", Severity::High),
            Self::HeadBytes => ("head/too_large", Severity::Medium),
            Self::HeadFields => ("head/too_many_fields", Severity::Medium),
            Self::CutOff => ("framing/cut_off", Severity::Low),
            Self::SlowHead => ("head/too_slow", Severity::Low),
        };
        Reason::new(RuleId::new(rule), severity, self.to_string())
    }

    /// What the client is told.
    pub(crate) const fn denial(self) -> Denial {
        match self {
            Self::HeadBytes | Self::HeadFields => Denial::HeadTooLarge,
            Self::SlowHead => Denial::Timeout,
            Self::BareLineEnd
            | Self::FoldedLine
            | Self::RequestLine
            | Self::StatusLine
            | Self::Field
            | Self::LengthAndEncoding
            | Self::Repeated
            | Self::Length
            | Self::Encoding
            | Self::Chunk
            | Self::CutOff => Denial::Malformed,
        }
    }
}
