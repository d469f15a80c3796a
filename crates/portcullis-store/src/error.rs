//! What can go wrong with stored state.

use std::path::{Path, PathBuf};

/// A failure of the state on disk. None of these happens on the request path.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file or directory could not be used.
    #[error("cannot use `{}`", path.display())]
    File {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not a sound SQLite database. It is left as it is: the operator decides what to save.
    #[error("`{}` is damaged ({detail}); move it away to start afresh, or restore it from a backup", path.display())]
    Damaged {
        /// The database file.
        path: PathBuf,
        /// What SQLite says about it.
        detail: String,
    },
    /// The file was written by a later version of the program.
    #[error("`{}` has format {found}, this program knows formats up to {known}", path.display())]
    Newer {
        /// The database file.
        path: PathBuf,
        /// The format in the file.
        found: i64,
        /// The latest format this program can read.
        known: i64,
    },
    /// Any other failure of the database: disk full, locked too long, I/O.
    #[error("cannot use the database `{}`", path.display())]
    Database {
        /// The database file.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// A stored value is not what this program writes.
    #[error("`{}` holds an invalid {what}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Which value.
        what: &'static str,
    },
}

impl StoreError {
    /// Sorts a failure of SQLite: damage is told apart from everything that may pass.
    pub fn database(path: &Path, source: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        match source.sqlite_error_code() {
            Some(DatabaseCorrupt | NotADatabase) => {
                Self::Damaged { path: path.to_owned(), detail: source.to_string() }
            }
            _ => Self::Database { path: path.to_owned(), source },
        }
    }

    /// A failure of the file itself.
    pub fn file(path: &Path, source: std::io::Error) -> Self {
        Self::File { path: path.to_owned(), source }
    }
}
