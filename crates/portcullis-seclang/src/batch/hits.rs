//! Values found worth judging, by the rule that is to judge them.

use crate::batch::Unit;
use crate::engine::Hit;

/// Hits of one phase.
#[derive(Debug, Default)]
pub(crate) struct Hits {
    found: Vec<(u32, Hit)>,
    hits: Vec<Hit>,
}

/// Walks the hits in the order of rules.
pub(crate) struct BySteps<'a> {
    found: &'a [(u32, Hit)],
    hits: &'a [Hit],
}

impl Hits {
    pub(super) fn add(&mut self, all: &[Unit], units: &[u32], hit: Hit) {
        for unit in units {
            if let Some(unit) = all.get(*unit as usize) {
                self.found.push((unit.step, hit));
            }
        }
    }

    pub(super) fn sort(&mut self) {
        self.found.sort_unstable();
        self.found.dedup();
        self.hits.extend(self.found.iter().map(|(_, hit)| *hit));
    }

    pub(super) fn clear(&mut self) {
        self.found.clear();
        self.hits.clear();
        self.found.shrink_to(1 << 12);
        self.hits.shrink_to(1 << 12);
    }

    /// The hits by step, ascending.
    pub(crate) fn by_step(&self) -> BySteps<'_> {
        BySteps { found: &self.found, hits: &self.hits }
    }
}

impl<'a> BySteps<'a> {
    /// The first step from `next` on that has hits, and these.
    pub(crate) fn peek_from(&mut self, next: u32) -> Option<(u32, &'a [Hit])> {
        let passed = self.found.iter().take_while(|(step, _)| *step < next).count();
        self.found = self.found.get(passed..).unwrap_or_default();
        self.hits = self.hits.get(passed..).unwrap_or_default();
        let (step, _) = self.found.first()?;
        let count = self.found.iter().take_while(|(each, _)| each == step).count();
        Some((*step, self.hits.get(..count).unwrap_or_default()))
    }
}
