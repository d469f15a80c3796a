//! Sources and what they include.

use super::Item;
use super::context::Context;
use super::directive::{Include, Parsed, directive};
use super::lines::{Line, Lines};
use crate::diagnostic::{Level, Report};
use crate::source::{Files, Located, relative_to};

/// How deep files may include files.
const DEPTH_MAX: usize = 16;

/// How many files one load may read: includes of includes grow as a power.
const FILES_MAX: usize = 4096;

/// How much text one load may read from included files, in bytes.
const BYTES_MAX: usize = 64 << 20;

/// Reads sources one after the other.
pub(crate) struct Reader<'a> {
    files: &'a dyn Files,
    report: &'a mut Report,
    items: Vec<Located<Item>>,
    /// Paths being read, outermost first.
    open: Vec<String>,
    bytes_left: usize,
}

/// What to do when an `Include` names nothing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Absence {
    /// `Include`: it is an error.
    Refused,
    /// `IncludeOptional`: nothing is included.
    Accepted,
}

impl<'a> Reader<'a> {
    /// Nothing read yet.
    pub(crate) fn new(files: &'a dyn Files, report: &'a mut Report) -> Self {
        Self { files, report, items: Vec::new(), open: Vec::new(), bytes_left: BYTES_MAX }
    }

    /// Everything read.
    pub(crate) fn finish(self) -> Vec<Located<Item>> {
        self.items
    }

    /// Parses one source and what it includes.
    pub(crate) fn read(&mut self, name: &str, text: &[u8]) {
        let file = self.report.open(name);
        self.open.push(name.to_owned());
        for line in Lines::new(text, file) {
            if self.report.is_full() {
                let message = "reading stops here: too much is wrong".to_owned();
                self.report.push(Level::Error, line.place(0), b"", message, "");
                break;
            }
            if line.is_cut_short {
                let end = line.place(line.text.len());
                self.report.push(
                    Level::Error,
                    end,
                    b"\\",
                    "the file ends where a further line should follow".to_owned(),
                    "",
                );
                continue;
            }
            let mut cx = Context { line: &line, file_name: name, report: self.report, files: self.files };
            match directive(&mut cx) {
                Some(Parsed::Item(item)) => self.items.push(Located::new(item, line.place(0))),
                Some(Parsed::Include(include)) => self.include(name, &line, &include),
                None => {}
            }
        }
        self.open.pop();
    }

    fn include(&mut self, from: &str, line: &Line, include: &Include) {
        let written = String::from_utf8_lossy(&include.path);
        let absence = include.absence;
        let pattern = relative_to(from, &written);
        if self.open.len() >= DEPTH_MAX {
            return self.error(line, include, format!("files include files more than {DEPTH_MAX} deep"));
        }
        let is_pattern = pattern.contains(['*', '?', '[']);
        let paths = if is_pattern {
            match self.files.list(&pattern) {
                Ok(paths) if paths.is_empty() && absence == Absence::Refused => {
                    return self.error(line, include, format!("nothing fits `{pattern}`"));
                }
                Ok(paths) => paths,
                Err(reason) => {
                    return self.error(line, include, format!("cannot list `{pattern}`: {reason}"));
                }
            }
        } else {
            vec![pattern]
        };
        for path in paths {
            if self.open.contains(&path) {
                self.error(line, include, format!("`{path}` includes itself"));
                continue;
            }
            if self.report.file_count() >= FILES_MAX {
                return self.error(line, include, format!("more than {FILES_MAX} files"));
            }
            match self.files.read(&path) {
                Ok(bytes) => match self.bytes_left.checked_sub(bytes.len()) {
                    Some(left) => {
                        self.bytes_left = left;
                        self.read(&path, &bytes);
                    }
                    None => {
                        return self.error(
                            line,
                            include,
                            format!("more than {BYTES_MAX} bytes of included rules"),
                        );
                    }
                },
                Err(_) if absence == Absence::Accepted && !is_pattern => {}
                Err(reason) => self.error(line, include, format!("cannot read `{path}`: {reason}")),
            }
        }
    }

    fn error(&mut self, line: &Line, include: &Include, message: String) {
        self.report.push(Level::Error, line.place(include.at), &include.path, message, "");
    }
}
