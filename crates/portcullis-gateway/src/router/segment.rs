//! One segment of a path template: literal, parameter, a mixture of both, or the rest of the path.

use std::{ops::Range, sync::Arc};

use smallvec::SmallVec;

use super::{
    reading::{self, Readings},
    template::TemplateError,
};
use crate::target;

/// Values of parameters as ranges into the path, in order of the template.
pub(super) type Values = SmallVec<[Range<usize>; 4]>;

/// A segment of literals and parameters in turn: `pieces` are the literals, parameters stand between them.
pub(super) struct Mixture {
    pieces: Box<[Box<str>]>,
    /// The pieces as [`reading::folded`].
    folded: Box<[Box<str>]>,
}

pub(super) enum Segment {
    Literal(Box<str>),
    Parameter,
    Mixture(Mixture),
    Rest,
}

impl PartialEq for Mixture {
    fn eq(&self, other: &Self) -> bool {
        self.pieces == other.pieces
    }
}

impl Mixture {
    fn new(pieces: Vec<Box<str>>) -> Self {
        let folded = pieces.iter().map(|piece| reading::folded(piece).into()).collect();
        Self { pieces: pieces.into(), folded }
    }

    pub(super) fn literal_len(&self) -> usize {
        self.pieces.iter().map(|piece| piece.len()).sum()
    }

    /// Whether its literals are their own [`reading::folded`].
    pub(super) fn is_folded(&self) -> bool {
        self.pieces == self.folded
    }

    /// Whether the segment is one of these as it is written; its values are appended, `at` being where it begins.
    pub(super) fn match_into(&self, segment: &str, at: usize, values: &mut Values) -> bool {
        match_pieces(&self.pieces, segment, at, values)
    }

    /// Whether the segment is none of these as it is written, and may be read as one.
    pub(super) fn is_alike(&self, segment: &str, readings: &Readings) -> bool {
        let mut values = Values::new();
        !match_pieces(&self.pieces, segment, 0, &mut values)
            && readings.iter().any(|text| match_pieces(&self.folded, text, 0, &mut values))
    }
}

/// Reads one segment of a template; the names of its parameters are appended.
pub(super) fn segment(text: &str, names: &mut Vec<Arc<str>>) -> Result<Segment, TemplateError> {
    let brace = || TemplateError::Brace(text.into());
    let checked =
        |literal: &str| target::normalised_literal(literal).ok_or(TemplateError::Literal(text.into()));
    let mut pieces: Vec<Box<str>> = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        if before.contains('}') {
            return Err(brace());
        }
        let (name, tail) = after.split_once('}').ok_or_else(brace)?;
        if name.is_empty() || name.contains('{') {
            return Err(brace());
        }
        if before.is_empty() && !pieces.is_empty() {
            return Err(TemplateError::Touching(text.into()));
        }
        if let Some(name) = name.strip_prefix('*') {
            if !before.is_empty() || !pieces.is_empty() || !tail.is_empty() || name.is_empty() {
                return Err(brace());
            }
            push_name(names, name)?;
            return Ok(Segment::Rest);
        }
        push_name(names, name)?;
        pieces.push(checked(before)?.into());
        rest = tail;
    }
    if rest.contains('}') {
        return Err(brace());
    }
    let last = checked(rest)?;
    Ok(match pieces.first() {
        None if last == "." || last == ".." => return Err(TemplateError::Literal(text.into())),
        None => Segment::Literal(last.into()),
        Some(first) if pieces.len() == 1 && first.is_empty() && last.is_empty() => Segment::Parameter,
        Some(_) => {
            pieces.push(last.into());
            Segment::Mixture(Mixture::new(pieces))
        }
    })
}

/// Each parameter takes the shortest non-empty text before the next literal, the last one all that is left.
fn match_pieces(pieces: &[Box<str>], segment: &str, at: usize, values: &mut Values) -> bool {
    let Some((first, others)) = pieces.split_first() else {
        return false;
    };
    let Some((last, middles)) = others.split_last() else {
        return false;
    };
    if !segment.starts_with(&**first) || !segment.ends_with(&**last) {
        return false;
    }
    let mut from = first.len();
    let Some(to) = segment.len().checked_sub(last.len()) else {
        return false;
    };
    for middle in middles {
        let character = segment.get(from..to).and_then(|text| text.chars().next()).map_or(0, char::len_utf8);
        let Some(offset) = segment.get(from + character..to).and_then(|text| text.find(&**middle)) else {
            return false;
        };
        let end = from + character + offset;
        values.push(at + from..at + end);
        from = end + middle.len();
    }
    if from >= to {
        return false;
    }
    values.push(at + from..at + to);
    true
}

fn push_name(names: &mut Vec<Arc<str>>, name: &str) -> Result<(), TemplateError> {
    if names.iter().any(|it| &**it == name) {
        return Err(TemplateError::Repeated(name.into()));
    }
    names.push(Arc::from(name));
    Ok(())
}
