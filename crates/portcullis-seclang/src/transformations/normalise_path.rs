//! `t:normalisePath`: resolves `.` and `..`, and folds repeated slashes.
//!
//! The rules of ModSecurity, which differ from RFC 3986 §5.2.4: a leading `./` goes, `..` above a relative start stays, a
//! segment that merely ends in two dots counts as `..`, and a trailing slash is kept only where there was one.

use std::borrow::Cow;

use super::ChangedBy;
use super::rewrite::settle;
use crate::byte_set::ByteSet;

pub(super) const CHANGED_BY: ChangedBy = ChangedBy::Bytes(ByteSet::of(b"/."));

pub(super) fn apply(value: &[u8]) -> Cow<'_, [u8]> {
    if !value.iter().any(|byte| matches!(byte, b'/' | b'.')) {
        return Cow::Borrowed(value);
    }
    settle(value, normalise(value))
}

/// The path that is being written, and what is known about its start.
struct Path {
    /// Written bytes, and stale ones after `len`: cutting back at the root uncovers the slash that was there.
    bytes: Vec<u8>,
    len: usize,
    relative: bool,
    /// A relative path has climbed to its start: further `..` are kept.
    at_start: bool,
}

/// What became of the last byte of a segment.
enum End {
    /// It is written as it is.
    Copy,
    /// It was a dot that has been resolved; the slash after it is next.
    Resolved,
}

/// Each step of the loop consumes a byte of the value, and cutting back only undoes what was written: linear in all.
pub(super) fn normalise(value: &[u8]) -> Vec<u8> {
    let mut path = Path {
        bytes: Vec::with_capacity(value.len()),
        len: 0,
        relative: value.first() != Some(&b'/'),
        at_start: false,
    };
    let trailing = value.last() == Some(&b'/');
    let mut rest = value;
    while let [byte, after @ ..] = rest {
        rest = after;
        let mut byte = *byte;
        if matches!(after, [] | [b'/', ..]) {
            match path.end_segment(byte, after.is_empty()) {
                End::Copy => {}
                End::Resolved => match after {
                    [] => break,
                    [slash, tail @ ..] => (byte, rest) = (*slash, tail),
                },
            }
        }
        if byte == b'/' {
            while let [b'/', tail @ ..] = rest {
                rest = tail;
            }
            // A relative path does not gain a root.
            if path.relative && path.len == 0 {
                continue;
            }
        }
        path.push(byte);
    }
    if !trailing && path.last() == Some(b'/') {
        path.len -= 1;
    }
    path.bytes.truncate(path.len);
    path.bytes
}

impl Path {
    fn last(&self) -> Option<u8> {
        self.len.checked_sub(1).and_then(|at| self.bytes.get(at).copied())
    }

    fn push(&mut self, byte: u8) {
        match self.bytes.get_mut(self.len) {
            Some(place) => *place = byte,
            None => self.bytes.push(byte),
        }
        self.len += 1;
    }

    /// Looks at the last byte of a segment before it is written.
    fn end_segment(&mut self, byte: u8, is_end: bool) -> End {
        match (byte, self.last()) {
            (b'/', _) if !is_end => End::Copy,
            (b'.', Some(b'.')) => self.climb(is_end),
            (b'.', None) => End::Resolved,
            (b'.', Some(b'/')) => {
                if !is_end {
                    // The slash that follows takes the place of the one before.
                    self.len -= 1;
                }
                End::Resolved
            }
            (b'.', Some(_)) => End::Copy,
            (_, Some(_)) => {
                self.at_start = false;
                End::Copy
            }
            (_, None) => End::Copy,
        }
    }

    /// Resolves `..`: cuts back to before the segment above.
    fn climb(&mut self, is_end: bool) -> End {
        if self.relative && (self.at_start || self.len <= 2) {
            self.at_start = true;
            return End::Copy;
        }
        self.len = self.len.saturating_sub(3);
        while self.len > 0 && self.bytes.get(self.len) != Some(&b'/') {
            self.len -= 1;
        }
        if self.len == 0 {
            self.at_start = true;
            if !self.relative && is_end {
                self.len = 1;
            }
        }
        End::Resolved
    }
}

#[cfg(test)]
mod tests {
    use super::apply;

    fn check(path: &str, expected: &str) {
        assert_eq!(String::from_utf8_lossy(&apply(path.as_bytes())), expected, "{path}");
    }

    #[test]
    fn resolves_dots() {
        check("/a/./b/../c", "/a/c");
        check("/a/b/../../../etc/passwd", "/etc/passwd");
        check("./a/../b", "b");
        check("/a/b/..", "/a");
        check("/a/b/../", "/a/");
    }

    #[test]
    fn keeps_what_climbs_above_a_relative_start() {
        check("../../etc", "../../etc");
        check("a/../../b", "../b");
    }

    #[test]
    fn folds_slashes() {
        check("//a///b//", "/a/b/");
        check("a//b", "a/b");
    }

    #[test]
    fn leaves_names_with_dots() {
        check("/a.b/.c", "/a.b/.c");
        check("file.txt", "file.txt");
        check("", "");
    }
}
