//! The files of a log: `audit-NUMBER-TIME.jsonl`, where NUMBER is that of the first record, twenty digits, so
//! that names sort as records do, and TIME is when it was begun (UTC).

use std::{
    fs,
    path::{Path, PathBuf},
};

use portcullis_core::clock::Timestamp;

use crate::error::EventsError;

/// The file that holds the latest signed checkpoint.
pub const CHECKPOINT: &str = "checkpoint";

/// One file of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Where it lies.
    pub path: PathBuf,
    /// The number of its first record, by its name.
    pub first: u64,
    /// When it was begun, by its name, to the second.
    pub begun: Timestamp,
}

impl Segment {
    /// The segment that begins with record `first` at `now`.
    pub fn new(directory: &Path, first: u64, now: Timestamp) -> Self {
        let begun = Timestamp::from_secs(now.as_secs());
        let second = i64::try_from(begun.as_secs()).unwrap_or(i64::MAX);
        let time = jiff::Timestamp::from_second(second).unwrap_or(jiff::Timestamp::MAX);
        let name = format!("audit-{first:020}-{}.jsonl", time.strftime("%Y%m%dT%H%M%SZ"));
        Self { path: directory.join(name), first, begun }
    }

    /// The name without its directory.
    pub fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    fn parse(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?.strip_prefix("audit-")?.strip_suffix(".jsonl")?;
        let (first, time) = name.split_once('-')?;
        if first.len() != 20 {
            return None;
        }
        let time = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", time).ok()?;
        let second = time.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second();
        let begun = Timestamp::from_secs(u64::try_from(second).ok()?);
        Some(Self { path: path.to_owned(), first: first.parse().ok()?, begun })
    }
}

/// All files of the log, in the order of their records. Other files are passed over.
///
/// # Errors
/// When the directory cannot be read.
pub fn list(directory: &Path) -> Result<Vec<Segment>, EventsError> {
    let failed = |e| EventsError::file(directory, e);
    let mut segments = Vec::new();
    for entry in fs::read_dir(directory).map_err(failed)? {
        segments.extend(Segment::parse(&entry.map_err(failed)?.path()));
    }
    segments.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(segments)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_sort_and_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let late = Segment::new(dir.path(), 12_000, Timestamp::from_secs(1_800_000_000));
        let early = Segment::new(dir.path(), 9, Timestamp::from_secs(1_800_000_001));
        assert_eq!(late.name(), "audit-00000000000000012000-20270115T080000Z.jsonl");
        for it in [&late, &early] {
            fs::write(&it.path, "").unwrap();
        }
        fs::write(dir.path().join(CHECKPOINT), "").unwrap();
        fs::write(dir.path().join("audit-9-x.jsonl"), "").unwrap();
        assert_eq!(list(dir.path()).unwrap(), [early, late]);
    }
}
