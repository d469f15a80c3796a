//! The messages to be judged, as the host received them: bytes, in order, unchanged.

use std::net::SocketAddr;

/// A header field, name and value as they were received (the value without surrounding whitespace).
pub type Field<'a> = (&'a [u8], &'a [u8]);

/// A request's head. Rules see the bytes given here; nothing is normalised before them.
#[derive(Debug, Clone, Copy)]
pub struct RequestHead<'a> {
    /// The request line without its line end; empty where the host has none (HTTP/2), it is then composed of the three parts.
    pub line: &'a [u8],
    /// The method.
    pub method: &'a [u8],
    /// The request target, undecoded, query and fragment included.
    pub uri: &'a [u8],
    /// The protocol as the request line spells it, `HTTP/1.1`.
    pub protocol: &'a [u8],
    /// The header fields in order; a repeated name is a repeated entry.
    pub fields: &'a [Field<'a>],
    /// Who calls.
    pub client: SocketAddr,
    /// Where the call arrived.
    pub server: SocketAddr,
}

/// A response's head.
#[derive(Debug, Clone, Copy)]
pub struct ResponseHead<'a> {
    /// The status code.
    pub status: u16,
    /// The protocol, `HTTP/1.1`.
    pub protocol: &'a [u8],
    /// The header fields in order.
    pub fields: &'a [Field<'a>],
}
