//! Files of rules through the port that all configuration is read by, so that the watcher knows them.

use std::{cell::RefCell, path::Path};

use portcullis_config::{Outside, files_matching};
use portcullis_seclang::source::Files;

/// The disk as the rule language sees it; remembers what it read.
pub(super) struct RuleFiles<'a> {
    outside: &'a dyn Outside,
    read: RefCell<Vec<(String, Vec<u8>)>>,
}

impl<'a> RuleFiles<'a> {
    pub(super) fn new(outside: &'a dyn Outside) -> Self {
        Self { outside, read: RefCell::default() }
    }

    /// The files that were read, with what they held.
    pub(super) fn into_read(self) -> Vec<(String, Vec<u8>)> {
        self.read.into_inner()
    }
}

impl Files for RuleFiles<'_> {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        let text = self.outside.read(Path::new(path)).map_err(|error| error.to_string())?;
        let bytes = text.into_bytes();
        self.read.borrow_mut().push((path.to_owned(), bytes.clone()));
        Ok(bytes)
    }

    fn list(&self, pattern: &str) -> Result<Vec<String>, String> {
        let path = Path::new(pattern);
        let (base, rest) = match path.strip_prefix("/") {
            Ok(rest) => (Path::new("/"), rest),
            Err(_) => (Path::new(""), path),
        };
        let found = files_matching(base, &rest.to_string_lossy(), self.outside);
        let found = found.map_err(|error| error.to_string())?;
        Ok(found.into_iter().map(|it| it.to_string_lossy().into_owned()).collect())
    }
}
