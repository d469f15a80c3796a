//! Values judged in bulk: which rules of a phase may match which of its values, before any rule runs.
//!
//! Most rules ask an operator that depends on nothing but the value. Within a phase values do not change, so all such
//! rules are put to all values at once: each distinct value is transformed along a tree that all rules share, each distinct
//! outcome is scanned once, and a verdict is remembered for the next request. What comes out is a list of (rule, value);
//! the rules then run in their order and look at their listed values alone, so that effects happen as if each rule had
//! been judged on its own.

mod classes;
mod hits;
mod plan;
mod verdicts;

use std::collections::HashMap;
use std::sync::Arc;

use crate::bit_set::BitSet;
use crate::engine::{Context, Hit};
use crate::operators::Operator;
use crate::program::{Condition, Judge, Link, Rule, Selector, Source, Target};
use crate::scan::Scanner;
use crate::transformations::Transformation;
use crate::values::{List, View};

use classes::Classes;
pub(crate) use hits::Hits;
use plan::Bench;
use verdicts::Verdicts;

/// A rule that is judged in bulk: its first link.
#[derive(Debug)]
pub(crate) struct Unit {
    /// Where it stands in its phase.
    pub(crate) step: u32,
    pub(crate) matcher: u32,
    pub(crate) transformations: Vec<Transformation>,
    pub(crate) multi_match: bool,
    /// The rule asks for values that the operator does not match.
    pub(crate) negated: bool,
    targets: Vec<Target>,
    exclusions: Vec<Target>,
}

/// One list of values and what of it is shown, with the units that look there.
#[derive(Debug)]
struct Place {
    list: List,
    view: View,
    /// Units that look at every value.
    all: BitSet,
    /// Units that look at some, by name.
    some: Vec<u32>,
    /// The names that these speak of, lower case; none where one of them goes by a pattern.
    names: Option<Vec<Box<[u8]>>>,
}

/// The rules of one phase that are judged in bulk.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) units: Vec<Unit>,
    places: Vec<Place>,
    /// How many operators all batches have in sum.
    matchers: usize,
}

/// The distinct operators of all batches, while they are gathered.
#[derive(Default)]
pub(crate) struct Matchers {
    operators: Vec<Arc<Operator>>,
    index: HashMap<*const Operator, u32>,
}

/// What a desk remembers between requests.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    classes: Classes,
    verdicts: Verdicts,
    bench: Bench,
    hits: Hits,
}

impl Memory {
    /// Keeps the room of hits that have been worked off.
    pub(crate) fn keep(&mut self, mut hits: Hits) {
        hits.clear();
        self.hits = hits;
    }
}

impl Matchers {
    fn number(&mut self, operator: &Arc<Operator>) -> u32 {
        let key = Arc::as_ptr(operator);
        let next = self.operators.len() as u32;
        let number = *self.index.entry(key).or_insert(next);
        if number == next {
            self.operators.push(Arc::clone(operator));
        }
        number
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.operators.len()
    }

    /// What judges by all of them at once.
    pub(crate) fn finish(self) -> Scanner {
        Scanner::new(self.operators.iter().map(|operator| &**operator))
    }
}

impl Batch {
    /// Sorts out the rules of a phase that can be judged in bulk.
    pub(crate) fn new(rules: &[Rule], steps: &[u32], matchers: &mut Matchers) -> Self {
        let mut units = Vec::new();
        for (step, number) in steps.iter().enumerate() {
            let link = rules.get(*number as usize).and_then(|rule| rule.links.first());
            let Some((link, condition, operator)) = link.and_then(batchable) else { continue };
            units.push(Unit {
                step: step as u32,
                matcher: matchers.number(operator),
                transformations: link.transformations.clone(),
                multi_match: link.multi_match,
                negated: condition.negated,
                targets: condition.targets.clone(),
                exclusions: condition.exclusions.clone(),
            });
        }
        let mut places: Vec<Place> = Vec::new();
        for (number, unit) in units.iter().enumerate() {
            for (list, view, is_all) in unit.targets.iter().flat_map(|target| unit.looks_at(target)) {
                let known = places.iter_mut().find(|place| place.list == list && place.view == view);
                let place = match known {
                    Some(place) => place,
                    None => {
                        places.push(Place {
                            list,
                            view,
                            all: BitSet::default(),
                            some: Vec::new(),
                            names: None,
                        });
                        let Some(place) = places.last_mut() else { continue };
                        place
                    }
                };
                if is_all {
                    place.all.insert(number);
                } else if !place.some.contains(&(number as u32)) {
                    place.some.push(number as u32);
                }
            }
        }
        for place in &mut places {
            place.some.retain(|unit| !place.all.contains(*unit as usize));
            let conditional = place.some.iter().filter_map(|unit| units.get(*unit as usize));
            place.names = names_of(conditional);
        }
        Batch { units, places, matchers: 0 }
    }

    /// Learns how many operators there are, once all batches are made.
    pub(crate) fn set_matchers(&mut self, matchers: usize) {
        self.matchers = matchers;
    }

    /// The steps of the rules that are judged here.
    pub(crate) fn steps(&self) -> BitSet {
        self.units.iter().map(|unit| unit.step as usize).collect()
    }

    /// Judges all values of the phase.
    pub(crate) fn scan(&self, context: &Context<'_>, memory: &mut Memory) -> Hits {
        let mut hits = std::mem::take(&mut memory.hits);
        for (number, place) in self.places.iter().enumerate() {
            let entries = context.values.list(place.list);
            if entries.is_empty() {
                continue;
            }
            let whole = place.some.is_empty();
            let mut class = None;
            for (index, entry) in entries.iter().enumerate() {
                if class.is_none() || !whole {
                    let name = context.values.bytes(entry.name);
                    class = Some(memory.classes.of(self, context.phase, number, name));
                }
                let Some(class) = class else { continue };
                let Some(plan) = memory.classes.plan(class) else { continue };
                if plan.is_empty() {
                    continue;
                }
                let value = context.values.bytes(place.view.of(*entry));
                let hit = Hit { list: place.list, view: place.view, index: index as u32 };
                let seat = match memory.verdicts.find(class, value) {
                    Ok(units) => {
                        hits.add(&self.units, units, hit);
                        continue;
                    }
                    Err(seat) => seat,
                };
                let units = memory.bench.examine(context.program, plan, value);
                hits.add(&self.units, units, hit);
                memory.verdicts.remember(seat, class, value, units);
            }
        }
        memory.classes.bound(&mut memory.verdicts);
        hits.sort();
        hits
    }

    /// The units that look at a value of that name.
    fn units_for(&self, place: usize, name: &[u8]) -> BitSet {
        let Some(place) = self.places.get(place) else { return BitSet::default() };
        let mut units = place.all.clone();
        for number in &place.some {
            if self.units.get(*number as usize).is_some_and(|unit| unit.looks_at_named(place, name)) {
                units.insert(*number as usize);
            }
        }
        units
    }
}

impl Unit {
    /// The places that a target looks at, and whether it looks at all values there.
    fn looks_at<'a>(&'a self, target: &'a Target) -> impl Iterator<Item = (List, View, bool)> + 'a {
        let excludes = self.exclusions.iter().any(|exclusion| exclusion.variable == target.variable);
        let is_all = matches!(target.selector, Selector::All) && !excludes;
        lists_of(target).map(move |(list, view)| (list, view, is_all))
    }

    fn looks_at_named(&self, place: &Place, name: &[u8]) -> bool {
        self.targets.iter().any(|target| {
            lists_of(target).any(|each| each == (place.list, place.view))
                && target.selector.admits(name)
                && !self.exclusions.iter().any(|each| each.covers(target.variable, target.source, name))
        })
    }
}

/// The names that the units' targets and exclusions speak of; `None` where one of them goes by a pattern.
fn names_of<'a>(units: impl Iterator<Item = &'a Unit>) -> Option<Vec<Box<[u8]>>> {
    let mut names: Vec<Box<[u8]>> = Vec::new();
    for target in units.flat_map(|unit| unit.targets.iter().chain(&unit.exclusions)) {
        match &target.selector {
            Selector::All | Selector::Slot(_) => {}
            Selector::Key(key) => names.push(key.clone()),
            Selector::Regex(_) => return None,
        }
    }
    names.sort_unstable();
    names.dedup();
    Some(names)
}

/// What the units of a place have to do with a name.
enum Named {
    /// They speak of it: the number of the name among those they speak of.
    Known(usize),
    /// They do not. Values of all such names are of one class.
    Other,
    /// They go by patterns, so that each name may be of a class of its own.
    ByPattern,
}

impl Place {
    fn named(&self, name: &[u8]) -> Named {
        let Some(names) = &self.names else { return Named::ByPattern };
        names.iter().position(|known| known.eq_ignore_ascii_case(name)).map_or(Named::Other, Named::Known)
    }
}

fn lists_of(target: &Target) -> impl Iterator<Item = (List, View)> + '_ {
    let (lists, single, view): (&[List], Option<List>, View) = match target.source {
        Source::Lists(lists, view) => (lists, None, view),
        Source::List(list) => (&[], Some(list), View::Value),
        Source::Dynamic => (&[], None, View::Value),
    };
    lists.iter().copied().chain(single).map(move |list| (list, view))
}

/// A first link whose verdict on a value depends on the value alone.
fn batchable(link: &Link) -> Option<(&Link, &Condition, &Arc<Operator>)> {
    let condition = link.condition.as_ref()?;
    let Judge::Compiled(operator) = &condition.judge else { return None };
    let is_stored = |target: &Target| !target.count && !matches!(target.source, Source::Dynamic);
    let can = condition.targets.iter().all(is_stored) && is_pure(operator);
    can.then_some((link, condition, operator))
}

/// Whether an operator asks nothing of the world.
fn is_pure(operator: &Operator) -> bool {
    !matches!(operator.kind().name(), "rbl" | "geoLookup" | "gsbLookup" | "inspectFile" | "fuzzyHash")
}
