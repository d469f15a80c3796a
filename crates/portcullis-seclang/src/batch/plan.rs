//! How a value of one class is examined: the transformations of all its units as a tree, each outcome scanned once.

use std::borrow::Cow;

use crate::batch::Unit;
use crate::bit_set::BitSet;
use crate::byte_set::ByteClasses;
use crate::program::Program;
use crate::transformations::{ChangedBy, Transformation, UnicodeMap};

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
    /// Whether any operator looks at the outcome.
    asks: bool,
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
    /// Units that ask for values which an operator does not match: node, operator, unit.
    negations: Vec<(usize, u32, u32)>,
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
            asks: false,
        };
        let mut plan = Plan {
            nodes: vec![root],
            wanted: BitSet::default(),
            changed_by: Changed::By(ByteClasses::NONE),
            negations: Vec::new(),
        };
        for number in units.iter() {
            let Some(unit) = all.get(number) else { continue };
            let mut at = 0;
            if unit.multi_match {
                plan.ask(at, unit, number);
            }
            for transformation in &unit.transformations {
                at = plan.child(at, *transformation);
                if unit.multi_match {
                    plan.ask(at, unit, number);
                }
            }
            if !unit.multi_match {
                plan.ask(at, unit, number);
            }
        }
        plan.wanted.grow(matchers);
        plan
    }

    /// Whether no unit looks at values of this class.
    pub(crate) fn is_empty(&self) -> bool {
        self.wanted.is_empty()
    }

    fn ask(&mut self, at: usize, unit: &Unit, number: usize) {
        let Some(node) = self.nodes.get_mut(at) else { return };
        node.asks = true;
        node.wanted.insert(unit.matcher as usize);
        self.wanted.insert(unit.matcher as usize);
        if unit.negated {
            self.negations.push((at, unit.matcher, number as u32));
        } else {
            node.asked.push((unit.matcher, number as u32));
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
            asks: false,
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
    /// What transformations made of outcomes: many chains do the same to the same text.
    applied: Vec<(usize, Transformation, usize)>,
    /// For each outcome the first of those that differ from it in the case of letters alone.
    alike: Vec<usize>,
    /// For each outcome the operators that look at it.
    wanted: Vec<BitSet>,
    found: BitSet,
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
            let missed =
                plan.negations.iter().filter(|(_, asked, _)| !self.matching.contains(*asked as usize));
            self.units.extend(missed.map(|(_, _, unit)| *unit));
        } else {
            self.examine_changed(program, plan, value, classes);
        }
        self.units.sort_unstable();
        self.units.dedup();
        &self.units
    }

    fn examine_changed(&mut self, program: &Program, plan: &Plan, value: &[u8], classes: ByteClasses) {
        let map = program.settings.unicode_map.as_ref();
        let outcomes = self.transform(map, plan, (Cow::Borrowed(value), classes));
        let size = plan.wanted.words().len() * 64;
        self.want(plan, outcomes.len(), size);
        for first in 0..outcomes.len() {
            if self.alike.get(first) != Some(&first) {
                continue;
            }
            let group = || {
                let members = outcomes.iter().zip(&self.wanted).zip(&self.alike).enumerate().skip(first);
                members.filter(|(_, ((_, wanted), alike))| **alike == first && !wanted.is_empty()).map(
                    |(number, (((text, classes), wanted), _))| (number, &**text, *classes, wanted.words()),
                )
            };
            let are_several = group().nth(1).is_some();
            if are_several {
                let alike = group().map(|(_, text, classes, wanted)| (text, classes, wanted));
                program.scanner.search_alike(alike, self.found.words_for(size));
            }
            for (number, text, classes, wanted) in group() {
                let matching = self.matching.words_for(size);
                if are_several {
                    program.scanner.matches_found(text, classes, wanted, self.found.words(), matching);
                } else {
                    program.scanner.matches(text, classes, wanted, matching);
                }
                for matcher in self.matching.iter() {
                    let nodes = plan.nodes.iter().zip(&self.outcome_of);
                    for (node, _) in nodes.filter(|(_, outcome)| **outcome == number) {
                        add_units(node, matcher, &mut self.units);
                    }
                }
                let missed = plan.negations.iter().filter(|(node, asked, _)| {
                    self.outcome_of.get(*node) == Some(&number) && !self.matching.contains(*asked as usize)
                });
                self.units.extend(missed.map(|(_, _, unit)| *unit));
            }
        }
    }

    /// The distinct outcomes of all chains of transformations, the value itself first.
    fn transform<'v>(
        &mut self,
        map: Option<&UnicodeMap>,
        plan: &Plan,
        value: (Cow<'v, [u8]>, ByteClasses),
    ) -> Vec<(Cow<'v, [u8]>, ByteClasses)> {
        let mut outcomes = vec![value];
        self.outcome_of.clear();
        self.applied.clear();
        self.alike.clear();
        self.alike.push(0);
        for node in &plan.nodes {
            let before = self.outcome_of.get(node.parent).copied().unwrap_or_default();
            let outcome = match (node.transformation, outcomes.get(before)) {
                (Some(transformation), Some((text, classes))) if node.changed_by.may_change(*classes) => {
                    let known =
                        self.applied.iter().find(|(from, by, _)| *from == before && *by == transformation);
                    match known {
                        Some((_, _, outcome)) => *outcome,
                        None => {
                            let next = match transformation.apply_mapped(text, map) {
                                Cow::Borrowed(same) if same.len() == text.len() => None,
                                Cow::Borrowed(part) => Some(part.to_vec()),
                                Cow::Owned(next) => Some(next),
                            };
                            let outcome = next.map_or(before, |next| {
                                self.outcome(&mut outcomes, before, transformation, next)
                            });
                            self.applied.push((before, transformation, outcome));
                            outcome
                        }
                    }
                }
                _ => before,
            };
            self.outcome_of.push(outcome);
        }
        outcomes
    }

    /// The number of an outcome, new or known.
    fn outcome<'v>(
        &mut self,
        outcomes: &mut Vec<(Cow<'v, [u8]>, ByteClasses)>,
        before: usize,
        transformation: Transformation,
        text: Vec<u8>,
    ) -> usize {
        if let Some(known) = outcomes.iter().position(|(known, _)| **known == *text) {
            return known;
        }
        let number = outcomes.len();
        let changes_case_alone =
            matches!(transformation, Transformation::Lowercase | Transformation::Uppercase);
        let alike = self.alike.get(before).copied().filter(|_| changes_case_alone);
        self.alike.push(alike.unwrap_or(number));
        let classes = ByteClasses::of_value(&text);
        outcomes.push((Cow::Owned(text), classes));
        number
    }

    /// Sorts out which operators look at which outcome.
    fn want(&mut self, plan: &Plan, outcomes: usize, size: usize) {
        if self.wanted.len() < outcomes {
            self.wanted.resize_with(outcomes, BitSet::default);
        }
        for wanted in self.wanted.iter_mut().take(outcomes) {
            wanted.clear();
            wanted.grow(size);
        }
        for (node, outcome) in plan.nodes.iter().zip(&self.outcome_of).filter(|(node, _)| node.asks) {
            if let Some(wanted) = self.wanted.get_mut(*outcome) {
                wanted.union(&node.wanted);
            }
        }
    }
}

fn add_units(node: &Node, matcher: usize, units: &mut Vec<u32>) {
    let asking = node.asked.iter().filter(|(asked, _)| *asked as usize == matcher);
    units.extend(asking.map(|(_, unit)| *unit));
}
