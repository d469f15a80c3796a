//! The log's files as the one writer sees them: append, sign, rotate, retire. Synchronous; runs on the writer's
//! thread only.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use portcullis_core::{clock::Timestamp, event::EVENT_VERSION};

use crate::{
    chain::{Body, Broken, Checkpoint, End, Retired, Started, Torn},
    error::EventsError,
    recover,
    segment::{self, CHECKPOINT, Segment},
    sign::{SigningKey, Statement},
};

/// How the log is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// A file is closed once it has this many bytes.
    pub segment_bytes_max: u64,
    /// A file is closed once it is this old.
    pub segment_age_max: Duration,
    /// The oldest files are deleted while all closed files have more bytes than this; `None` keeps them all.
    pub keep_bytes_max: Option<u64>,
    /// The oldest files are deleted while there are more closed ones than this; `None` keeps them all.
    pub keep_files_max: Option<usize>,
    /// When the disk is told to hold what was written.
    pub sync: Sync,
    /// A checkpoint is signed after so many records at the latest, at least 2.
    pub checkpoint_records: u64,
    /// A checkpoint is signed this long after the last one, where anything was written since.
    pub checkpoint_age: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            segment_bytes_max: 64 * portcullis_core::units::MIB,
            segment_age_max: Duration::from_secs(86_400),
            keep_bytes_max: Some(10 * 1024 * portcullis_core::units::MIB),
            keep_files_max: None,
            sync: Sync::Every(Duration::from_secs(1)),
            checkpoint_records: 10_000,
            checkpoint_age: Duration::from_secs(10),
        }
    }
}

/// When `fdatasync` is called, apart from checkpoints, which always wait for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sync {
    /// Only for checkpoints: a power cut may cost what was written since the last one.
    Never,
    /// At most this long after something was written.
    Every(Duration),
    /// After each batch.
    Always,
}

/// An open log. At most one in a directory, held by a lock file.
pub struct Log {
    directory: PathBuf,
    policy: Policy,
    key: SigningKey,
    _lock: File,
    segment: Segment,
    file: File,
    /// Bytes of the file that are known to be whole records.
    written: u64,
    end: End,
    /// Whole records that are not in the file yet.
    buffer: Vec<u8>,
    /// The number of the last checkpoint's record.
    signed: u64,
    signed_at: Timestamp,
    /// A note whose record is not on disk yet: the checkpoint file must not run ahead of the log.
    note: Option<String>,
    unsynced: bool,
    synced_at: Timestamp,
}

impl Log {
    /// Takes a log up, or begins one, and signs a first checkpoint. See the module `recover` for what happens
    /// after a crash.
    ///
    /// # Errors
    /// When the directory cannot be used or is in use by another process.
    pub fn open(
        directory: &Path,
        policy: Policy,
        key: SigningKey,
        now: Timestamp,
    ) -> Result<Self, EventsError> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)
            .map_err(|e| EventsError::file(directory, e))?;
        let lock = lock(directory)?;
        let found = recover::find(directory, key.public())?;
        if found.broken.is_some() {
            keep_contradicted(directory, now)?;
        }
        let (segment, written) =
            found.segment.unwrap_or_else(|| (Segment::new(directory, found.end.next, now), 0));
        let file = open_file(&segment.path)?;
        let mut log = Self {
            directory: directory.to_owned(),
            policy,
            key,
            _lock: lock,
            segment,
            file,
            written,
            end: found.end,
            buffer: Vec::with_capacity(1 << 16),
            signed: found.end.next,
            signed_at: now,
            note: None,
            unsynced: false,
            synced_at: now,
        };
        if let Some((file, bytes)) = found.torn {
            log.put(&Body::Torn(Torn { at: now, file, bytes }))?;
        }
        if let Some(what) = found.broken {
            log.put(&Body::Broken(Broken { at: now, what }))?;
        }
        log.put(&Body::Started(Started { at: now, event_version: EVENT_VERSION }))?;
        log.sign(now)?;
        log.write(now)?;
        Ok(log)
    }

    /// Adds a record to what the next [`Log::turn`] writes, and a checkpoint where one is due by number.
    ///
    /// # Errors
    /// When the record cannot be encoded; the log is as before.
    pub fn append(&mut self, body: &Body<'_>, now: Timestamp) -> Result<(), EventsError> {
        self.put(body)?;
        if self.end.next.saturating_sub(self.signed) >= self.policy.checkpoint_records.max(2) {
            self.sign(now)?;
        }
        Ok(())
    }

    /// Bytes that wait for the next turn.
    pub fn waiting(&self) -> usize {
        self.buffer.len()
    }

    /// How many records the log has.
    pub fn records(&self) -> u64 {
        self.end.next
    }

    /// Writes what waits; signs, rotates and syncs where that is due. After an error everything that waits
    /// still waits, no half record is in the file, and the next turn tries again.
    ///
    /// # Errors
    /// When a file cannot be written: disk full, directory gone.
    pub fn turn(&mut self, now: Timestamp) -> Result<(), EventsError> {
        self.write(now)?;
        let old = now.since(self.segment.begun) >= self.policy.segment_age_max;
        if self.written >= self.policy.segment_bytes_max || (old && self.end.next > self.segment.first) {
            return self.rotate(now);
        }
        if self.is_unsigned() && now.since(self.signed_at) >= self.policy.checkpoint_age {
            self.sign(now)?;
            return self.write(now);
        }
        let due = match self.policy.sync {
            Sync::Never => false,
            Sync::Every(period) => now.since(self.synced_at) >= period,
            Sync::Always => true,
        };
        if self.unsynced && due { self.sync(now) } else { Ok(()) }
    }

    /// Writes and signs all there is.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn close(&mut self, now: Timestamp) -> Result<(), EventsError> {
        if self.is_unsigned() {
            self.sign(now)?;
        }
        self.write(now)?;
        self.sync(now)
    }

    fn put(&mut self, body: &Body<'_>) -> Result<(), EventsError> {
        self.end.append(body, &mut self.buffer)
    }

    /// Whether there is a record behind the last checkpoint.
    fn is_unsigned(&self) -> bool {
        self.end.next > self.signed.saturating_add(1)
    }

    fn sign(&mut self, now: Timestamp) -> Result<(), EventsError> {
        let within = self.policy.checkpoint_records.max(2);
        let statement = Statement { size: self.end.next, hash: self.end.hash, at: now, within };
        let note = self.key.sign(&statement)?;
        self.put(&Body::Checkpoint(Checkpoint { note: note.clone() }))?;
        self.signed = statement.size;
        self.signed_at = now;
        self.note = Some(note);
        Ok(())
    }

    fn write(&mut self, now: Timestamp) -> Result<(), EventsError> {
        if !self.buffer.is_empty() {
            if let Err(error) = self.file.write_all(&self.buffer) {
                // Part of it may be in the file. If it cannot be taken out now, the next attempt will say so again.
                let taken_out = self.file.set_len(self.written);
                return Err(EventsError::file(&self.segment.path, taken_out.err().unwrap_or(error)));
            }
            self.written += u64::try_from(self.buffer.len()).unwrap_or(0);
            self.buffer.clear();
            self.unsynced = true;
        }
        if self.note.is_some() {
            self.sync(now)?;
        }
        Ok(())
    }

    fn sync(&mut self, now: Timestamp) -> Result<(), EventsError> {
        self.file.sync_data().map_err(|e| EventsError::file(&self.segment.path, e))?;
        self.unsynced = false;
        self.synced_at = now;
        if let Some(note) = &self.note {
            replace(&self.directory.join(CHECKPOINT), note)?;
            self.note = None;
        }
        Ok(())
    }

    /// Ends the file with a checkpoint and begins the next. When the next cannot be made, this one goes on.
    fn rotate(&mut self, now: Timestamp) -> Result<(), EventsError> {
        if self.is_unsigned() {
            self.sign(now)?;
        }
        self.write(now)?;
        self.sync(now)?;
        let segment = Segment::new(&self.directory, self.end.next, now);
        self.file = open_file(&segment.path)?;
        self.segment = segment;
        self.written = 0;
        self.retire(now)
    }

    /// Deletes what the retention does not keep, oldest first. The record of it is on disk before the file goes.
    fn retire(&mut self, now: Timestamp) -> Result<(), EventsError> {
        let segments = segment::list(&self.directory)?;
        let mut closed = Vec::new();
        for pair in segments.windows(2) {
            if let [it, next] = pair {
                let bytes = fs::metadata(&it.path).map_err(|e| EventsError::file(&it.path, e))?.len();
                closed.push((it, bytes, next.first));
            }
        }
        let mut count = closed.len();
        let mut bytes: u64 = closed.iter().map(|(_, bytes, _)| bytes).sum();
        let mut gone = Vec::new();
        for (segment, its, next) in closed {
            let over = self.policy.keep_bytes_max.is_some_and(|max| bytes > max)
                || self.policy.keep_files_max.is_some_and(|max| count > max);
            if !over {
                break;
            }
            self.append(&Body::Retired(Retired { at: now, file: segment.name(), next }), now)?;
            gone.push(segment.path.clone());
            bytes = bytes.saturating_sub(its);
            count -= 1;
        }
        if gone.is_empty() {
            return Ok(());
        }
        self.sign(now)?;
        self.write(now)?;
        for path in gone {
            fs::remove_file(&path).map_err(|e| EventsError::file(&path, e))?;
        }
        Ok(())
    }
}

#[cfg(test)]
impl Log {
    /// Makes writing fail, or work again.
    pub(crate) fn write_to(&mut self, path: &Path) {
        self.file = open_file(path).unwrap();
    }

    pub(crate) fn write_to_own_file(&mut self) {
        self.file = open_file(&self.segment.path).unwrap();
    }
}

fn open_file(path: &Path) -> Result<File, EventsError> {
    let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path);
    file.map_err(|e| EventsError::file(path, e))
}

fn lock(directory: &Path) -> Result<File, EventsError> {
    let path = directory.join("lock");
    let file = open_file(&path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(EventsError::Busy { path: directory.to_owned() }),
        Err(fs::TryLockError::Error(error)) => Err(EventsError::file(&path, error)),
    }
}

/// Writes a small file so that a reader sees the old or the new one, whole.
fn replace(path: &Path, text: &str) -> Result<(), EventsError> {
    let fresh = path.with_extension("new");
    let failed = |e| EventsError::file(path, e);
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&fresh)
        .map_err(failed)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
    fs::rename(&fresh, path).map_err(failed)
}

/// Keeps the checkpoint that the log contradicts, before the next one takes its place.
fn keep_contradicted(directory: &Path, now: Timestamp) -> Result<(), EventsError> {
    let path = directory.join(CHECKPOINT);
    let kept = directory.join(format!("{CHECKPOINT}-{}.contradicted", now.as_micros()));
    fs::rename(&path, kept).map_err(|e| EventsError::file(&path, e))
}
