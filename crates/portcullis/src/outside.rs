//! The disk as configurations see it: remembers what was read, so that the watcher knows what to watch, and lets
//! `demo` and `proxy` put files in front that no disk holds.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use portcullis_config::{FromDisk, Outside};

/// Files in memory first, then the disk; every path asked for is remembered.
#[derive(Default)]
pub(crate) struct Remembering {
    memory: BTreeMap<PathBuf, String>,
    asked: Mutex<BTreeSet<PathBuf>>,
}

impl Remembering {
    /// With these files in front of the disk's.
    pub(crate) fn with(files: impl IntoIterator<Item = (PathBuf, String)>) -> Self {
        Self { memory: files.into_iter().collect(), asked: Mutex::default() }
    }

    /// Forgets what was asked for: a new load begins.
    pub(crate) fn begin(&self) {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Every file and folder on disk that was asked for, whether it was there or not.
    pub(crate) fn asked(&self) -> BTreeSet<PathBuf> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn remember(&self, path: &Path) {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned());
    }
}

impl Outside for Remembering {
    fn read(&self, path: &Path) -> io::Result<String> {
        if let Some(text) = self.memory.get(path) {
            return Ok(text.clone());
        }
        self.remember(path);
        FromDisk.read(path)
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<PathBuf>> {
        self.remember(directory);
        FromDisk.list(directory)
    }

    fn variable(&self, name: &str) -> Option<String> {
        FromDisk.variable(name)
    }
}
