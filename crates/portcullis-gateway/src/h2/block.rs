//! A header block that came in more than one frame.

use super::{Fault, frame::Head};

/// The pieces so far.
#[derive(Debug)]
pub(crate) struct Pieces {
    /// The frame that began it.
    pub(crate) first: Head,
    pub(crate) bytes: Vec<u8>,
    frames: usize,
}

impl Pieces {
    /// Begins with the fragment of `HEADERS`.
    pub(crate) fn new(first: Head, fragment: &[u8]) -> Self {
        Self { first, bytes: fragment.to_vec(), frames: 1 }
    }

    /// Adds that of a `CONTINUATION`. A head larger than `bytes_max` is answered as long as its block is not larger than
    /// twice that; what goes on and on, or in ever smaller pieces, ends the connection.
    pub(crate) fn add(&mut self, head: Head, fragment: &[u8], bytes_max: usize) -> Result<(), Fault> {
        const FRAMES_MAX: usize = 32;
        if head.stream != self.first.stream {
            return Err(Fault::Interrupted);
        }
        self.frames += 1;
        if self.frames > FRAMES_MAX || self.bytes.len() + fragment.len() > bytes_max.saturating_mul(2) {
            return Err(Fault::EndlessBlock);
        }
        self.bytes.extend_from_slice(fragment);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{super::frame::Kind, *};

    fn head(kind: Kind, stream: u32) -> Head {
        Head { len: 0, kind, flags: 0, stream }
    }

    #[test]
    fn pieces_are_bounded_in_bytes_and_number() {
        let more = head(Kind::Continuation, 1);
        let mut pieces = Pieces::new(head(Kind::Headers, 1), b"ab");
        pieces.add(more, b"cd", 4).unwrap();
        assert_eq!(pieces.bytes, b"abcd");
        assert_eq!(pieces.add(head(Kind::Continuation, 3), b"", 4), Err(Fault::Interrupted));
        assert_eq!(pieces.add(more, b"12345", 4), Err(Fault::EndlessBlock));
        let mut empty = Pieces::new(head(Kind::Headers, 1), b"");
        assert_eq!((0..100).find_map(|_| empty.add(more, b"", 4).err()), Some(Fault::EndlessBlock));
    }
}
