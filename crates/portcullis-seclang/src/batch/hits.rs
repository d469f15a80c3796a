//! Values found worth judging, by the rule that is to judge them.

use crate::batch::Unit;
use crate::engine::Hit;

/// Hits of one phase.
#[derive(Debug, Default)]
pub(crate) struct Hits {
    found: Vec<(u32, Hit)>,
    hits: Vec<Hit>,
    groups: Vec<Group>,
}

/// The hits of one step.
#[derive(Debug, Clone, Copy)]
struct Group {
    step: u32,
    from: usize,
    to: usize,
}

/// Walks the hits in the order of rules.
pub(crate) struct BySteps<'a> {
    groups: &'a [Group],
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
        for (at, (step, hit)) in self.found.iter().enumerate() {
            self.hits.push(*hit);
            match self.groups.last_mut() {
                Some(group) if group.step == *step => group.to = at + 1,
                _ => self.groups.push(Group { step: *step, from: at, to: at + 1 }),
            }
        }
    }

    pub(super) fn clear(&mut self) {
        self.found.clear();
        self.hits.clear();
        self.groups.clear();
        self.groups.shrink_to(1 << 12);
        self.found.shrink_to(1 << 12);
        self.hits.shrink_to(1 << 12);
    }

    /// The hits by step, ascending.
    pub(crate) fn by_step(&self) -> BySteps<'_> {
        BySteps { groups: &self.groups, hits: &self.hits }
    }
}

impl<'a> BySteps<'a> {
    /// The first step from `next` on that has hits, and these.
    pub(crate) fn peek_from(&mut self, next: u32) -> Option<(u32, &'a [Hit])> {
        while let [first, rest @ ..] = self.groups
            && first.step < next
        {
            self.groups = rest;
        }
        let group = self.groups.first()?;
        Some((group.step, self.hits.get(group.from..group.to).unwrap_or_default()))
    }
}
