//! The files a configuration was read from, and places in them.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// A stretch of one source file, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Span {
    pub(crate) file: u32,
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Span {
    /// From the start of this span to the end of `last`, which must lie in the same file.
    pub(crate) fn to(self, last: Self) -> Self {
        Self { file: self.file, start: self.start, end: last.end.max(self.end) }
    }
}

/// Where a value was written.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize)]
pub struct Origin {
    /// The file as the operator named it.
    pub file: Arc<str>,
    /// The line, counted from 1.
    pub line: u32,
    /// The column in characters, counted from 1.
    pub column: u32,
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// All files of one configuration.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    files: Vec<Source>,
}

/// One file of a configuration.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    pub(crate) name: Arc<str>,
    pub(crate) text: String,
    line_starts: Vec<u32>,
}

impl Sources {
    /// Takes a file in and gives its number.
    pub(crate) fn add(&mut self, path: PathBuf, text: String) -> u32 {
        let name = path.display().to_string().into();
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let starts = breaks.map(|(at, _)| u32::try_from(at + 1).unwrap_or(u32::MAX));
        let line_starts = std::iter::once(0).chain(starts).collect();
        self.files.push(Source { path, name, text, line_starts });
        u32::try_from(self.files.len() - 1).unwrap_or(u32::MAX)
    }

    pub(crate) fn file(&self, span: Span) -> Option<&Source> {
        self.files.get(span.file as usize)
    }

    /// The directory that relative paths in the file of this span start from.
    pub(crate) fn directory(&self, span: Span) -> PathBuf {
        let parent = self.file(span).and_then(|file| file.path.parent());
        parent.map_or_else(PathBuf::new, Path::to_path_buf)
    }

    /// The files read, in the order they were read: what a watcher has to look at.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(|file| file.path.as_path())
    }

    /// File, line and column of a span's start.
    pub(crate) fn origin(&self, span: Span) -> Origin {
        let Some(file) = self.file(span) else {
            return Origin { file: "".into(), line: 1, column: 1 };
        };
        let line = file.line_starts.partition_point(|start| *start <= span.start).max(1);
        let line_start = file.line_starts.get(line - 1).copied().unwrap_or(0) as usize;
        let before = file.text.get(line_start..span.start as usize).unwrap_or_default();
        Origin {
            file: Arc::clone(&file.name),
            line: u32::try_from(line).unwrap_or(u32::MAX),
            column: u32::try_from(before.chars().count() + 1).unwrap_or(u32::MAX),
        }
    }
}
