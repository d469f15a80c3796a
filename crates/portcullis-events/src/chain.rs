//! The hash chain: each record holds the hash of the one before it.
//!
//! A line is `{"seq":N,"prev":"…","KIND":{…},"hash":"…"}`, where `hash` is the SHA-256, in lower-case
//! hexadecimal, of the line's bytes up to and without `,"hash":"`. What is hashed is what was written, so no
//! canonical form has to be agreed upon, and `sha256sum` can check a line.

use std::fmt;

use aws_lc_rs::digest;
use portcullis_core::{clock::Timestamp, event::Event};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{encode, error::EventsError, text::LineFormatter};

/// The longest line that is written or read, in bytes. An event is a few kilobytes at most: heads are bounded,
/// evidence is excerpts.
pub const LINE_BYTES_MAX: usize = 1 << 20;

/// What stands between the hashed bytes and the hash.
const BEFORE_HASH: &[u8] = b",\"hash\":\"";
/// What follows it.
const AFTER_HASH: &[u8] = b"\"}";

/// A SHA-256.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// What the very first record names as its predecessor.
    pub const ZERO: Self = Self([0; 32]);

    /// The hash of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        let digest = digest::digest(&digest::SHA256, bytes);
        let mut hash = [0; 32];
        for (to, from) in hash.iter_mut().zip(digest.as_ref()) {
            *to = *from;
        }
        Self(hash)
    }

    /// Reads 64 lower-case hexadecimal digits.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let (pairs, []) = text.as_chunks::<2>() else { return None };
        let mut hash = [0; 32];
        if pairs.len() != hash.len() {
            return None;
        }
        for (byte, [high, low]) in hash.iter_mut().zip(pairs) {
            *byte = digit(*high)? << 4 | digit(*low)?;
        }
        Some(Self(hash))
    }

    fn write(self, out: &mut Vec<u8>) {
        let mut text = [0; 64];
        for (digits, byte) in text.as_chunks_mut::<2>().0.iter_mut().zip(self.0) {
            *digits = [hex(byte >> 4), hex(byte & 15)];
        }
        out.extend_from_slice(&text);
    }
}

const fn hex(nibble: u8) -> u8 {
    if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 }
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What a record says.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Body<'a> {
    /// One exchange.
    Event(&'a Event),
    /// A writer took the log up.
    Started(Started),
    /// Events that found no room; they are missing here.
    Dropped(Dropped),
    /// A signed statement about all records before this one.
    Checkpoint(Checkpoint),
    /// The last line was incomplete when the writer started: a crash. Its bytes were set aside.
    Torn(Torn),
    /// A file was deleted by the configured retention.
    Retired(Retired),
    /// The log was not what a signed checkpoint says when the writer started.
    Broken(Broken),
}

/// See [`Body::Started`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    /// When.
    pub at: Timestamp,
    /// The version of the event's wire form.
    pub event_version: u16,
}

/// See [`Body::Dropped`]. Counts since the previous such record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dropped {
    /// When this was written.
    pub at: Timestamp,
    /// Exchanges that were served or answered.
    pub served: u64,
    /// Exchanges that were refused.
    pub denied: u64,
    /// All others: upstream failed, client gone, panicked.
    pub failed: u64,
}

/// See [`Body::Checkpoint`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The signed note: see [`crate::sign`].
    pub note: String,
}

/// See [`Body::Torn`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Torn {
    /// When it was found.
    pub at: Timestamp,
    /// The name of the file that holds the bytes now.
    pub file: String,
    /// How many.
    pub bytes: u64,
}

/// See [`Body::Retired`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retired {
    /// When.
    pub at: Timestamp,
    /// The name of the deleted file.
    pub file: String,
    /// The number of the record that follows its last one.
    pub next: u64,
}

/// See [`Body::Broken`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Broken {
    /// When it was found.
    pub at: Timestamp,
    /// What is wrong, in words.
    pub what: String,
}

/// Where a chain stands: the number of the next record and the hash of the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// The number the next record will have: as many records lie before it.
    pub next: u64,
    /// The hash of the last record; [`Hash::ZERO`] before the first.
    pub hash: Hash,
}

impl End {
    /// The end of the empty chain.
    pub const START: Self = Self { next: 0, hash: Hash::ZERO };

    /// Writes the next record behind `out` and steps on. On an error `out` and the chain are as before.
    ///
    /// # Errors
    /// When the body cannot be written as JSON, or not within [`LINE_BYTES_MAX`].
    pub fn append(&mut self, body: &Body<'_>, out: &mut Vec<u8>) -> Result<(), EventsError> {
        let start = out.len();
        let written = self.write(body, out).map_err(EventsError::Encode);
        let line = out.get(start..).unwrap_or_default();
        if let Err(error) = written {
            out.truncate(start);
            return Err(error);
        }
        if line.len() + BEFORE_HASH.len() + 64 + AFTER_HASH.len() >= LINE_BYTES_MAX {
            out.truncate(start);
            return Err(EventsError::Encode(serde::ser::Error::custom("the record is too long")));
        }
        self.hash = Hash::of(line);
        self.next += 1;
        out.extend_from_slice(BEFORE_HASH);
        self.hash.write(out);
        out.extend_from_slice(AFTER_HASH);
        out.push(b'\n');
        Ok(())
    }

    /// `{"seq":N,"prev":"…","KIND":{…}` without the closing brace.
    fn write(&self, body: &Body<'_>, out: &mut Vec<u8>) -> Result<(), serde_json::Error> {
        out.extend_from_slice(b"{\"seq\":");
        encode::decimal(out, self.next);
        out.extend_from_slice(b",\"prev\":\"");
        self.hash.write(out);
        out.extend_from_slice(b"\",");
        if let Body::Event(event) = body {
            out.extend_from_slice(b"\"event\":");
            return encode::event(event, out);
        }
        let brace = out.len();
        // The enum writes `{"kind":…}`: its braces are taken off, which the formatter makes safe to do.
        body.serialize(&mut serde_json::Serializer::with_formatter(&mut *out, LineFormatter))?;
        if out.get(brace) == Some(&b'{') && out.last() == Some(&b'}') {
            out.remove(brace);
            out.pop();
        }
        Ok(())
    }
}

/// A line as read back.
#[derive(Debug)]
pub struct Line<'a> {
    /// The record's number.
    pub seq: u64,
    /// The hash of the record before it, as it claims.
    pub prev: Hash,
    /// The hash of this line, computed.
    pub hash: Hash,
    /// Whether the line carries that hash.
    pub intact: bool,
    /// What it says.
    pub said: Said<'a>,
}

/// What a line says; an event is left unparsed until somebody wants it.
#[derive(Debug)]
pub enum Said<'a> {
    /// See [`Body::Event`].
    Event(&'a RawValue),
    /// See [`Body::Started`].
    Started(Started),
    /// See [`Body::Dropped`].
    Dropped(Dropped),
    /// See [`Body::Checkpoint`].
    Checkpoint(Checkpoint),
    /// See [`Body::Torn`].
    Torn(Torn),
    /// See [`Body::Retired`].
    Retired(Retired),
    /// See [`Body::Broken`].
    Broken(Broken),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire<'a> {
    seq: u64,
    #[serde(borrow)]
    prev: &'a str,
    #[serde(borrow, default)]
    event: Option<&'a RawValue>,
    #[serde(default)]
    started: Option<Started>,
    #[serde(default)]
    dropped: Option<Dropped>,
    #[serde(default)]
    checkpoint: Option<Checkpoint>,
    #[serde(default)]
    torn: Option<Torn>,
    #[serde(default)]
    retired: Option<Retired>,
    #[serde(default)]
    broken: Option<Broken>,
    hash: &'a str,
}

impl<'a> Line<'a> {
    /// Reads a line without its line feed; `None` when it is not a record.
    pub fn parse(line: &'a [u8]) -> Option<Self> {
        let wire: Wire<'a> = serde_json::from_slice(line).ok()?;
        let said = match wire {
            Wire { event: Some(it), .. } => Said::Event(it),
            Wire { started: Some(it), .. } => Said::Started(it),
            Wire { dropped: Some(it), .. } => Said::Dropped(it),
            Wire { checkpoint: Some(it), .. } => Said::Checkpoint(it),
            Wire { torn: Some(it), .. } => Said::Torn(it),
            Wire { retired: Some(it), .. } => Said::Retired(it),
            Wire { broken: Some(it), .. } => Said::Broken(it),
            _ => return None,
        };
        let hashed = line.len().checked_sub(BEFORE_HASH.len() + 64 + AFTER_HASH.len())?;
        let (body, rest) = line.split_at_checked(hashed)?;
        let hash = Hash::of(body);
        // The hash must stand at the end and nowhere else, or a second `hash` member could shadow it.
        let intact = rest.starts_with(BEFORE_HASH) && Hash::parse(wire.hash.as_bytes()) == Some(hash);
        Some(Self { seq: wire.seq, prev: Hash::parse(wire.prev.as_bytes())?, hash, intact, said })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn started(at: u64) -> Body<'static> {
        Body::Started(Started { at: Timestamp::from_secs(at), event_version: 1 })
    }

    #[test]
    fn a_line_reads_back_and_links_to_the_one_before() {
        let (mut end, mut out) = (End::START, Vec::new());
        end.append(&started(1), &mut out).unwrap();
        let first = end;
        end.append(&Body::Dropped(Dropped { denied: 3, ..Dropped::default() }), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with(
            "{\"seq\":0,\"prev\":\"0000000000000000000000000000000000000000000000000000000000000000\",\
             \"started\":{\"at\":1000000,\"event_version\":1},\"hash\":\""
        ));
        let line = Line::parse(lines[1].as_bytes()).unwrap();
        assert!(line.intact);
        assert_eq!((line.seq, line.prev, line.hash, end.next), (1, first.hash, end.hash, 2));
        assert!(matches!(line.said, Said::Dropped(Dropped { denied: 3, .. })));
    }

    #[test]
    fn any_changed_byte_is_seen() {
        let (mut end, mut out) = (End::START, Vec::new());
        end.append(&started(1), &mut out).unwrap();
        out.pop();
        for at in 0..out.len() {
            let mut changed = out.clone();
            changed[at] ^= 1;
            assert!(Line::parse(&changed).is_none_or(|line| !line.intact), "byte {at}");
        }
        let doubled = String::from_utf8(out).unwrap().replace("\"hash\"", "\"hash\":\"00\",\"hash\"");
        assert!(Line::parse(doubled.as_bytes()).is_none());
    }
}
