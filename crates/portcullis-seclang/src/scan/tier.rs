//! The operators, prepared for values of one alphabet.

use regex_syntax::hir::Hir;

use super::requirement::{Requirement, Strings};
use super::set;
use super::strings::{Finder, FinderBuilder};
use crate::byte_set::{ByteClasses, ByteSet};
use crate::operators::Operator;

/// Operators, as bits of words.
type Words = Box<[u64]>;
/// The same for one value.
pub(super) type Possible = smallvec::SmallVec<[u64; 16]>;

/// Lengths told apart. Longer requirements are rare, and then the strings speak.
const LENGTHS: usize = 33;

/// What values of one alphabet require of each operator, indexed by requirement.
#[derive(Debug)]
pub(super) struct Tier {
    /// The classes that values may show; whole classes, so that what stays within them is of the alphabet.
    alphabet: ByteClasses,
    /// For each length below [`LENGTHS`] the operators that it suffices for.
    by_length: Vec<Words>,
    /// Operators that need one of these classes, those of most operators first.
    by_classes: Vec<(ByteClasses, Words)>,
    /// Operators without strings: candidates as soon as classes and length allow.
    direct: Words,
    /// Strings of expressions; finding one makes a candidate.
    hints: Finder,
    /// Phrases; finding one is a match.
    phrases: Finder,
}

impl Tier {
    /// Prepares the operators, each with the tree of its pattern.
    pub(super) fn new(operators: &[Operator], trees: &[Option<Hir>], alphabet: ByteSet) -> Self {
        let requirements: Vec<Requirement> = operators
            .iter()
            .zip(trees)
            .map(|(operator, tree)| Requirement::of(operator, tree.as_ref(), alphabet))
            .collect();
        let size = operators.len().div_ceil(64);
        let which = |test: &dyn Fn(&Requirement) -> bool| {
            let mut words = vec![0u64; size].into_boxed_slice();
            for (number, requirement) in requirements.iter().enumerate() {
                if test(requirement) {
                    set(&mut words, number);
                }
            }
            words
        };
        let suffices = |length: usize| {
            which(&|requirement| {
                let can = !matches!(requirement.strings, Strings::Never);
                can && (requirement.length_min <= length || length + 1 == LENGTHS)
            })
        };
        let (mut hints, mut phrases) = (FinderBuilder::default(), FinderBuilder::default());
        for (number, requirement) in requirements.iter().enumerate() {
            match &requirement.strings {
                Strings::Any(strings) => hints.add(number, strings),
                Strings::Phrases(strings) => phrases.add(number, strings),
                Strings::Unknown | Strings::Never => {}
            }
        }
        Self {
            alphabet: alphabet.classes(),
            by_length: (0..LENGTHS).map(suffices).collect(),
            by_classes: by_classes(&requirements, size),
            direct: which(&|requirement| matches!(requirement.strings, Strings::Unknown)),
            hints: hints.build(size),
            phrases: phrases.build(size),
        }
    }

    /// Whether values of these classes are of the alphabet.
    pub(super) fn admits(&self, classes: ByteClasses) -> bool {
        classes.within(self.alphabet)
    }

    /// The operators whose candidacy is a match.
    pub(super) fn proven(&self) -> &[u64] {
        self.phrases.owners()
    }

    pub(super) fn outline(&self) -> String {
        let direct: u32 = self.direct.iter().map(|word| word.count_ones()).sum();
        let needs = self.by_classes.len();
        format!(
            "{direct} direct, {needs} needs, hints {}, phrases {}",
            self.hints.outline(),
            self.phrases.outline()
        )
    }

    /// The wanted operators that a value's length and classes allow.
    pub(super) fn possible(&self, length: usize, classes: ByteClasses, wanted: &[u64]) -> Possible {
        let mut possible = Possible::from_slice(wanted);
        possible.resize(self.direct.len(), 0);
        if let Some(long_enough) = self.by_length.get(length.min(LENGTHS - 1)) {
            for (possible, enough) in possible.iter_mut().zip(long_enough) {
                *possible &= enough;
            }
        }
        for (needed, operators) in &self.by_classes {
            if !classes.intersects(*needed) {
                for (possible, out) in possible.iter_mut().zip(operators) {
                    *possible &= !out;
                }
            }
        }
        possible
    }

    /// Adds the possible operators whose strings the value holds, whatever the case of its letters.
    pub(super) fn find(&self, value: &[u8], possible: &[u64], found: &mut [u64]) {
        self.hints.find(value, possible, found);
        self.phrases.find(value, possible, found);
    }

    /// Adds the candidates among the possible, of which `found` says whose strings the value holds.
    pub(super) fn choose(&self, possible: &[u64], found: &[u64], candidates: &mut [u64]) {
        let words = candidates.iter_mut().zip(possible).zip(&self.direct).zip(found);
        for (((candidate, possible), direct), found) in words {
            *candidate |= possible & (direct | found);
        }
    }

    /// Adds the candidates among the wanted.
    pub(super) fn narrow(&self, value: &[u8], classes: ByteClasses, wanted: &[u64], candidates: &mut [u64]) {
        let possible = self.possible(value.len(), classes, wanted);
        for ((candidate, possible), direct) in candidates.iter_mut().zip(&possible).zip(&self.direct) {
            *candidate |= possible & direct;
        }
        self.find(value, &possible, candidates);
    }
}

/// Groups the operators by the classes they need: values are tested once for each distinct need. An operator that finds
/// strings needs no more than one test, of its rarest classes: its strings exclude better.
fn by_classes(requirements: &[Requirement], size: usize) -> Vec<(ByteClasses, Words)> {
    let mut groups: Vec<(ByteClasses, Words)> = Vec::new();
    for (number, requirement) in requirements.iter().enumerate() {
        let tests = match requirement.strings {
            Strings::Unknown => requirement.bytes.len(),
            Strings::Phrases(_) => 1,
            Strings::Any(_) | Strings::Never => 0,
        };
        for bytes in requirement.bytes.iter().take(tests) {
            let classes = bytes.classes();
            let known = groups.iter().position(|(known, _)| *known == classes);
            let index = known.unwrap_or_else(|| {
                groups.push((classes, vec![0; size].into_boxed_slice()));
                groups.len() - 1
            });
            if let Some((_, words)) = groups.get_mut(index) {
                set(words, number);
            }
        }
    }
    groups
}
