//! Lines of a file, one at a time, in bounded memory.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
};

use crate::chain::LINE_BYTES_MAX;

pub(crate) struct Lines {
    reader: BufReader<File>,
    line: Vec<u8>,
    /// Where the next line begins.
    offset: u64,
}

/// One line as it lies in the file.
pub(crate) struct Raw<'a> {
    /// Its bytes without the line feed, cut at [`LINE_BYTES_MAX`].
    pub(crate) bytes: &'a [u8],
    /// Where the next one begins.
    pub(crate) end: u64,
    /// Whether it ends with a line feed. One that does not is the last, and is still being written or torn.
    pub(crate) complete: bool,
}

impl Lines {
    pub(crate) fn new(file: File) -> Self {
        Self { reader: BufReader::with_capacity(1 << 16, file), line: Vec::new(), offset: 0 }
    }

    pub(crate) fn next(&mut self) -> io::Result<Option<Raw<'_>>> {
        self.line.clear();
        let bound = u64::try_from(LINE_BYTES_MAX).unwrap_or(u64::MAX);
        let mut taken = (&mut self.reader).take(bound).read_until(b'\n', &mut self.line)?;
        let mut complete = self.line.pop_if(|last| *last == b'\n').is_some();
        if taken == 0 {
            return Ok(None);
        }
        // Too long for a record: the rest is passed over, what was kept is not JSON.
        while !complete && taken >= LINE_BYTES_MAX {
            let buffer = self.reader.fill_buf()?;
            if buffer.is_empty() {
                break;
            }
            let (used, found) =
                memchr::memchr(b'\n', buffer).map_or((buffer.len(), false), |at| (at + 1, true));
            complete = found;
            taken += used;
            self.reader.consume(used);
        }
        self.offset += u64::try_from(taken).unwrap_or(0);
        Ok(Some(Raw { bytes: &self.line, end: self.offset, complete }))
    }
}
