//! Reading the record back, while it is being written.
//!
//! Reads what is in the files as it is; whether it is what was written, [`crate::verify`] says. A line that is no
//! record is passed over and counted.

use std::{
    collections::VecDeque,
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use memchr::memmem;
use portcullis_core::{
    clock::Timestamp,
    event::{Event, Outcome},
    id::ReferenceId,
};

use crate::{
    chain::{LINE_BYTES_MAX, Line, Said},
    error::EventsError,
    lines::Lines,
    segment::{self, Segment},
};

/// The bytes read at once when reading backwards.
const BLOCK: usize = 64 * 1024;

/// Which events are wanted. The default wants all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only those that were refused, or would have been in `block` mode.
    pub denied: bool,
    /// Only those of this API.
    pub api: Option<String>,
    /// Only those of this operation.
    pub operation: Option<String>,
    /// Only those of this principal.
    pub principal: Option<String>,
    /// Only those with a reason of this rule, or of a rule that begins with it and `/`.
    pub rule: Option<String>,
    /// Only those at or after this moment.
    pub since: Option<Timestamp>,
}

impl Filter {
    /// Whether the event is wanted.
    pub fn wants(&self, event: &Event) -> bool {
        let is =
            |wanted: &Option<String>, has: Option<&str>| wanted.as_deref().is_none_or(|it| has == Some(it));
        let rule = |wanted: &String| {
            let fits = |rule: &str| {
                rule.strip_prefix(&**wanted).is_some_and(|it| it.is_empty() || it.starts_with('/'))
            };
            event.reasons.iter().any(|reason| fits(reason.rule.as_str()))
        };
        (!self.denied || is_denied(event))
            && is(&self.api, event.api.as_deref())
            && is(&self.operation, event.operation.as_deref())
            && is(&self.principal, event.principal.as_deref().map(|it| &*it.id))
            && self.rule.as_ref().is_none_or(rule)
            && self.since.is_none_or(|since| event.at >= since)
    }
}

/// Whether a guard refused, or would have in `block` mode.
pub fn is_denied(event: &Event) -> bool {
    matches!(event.outcome, Outcome::Denied(_)) || event.reasons.iter().any(|reason| reason.reported_only)
}

/// The last `count` events that are wanted, oldest first. Reads from the end, no further than it must.
///
/// # Errors
/// When a file cannot be read.
pub fn tail(directory: &Path, count: usize, filter: &Filter) -> Result<Vec<Event>, EventsError> {
    let mut found = VecDeque::new();
    backwards(directory, |line| {
        let Some(event) = event(line) else { return ControlFlow::Continue(()) };
        // Events are written when they end, so a long one may lie behind younger ones: an hour's slack.
        if filter.since.is_some_and(|since| since.since(event.at).as_secs() > 3_600) {
            return ControlFlow::Break(());
        }
        if found.len() < count && filter.wants(&event) {
            found.push_front(event);
        }
        if found.len() < count { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    Ok(found.into())
}

/// The event with this reference, newest file first; `None` when it is not (or not yet, or no longer) there.
///
/// # Errors
/// When a file cannot be read.
pub fn find(directory: &Path, id: ReferenceId) -> Result<Option<Event>, EventsError> {
    let text = id.to_string();
    let needle = memmem::Finder::new(text.as_bytes());
    let mut found = None;
    backwards(directory, |line| {
        // Millions of lines are passed over without being parsed.
        if needle.find(line).is_some()
            && let Some(event) = event(line).filter(|event| event.id == id)
        {
            found = Some(event);
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    })?;
    Ok(found)
}

/// Hands every wanted event to `take`, oldest first, until it breaks. Returns how many lines were no records.
///
/// # Errors
/// When a file cannot be read.
pub fn scan(
    directory: &Path,
    filter: &Filter,
    mut take: impl FnMut(Event) -> ControlFlow<()>,
) -> Result<u64, EventsError> {
    let mut unreadable = 0;
    for segment in segment::list(directory)? {
        let Some(file) = open(&segment)? else { continue };
        let mut lines = Lines::new(file);
        while let Some(raw) = lines.next().map_err(|e| EventsError::file(&segment.path, e))? {
            if !raw.complete {
                break;
            }
            unreadable += u64::from(Line::parse(raw.bytes).is_none());
            if let Some(event) = event(raw.bytes).filter(|event| filter.wants(event))
                && take(event).is_break()
            {
                return Ok(unreadable);
            }
        }
    }
    Ok(unreadable)
}

/// Follows the log as it grows, over rotations.
pub struct Follow {
    directory: PathBuf,
    filter: Filter,
    /// The file being read and where the next line begins in it.
    at: Option<(Segment, u64)>,
}

impl Follow {
    /// Begins at the present end of the log.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn new(directory: &Path, filter: Filter) -> Result<Self, EventsError> {
        let mut follow = Self { directory: directory.to_owned(), filter, at: None };
        if let Some(last) = segment::list(directory)?.pop() {
            let mut end = 0;
            if let Some(file) = open(&last)? {
                let mut lines = Lines::new(file);
                while let Some(raw) = lines.next().map_err(|e| EventsError::file(&last.path, e))? {
                    if raw.complete {
                        end = raw.end;
                    }
                }
            }
            follow.at = Some((last, end));
        }
        Ok(follow)
    }

    /// What was written since the last call. Returns at once: the caller rests between calls.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn poll(&mut self) -> Result<Vec<Event>, EventsError> {
        let mut events = Vec::new();
        for segment in segment::list(&self.directory)? {
            let from = match &self.at {
                Some((at, _)) if segment.path < at.path => continue,
                Some((at, offset)) if segment.path == at.path => *offset,
                _ => 0,
            };
            let end = self.read(&segment, from, &mut events)?;
            self.at = Some((segment, end));
        }
        Ok(events)
    }

    fn read(&self, segment: &Segment, from: u64, events: &mut Vec<Event>) -> Result<u64, EventsError> {
        let failed = |e| EventsError::file(&segment.path, e);
        let Some(mut file) = open(segment)? else { return Ok(from) };
        file.seek(SeekFrom::Start(from)).map_err(failed)?;
        let mut lines = Lines::new(file);
        let mut read = 0;
        while let Some(raw) = lines.next().map_err(failed)? {
            if !raw.complete {
                break;
            }
            read = raw.end;
            events.extend(event(raw.bytes).filter(|event| self.filter.wants(event)));
        }
        Ok(from + read)
    }
}

/// The event on a line, if it is one.
fn event(line: &[u8]) -> Option<Event> {
    match Line::parse(line)?.said {
        Said::Event(raw) => serde_json::from_str(raw.get()).ok(),
        _ => None,
    }
}

/// The file, or `None` when the retention deleted it since the directory was listed.
fn open(segment: &Segment) -> Result<Option<File>, EventsError> {
    match File::open(&segment.path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(EventsError::file(&segment.path, error)),
    }
}

/// Hands all complete lines to `take`, last first, until it breaks.
fn backwards(directory: &Path, mut take: impl FnMut(&[u8]) -> ControlFlow<()>) -> Result<(), EventsError> {
    for segment in segment::list(directory)?.iter().rev() {
        let Some(file) = open(segment)? else { continue };
        let flow = file_backwards(file, &mut take).map_err(|e| EventsError::file(&segment.path, e))?;
        if flow.is_break() {
            break;
        }
    }
    Ok(())
}

fn file_backwards(
    mut file: File,
    take: &mut impl FnMut(&[u8]) -> ControlFlow<()>,
) -> io::Result<ControlFlow<()>> {
    let block = u64::try_from(BLOCK).unwrap_or(u64::MAX);
    let mut start = file.seek(SeekFrom::End(0))?;
    // The beginning of a line whose end was in the block read before; what follows the last line feed of the
    // file is no line yet.
    let mut rest: Vec<u8> = Vec::new();
    let mut at_end = true;
    while start > 0 {
        let size = block.min(start);
        start -= size;
        file.seek(SeekFrom::Start(start))?;
        let mut bytes = vec![0; usize::try_from(size).unwrap_or(BLOCK)];
        file.read_exact(&mut bytes)?;
        bytes.extend_from_slice(&rest);
        let mut end = bytes.len();
        while let Some(feed) = memchr::memrchr(b'\n', bytes.get(..end).unwrap_or_default()) {
            let line = bytes.get(feed + 1..end).unwrap_or_default();
            let whole = !std::mem::take(&mut at_end);
            if whole && !line.is_empty() && take(line).is_break() {
                return Ok(ControlFlow::Break(()));
            }
            end = feed;
        }
        bytes.truncate(end);
        // Longer than any record: whatever it is, it need not be kept.
        if bytes.len() > LINE_BYTES_MAX {
            bytes.clear();
        }
        rest = bytes;
    }
    let flow = if at_end || rest.is_empty() { ControlFlow::Continue(()) } else { take(&rest) };
    Ok(flow)
}
