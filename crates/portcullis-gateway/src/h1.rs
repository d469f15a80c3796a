//! HTTP/1.1 on the wire (RFC 9112), for both sides of the gate: one strict reader, one writer.
//!
//! Request smuggling (CWE-444) lives where two readers of one stream disagree about where a message ends. Here is one
//! reader, and it has one mode: whatever two readers could take differently is refused (a bare line feed, a folded
//! line, two lengths, a length beside a coding, any coding but `chunked`, a chunk that is not framed as it must be).
//! Nothing is forwarded as it came: every message is written anew from what was understood of it.
//!
//! Bytes in, messages out: nothing here knows listeners, guards or pools.

pub(crate) mod body;
mod fault;
pub(crate) mod head;
pub(crate) mod wire;
pub(crate) mod write;

pub(crate) use self::fault::Fault;
