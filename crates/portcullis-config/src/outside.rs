//! What loading needs from outside: files and the environment, as a port, so that tests need neither.

use std::{
    collections::BTreeMap,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

/// The largest configuration or secret file, in bytes.
const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// The most names read of one directory.
const DIRECTORY_NAMES_MAX: usize = 100_000;

/// Files and environment.
pub trait Outside {
    /// The text of a file.
    ///
    /// # Errors
    /// When it cannot be read, is no UTF-8, or is larger than 16 MiB.
    fn read(&self, path: &Path) -> io::Result<String>;

    /// The paths in a directory, sorted.
    ///
    /// # Errors
    /// When it cannot be read.
    fn list(&self, directory: &Path) -> io::Result<Vec<PathBuf>>;

    /// An environment variable; `None` when it is not set or not UTF-8.
    fn variable(&self, name: &str) -> Option<String>;
}

/// This machine's disk and this process's environment.
#[derive(Clone, Copy, Debug, Default)]
pub struct FromDisk;

impl Outside for FromDisk {
    fn read(&self, path: &Path) -> io::Result<String> {
        let mut text = String::new();
        std::fs::File::open(path)?.take(FILE_BYTES_MAX + 1).read_to_string(&mut text)?;
        if text.len() as u64 > FILE_BYTES_MAX {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "larger than 16 MiB"));
        }
        Ok(text)
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<PathBuf>> {
        let here = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
        let entries = std::fs::read_dir(here)?.take(DIRECTORY_NAMES_MAX);
        let mut paths = entries
            .map(|entry| entry.map(|entry| directory.join(entry.file_name())))
            .collect::<io::Result<Vec<_>>>()?;
        paths.sort();
        Ok(paths)
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that resolves `env:` references")]
    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }
}

/// Files and variables in memory, for tests and for configurations that no file holds.
#[derive(Clone, Debug, Default)]
pub struct InMemory {
    /// File texts by path.
    pub files: BTreeMap<PathBuf, String>,
    /// Environment variables by name.
    pub variables: BTreeMap<String, String>,
}

impl InMemory {
    /// A single file.
    pub fn file(path: impl Into<PathBuf>, text: impl Into<String>) -> Self {
        Self { files: BTreeMap::from([(path.into(), text.into())]), variables: BTreeMap::new() }
    }
}

impl Outside for InMemory {
    fn read(&self, path: &Path) -> io::Result<String> {
        let missing = || io::Error::new(io::ErrorKind::NotFound, "no such file");
        self.files.get(path).cloned().ok_or_else(missing)
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<PathBuf>> {
        let mut paths = Vec::new();
        for path in self.files.keys() {
            let Ok(rest) = path.strip_prefix(directory) else { continue };
            if let Some(first) = rest.components().next() {
                let child = directory.join(first);
                if paths.last() != Some(&child) {
                    paths.push(child);
                }
            }
        }
        if paths.is_empty() {
            Err(io::Error::new(io::ErrorKind::NotFound, "no such directory"))
        } else {
            Ok(paths)
        }
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).cloned()
    }
}
