//! The strongest of what a detector finds in one view.

use std::ops::Range;

use super::weight::{self, Nature};
use crate::{
    class::Class,
    hit::{Hit, Hits},
    view::View,
};

/// Keeps one hit: pieces of one exploit do not add up, or every longer text would reach the threshold.
pub(crate) struct Strongest<'v, 'a> {
    view: &'v View<'a>,
    class: Class,
    hit: Option<Hit>,
    weighed: u32,
}

/// Finds weighed in one view: a value full of marks is judged by the first of them, so that the work stays linear.
const WEIGHED_MAX: u32 = 32;

impl<'v, 'a> Strongest<'v, 'a> {
    pub(crate) fn of(class: Class, view: &'v View<'a>) -> Self {
        Self { view, class, hit: None, weighed: 0 }
    }

    /// Takes a find into account, its score weighed by the field and by what stands around `span`.
    pub(crate) fn offer(&mut self, rule: &'static str, score: u8, span: Range<usize>, why: &'static str) {
        self.take(Nature::Code, rule, score, span, why);
    }

    /// The same for what only exploits consist of: a field for source code does not excuse it.
    pub(crate) fn offer_exploit(
        &mut self,
        rule: &'static str,
        score: u8,
        span: Range<usize>,
        why: &'static str,
    ) {
        self.take(Nature::Exploit, rule, score, span, why);
    }

    fn take(&mut self, nature: Nature, rule: &'static str, score: u8, span: Range<usize>, why: &'static str) {
        let known = self.hit.as_ref().map_or(0, |hit| hit.score);
        if score <= known || self.weighed >= WEIGHED_MAX {
            return;
        }
        self.weighed += 1;
        // Finders name a number of bytes from where they stand; the value may end before.
        let length = self.view.text.len();
        let start = span.start.min(length);
        let span = start..span.end.clamp(start, length);
        let score = weight::weigh(self.view, &span, score.min(10), nature);
        if score > known {
            self.hit = Some(Hit { class: self.class, rule, score, span, why });
        }
    }

    /// Whether nothing stronger can come.
    pub(crate) fn is_certain(&self) -> bool {
        self.hit.as_ref().is_some_and(|hit| hit.score >= 10)
    }

    pub(crate) fn report(self, hits: &mut Hits) {
        hits.extend(self.hit);
    }
}
