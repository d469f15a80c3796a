//! Bodies as they come: counted, chunked, or up to the connection's end.

use bytes::{Buf, Bytes, BytesMut};
use http::HeaderMap;

use super::{
    Fault,
    head::{self, BodyEnd},
};

/// Takes one body off the front of what was read.
#[derive(Debug)]
pub(crate) struct Decoder {
    state: State,
    bounds: Bounds,
}

/// What the trailers of a body may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Bytes of the trailer section.
    pub(crate) bytes_max: usize,
    /// Fields in it.
    pub(crate) fields_max: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Done,
    Counted { left: u64 },
    ChunkSize { seen: usize },
    ChunkData { left: u64 },
    ChunkEnd,
    Trailers { seen: usize },
    WithConnection,
}

/// A piece of a body.
#[derive(Debug)]
pub(crate) enum Piece {
    /// At least one byte.
    Data(Bytes),
    /// The body has ended behind these.
    Trailers(HeaderMap),
    /// The body has ended.
    End,
}

impl Decoder {
    pub(crate) const fn new(end: BodyEnd, bounds: Bounds) -> Self {
        let state = match end {
            BodyEnd::Nobody => State::Done,
            BodyEnd::After(left) => State::Counted { left },
            BodyEnd::Chunked => State::ChunkSize { seen: 0 },
            BodyEnd::WithConnection => State::WithConnection,
        };
        Self { state, bounds }
    }

    /// Whether the body has been taken whole.
    pub(crate) fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Bytes still to come, where that is known.
    pub(crate) const fn left(&self) -> Option<u64> {
        match self.state {
            State::Done => Some(0),
            State::Counted { left } => Some(left),
            State::ChunkSize { .. }
            | State::ChunkData { .. }
            | State::ChunkEnd
            | State::Trailers { .. }
            | State::WithConnection => None,
        }
    }

    /// The next piece; `None` when more must be read first.
    pub(crate) fn take(&mut self, input: &mut BytesMut) -> Result<Option<Piece>, Fault> {
        loop {
            match self.state {
                State::Done => return Ok(Some(Piece::End)),
                State::Counted { left } => {
                    let Some((data, left)) = cut(input, left) else { return Ok(None) };
                    self.state = if left == 0 { State::Done } else { State::Counted { left } };
                    return Ok(Some(Piece::Data(data)));
                }
                State::ChunkSize { seen } => match line(input, seen, CHUNK_LINE_BYTES_MAX)? {
                    Line::Whole(len) => {
                        let size = input.get(..len).and_then(chunk_size).ok_or(Fault::Chunk)?;
                        input.advance(len + 2);
                        self.state = match size {
                            0 => State::Trailers { seen: 0 },
                            left => State::ChunkData { left },
                        };
                    }
                    Line::Begun(seen) => {
                        self.state = State::ChunkSize { seen };
                        return Ok(None);
                    }
                },
                State::ChunkData { left } => {
                    let Some((data, left)) = cut(input, left) else { return Ok(None) };
                    self.state = if left == 0 { State::ChunkEnd } else { State::ChunkData { left } };
                    return Ok(Some(Piece::Data(data)));
                }
                State::ChunkEnd => match input.get(..2) {
                    Some(b"\r\n") => {
                        input.advance(2);
                        self.state = State::ChunkSize { seen: 0 };
                    }
                    Some(_) => return Err(Fault::Chunk),
                    None if matches!(input.first(), None | Some(b'\r')) => return Ok(None),
                    None => return Err(Fault::Chunk),
                },
                State::Trailers { seen } => return self.take_trailers(input, seen),
                State::WithConnection => {
                    return Ok((!input.is_empty()).then(|| Piece::Data(input.split().freeze())));
                }
            }
        }
    }

    fn take_trailers(&mut self, input: &mut BytesMut, mut seen: usize) -> Result<Option<Piece>, Fault> {
        // Most bodies have none: an empty line is all that follows.
        if input.starts_with(b"\r\n") {
            input.advance(2);
            self.state = State::Done;
            return Ok(Some(Piece::End));
        }
        let end = head::end(input, &mut seen)?;
        if end.unwrap_or(input.len()) > self.bounds.bytes_max {
            return Err(Fault::HeadBytes);
        }
        let Some(end) = end else {
            self.state = State::Trailers { seen };
            return Ok(None);
        };
        let section = input.split_to(end).freeze();
        let trailers = head::trailers(&section, self.bounds.fields_max)?;
        self.state = State::Done;
        Ok(Some(Piece::Trailers(trailers)))
    }

    /// The stream has ended: the end of a body that ends with it, and the loss of any other.
    pub(crate) fn stream_ended(&mut self) -> Result<(), Fault> {
        match self.state {
            State::Done => Ok(()),
            State::WithConnection => {
                self.state = State::Done;
                Ok(())
            }
            State::Counted { .. }
            | State::ChunkSize { .. }
            | State::ChunkData { .. }
            | State::ChunkEnd
            | State::Trailers { .. } => Err(Fault::CutOff),
        }
    }
}

/// At most `left` bytes off the front, with what is left then; `None` when there are none.
fn cut(input: &mut BytesMut, left: u64) -> Option<(Bytes, u64)> {
    if input.is_empty() {
        return None;
    }
    let here = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
    Some((input.split_to(here).freeze(), left - here as u64))
}

enum Line {
    /// So many bytes before its end.
    Whole(usize),
    /// No end yet, in so many bytes.
    Begun(usize),
}

/// Nobody sends longer extensions in good faith; some proxies have been brought down by them.
const EXTENSION_BYTES_MAX: usize = 256;
const CHUNK_LINE_BYTES_MAX: usize = 16 + 1 + EXTENSION_BYTES_MAX + 2;

fn line(input: &[u8], seen: usize, bytes_max: usize) -> Result<Line, Fault> {
    let unseen = input.get(seen..).unwrap_or_default();
    match memchr::memchr(b'\n', unseen) {
        Some(offset) => match (seen + offset).checked_sub(1) {
            Some(end) if input.get(end) == Some(&b'\r') && end <= bytes_max => Ok(Line::Whole(end)),
            Some(_) | None => Err(Fault::BareLineEnd),
        },
        None if input.len() > bytes_max => Err(Fault::Chunk),
        None => Ok(Line::Begun(input.len())),
    }
}

/// The size of a chunk; `None` when the line is not one. Extensions must be printable, and something.
fn chunk_size(line: &[u8]) -> Option<u64> {
    let (digits, extension) = match memchr::memchr(b';', line) {
        Some(at) => (line.get(..at)?, Some(line.get(at + 1..)?)),
        None => (line, None),
    };
    if let Some(extension) = extension {
        let printable = extension.iter().all(|byte| matches!(byte, b'\t' | b' '..=b'~'));
        let something = extension.iter().any(u8::is_ascii_graphic) && extension.first() != Some(&b';');
        if !printable || !something || extension.len() > EXTENSION_BYTES_MAX {
            return None;
        }
    }
    let plain = matches!(digits.len(), 1..=16) && digits.iter().all(u8::is_ascii_hexdigit);
    let text = plain.then(|| std::str::from_utf8(digits).ok()).flatten()?;
    u64::from_str_radix(text, 16).ok()
}

#[cfg(test)]
mod tests;
