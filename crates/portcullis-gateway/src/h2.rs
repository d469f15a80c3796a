//! HTTP/2 (RFC 9113) as bytes: frames, header blocks, windows, bounds. No socket, no clock but the one handed in.

pub(crate) mod block;
pub(crate) mod calm;
pub(crate) mod date;
pub(crate) mod fault;
pub(crate) mod frame;
pub(crate) mod head;
pub(crate) mod hpack;
pub(crate) mod settings;
pub(crate) mod window;

pub(crate) use self::fault::{Code, Fault};
