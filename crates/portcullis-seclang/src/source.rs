//! Where rule text comes from: named sources handed in by the host, the port through which `Include` and data files are
//! read, and the places that diagnostics point at.

use std::collections::BTreeMap;

/// Reads rule files and data files for the loader; the crate itself touches no file system.
///
/// Paths are handed over as they follow from the text: an absolute path stays as written, a relative one is joined to
/// the directory of the source that names it, with `/`. The host decides what may be read.
pub trait Files {
    /// The bytes of one file, or the reason why they cannot be had (lower case, no full stop).
    ///
    /// # Errors
    /// The reason, which becomes part of a diagnostic at the directive that asked.
    fn read(&self, path: &str) -> Result<Vec<u8>, String>;

    /// The paths that a pattern with `*`, `?` or `[…]` stands for, sorted; empty when none does.
    ///
    /// # Errors
    /// The reason why the place cannot be listed.
    fn list(&self, pattern: &str) -> Result<Vec<String>, String>;
}

/// No files at all: every `Include` and every data file is refused. For rules that stand on their own.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoFiles;

impl Files for NoFiles {
    fn read(&self, _path: &str) -> Result<Vec<u8>, String> {
        Err("no files can be read here".to_owned())
    }

    fn list(&self, _pattern: &str) -> Result<Vec<String>, String> {
        Err("no files can be listed here".to_owned())
    }
}

/// Files held in memory, for tests and for hosts that read ahead.
#[derive(Debug, Clone, Default)]
pub struct MemoryFiles {
    files: BTreeMap<String, Vec<u8>>,
}

impl MemoryFiles {
    /// No files yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds or replaces one file.
    #[must_use]
    pub fn with(mut self, path: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.files.insert(path.to_owned(), bytes.into());
        self
    }
}

impl Files for MemoryFiles {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        self.files.get(path).cloned().ok_or_else(|| "no such file".to_owned())
    }

    fn list(&self, pattern: &str) -> Result<Vec<String>, String> {
        Ok(self
            .files
            .keys()
            .filter(|path| glob_matches(pattern.as_bytes(), path.as_bytes()))
            .cloned()
            .collect())
    }
}

/// One piece of rule text with the name that diagnostics show, in the order given to the loader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// A path (relative names in the text are taken from its directory) or any label, such as `overrides`.
    pub name: String,
    /// The text. Bytes, because rules may hold bytes that are no UTF-8.
    pub text: Vec<u8>,
}

impl Source {
    /// A source from its name and text.
    pub fn new(name: impl Into<String>, text: impl Into<Vec<u8>>) -> Self {
        Self { name: name.into(), text: text.into() }
    }
}

/// Number of a source within one load: an index into [`crate::rules::RuleSet::file_name`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct FileId(pub u32);

/// A place in rule text: file, line and column, the last two counted from 1 and the column in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Place {
    /// Which source.
    pub file: FileId,
    /// Line, from 1.
    pub line: u32,
    /// Column in bytes, from 1.
    pub column: u32,
}

/// A value and where it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located<T> {
    /// What was written.
    pub value: T,
    /// Where it begins.
    pub place: Place,
}

impl<T> Located<T> {
    /// Joins a value to its place.
    pub const fn new(value: T, place: Place) -> Self {
        Self { value, place }
    }
}

/// The path that `name`, written in the source `from`, stands for.
#[must_use]
pub fn relative_to(from: &str, name: &str) -> String {
    if name.starts_with('/') {
        return name.to_owned();
    }
    match from.rsplit_once('/') {
        Some((directory, _)) => format!("{directory}/{name}"),
        None => name.to_owned(),
    }
}

/// Whether a path fits a pattern of `*`, `?` and literal bytes; `*` and `?` stop at `/`. Linear but for the last star,
/// which backtracks alone: length of pattern times length of path at worst.
fn glob_matches(pattern: &[u8], path: &[u8]) -> bool {
    let (mut at_pattern, mut at_path) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while let Some(&byte) = path.get(at_path) {
        match pattern.get(at_pattern) {
            Some(b'*') => {
                star = Some((at_pattern + 1, at_path));
                at_pattern += 1;
            }
            Some(b'?') if byte != b'/' => {
                at_pattern += 1;
                at_path += 1;
            }
            Some(&literal) if literal == byte => {
                at_pattern += 1;
                at_path += 1;
            }
            _ => match star {
                Some((after, from)) if path.get(from) != Some(&b'/') => {
                    star = Some((after, from + 1));
                    at_pattern = after;
                    at_path = from + 1;
                }
                _ => return false,
            },
        }
    }
    pattern.get(at_pattern..).is_some_and(|rest| rest.iter().all(|byte| *byte == b'*'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joins_relative_names_to_the_directory_of_their_source() {
        assert_eq!(relative_to("rules/a.conf", "b.data"), "rules/b.data");
        assert_eq!(relative_to("a.conf", "b.data"), "b.data");
        assert_eq!(relative_to("rules/a.conf", "/etc/b.data"), "/etc/b.data");
    }

    #[test]
    fn lists_what_a_pattern_stands_for_in_order() {
        let files = MemoryFiles::new()
            .with("rules/b.conf", "")
            .with("rules/a.conf", "")
            .with("rules/a.data", "")
            .with("rules/deep/c.conf", "");
        assert_eq!(
            files.list("rules/*.conf"),
            Ok(vec!["rules/a.conf".to_owned(), "rules/b.conf".to_owned()])
        );
        assert_eq!(files.list("rules/?.data"), Ok(vec!["rules/a.data".to_owned()]));
        assert_eq!(files.list("*.conf"), Ok(vec![]));
        assert_eq!(files.read("rules/c"), Err("no such file".to_owned()));
    }
}
