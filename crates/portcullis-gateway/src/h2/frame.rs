//! Frames (RFC 9113 §4, §6).

use std::ops::Range;

use super::{Code, Fault};

/// What a connection begins with (RFC 9113 §3.4).
pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Bytes before each payload.
pub(crate) const HEAD_BYTES: usize = 9;
/// The largest payload that the gate takes, and sends: what both sides take without a word about it.
pub(crate) const PAYLOAD_BYTES_MAX: usize = 16_384;

pub(crate) const END_STREAM: u8 = 0x1;
pub(crate) const ACK: u8 = 0x1;
pub(crate) const END_HEADERS: u8 = 0x4;
const PADDED: u8 = 0x8;
const PRIORITY: u8 = 0x20;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Data,
    Headers,
    Priority,
    Reset,
    Settings,
    Push,
    Ping,
    GoAway,
    WindowUpdate,
    Continuation,
    /// One that nobody need know (RFC 9113 §5.5).
    Unknown,
}

/// What stands before a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) len: usize,
    pub(crate) kind: Kind,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
}

impl Head {
    /// Reads the first bytes of a frame, where there are enough.
    pub(crate) fn read(input: &[u8]) -> Option<Self> {
        let (&[high, middle, low, kind, flags, s0, s1, s2, s3], _) =
            input.split_first_chunk::<HEAD_BYTES>()?;
        let kind = match kind {
            0 => Kind::Data,
            1 => Kind::Headers,
            2 => Kind::Priority,
            3 => Kind::Reset,
            4 => Kind::Settings,
            5 => Kind::Push,
            6 => Kind::Ping,
            7 => Kind::GoAway,
            8 => Kind::WindowUpdate,
            9 => Kind::Continuation,
            _ => Kind::Unknown,
        };
        let len = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
        Some(Self { len, kind, flags, stream: u32::from_be_bytes([s0, s1, s2, s3]) & 0x7fff_ffff })
    }

    pub(crate) const fn has(self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// Whether a frame of its kind can have this length and stream.
    pub(crate) const fn check(self) -> Result<(), Fault> {
        if self.len > PAYLOAD_BYTES_MAX {
            return Err(Fault::FrameSize);
        }
        let fits = match self.kind {
            Kind::Priority => self.len == 5,
            Kind::Reset | Kind::WindowUpdate => self.len == 4,
            Kind::Ping => self.len == 8,
            Kind::GoAway => self.len >= 8,
            Kind::Settings => self.len.is_multiple_of(6) && (!self.has(ACK) || self.len == 0),
            Kind::Data | Kind::Headers | Kind::Push | Kind::Continuation | Kind::Unknown => true,
        };
        if !fits {
            return Err(Fault::FrameSize);
        }
        let at_home = match self.kind {
            Kind::Settings | Kind::Ping | Kind::GoAway => self.stream == 0,
            Kind::Data | Kind::Headers | Kind::Priority | Kind::Reset | Kind::Push | Kind::Continuation => {
                self.stream != 0
            }
            Kind::WindowUpdate | Kind::Unknown => true,
        };
        if at_home { Ok(()) } else { Err(Fault::Stream) }
    }

    /// Where in the payload of `DATA` or `HEADERS` its content is, without padding and priority.
    pub(crate) fn inner(self, payload: &[u8]) -> Result<Range<usize>, Fault> {
        let (mut start, mut padding) = (0, 0);
        if self.has(PADDED) {
            padding = usize::from(*payload.first().ok_or(Fault::FrameSize)?);
            start = 1;
        }
        if self.kind == Kind::Headers && self.has(PRIORITY) {
            start += 5;
        }
        let len = payload.len().checked_sub(start).ok_or(Fault::FrameSize)?;
        let len = len.checked_sub(padding).ok_or(Fault::Padding)?;
        Ok(start..start + len)
    }
}

/// Writes the head of a frame.
pub(crate) fn head(output: &mut Vec<u8>, len: usize, kind: Kind, flags: u8, stream: u32) {
    output.extend_from_slice(&head_bytes(len, kind, flags, stream));
}

const fn head_bytes(len: usize, kind: Kind, flags: u8, stream: u32) -> [u8; HEAD_BYTES] {
    let [.., high, middle, low] = len.to_be_bytes();
    let kind = match kind {
        Kind::Data => 0,
        Kind::Headers => 1,
        Kind::Priority => 2,
        Kind::Reset => 3,
        Kind::Settings => 4,
        Kind::Push => 5,
        Kind::Ping => 6,
        Kind::GoAway => 7,
        Kind::WindowUpdate => 8,
        Kind::Continuation => 9,
        Kind::Unknown => u8::MAX,
    };
    let [s0, s1, s2, s3] = stream.to_be_bytes();
    [high, middle, low, kind, flags, s0, s1, s2, s3]
}

/// Writes the header block that lies behind `from` as `HEADERS`, in as many frames as it needs.
pub(crate) fn headers(output: &mut Vec<u8>, from: usize, flags: u8, stream: u32) {
    let len = output.len().saturating_sub(from);
    if len <= PAYLOAD_BYTES_MAX {
        // The block was written behind the room that its head needs.
        let first = head_bytes(len, Kind::Headers, flags | END_HEADERS, stream);
        if let Some(room) = from.checked_sub(HEAD_BYTES).and_then(|at| output.get_mut(at..from)) {
            room.copy_from_slice(&first);
        }
        return;
    }
    let block = output.split_off(from);
    output.truncate(from.saturating_sub(HEAD_BYTES));
    let pieces = block.len().div_ceil(PAYLOAD_BYTES_MAX);
    for (at, piece) in block.chunks(PAYLOAD_BYTES_MAX).enumerate() {
        let end = if at + 1 == pieces { END_HEADERS } else { 0 };
        let (kind, flags) = if at == 0 { (Kind::Headers, flags) } else { (Kind::Continuation, 0) };
        head(output, piece.len(), kind, flags | end, stream);
        output.extend_from_slice(piece);
    }
}

/// Leaves the room that [`headers`] fills; where the block begins.
pub(crate) fn room_for_headers(output: &mut Vec<u8>) -> usize {
    output.extend_from_slice(&[0; HEAD_BYTES]);
    output.len()
}

pub(crate) fn reset(output: &mut Vec<u8>, stream: u32, code: Code) {
    head(output, 4, Kind::Reset, 0, stream);
    output.extend_from_slice(&(code as u32).to_be_bytes());
}

pub(crate) fn window_update(output: &mut Vec<u8>, stream: u32, bytes: u32) {
    head(output, 4, Kind::WindowUpdate, 0, stream);
    output.extend_from_slice(&bytes.to_be_bytes());
}

pub(crate) fn ping(output: &mut Vec<u8>, flags: u8, payload: &[u8]) {
    head(output, payload.len(), Kind::Ping, flags, 0);
    output.extend_from_slice(payload);
}

pub(crate) fn go_away(output: &mut Vec<u8>, last: u32, code: Code) {
    head(output, 8, Kind::GoAway, 0, 0);
    output.extend_from_slice(&last.to_be_bytes());
    output.extend_from_slice(&(code as u32).to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(output: &[u8]) -> Head {
        Head::read(output).unwrap()
    }

    #[test]
    fn what_is_written_reads_back() {
        let mut output = Vec::new();
        head(&mut output, 0x01_0203, Kind::Ping, 0x25, 0x7fff_ffff);
        assert_eq!(
            read(&output),
            Head { len: 0x01_0203, kind: Kind::Ping, flags: 0x25, stream: 0x7fff_ffff }
        );
        assert_eq!(Head::read(&output[..8]), None);
    }

    #[test]
    fn lengths_and_streams_are_checked() {
        let check = |kind, len, flags, stream| Head { len, kind, flags, stream }.check();
        assert_eq!(check(Kind::Data, PAYLOAD_BYTES_MAX, 0, 1), Ok(()));
        for (kind, len, flags, stream) in [
            (Kind::Data, PAYLOAD_BYTES_MAX + 1, 0, 1),
            (Kind::Ping, 7, 0, 0),
            (Kind::Settings, 7, 0, 0),
            (Kind::Settings, 6, ACK, 0),
            (Kind::Reset, 5, 0, 1),
            (Kind::WindowUpdate, 3, 0, 0),
            (Kind::Priority, 4, 0, 1),
            (Kind::GoAway, 7, 0, 0),
        ] {
            assert_eq!(check(kind, len, flags, stream), Err(Fault::FrameSize), "{kind:?}");
        }
        for (kind, len, stream) in [
            (Kind::Data, 0, 0),
            (Kind::Headers, 0, 0),
            (Kind::Settings, 0, 1),
            (Kind::Ping, 8, 1),
            (Kind::Reset, 4, 0),
        ] {
            assert_eq!(check(kind, len, 0, stream), Err(Fault::Stream), "{kind:?}");
        }
    }

    #[test]
    fn padding_and_priority_are_taken_off() {
        let inner = |kind, flags, payload: &'static [u8]| {
            Head { len: payload.len(), kind, flags, stream: 1 }.inner(payload).map(|inner| &payload[inner])
        };
        assert_eq!(inner(Kind::Data, PADDED, b"\x02ab\0\0"), Ok(&b"ab"[..]));
        assert_eq!(inner(Kind::Headers, PADDED | PRIORITY, b"\x01.....ab\0"), Ok(&b"ab"[..]));
        assert_eq!(inner(Kind::Data, PRIORITY, b"ab"), Ok(&b"ab"[..]));
        assert_eq!(inner(Kind::Data, PADDED, b"\x03ab"), Err(Fault::Padding));
        assert_eq!(inner(Kind::Data, PADDED, b""), Err(Fault::FrameSize));
        assert_eq!(inner(Kind::Headers, PRIORITY, b"...."), Err(Fault::FrameSize));
    }

    #[test]
    fn a_large_block_goes_out_in_pieces() {
        for len in [0, 1, PAYLOAD_BYTES_MAX, PAYLOAD_BYTES_MAX + 1, 3 * PAYLOAD_BYTES_MAX] {
            let mut output = b"before".to_vec();
            let from = room_for_headers(&mut output);
            output.extend(std::iter::repeat_n(7, len));
            headers(&mut output, from, END_STREAM, 5);
            let (mut rest, mut seen, mut kinds) = (&output[6..], 0, Vec::new());
            while let Some(head) = Head::read(rest) {
                assert_eq!((head.check(), head.stream), (Ok(()), 5));
                seen += head.len;
                rest = &rest[HEAD_BYTES + head.len..];
                assert_eq!(head.has(END_HEADERS), rest.is_empty());
                kinds.push((head.kind, head.flags & END_STREAM));
            }
            assert_eq!((seen, kinds[0], &output[..6]), (len, (Kind::Headers, END_STREAM), &b"before"[..]));
            assert!(kinds[1..].iter().all(|kind| *kind == (Kind::Continuation, 0)));
        }
    }
}
