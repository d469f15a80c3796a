//! Header blocks as they are read.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use thiserror::Error;

use super::{Field, TABLE_BYTES, field::Name, huffman, integer, statics};

/// Why a block cannot be read. The tables of both sides may differ from then on, so the connection ends
/// (RFC 7541 §4.1 and RFC 9113 §4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum Broken {
    /// It ends within a field.
    #[error("a header block ends within a field")]
    Short,
    /// A number that is larger than any can be.
    #[error("a number of a header block is too large")]
    Integer,
    /// A field that neither table has.
    #[error("a header block names a field that no table has")]
    Index,
    /// RFC 7541 §5.2.
    #[error("a string of a header block is not coded as it must be")]
    Huffman,
    /// A table larger than was allowed, or resized behind the first field (RFC 7541 §4.2, §6.3).
    #[error("a header block resizes the table where or as it may not")]
    Resize,
}

/// The table of what the other side has sent.
pub(crate) struct Decoder {
    /// The newest first.
    table: VecDeque<Field>,
    bytes: usize,
    bytes_max: usize,
    /// Strings are read into it and split off: most heads need no memory of their own for each.
    strings: BytesMut,
}

impl Decoder {
    pub(crate) fn new() -> Self {
        Self { table: VecDeque::new(), bytes: 0, bytes_max: TABLE_BYTES, strings: BytesMut::new() }
    }

    /// Reads a whole block. Every field is read, wanted or not: the tables must stay the same.
    pub(crate) fn decode(&mut self, mut block: &[u8], mut take: impl FnMut(Field)) -> Result<(), Broken> {
        let mut may_resize = true;
        while let Some((first, rest)) = block.split_first() {
            block = rest;
            let first = *first;
            if first & 0x80 != 0 {
                let index = integer::decode(first, 7, &mut block)?;
                take(self.at(index)?.clone());
            } else if first & 0x40 != 0 {
                let name = self.name(first, 6, &mut block)?;
                // The table outlives the strings about it, which must not stay in memory for its sake.
                let value = Bytes::copy_from_slice(&self.string(&mut block)?);
                let field = name.with(value);
                self.insert(field.clone());
                take(field);
            } else if first & 0x20 != 0 {
                let bytes_max = integer::decode(first, 5, &mut block)?;
                if !may_resize || bytes_max > TABLE_BYTES {
                    return Err(Broken::Resize);
                }
                self.bytes_max = bytes_max;
                self.make_room(0);
                continue;
            } else {
                let name = self.name(first, 4, &mut block)?;
                let value = self.string(&mut block)?;
                take(name.with(value));
            }
            may_resize = false;
        }
        Ok(())
    }

    fn at(&self, index: usize) -> Result<&Field, Broken> {
        let known = if index <= statics::COUNT {
            statics::at(index)
        } else {
            self.table.get(index - statics::COUNT - 1)
        };
        known.ok_or(Broken::Index)
    }

    fn name(&mut self, first: u8, prefix: u32, block: &mut &[u8]) -> Result<Name, Broken> {
        match integer::decode(first, prefix, block)? {
            0 => self.string(block).map(|name| Name::read(&name)),
            index => self.at(index).map(Field::name),
        }
    }

    fn string(&mut self, block: &mut &[u8]) -> Result<Bytes, Broken> {
        /// Room for the strings of a usual head.
        const ROOM: usize = 1024;
        let (first, rest) = block.split_first().ok_or(Broken::Short)?;
        *block = rest;
        let bytes = integer::decode(*first, 7, block)?;
        let (string, rest) = block.split_at_checked(bytes).ok_or(Broken::Short)?;
        *block = rest;
        // The shortest code has five bits.
        let bytes_max = if first & 0x80 == 0 { bytes } else { bytes * 8 / 5 };
        if self.strings.capacity() < bytes_max {
            self.strings.reserve(bytes_max.max(ROOM));
        }
        if first & 0x80 == 0 {
            self.strings.extend_from_slice(string);
        } else {
            huffman::decode(string, &mut self.strings)?;
        }
        Ok(self.strings.split().freeze())
    }

    fn insert(&mut self, field: Field) {
        let size = field.size();
        self.make_room(size);
        // One that is larger than the table has emptied it, and is no error (RFC 7541 §4.4).
        if size <= self.bytes_max {
            self.bytes += size;
            self.table.push_front(field);
        }
    }

    fn make_room(&mut self, size: usize) {
        while self.bytes + size > self.bytes_max {
            let Some(oldest) = self.table.pop_back() else { return };
            self.bytes -= oldest.size();
        }
    }

    #[cfg(test)]
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }
}
