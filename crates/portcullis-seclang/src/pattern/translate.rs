//! The walk over a pattern: one item at a time, each written in the engine's spelling.

use super::PatternError;
use super::class;
use super::escape::{self, Escape};
use super::group::{self, Opening};

/// Flags whose setting changes how later items are written.
#[derive(Clone, Copy)]
pub(super) struct Flags {
    pub(super) caseless: bool,
    pub(super) multi_line: bool,
    pub(super) extended: bool,
}

/// Rewrites a PCRE pattern for the `regex` crate: bytes, no Unicode, line anchors and a dot that matches all (which the
/// caller sets). Names of groups are dropped, since rules refer to groups by number.
///
/// # Errors
/// With the place of the first construct that is malformed or cannot run in linear time.
pub fn translate(pattern: &[u8]) -> Result<String, PatternError> {
    let mut walk = Walk {
        pattern,
        at: 0,
        out: String::with_capacity(pattern.len() + 16),
        flags: Flags { caseless: false, multi_line: true, extended: false },
        open: Vec::new(),
        quantified: Quantified::Nothing,
        groups: None,
    };
    while walk.at < pattern.len() {
        walk.item()?;
    }
    match walk.open.last() {
        Some((offset, _)) => Err(PatternError::at(*offset, "this `(` is not closed")),
        None => Ok(walk.out),
    }
}

/// What stands before the current place, for the sake of a quantifier there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Quantified {
    Nothing,
    Item,
    /// A quantifier, after which `+` means possession and `?` laziness.
    Quantifier,
}

struct Walk<'a> {
    pattern: &'a [u8],
    at: usize,
    out: String,
    flags: Flags,
    /// Open groups: where they opened and the flags to go back to.
    open: Vec<(usize, Flags)>,
    quantified: Quantified,
    /// Capture groups of the whole pattern, once an escape asked.
    groups: Option<usize>,
}

impl Walk<'_> {
    fn rest(&self) -> &[u8] {
        self.pattern.get(self.at..).unwrap_or_default()
    }

    fn item(&mut self) -> Result<(), PatternError> {
        let start = self.at;
        let Some(byte) = self.pattern.get(start).copied() else { return Ok(()) };
        self.at += 1;
        match byte {
            b'\\' => self.escape(start),
            b'[' => {
                self.at = class::translate(self.pattern, start, self.flags, &mut self.out)?;
                self.quantified = Quantified::Item;
                Ok(())
            }
            b'(' => self.open(start),
            b')' => self.close(start),
            b'|' => self.verbatim('|', Quantified::Nothing),
            b'^' => self.verbatim('^', Quantified::Item),
            b'$' if self.flags.multi_line => self.verbatim('$', Quantified::Item),
            b'$' => self.end_or_last_line_feed(start, "`$` without the m flag"),
            b'.' => self.verbatim('.', Quantified::Item),
            b'*' | b'?' | b'+' => self.quantifier(start, byte),
            b'{' if group::repetition(self.rest()).is_some() => self.repetition(start),
            b'#' if self.flags.extended => {
                let comment = self.rest().iter().take_while(|byte| **byte != b'\n').count();
                self.at += comment;
                Ok(())
            }
            b' ' | b'\t'..=b'\r' if self.flags.extended => Ok(()),
            _ => {
                escape::write_literal(byte, &mut self.out);
                self.quantified = Quantified::Item;
                Ok(())
            }
        }
    }

    fn verbatim(&mut self, text: char, quantified: Quantified) -> Result<(), PatternError> {
        self.out.push(text);
        self.quantified = quantified;
        Ok(())
    }

    fn escape(&mut self, start: usize) -> Result<(), PatternError> {
        let pattern = self.pattern;
        let groups = *self.groups.get_or_insert_with(|| group::captures(pattern));
        let (escape, end) = escape::read(self.pattern, start, escape::Within::Pattern { groups })?;
        self.at = end;
        match escape {
            Escape::Byte(byte) => escape::write_literal(byte, &mut self.out),
            Escape::Set(set) => class::write_set(set, &mut self.out),
            Escape::Assertion(text) => self.out.push_str(text),
            Escape::LineEnd => self.out.push_str(r"(?:\r\n|[\n-\r\x85])"),
            Escape::Quote => return self.quote(),
            Escape::Nothing => return Ok(()),
            Escape::EndOrLastLineFeed => return self.end_or_last_line_feed(start, r"`\Z`"),
        }
        self.quantified = Quantified::Item;
        Ok(())
    }

    /// `\Q` to `\E`, or to the end.
    fn quote(&mut self) -> Result<(), PatternError> {
        while self.at < self.pattern.len() {
            if self.rest().starts_with(b"\\E") {
                self.at += 2;
                break;
            }
            if let Some(byte) = self.pattern.get(self.at) {
                escape::write_literal(*byte, &mut self.out);
                self.quantified = Quantified::Item;
            }
            self.at += 1;
        }
        Ok(())
    }

    /// The end, or before a line feed there. That is a look-ahead unless nothing follows: then the line feed may as well
    /// be matched.
    fn end_or_last_line_feed(&mut self, start: usize, what: &str) -> Result<(), PatternError> {
        if self.rest().iter().any(|byte| *byte != b')') {
            return Err(PatternError::at(start, format!("{what} is supported at the end of a pattern only")));
        }
        self.out.push_str(r"(?:\z|\n\z)");
        self.quantified = Quantified::Item;
        Ok(())
    }

    fn quantifier(&mut self, start: usize, byte: u8) -> Result<(), PatternError> {
        match (self.quantified, byte) {
            (Quantified::Nothing, _) => Err(PatternError::at(start, "there is nothing to repeat")),
            (Quantified::Quantifier, b'+') => Err(PatternError::at(
                start,
                "possessive repetition needs an engine that backtracks; write the item so that it cannot match too much",
            )),
            (Quantified::Quantifier, b'*') => Err(PatternError::at(start, "there is nothing to repeat")),
            (Quantified::Quantifier, _) => self.verbatim('?', Quantified::Nothing),
            (Quantified::Item, _) => self.verbatim(char::from(byte), Quantified::Quantifier),
        }
    }

    fn repetition(&mut self, start: usize) -> Result<(), PatternError> {
        if self.quantified == Quantified::Nothing {
            return Err(PatternError::at(start, "there is nothing to repeat"));
        }
        let length = group::repetition(self.rest()).unwrap_or(0);
        let text = self.pattern.get(start..self.at + length).unwrap_or_default();
        // A repetition of a repetition is allowed in both spellings when it is grouped, in PCRE also when it is not.
        if self.quantified == Quantified::Quantifier {
            return Err(PatternError::at(start, "put the repeated item into a group to repeat it again"));
        }
        self.out.extend(text.iter().map(|byte| char::from(*byte)));
        self.at += length;
        self.quantified = Quantified::Quantifier;
        Ok(())
    }

    fn open(&mut self, start: usize) -> Result<(), PatternError> {
        let (opening, end) = group::read(self.pattern, start, self.flags)?;
        self.at = end;
        match opening {
            Opening::Comment => return Ok(()),
            Opening::SetFlags(text, flags) => {
                self.out.push_str(&text);
                self.flags = flags;
            }
            Opening::Group(text, flags) => {
                self.out.push_str(&text);
                self.open.push((start, self.flags));
                self.flags = flags;
            }
        }
        self.quantified = Quantified::Nothing;
        Ok(())
    }

    fn close(&mut self, start: usize) -> Result<(), PatternError> {
        let Some((_, flags)) = self.open.pop() else {
            return Err(PatternError::at(start, "this `)` closes nothing"));
        };
        self.flags = flags;
        self.verbatim(')', Quantified::Item)
    }
}
