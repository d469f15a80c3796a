//! Header blocks as they are written.
//!
//! Where a field with that name was written last is remembered in a small table by name: a repeated field costs one
//! comparison and is written as one byte. A field whose value is seldom the same twice is soon written out each time, so
//! that it does not drive the others out.

use std::collections::VecDeque;

use http::{HeaderName, HeaderValue, StatusCode, header::SET_COOKIE};

use super::{TABLE_BYTES, huffman, integer, statics};

const SLOTS: usize = 32;
/// A larger field would drive too many others out of the table.
const ENTRY_BYTES_MAX: usize = TABLE_BYTES / 8;
/// A field that came so much more often as it was than anew keeps its place.
const WORTH_MAX: u8 = 8;

/// The table of what was written to the other side.
pub(crate) struct Encoder {
    /// Sizes of the fields in the table, the oldest first.
    sizes: VecDeque<usize>,
    bytes: usize,
    bytes_max: usize,
    /// The smallest and the last size of the table that the other side is still to be told (RFC 7541 §4.2).
    resized: Option<(usize, usize)>,
    /// Fields ever put into the table.
    inserted: u64,
    /// Made with the first field.
    slots: Vec<Option<Slot>>,
}

struct Slot {
    name: HeaderName,
    value: HeaderValue,
    /// How many fields were in the table before it.
    at: u64,
    worth: u8,
}

/// How a field that is written out is written.
#[derive(Clone, Copy)]
enum Literal {
    Indexed,
    Once,
    /// No one on the way may put it into a table either (RFC 7541 §7.1.3).
    Never,
}

impl Encoder {
    pub(crate) const fn new() -> Self {
        Self {
            sizes: VecDeque::new(),
            bytes: 0,
            bytes_max: TABLE_BYTES,
            resized: None,
            inserted: 0,
            slots: Vec::new(),
        }
    }

    /// The other side allows a table of so many bytes.
    pub(crate) fn allow(&mut self, bytes: usize) {
        let bytes = bytes.min(TABLE_BYTES);
        if bytes == self.bytes_max && self.resized.is_none() {
            return;
        }
        let smallest = self.resized.map_or(bytes, |(smallest, _)| smallest.min(bytes));
        self.resized = Some((smallest, bytes));
        self.bytes_max = bytes;
        self.make_room(0);
    }

    /// Comes first in each block.
    pub(crate) fn begin(&mut self, output: &mut Vec<u8>) {
        if let Some((smallest, last)) = self.resized.take() {
            if smallest < last {
                integer::encode(0x20, 5, smallest, output);
            }
            integer::encode(0x20, 5, last, output);
        }
    }

    /// `:status`.
    pub(crate) fn status(&mut self, status: StatusCode, output: &mut Vec<u8>) {
        const NAME: usize = 8;
        let index = match status.as_u16() {
            200 => 8,
            204 => 9,
            206 => 10,
            304 => 11,
            400 => 12,
            404 => 13,
            500 => 14,
            _ => {
                integer::encode(0, 4, NAME, output);
                raw(status.as_str().as_bytes(), output);
                return;
            }
        };
        integer::encode(0x80, 7, index, output);
    }

    /// A header field.
    pub(crate) fn field(&mut self, name: &HeaderName, value: &HeaderValue, output: &mut Vec<u8>) {
        if value.is_sensitive() || *name == SET_COOKIE {
            return literal(Literal::Never, None, name, value, output);
        }
        let size = name.as_str().len() + value.len() + 32;
        let oldest = self.inserted - self.sizes.len() as u64;
        let slot = self.slot(name);
        let mut index = None;
        if let Some(known) = self.slots.get_mut(slot).and_then(Option::as_mut).filter(|it| it.name == *name)
            && known.at >= oldest
        {
            let among = usize::try_from(self.inserted - known.at).unwrap_or(usize::MAX);
            index = Some(statics::COUNT + among);
            if known.value == *value {
                known.worth = (known.worth + 1).min(WORTH_MAX);
                integer::encode(0x80, 7, statics::COUNT + among, output);
                return;
            }
            if known.worth == 0 {
                return literal(Literal::Once, index, name, value, output);
            }
        }
        if size > ENTRY_BYTES_MAX.min(self.bytes_max) {
            return literal(Literal::Once, index, name, value, output);
        }
        literal(Literal::Indexed, index, name, value, output);
        self.insert(slot, name, value, size);
    }

    /// Where the name is remembered, or would be.
    fn slot(&mut self, name: &HeaderName) -> usize {
        if self.slots.is_empty() {
            self.slots.resize_with(SLOTS, || None);
        }
        let text = name.as_str().as_bytes();
        let byte = |at: usize| text.get(at).copied().map_or(0, usize::from);
        let first = (text.len() * 5 + byte(0) * 3 + byte(text.len() / 2) * 7 + byte(text.len() - 1)) % SLOTS;
        let second = first ^ 1;
        let has = |slot: usize| self.slots.get(slot).and_then(Option::as_ref);
        match (has(first), has(second)) {
            (Some(slot), _) if slot.name == *name => first,
            (_, Some(slot)) if slot.name == *name => second,
            (None, _) => first,
            (_, None) => second,
            (Some(one), Some(other)) if one.at <= other.at => first,
            (Some(_), Some(_)) => second,
        }
    }

    fn insert(&mut self, slot: usize, name: &HeaderName, value: &HeaderValue, size: usize) {
        self.make_room(size);
        self.sizes.push_back(size);
        self.bytes += size;
        let at = self.inserted;
        self.inserted += 1;
        let Some(slot) = self.slots.get_mut(slot) else { return };
        match slot {
            Some(known) if known.name == *name => {
                known.worth = known.worth.saturating_sub(1);
                known.at = at;
                known.value = value.clone();
            }
            _ => *slot = Some(Slot { name: name.clone(), value: value.clone(), at, worth: 1 }),
        }
    }

    fn make_room(&mut self, size: usize) {
        while self.bytes + size > self.bytes_max {
            let Some(oldest) = self.sizes.pop_front() else { return };
            self.bytes -= oldest;
        }
    }
}

fn literal(how: Literal, index: Option<usize>, name: &HeaderName, value: &HeaderValue, output: &mut Vec<u8>) {
    let (first, prefix) = match how {
        Literal::Indexed => (0x40, 6),
        Literal::Once => (0, 4),
        Literal::Never => (0x10, 4),
    };
    match index.or_else(|| statics::of_name(name.as_str())) {
        Some(index) => integer::encode(first, prefix, index, output),
        None => {
            output.push(first);
            short(name.as_str().as_bytes(), output);
        }
    }
    match how {
        // Coding costs more than a few bytes on the way do, unless they are written once for many times.
        Literal::Once | Literal::Never => raw(value.as_bytes(), output),
        Literal::Indexed => short(value.as_bytes(), output),
    }
}

fn raw(string: &[u8], output: &mut Vec<u8>) {
    integer::encode(0, 7, string.len(), output);
    output.extend_from_slice(string);
}

fn short(string: &[u8], output: &mut Vec<u8>) {
    let bytes = huffman::encoded_len(string);
    if bytes < string.len() {
        integer::encode(0x80, 7, bytes, output);
        huffman::encode(string, output);
    } else {
        raw(string, output);
    }
}
