//! Logical lines: comments left out, continued lines joined, with a way back to the place of every byte.

use crate::source::{FileId, Place};

/// One directive's text.
#[derive(Debug)]
pub(crate) struct Line {
    /// The text, continuations joined.
    pub(crate) text: Vec<u8>,
    /// Whether the last physical line asks for one more that is not there.
    pub(crate) is_cut_short: bool,
    /// Whether a physical line ends in a backslash and blanks, which continues nothing but looks as if it did.
    pub(crate) has_blank_after_backslash: bool,
    file: FileId,
    /// Where in `text` each physical line begins, its number, and the column its first byte had.
    starts: Vec<(usize, u32, u32)>,
}

impl Line {
    /// The place of a byte of `text`; the end of the text has a place too.
    pub(crate) fn place(&self, offset: usize) -> Place {
        let index = self.starts.partition_point(|(start, _, _)| *start <= offset).saturating_sub(1);
        let (start, line, column) = self.starts.get(index).copied().unwrap_or((0, 1, 1));
        let within = u32::try_from(offset.saturating_sub(start)).unwrap_or(u32::MAX);
        Place { file: self.file, line, column: column.saturating_add(within) }
    }
}

/// Walks over the logical lines of one source.
pub(crate) struct Lines<'t> {
    rest: &'t [u8],
    file: FileId,
    number: u32,
}

impl<'t> Lines<'t> {
    /// Starts at the first line; a byte order mark is passed over.
    pub(crate) fn new(text: &'t [u8], file: FileId) -> Self {
        Self { rest: text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text), file, number: 0 }
    }

    /// The next physical line without its end.
    fn physical(&mut self) -> Option<&'t [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        self.number = self.number.saturating_add(1);
        let (line, rest) =
            match memchr::memchr(b'\n', self.rest).and_then(|at| self.rest.split_at_checked(at)) {
                Some((line, rest)) => (line, rest.get(1..).unwrap_or_default()),
                None => (self.rest, &[][..]),
            };
        self.rest = rest;
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }

    /// Passes over a comment. One that hides a rule hides all the lines which that rule goes on over, as in
    /// ModSecurity v3; any other ends with its line, so that a backslash at its end swallows nothing.
    fn pass_comment(&mut self, comment: &[u8]) {
        let words = comment.get(1..).unwrap_or_default().trim_ascii_start();
        let hides_rule = [&b"SecRule"[..], b"SecAction"]
            .iter()
            .any(|name| words.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name)));
        let mut line = comment;
        while hides_rule && line.ends_with(b"\\") {
            let Some(next) = self.physical() else { return };
            line = next;
        }
    }
}

impl Iterator for Lines<'_> {
    type Item = Line;

    fn next(&mut self) -> Option<Line> {
        let mut physical = loop {
            let candidate = self.physical()?;
            let words = candidate.trim_ascii_start();
            if words.first() == Some(&b'#') {
                self.pass_comment(words);
            } else if !words.is_empty() {
                break candidate;
            }
        };
        let mut line = Line {
            text: Vec::new(),
            is_cut_short: false,
            has_blank_after_backslash: false,
            file: self.file,
            starts: Vec::new(),
        };
        loop {
            let words = physical.trim_ascii_start();
            let indent = physical.len().saturating_sub(words.len());
            let column = u32::try_from(indent).unwrap_or(u32::MAX).saturating_add(1);
            line.starts.push((line.text.len(), self.number, column));
            let Some(before) = words.strip_suffix(b"\\") else {
                line.has_blank_after_backslash |=
                    words.len() > words.trim_ascii_end().len() && words.trim_ascii_end().ends_with(b"\\");
                line.text.extend_from_slice(words);
                return Some(line);
            };
            line.text.extend_from_slice(before);
            let Some(next) = self.physical() else {
                line.is_cut_short = true;
                return Some(line);
            };
            physical = next;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &[u8]) -> Vec<String> {
        Lines::new(text, FileId(0)).map(|line| String::from_utf8_lossy(&line.text).into_owned()).collect()
    }

    #[test]
    fn joins_continued_lines_without_their_indentation() {
        assert_eq!(texts(b"a \\\n   b\\\r\nc\r\n\n d"), ["a bc", "d"]);
    }

    #[test]
    fn passes_over_comments_blank_lines_and_a_byte_order_mark() {
        assert_eq!(texts(b"\xEF\xBB\xBF# x\n\n  # y\na"), ["a"]);
    }

    #[test]
    fn a_commented_rule_hides_its_continuation_and_another_comment_hides_nothing() {
        assert_eq!(texts(b"#SecRule ARGS x \\\n \"id:1\"\na"), ["a"]);
        assert_eq!(texts(b"# see C:\\\na"), ["a"]);
        assert_eq!(texts(b"# SecAction \\"), Vec::<String>::new());
    }

    #[test]
    fn knows_the_place_of_every_byte() {
        let line = Lines::new(b"\n  ab \\\n\t\tcd", FileId(3)).next().unwrap();
        assert_eq!(line.text, b"ab cd");
        let at = |offset| {
            let place = line.place(offset);
            (place.line, place.column)
        };
        assert_eq!([at(0), at(1), at(3), at(4), at(5)], [(2, 3), (2, 4), (3, 3), (3, 4), (3, 5)]);
        assert_eq!(line.place(0).file, FileId(3));
    }

    #[test]
    fn tells_lines_that_are_cut_short() {
        let line = Lines::new(b"a \\", FileId(0)).next().unwrap();
        assert!(line.is_cut_short);
        let line = Lines::new(b"a \\ \nb", FileId(0)).next().unwrap();
        assert!(!line.is_cut_short && line.has_blank_after_backslash);
    }
}
