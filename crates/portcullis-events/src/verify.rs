//! Proof that the record was not altered: reads all files in order and names the first record that is not what
//! a signed checkpoint, or the chain, says it must be. Streams; memory does not grow with the log.
//!
//! What it cannot see: records behind the last checkpoint that were rewritten with their whole tail
//! ([`Report::unsigned`] of them), and anything done by one who holds the private key. Against the first, let
//! checkpoints be frequent; against both, keep copies of checkpoints elsewhere and hand the latest in as [`Kept`].

use std::{
    fmt, fs,
    fs::File,
    io,
    path::{Path, PathBuf},
};

use crate::{
    chain::{Dropped, Hash, Line, Said},
    error::EventsError,
    lines::Lines,
    segment::{self, CHECKPOINT, Segment},
    sign::{NoteFlaw, Statement, VerifyingKey},
};

/// A start after a crash writes a few records before it signs; so many more than promised are tolerated.
const SLACK: u64 = 16;

/// A checkpoint that was kept elsewhere: who holds the key can sign a new history, and cannot change this copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept<'a> {
    /// Where it was read from, for what is said about it.
    pub path: &'a Path,
    /// The signed note.
    pub note: &'a str,
}

/// What was read, and found sound.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Files read.
    pub files: u64,
    /// Records read.
    pub records: u64,
    /// The number of the first of them: not 0 when the retention deleted files.
    pub first: u64,
    /// Exchanges among them.
    pub events: u64,
    /// Exchanges that the records say are missing, because they found no room.
    pub dropped: Dropped,
    /// Crashes after which an incomplete tail was set aside.
    pub torn: u64,
    /// Signed checkpoints among the records.
    pub checkpoints: u64,
    /// Records behind the last checkpoint: nobody has signed them yet.
    pub unsigned: u64,
    /// Whether the last line is incomplete: it is being written, or a crash left it so.
    pub incomplete: bool,
    /// The latest checkpoint, to be kept elsewhere.
    pub latest: Option<Statement>,
    /// The checkpoint that was kept elsewhere, where one was given.
    pub kept: Option<Statement>,
}

impl Report {
    /// Whether the checkpoint that was kept elsewhere could be compared with the log: the record it ends with must
    /// not have been deleted by the retention.
    pub fn kept_is_covered(&self) -> bool {
        self.kept.is_none_or(|it| it.size >= self.first)
    }
}

/// The first record that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The file.
    pub file: PathBuf,
    /// The line in it, from 1; 0 when the file as a whole is meant.
    pub line: u64,
    /// The number of the record, as far as it is known.
    pub seq: Option<u64>,
    /// What is wrong.
    pub flaw: Flaw,
}

/// What can be wrong with a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// The line is not a record.
    Unreadable,
    /// The record does not have the hash it carries: it was altered.
    Altered,
    /// The record is whole but does not follow from the one before: one of the two was rewritten.
    Unlinked,
    /// Records are in another order than they were written in.
    Reordered {
        /// The number expected here.
        expected: u64,
    },
    /// Records are missing here.
    Removed {
        /// The number expected here.
        expected: u64,
    },
    /// The oldest records are missing, and no retention record says so.
    HeadRemoved,
    /// A signed checkpoint covers records that are not there: the end was cut off.
    Truncated {
        /// How many records the checkpoint covers.
        covered: u64,
        /// How many there are.
        found: u64,
    },
    /// The chain is whole but a signed checkpoint states another hash: a record between `after` and this one was
    /// altered and all hashes behind it were computed anew.
    Recomputed {
        /// The last record that a sound checkpoint covers, where there is one.
        after: Option<u64>,
    },
    /// A checkpoint is not one, or not by this log's key.
    Signature(NoteFlaw),
    /// A checkpoint is missing: an earlier one promised it before this record, or there is none at all.
    CheckpointMissing,
    /// The writer itself found the log contradicting a checkpoint when it started.
    Broken(String),
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable => f.write_str("the line is not a record"),
            Self::Altered => f.write_str("the record was altered: it does not have the hash it carries"),
            Self::Unlinked => {
                f.write_str("the record does not follow from the one before it: one of the two was rewritten")
            }
            Self::Reordered { expected } => write!(f, "record {expected} was expected here; it comes later"),
            Self::Removed { expected } => {
                write!(f, "record {expected} was expected here; records were removed")
            }
            Self::HeadRemoved => {
                f.write_str("the oldest records are missing, and no retention record says why")
            }
            Self::Truncated { covered, found } => {
                write!(
                    f,
                    "the end was cut off: a signed checkpoint covers {covered} records, {found} are there"
                )
            }
            Self::Recomputed { after: Some(after) } => write!(
                f,
                "a record after {after} was altered and the chain recomputed: a signed checkpoint states another hash"
            ),
            Self::Recomputed { after: None } => f.write_str(
                "a record was altered and the chain recomputed: a signed checkpoint states another hash",
            ),
            Self::Signature(NoteFlaw::Malformed) => f.write_str("the checkpoint is malformed"),
            Self::Signature(NoteFlaw::OtherKey) => f.write_str("the checkpoint is signed by another key"),
            Self::Signature(NoteFlaw::Forged) => f.write_str("the checkpoint's signature is wrong"),
            Self::CheckpointMissing => f.write_str("a signed checkpoint is missing"),
            Self::Broken(what) => write!(f, "the log was damaged before this record: {what}"),
        }
    }
}

/// What verification came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything is as it was written.
    Sound(Report),
    /// It is not; what was read up to there is in the report.
    Flawed(Finding, Report),
}

/// Verifies the log in `directory`, also against a checkpoint that was kept elsewhere. The log may be written
/// meanwhile.
///
/// # Errors
/// When a file cannot be read. What is wrong with the log is an [`Outcome`], not an error.
pub fn verify(directory: &Path, key: &VerifyingKey, kept: Option<Kept<'_>>) -> Result<Outcome, EventsError> {
    // Before the records: the log only grows, so what is read later covers what was signed earlier.
    let path = directory.join(CHECKPOINT);
    let latest = match fs::read_to_string(&path) {
        Ok(note) => Some(note),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Some(String::new()),
        Err(error) => return Err(EventsError::file(&path, error)),
    };
    let mut state = State::new(key);
    let whole = |flaw| Finding { file: path.clone(), line: 0, seq: None, flaw };
    let latest_note = latest.as_deref().map(|note| Kept { path: &path, note });
    for signed in [latest_note, kept].into_iter().flatten() {
        match key.verify(signed.note) {
            Ok(statement) => state.promised.push(statement),
            Err(flaw) => {
                return Ok(
                    state.flawed(Finding { file: signed.path.to_owned(), ..whole(Flaw::Signature(flaw)) })
                );
            }
        }
    }
    state.report.kept = kept.and(state.promised.last().copied());
    let segments = segment::list(directory)?;
    for (index, segment) in segments.iter().enumerate() {
        if let Some(finding) = state.file(segment, index + 1 == segments.len())? {
            return Ok(state.flawed(finding));
        }
    }
    if let Some(flaw) = state.missing_at_end(latest.is_some()) {
        let Some(last) = segments.last() else { return Ok(state.flawed(whole(flaw))) };
        let finding = match flaw {
            Flaw::HeadRemoved => {
                let first = segments.first().unwrap_or(last);
                Finding { file: first.path.clone(), line: 1, seq: state.first, flaw }
            }
            Flaw::CheckpointMissing => whole(flaw),
            _ => Finding { file: last.path.clone(), line: state.line, seq: state.next.checked_sub(1), flaw },
        };
        return Ok(state.flawed(finding));
    }
    Ok(Outcome::Sound(state.report))
}

struct State<'a> {
    key: &'a VerifyingKey,
    report: Report,
    /// Signed outside the records: the checkpoint file and what the caller knows.
    promised: Vec<Statement>,
    first: Option<u64>,
    next: u64,
    prev: Hash,
    line: u64,
    /// The last sound checkpoint among the records.
    signed: Option<Statement>,
    /// Up to which record the retention says it deleted.
    retired: u64,
}

impl<'a> State<'a> {
    fn new(key: &'a VerifyingKey) -> Self {
        Self {
            key,
            report: Report::default(),
            promised: Vec::new(),
            first: None,
            next: 0,
            prev: Hash::ZERO,
            line: 0,
            signed: None,
            retired: 0,
        }
    }

    fn flawed(&self, finding: Finding) -> Outcome {
        Outcome::Flawed(finding, self.report.clone())
    }

    fn file(&mut self, segment: &Segment, is_last: bool) -> Result<Option<Finding>, EventsError> {
        let failed = |e| EventsError::file(&segment.path, e);
        let file = match File::open(&segment.path) {
            Ok(file) => file,
            // Deleted by the retention since the directory was listed: its record will be read in a moment.
            Err(error) if error.kind() == io::ErrorKind::NotFound && self.first.is_none() => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let mut lines = Lines::new(file);
        self.report.files += 1;
        self.line = 0;
        while let Some(raw) = lines.next().map_err(failed)? {
            if !raw.complete && is_last {
                self.report.incomplete = true;
                break;
            }
            self.line += 1;
            let parsed = Line::parse(raw.bytes);
            let seq = parsed.as_ref().map(|line| line.seq);
            if let Some(flaw) = self.record(parsed) {
                let flaw = match flaw {
                    Flaw::Removed { expected } if comes_later(&mut lines, expected).map_err(failed)? => {
                        Flaw::Reordered { expected }
                    }
                    other => other,
                };
                return Ok(Some(Finding { file: segment.path.clone(), line: self.line, seq, flaw }));
            }
        }
        Ok(None)
    }

    fn record(&mut self, line: Option<Line<'_>>) -> Option<Flaw> {
        let Some(line) = line else { return Some(Flaw::Unreadable) };
        if !line.intact {
            return Some(Flaw::Altered);
        }
        if self.first.is_none() {
            self.first = Some(line.seq);
            self.report.first = line.seq;
            self.next = line.seq;
            self.prev = if line.seq == 0 { Hash::ZERO } else { line.prev };
            // A promise about what the retention deleted just before is still told by the first link.
            if self.contradicted() {
                return Some(self.recomputed());
            }
        }
        if line.seq > self.next {
            // A writer that found the log cut off goes on behind what was promised and says so.
            if let Said::Broken(broken) = line.said {
                return Some(Flaw::Broken(broken.what));
            }
            return Some(Flaw::Removed { expected: self.next });
        }
        if line.seq < self.next {
            return Some(Flaw::Reordered { expected: self.next });
        }
        if line.prev != self.prev {
            return Some(Flaw::Unlinked);
        }
        if let Some(flaw) = self.said(&line) {
            return Some(flaw);
        }
        self.prev = line.hash;
        self.next = line.seq.saturating_add(1);
        self.report.records += 1;
        self.contradicted().then(|| self.recomputed())
    }

    /// Whether somebody signed another hash for the record before [`State::next`].
    fn contradicted(&self) -> bool {
        self.promised.iter().any(|it| it.size == self.next && it.hash != self.prev)
    }

    fn said(&mut self, line: &Line<'_>) -> Option<Flaw> {
        let late =
            self.signed.is_some_and(|it| line.seq.saturating_sub(it.size) > it.within.saturating_add(SLACK));
        match &line.said {
            Said::Checkpoint(checkpoint) => {
                let statement = match self.key.verify(&checkpoint.note) {
                    Ok(statement) => statement,
                    Err(flaw) => return Some(Flaw::Signature(flaw)),
                };
                if statement.size != line.seq || statement.hash != self.prev {
                    return Some(self.recomputed());
                }
                self.signed = Some(statement);
                self.report.latest = Some(statement);
                self.report.checkpoints += 1;
                self.report.unsigned = 0;
                return late.then_some(Flaw::CheckpointMissing);
            }
            Said::Event(_) => self.report.events += 1,
            Said::Dropped(dropped) => {
                self.report.dropped.served += dropped.served;
                self.report.dropped.denied += dropped.denied;
                self.report.dropped.failed += dropped.failed;
                self.report.dropped.at = dropped.at;
            }
            Said::Torn(_) => self.report.torn += 1,
            Said::Retired(retired) => self.retired = self.retired.max(retired.next),
            Said::Broken(broken) => return Some(Flaw::Broken(broken.what.clone())),
            Said::Started(_) => {}
        }
        self.report.unsigned += 1;
        late.then_some(Flaw::CheckpointMissing)
    }

    fn recomputed(&self) -> Flaw {
        Flaw::Recomputed { after: self.signed.and_then(|it| it.size.checked_sub(1)) }
    }

    /// What only the end shows.
    fn missing_at_end(&self, has_latest: bool) -> Option<Flaw> {
        let covered = self.promised.iter().map(|it| it.size).max().unwrap_or(0);
        if covered > self.next {
            return Some(Flaw::Truncated { covered, found: self.next });
        }
        if self.first.is_some_and(|first| first > self.retired) {
            return Some(Flaw::HeadRemoved);
        }
        (self.first.is_some() && !has_latest).then_some(Flaw::CheckpointMissing)
    }
}

/// Whether the record is further on in the same file.
fn comes_later(lines: &mut Lines, seq: u64) -> io::Result<bool> {
    while let Some(raw) = lines.next()? {
        if Line::parse(raw.bytes).is_some_and(|line| line.seq == seq) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// One line for people: size, time, head.
impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at =
            i64::try_from(self.at.as_micros()).ok().and_then(|it| jiff::Timestamp::from_microsecond(it).ok());
        let at = at.unwrap_or(jiff::Timestamp::MAX);
        write!(f, "{} records signed {at:.0}, head {}", self.size, self.hash)
    }
}
