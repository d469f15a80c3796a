//! What is wrong with a connection or a message.

use portcullis_core::verdict::{Denial, Reason, RuleId, Severity};

use super::hpack::Broken;

/// What the other side is told (RFC 9113 §7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Code {
    NoError = 0,
    ProtocolError = 1,
    InternalError = 2,
    FlowControlError = 3,
    StreamClosed = 5,
    FrameSizeError = 6,
    RefusedStream = 7,
    CompressionError = 9,
    EnhanceYourCalm = 11,
}

/// Why a connection ends. Nothing more is read from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    /// RFC 9113 §3.4.
    #[error("the connection does not begin as one of HTTP/2")]
    Preface,
    /// Longer than was allowed, or of a length that its kind cannot have (RFC 9113 §4.2).
    #[error("a frame has a length that it cannot have")]
    FrameSize,
    /// On stream 0 what belongs to a stream, or the other way round.
    #[error("a frame is on a stream that it cannot be on")]
    Stream,
    /// For a stream that has not begun (RFC 9113 §5.1).
    #[error("a frame is for a stream that has not begun")]
    Idle,
    /// For a stream that has ended.
    #[error("a frame is for a stream that has ended")]
    Closed,
    /// An even number, or one smaller than before (RFC 9113 §5.1.1).
    #[error("a stream has a number that it cannot have")]
    Number,
    /// Padding longer than its frame.
    #[error("a frame is padded beyond its end")]
    Padding,
    /// Something else within a header block, or a block's end without its beginning (RFC 9113 §6.10).
    #[error("a header block is interrupted or has no beginning")]
    Interrupted,
    /// RFC 9113 §6.5.2.
    #[error("a setting has a value that it cannot have")]
    Setting,
    /// A client pushes nothing.
    #[error("a client promises a push")]
    Push,
    /// More bytes than there was room for, or room for more than can be counted (RFC 9113 §6.9.1).
    #[error("more bytes are sent, or allowed, than can be")]
    Window,
    /// RFC 9113 §6.9.
    #[error("a window is opened by nothing")]
    NoRoom,
    /// RFC 7541.
    #[error("{0}")]
    Block(Broken),
    /// Header blocks in more pieces or bytes than any head has (CVE-2024-27316).
    #[error("a header block does not end")]
    EndlessBlock,
    /// Frames that cost us and not the client: pings, settings, empty data (CVE-2019-9512, -9515, -9518).
    #[error("frames that carry nothing come too fast")]
    Flood,
    /// Requests that are begun and given up (CVE-2023-44487).
    #[error("requests are given up too fast")]
    RapidReset,
}

impl Fault {
    pub(crate) const fn code(self) -> Code {
        match self {
            Self::Preface
            | Self::Stream
            | Self::Idle
            | Self::Number
            | Self::Padding
            | Self::Interrupted
            | Self::Setting
            | Self::Push
            | Self::NoRoom => Code::ProtocolError,
            Self::FrameSize => Code::FrameSizeError,
            Self::Closed => Code::StreamClosed,
            Self::Window => Code::FlowControlError,
            Self::Block(_) => Code::CompressionError,
            Self::EndlessBlock | Self::Flood | Self::RapidReset => Code::EnhanceYourCalm,
        }
    }

    /// What the operator is told.
    pub(crate) fn reason(self) -> Reason {
        let rule = match self {
            Self::EndlessBlock | Self::Flood | Self::RapidReset => "http/flood",
            _ => "http/malformed",
        };
        Reason::new(RuleId::new(rule), Severity::Medium, self.to_string())
    }
}

/// Why a head is not that of a request. It is answered, and the connection stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum HeadFault {
    /// Missing, repeated, unknown or behind a header field (RFC 9113 §8.3).
    #[error("the pseudo-header fields are not those of a request, each once and first")]
    Pseudo,
    /// A name in capitals, or bytes in a name or value that it cannot have (RFC 9113 §8.2.1).
    #[error("a header field is not a name in lower case and a value")]
    Field,
    /// `Connection` and its kind, or `TE` of anything but trailers (RFC 9113 §8.2.2).
    #[error("a header field belongs to a connection of HTTP/1")]
    OfConnection,
    /// The method is no token.
    #[error("the method is not one")]
    Method,
    /// Not a path, or one with white space or a fragment.
    #[error("the path is not one")]
    Path,
    /// Neither host nor address.
    #[error("the scheme or the authority is not one")]
    Authority,
    /// Not a number, given twice, or not zero where nothing follows (RFC 9113 §8.1.1).
    #[error("`Content-Length` is not the length of the body")]
    Length,
    /// More bytes than the bound.
    #[error("the head is larger than it may be")]
    Bytes,
    /// More fields than the bound.
    #[error("the head has more fields than it may have")]
    Fields,
}

impl HeadFault {
    /// What the operator is told.
    pub(crate) fn reason(self) -> Reason {
        let (rule, severity) = match self {
            Self::Pseudo | Self::Method | Self::Path | Self::Authority => {
                ("framing/request_line", Severity::High)
            }
            Self::Field | Self::OfConnection => ("framing/field", Severity::High),
            Self::Length => ("framing/length", Severity::High),
            Self::Bytes => ("head/too_large", Severity::Medium),
            Self::Fields => ("head/too_many_fields", Severity::Medium),
        };
        Reason::new(RuleId::new(rule), severity, self.to_string())
    }

    /// What the client is told.
    pub(crate) const fn denial(self) -> Denial {
        match self {
            Self::Bytes | Self::Fields => Denial::HeadTooLarge,
            Self::Pseudo
            | Self::Field
            | Self::OfConnection
            | Self::Method
            | Self::Path
            | Self::Authority
            | Self::Length => Denial::Malformed,
        }
    }
}
