//! Where the log stands when a writer takes it up: after a clean end, after a crash, after somebody's hands.
//!
//! A crash can only cost what was not yet on disk: an incomplete tail, which is set aside and noted. A signed
//! checkpoint is written after everything it covers is on disk, so a log that is shorter than its checkpoint, or
//! unreadable before it, was not left so by a crash: nothing is cut away then, and a record says what was found.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use crate::{
    chain::{End, Line},
    error::EventsError,
    lines::Lines,
    segment::{self, CHECKPOINT, Segment},
    sign::{Statement, VerifyingKey},
};

pub(crate) struct Found {
    /// The file to go on with, and how many of its bytes stand; `None` to begin a new one.
    pub(crate) segment: Option<(Segment, u64)>,
    /// Where the chain goes on.
    pub(crate) end: End,
    /// The name of the file with the torn bytes, and how many they are.
    pub(crate) torn: Option<(String, u64)>,
    /// What contradicts the signed checkpoint.
    pub(crate) broken: Option<String>,
}

/// Looks at the last file of the log, and at the one before it where the last has no whole record.
pub(crate) fn find(directory: &Path, key: &VerifyingKey) -> Result<Found, EventsError> {
    let mut found = Found { segment: None, end: End::START, torn: None, broken: None };
    let signed = match latest(directory, key)? {
        Latest::Signed(statement) => statement.size,
        Latest::None => 0,
        Latest::Unsound => {
            found.broken = Some("the latest checkpoint is not signed by this log's key".to_owned());
            0
        }
    };
    let segments = segment::list(directory)?;
    let mut tail = None;
    for segment in segments.iter().rev() {
        let scan = Scan::of(segment)?;
        if found.segment.is_none() {
            tail = (scan.bytes > scan.good).then_some(scan.bytes - scan.good);
            found.segment = Some((segment.clone(), scan.good));
        }
        if let Some(end) = scan.end {
            found.end = end;
            break;
        }
    }
    if found.end.next < signed {
        let have = found.end.next;
        found.broken.get_or_insert(format!("a checkpoint covers {signed} records, {have} are whole"));
        // Nothing is cut; the chain goes on behind everything that was promised, in a file of its own.
        found.segment = None;
        found.end.next = signed;
    } else if let (Some(bytes), Some((segment, good))) = (tail, &found.segment) {
        found.torn = Some((set_aside(directory, segment, *good, found.end.next)?, bytes));
    }
    Ok(found)
}

enum Latest {
    None,
    Signed(Statement),
    Unsound,
}

fn latest(directory: &Path, key: &VerifyingKey) -> Result<Latest, EventsError> {
    let path = directory.join(CHECKPOINT);
    match fs::read_to_string(&path) {
        Ok(note) => Ok(key.verify(&note).map_or(Latest::Unsound, Latest::Signed)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Latest::None),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Ok(Latest::Unsound),
        Err(error) => Err(EventsError::file(&path, error)),
    }
}

struct Scan {
    bytes: u64,
    /// Where the whole records end.
    good: u64,
    /// Where the chain stands there; `None` when no record is whole.
    end: Option<End>,
}

impl Scan {
    fn of(segment: &Segment) -> Result<Self, EventsError> {
        let failed = |e| EventsError::file(&segment.path, e);
        let file = File::open(&segment.path).map_err(failed)?;
        let mut scan = Self { bytes: file.metadata().map_err(failed)?.len(), good: 0, end: None };
        let mut lines = Lines::new(file);
        while let Some(raw) = lines.next().map_err(failed)? {
            let Some(line) = Line::parse(raw.bytes).filter(|line| line.intact && raw.complete) else { break };
            if scan.end.is_some_and(|end| end.next != line.seq || end.hash != line.prev) {
                break;
            }
            scan.end = Some(End { next: line.seq.saturating_add(1), hash: line.hash });
            scan.good = raw.end;
        }
        Ok(scan)
    }
}

/// Moves the bytes behind `good` into a file of their own; its name.
fn set_aside(directory: &Path, segment: &Segment, good: u64, next: u64) -> Result<String, EventsError> {
    let name = format!("{}.{next}.torn", segment.name());
    let path = directory.join(&name);
    let failed = |e| EventsError::file(&path, e);
    let mut to =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path).map_err(failed)?;
    let mut from = OpenOptions::new().read(true).write(true).open(&segment.path).map_err(failed)?;
    from.seek(SeekFrom::Start(good)).map_err(failed)?;
    let length = from.metadata().map_err(failed)?.len();
    io::copy(&mut (&mut from).take(length), &mut to).map_err(failed)?;
    to.sync_all().map_err(failed)?;
    from.set_len(good).and_then(|()| from.sync_all()).map_err(failed)?;
    Ok(name)
}
