//! What a scan leaves in its directory: `requests.jsonl`, the same for the same seed against a target that answers the
//! same; `captures.jsonl`, answers and times; `trials.jsonl`, what is done already, for resuming.

use std::{
    fs::{File, OpenOptions},
    io::{BufWriter, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use hashbrown::HashMap;
use serde_json::json;

use super::TrialRecord;
use crate::wire::Answer;

/// The log of one scan; nothing is written where there is no directory.
pub struct Log {
    files: Option<Files>,
    trials: Vec<TrialRecord>,
    done: HashMap<String, usize>,
    number: u64,
    /// Why writing ended, if it did: told once, the scan goes on.
    pub fault: Option<String>,
}

struct Files {
    requests: BufWriter<File>,
    captures: BufWriter<File>,
    trials: BufWriter<File>,
    /// Held for as long as the scan runs, so that a second scan cannot write into the same directory.
    _lock: File,
}

/// A directory that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BadDirectory {
    /// It cannot be read or written.
    #[error("cannot use `{path}`: {source}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Another scan runs there.
    #[error("another scan writes into `{0}`")]
    Busy(PathBuf),
    /// It holds a scan already.
    #[error("`{0}` holds a scan already: `--resume` goes on with it")]
    Taken(PathBuf),
}

/// Bytes of a body that a capture keeps.
const BODY_KEPT: usize = 16 << 10;

impl Log {
    /// Opens the files; with `resume`, what is there is read and gone on with.
    ///
    /// # Errors
    /// The directory cannot be used, is in use, or holds a scan that is not to be resumed.
    pub fn open(directory: Option<&Path>, resume: bool) -> Result<Self, BadDirectory> {
        let mut log = Self { files: None, trials: Vec::new(), done: HashMap::new(), number: 0, fault: None };
        let Some(directory) = directory else { return Ok(log) };
        let io = |path: &Path| {
            let path = path.to_owned();
            move |source| BadDirectory::Io { path, source }
        };
        // What targets answer may be anybody's data: only who scans may read it.
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(io(directory))?;
        let lock_path = directory.join("scan.lock");
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock_path)
            .map_err(io(&lock_path))?;
        if lock.try_lock().is_err() {
            return Err(BadDirectory::Busy(directory.to_owned()));
        }
        let trials_path = directory.join("trials.jsonl");
        let known = std::fs::read_to_string(&trials_path).unwrap_or_default();
        if !known.is_empty() && !resume {
            return Err(BadDirectory::Taken(directory.to_owned()));
        }
        // The last line may be half written: the scan was interrupted. Its trial is made again.
        for trial in known.lines().filter_map(|line| serde_json::from_str::<TrialRecord>(line).ok()) {
            log.remember(trial);
        }
        let open = |name: &str, keep: bool| {
            let path = directory.join(name);
            let mut options = OpenOptions::new();
            options.create(true).write(true).truncate(!keep).append(keep).mode(0o600);
            options.open(&path).map(BufWriter::new).map_err(io(&path))
        };
        // Whole trials only, in a new file that takes the old one's place: an interruption here loses none.
        let kept = directory.join("trials.jsonl.new");
        let mut whole = open("trials.jsonl.new", false)?;
        for trial in &log.trials {
            writeln!(whole, "{}", serde_json::to_string(trial).unwrap_or_default()).map_err(io(&kept))?;
        }
        whole.into_inner().map_err(|error| io(&kept)(error.into_error()))?;
        std::fs::rename(&kept, &trials_path).map_err(io(&trials_path))?;
        let trials = open("trials.jsonl", true)?;
        log.files = Some(Files {
            requests: open("requests.jsonl", resume)?,
            captures: open("captures.jsonl", resume)?,
            trials,
            _lock: lock,
        });
        Ok(log)
    }

    fn remember(&mut self, trial: TrialRecord) {
        self.done.insert(trial.key.clone(), self.trials.len());
        self.trials.push(trial);
    }

    /// The trial of that key, if it was made already.
    pub fn made(&self, key: &str) -> Option<&TrialRecord> {
        self.done.get(key).and_then(|at| self.trials.get(*at))
    }

    /// Writes one exchange; secrets stand as their names.
    pub fn write(&mut self, label: &str, by: &str, secrets: &[(String, String)], answer: &Answer) {
        self.number += 1;
        let Some(files) = &mut self.files else { return };
        let masked = |text: &str| {
            secrets.iter().fold(text.to_owned(), |text, (secret, name)| text.replace(secret.as_str(), name))
        };
        let request = &answer.request;
        let cut = |bytes: &[u8]| {
            String::from_utf8_lossy(bytes.get(..bytes.len().min(BODY_KEPT)).unwrap_or_default()).into_owned()
        };
        let headers: Vec<(String, String)> =
            request.headers.iter().map(|(name, value)| (name.clone(), masked(value))).collect();
        let sent = json!({"n": self.number, "for": label, "by": by, "method": request.method, "target": masked(&request.target),
            "headers": headers, "body": masked(&cut(&request.body))});
        let received: Vec<(&str, String)> =
            answer.headers.iter().map(|(name, value)| (name.as_str(), masked(value))).collect();
        let came = json!({"n": self.number, "status": answer.status, "headers": received, "body": masked(&cut(&answer.body)),
            "micros": answer.micros, "fault": answer.fault});
        let written = writeln!(files.requests, "{sent}").and_then(|()| writeln!(files.captures, "{came}"));
        if let Err(error) = written {
            self.fault = Some(error.to_string());
            self.files = None;
        }
    }

    /// Writes down that a trial is done, so that it survives whatever comes.
    pub fn done(&mut self, trial: TrialRecord) {
        if let Some(files) = &mut self.files {
            let line = serde_json::to_string(&trial).unwrap_or_default();
            let written = writeln!(files.trials, "{line}")
                .and_then(|()| files.trials.flush())
                .and_then(|()| files.requests.flush())
                .and_then(|()| files.captures.flush());
            if let Err(error) = written {
                self.fault = Some(error.to_string());
                self.files = None;
            }
        }
        self.remember(trial);
    }

    /// All trials, for the outcome.
    pub fn take_trials(&mut self) -> Vec<TrialRecord> {
        std::mem::take(&mut self.trials)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trial(key: &str) -> TrialRecord {
        TrialRecord {
            key: key.to_owned(),
            check: "x".to_owned(),
            requests: 1,
            skipped: None,
            findings: Vec::new(),
        }
    }

    #[test]
    fn goes_on_where_an_interrupted_scan_stopped() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = Log::open(Some(folder.path()), false).unwrap();
        log.done(trial("a"));
        drop(log);
        let path = folder.path().join("trials.jsonl");
        let mut text = std::fs::read_to_string(&path).unwrap();
        text.push_str("{\"key\": \"b\", \"che");
        std::fs::write(&path, text).unwrap();
        assert!(matches!(Log::open(Some(folder.path()), false), Err(BadDirectory::Taken(_))));
        let log = Log::open(Some(folder.path()), true).unwrap();
        assert!(log.made("a").is_some());
        assert!(log.made("b").is_none());
    }

    #[test]
    fn writes_no_secret_and_lets_nobody_else_read() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("scan");
        let mut log = Log::open(Some(&place), false).unwrap();
        let request = crate::wire::Request {
            method: "POST".to_owned(),
            target: "/a?key=hush-hush".to_owned(),
            headers: vec![("authorization".to_owned(), "Bearer hush-hush".to_owned())],
            body: "{\"password\": \"hush-hush\"}".into(),
            http2: false,
        };
        let answer = Answer {
            request: std::sync::Arc::new(request),
            status: 200,
            headers: vec![("set-cookie".to_owned(), "sid=hush-hush; Path=/".to_owned())],
            body: "{\"token\": \"hush-hush\"}".into(),
            truncated: false,
            json: None,
            outcome: crate::wire::Outcome::Done,
            micros: 1,
            fault: None,
        };
        log.write("login", "anonymous", &[("hush-hush".to_owned(), "$A_TOKEN".to_owned())], &answer);
        log.done(trial("a"));
        for name in ["requests.jsonl", "captures.jsonl", "trials.jsonl"] {
            let path = place.join(name);
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(!text.contains("hush-hush") && !text.is_empty(), "{name}: {text}");
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600, "{name}");
        }
    }

    #[test]
    fn keeps_a_second_scan_out() {
        let folder = tempfile::tempdir().unwrap();
        let _first = Log::open(Some(folder.path()), false).unwrap();
        assert!(matches!(Log::open(Some(folder.path()), true), Err(BadDirectory::Busy(_))));
    }
}
