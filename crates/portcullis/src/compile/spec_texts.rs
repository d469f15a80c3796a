//! The texts of specifications, kept while their plan is in force: a reload compares the new ones with them, and by
//! then the disk holds the new ones only. They are small beside what is compiled from them.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use portcullis_config::Outside;

/// Every file that specifications were read from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SpecTexts(BTreeMap<PathBuf, Arc<str>>);

/// Specifications are files and nothing else: they list no folder and read no variable.
impl Outside for SpecTexts {
    fn read(&self, path: &Path) -> io::Result<String> {
        let missing = || io::Error::new(io::ErrorKind::NotFound, "no such specification");
        self.0.get(path).map(|it| it.as_ref().to_owned()).ok_or_else(missing)
    }

    fn list(&self, _: &Path) -> io::Result<Vec<PathBuf>> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn variable(&self, _: &str) -> Option<String> {
        None
    }
}

/// Keeps what is read through it.
pub(crate) struct Keeping<'a> {
    outside: &'a dyn Outside,
    before: Option<&'a SpecTexts>,
    texts: Mutex<SpecTexts>,
}

impl<'a> Keeping<'a> {
    /// Reads from `outside`; a text that is the same as in `before` takes no second place in memory.
    pub(crate) fn new(outside: &'a dyn Outside, before: Option<&'a SpecTexts>) -> Self {
        Self { outside, before, texts: Mutex::default() }
    }

    /// What was read.
    pub(crate) fn into_texts(self) -> SpecTexts {
        self.texts.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Outside for Keeping<'_> {
    fn read(&self, path: &Path) -> io::Result<String> {
        let text = self.outside.read(path)?;
        let known = self.before.and_then(|it| it.0.get(path)).filter(|it| ***it == *text);
        let kept = known.map_or_else(|| Arc::from(text.as_str()), Arc::clone);
        self.texts.lock().unwrap_or_else(PoisonError::into_inner).0.insert(path.to_owned(), kept);
        Ok(text)
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<PathBuf>> {
        self.outside.list(directory)
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.outside.variable(name)
    }
}
