//! One search through the templates for a path.

use std::rc::Rc;

use smallvec::SmallVec;

use super::{
    reading::{self, Readings},
    segment::Values,
};

/// How the segments of a path are compared with literals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// As they are written.
    Written,
    /// As an upstream may read them as well.
    Forgiving,
    /// The same, and templates with parameters are left out.
    ForgivingLiteral,
}

/// A path under search.
pub(super) struct Walk<'p> {
    pub(super) path: &'p str,
    pub(super) reading: Reading,
    /// Of the template found; ranges into the path where [`Reading::Written`].
    pub(super) values: Values,
    /// Whether something was met that an upstream may read otherwise: only then is it searched a second time.
    pub(super) is_ambiguous: bool,
    /// By where the segment begins. Many nodes may ask for the same long segment.
    readings: SmallVec<[(usize, Rc<Readings>); 2]>,
}

impl<'p> Walk<'p> {
    pub(super) fn new(path: &'p str) -> Self {
        Self {
            path,
            reading: Reading::Written,
            values: Values::new(),
            is_ambiguous: false,
            readings: SmallVec::new(),
        }
    }

    /// Whether the path may be read as the prefix or as lying below it. The prefix is [`reading::folded`].
    pub(super) fn is_within(&mut self, prefix: &str) -> bool {
        let mut at = 0;
        prefix.trim_end_matches('/').split('/').all(|literal| {
            let Some(rest) = self.path.get(at..) else {
                return false;
            };
            let segment = rest.split('/').next().unwrap_or_default();
            let is_alike = segment == literal
                || (!reading::is_plain(segment)
                    && self.readings(at, segment).iter().any(|text| text == literal));
            at += segment.len() + 1;
            is_alike
        })
    }

    pub(super) fn readings(&mut self, at: usize, segment: &str) -> Rc<Readings> {
        if let Some((_, readings)) = self.readings.iter().find(|(it, _)| *it == at) {
            return Rc::clone(readings);
        }
        let readings = Rc::new(Readings::of(segment));
        self.readings.push((at, Rc::clone(&readings)));
        readings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_compared_by_segments() {
        for (path, prefix, expected) in [
            ("/v1/x", "/v1", true),
            ("/V1/x", "/v1", true),
            ("/V1", "/v1", true),
            ("/v1%20/x", "/v1", true),
            ("/v1;a/Api./x", "/v1/api", true),
            ("/v1", "/v1/api", false),
            ("/v10/x", "/v1", false),
            ("/x", "", true),
            ("/x", "/", true),
        ] {
            assert_eq!(Walk::new(path).is_within(prefix), expected, "{path} {prefix}");
        }
    }
}
