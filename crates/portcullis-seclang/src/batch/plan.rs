//! How a value of one class is examined: the transformations of all its units as a tree, each outcome scanned once.

use std::borrow::Cow;

use crate::batch::Unit;
use crate::bit_set::BitSet;
use crate::byte_set::ByteClasses;
use crate::program::Program;
use crate::transformations::{ChangedBy, Transformation};

/// A node of the tree: what its parent has, transformed once more.
#[derive(Debug)]
struct Node {
    /// Index of the parent, which comes before; the root is its own.
    parent: usize,
    transformation: Option<Transformation>,
    changed_by: Changed,
    /// Operators that look at the outcome, each with the unit that asks.
    asked: Vec<(u32, u32)>,
    wanted: BitSet,
}

#[derive(Debug, Clone, Copy)]
enum Changed {
    By(ByteClasses),
    Always,
}

/// The tree of one class.
#[derive(Debug)]
pub(crate) struct Plan {
    nodes: Vec<Node>,
    /// All operators of all nodes.
    wanted: BitSet,
    /// A value without these is changed by nothing.
    changed_by: Changed,
}

impl Plan {
    /// The plan for these units.
    pub(crate) fn new(all: &[Unit], units: &BitSet, matchers: usize) -> Self {
        let root = Node {
            parent: 0,
            transformation: None,
            changed_by: Changed::By(ByteClasses::NONE),
            asked: Vec::new(),
            wanted: BitSet::default(),
        };
        let mut plan =
            Plan { nodes: vec![root], wanted: BitSet::default(), changed_by: Changed::By(ByteClasses::NONE) };
        for number in units.iter() {
            let Some(unit) = all.get(number) else { continue };
            let mut at = 0;
            if unit.multi_match {
                plan.ask(at, unit.matcher, number);
            }
            for transformation in &unit.transformations {
                at = plan.child(at, *transformation);
                if unit.multi_match {
                    plan.ask(at, unit.matcher, number);
                }
            }
            if !unit.multi_match {
                plan.ask(at, unit.matcher, number);
            }
        }
        plan.wanted.grow(matchers);
        plan
    }

    /// Whether no unit looks at values of this class.
    pub(crate) fn is_empty(&self) -> bool {
        self.wanted.is_empty()
    }

    fn ask(&mut self, node: usize, matcher: u32, unit: usize) {
        if let Some(node) = self.nodes.get_mut(node) {
            node.asked.push((matcher, unit as u32));
            node.wanted.insert(matcher as usize);
            self.wanted.insert(matcher as usize);
        }
    }

    fn child(&mut self, parent: usize, transformation: Transformation) -> usize {
        let known = self
            .nodes
            .iter()
            .position(|node| node.parent == parent && node.transformation == Some(transformation));
        if let Some(known) = known {
            return known;
        }
        let changed_by = match transformation.changed_by() {
            ChangedBy::Nothing => Changed::By(ByteClasses::NONE),
            ChangedBy::Bytes(bytes) => Changed::By(bytes.classes()),
            ChangedBy::Anything => Changed::Always,
        };
        self.changed_by = match (self.changed_by, changed_by) {
            (Changed::By(these), Changed::By(those)) => Changed::By(these.union(those)),
            _ => Changed::Always,
        };
        self.nodes.push(Node {
            parent,
            transformation: Some(transformation),
            changed_by,
            asked: Vec::new(),
            wanted: BitSet::default(),
        });
        self.nodes.len() - 1
    }
}

impl Changed {
    fn may_change(self, classes: ByteClasses) -> bool {
        match self {
            Changed::By(by) => classes.intersects(by),
            Changed::Always => true,
        }
    }
}

/// Room that examining reuses.
#[derive(Debug, Default)]
pub(crate) struct Bench {
    /// For each node which of the distinct outcomes is its own.
    outcome_of: Vec<usize>,
    wanted: BitSet,
    matching: BitSet,
    units: Vec<u32>,
}

impl Bench {
    /// The units that match a value.
    pub(crate) fn examine(&mut self, program: &Program, plan: &Plan, value: &[u8]) -> &[u32] {
        self.units.clear();
        let classes = ByteClasses::of_value(value);
        if !plan.changed_by.may_change(classes) {
            let matching = self.matching.words_for(plan.wanted.words().len() * 64);
            program.scanner.matches(value, classes, plan.wanted.words(), matching);
            for number in self.matching.iter() {
                for node in plan.nodes.iter().filter(|node| node.wanted.contains(number)) {
                    add_units(node, number, &mut self.units);
                }
            }
        } else {
            self.examine_changed(program, plan, value, classes);
        }
        self.units.sort_unstable();
        self.units.dedup();
        &self.units
    }

    fn examine_changed(&mut self, program: &Program, plan: &Plan, value: &[u8], classes: ByteClasses) {
        let map = program.settings.unicode_map.as_ref();
        let mut outcomes: Vec<(Cow<'_, [u8]>, ByteClasses)> = vec![(Cow::Borrowed(value), classes)];
        self.outcome_of.clear();
        for node in &plan.nodes {
            let before = self.outcome_of.get(node.parent).copied().unwrap_or_default();
            let outcome = match (node.transformation, outcomes.get(before)) {
                (Some(transformation), Some((text, classes))) if node.changed_by.may_change(*classes) => {
                    let next = match transformation.apply_mapped(text, map) {
                        Cow::Borrowed(same) if same.len() == text.len() => None,
                        Cow::Borrowed(part) => Some(part.to_vec()),
                        Cow::Owned(next) => Some(next),
                    };
                    match next {
                        None => before,
                        Some(next) => match outcomes.iter().position(|(known, _)| **known == *next) {
                            Some(known) => known,
                            None => {
                                let classes = ByteClasses::of_value(&next);
                                outcomes.push((Cow::Owned(next), classes));
                                outcomes.len() - 1
                            }
                        },
                    }
                }
                _ => before,
            };
            self.outcome_of.push(outcome);
        }
        for (number, (text, classes)) in outcomes.iter().enumerate() {
            self.wanted.clear();
            self.wanted.grow(plan.wanted.words().len() * 64);
            let nodes = || plan.nodes.iter().zip(&self.outcome_of).filter(|(_, outcome)| **outcome == number);
            for (node, _) in nodes() {
                self.wanted.union(&node.wanted);
            }
            if self.wanted.is_empty() {
                continue;
            }
            let matching = self.matching.words_for(plan.wanted.words().len() * 64);
            program.scanner.matches(text, *classes, self.wanted.words(), matching);
            for matcher in self.matching.iter() {
                for (node, _) in nodes() {
                    add_units(node, matcher, &mut self.units);
                }
            }
        }
    }
}

fn add_units(node: &Node, matcher: usize, units: &mut Vec<u32>) {
    let asking = node.asked.iter().filter(|(asked, _)| *asked as usize == matcher);
    units.extend(asking.map(|(_, unit)| *unit));
}
