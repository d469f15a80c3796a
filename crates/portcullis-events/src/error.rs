//! What can go wrong with the record.

use std::path::{Path, PathBuf};

/// A failure of the record's files or keys. None of these reaches a call.
#[derive(Debug, thiserror::Error)]
pub enum EventsError {
    /// A file or directory could not be used.
    #[error("cannot use `{}`", path.display())]
    File {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A key file does not hold what it should.
    #[error("`{}` does not hold {what}", path.display())]
    Key {
        /// The key file.
        path: PathBuf,
        /// What was expected.
        what: &'static str,
    },
    /// The directory is in use by another running gate: two writers would break the chain.
    #[error("the log in `{}` is being written by another process", path.display())]
    Busy {
        /// The log's directory.
        path: PathBuf,
    },
    /// The cryptographic library refused; not reachable with a sound key.
    #[error("cannot sign a checkpoint")]
    Sign,
    /// An event could not be written as JSON; not reachable with the event's own types.
    #[error("cannot encode a record")]
    Encode(#[source] serde_json::Error),
}

impl EventsError {
    /// A failure of the file itself.
    pub fn file(path: &Path, source: std::io::Error) -> Self {
        Self::File { path: path.to_owned(), source }
    }
}
