//! What every part of the parser is handed: the line at hand and where to complain.

use super::lines::Line;
use super::piece::Piece;
use crate::diagnostic::{Level, Report};
use crate::source::{Files, Place};

/// The line being parsed, the report, and the files that a directive may need.
pub(crate) struct Context<'a> {
    /// The line at hand.
    pub(crate) line: &'a Line,
    /// Name of its source.
    pub(crate) file_name: &'a str,
    /// Where complaints go.
    pub(crate) report: &'a mut Report,
    /// Files that a setting names.
    pub(crate) files: &'a dyn Files,
}

impl Context<'_> {
    /// Where a piece begins.
    pub(crate) fn place(&self, piece: Piece<'_>) -> Place {
        self.line.place(piece.at)
    }

    /// Reports an error at a piece. Answers `None`, so that a caller can end with it.
    pub(crate) fn error<T>(&mut self, piece: Piece<'_>, message: impl Into<String>, hint: &str) -> Option<T> {
        let place = self.place(piece);
        self.report.push(Level::Error, place, piece.bytes, message.into(), hint);
        None
    }

    /// Reports what is accepted all the same.
    pub(crate) fn note(&mut self, level: Level, piece: Piece<'_>, message: impl Into<String>, hint: &str) {
        let place = self.place(piece);
        self.report.push(level, place, piece.bytes, message.into(), hint);
    }
}
