//! Which operators might match a value, of hundreds, in one pass.
//!
//! Each operator states what its matches require: a length, bytes of certain classes, one of certain strings. A value's
//! classes exclude most operators at once; one automaton over all strings finds those that its text speaks for; what states
//! no string and passes the classes is a candidate as it is. Only candidates are asked. The answer is the same as if each
//! had been asked, which tests compare.

mod needs;
mod rarity;
mod requirement;
mod strings;

use std::borrow::Borrow;

use crate::byte_set::{ByteClasses, ByteSet};
use crate::operators::Operator;

use requirement::{Requirement, Strings};
use strings::{Finder, FinderBuilder};

/// Operators, as bits of words; bit `n` of all words in a row is operator `n`.
type Words = Box<[u64]>;

/// Lengths told apart. Longer requirements are rare, and then the strings speak.
const LENGTHS: usize = 33;

/// Bytes of values that most traffic is made of, from the plainest. Which operators such values can concern is known
/// beforehand.
const PLAIN: [&[u8]; 4] = [b"", b"-._", b"-._ :,", b"-._ :,/@+"];

/// The operators of a program, prepared.
#[derive(Debug)]
pub struct Scanner {
    /// For each length below [`LENGTHS`] the operators that it suffices for.
    by_length: Vec<Words>,
    /// Operators that need one of these classes.
    by_classes: Vec<(ByteClasses, Words)>,
    /// What is left of the operators when a value's classes are all among these.
    plain: Vec<(ByteClasses, Words)>,
    /// Operators without strings: candidates as soon as classes and length allow.
    direct: Words,
    /// Strings of expressions; finding one makes a candidate.
    hints: Finder,
    /// Phrases; finding one is a match.
    phrases: Finder,
    operators: Vec<Operator>,
}

impl Scanner {
    /// Prepares the operators, whose numbers are their places.
    pub fn new<O: Borrow<Operator>>(operators: impl IntoIterator<Item = O>) -> Self {
        let operators: Vec<Operator> =
            operators.into_iter().map(|operator| operator.borrow().clone()).collect();
        let requirements: Vec<Requirement> = operators.iter().map(Requirement::of).collect();
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
        let by_length = (0..LENGTHS)
            .map(|length| which(&|requirement| requirement.length_min <= length || length + 1 == LENGTHS))
            .collect();
        let by_classes = by_classes(&requirements, size);
        let mut hints = FinderBuilder::default();
        let mut phrases = FinderBuilder::default();
        for (number, requirement) in requirements.iter().enumerate() {
            match &requirement.strings {
                Strings::Any(strings) => hints.add(number, strings),
                Strings::Phrases(strings) => phrases.add(number, strings),
                Strings::Unknown | Strings::Never => {}
            }
        }
        let mut scanner = Self {
            by_length,
            by_classes,
            plain: Vec::new(),
            direct: which(&|requirement| matches!(requirement.strings, Strings::Unknown)),
            hints: hints.build(size),
            phrases: phrases.build(size),
            operators,
        };
        let all = which(&|requirement| !matches!(requirement.strings, Strings::Never));
        scanner.plain = PLAIN.iter().map(|marks| scanner.plain_for(marks, &all)).collect();
        scanner
    }

    /// The operators that values of letters, digits and these marks can concern.
    fn plain_for(&self, marks: &[u8], all: &Words) -> (ByteClasses, Words) {
        let bytes = ByteSet::of(marks)
            .union(ByteSet::range(b'0', b'9'))
            .union(ByteSet::range(b'A', b'Z'))
            .union(ByteSet::range(b'a', b'z'));
        let mut left = all.clone();
        self.exclude(bytes.classes(), &mut left);
        (bytes.classes(), left)
    }

    /// Takes out the operators that need classes which the value has not.
    fn exclude(&self, classes: ByteClasses, left: &mut [u64]) {
        for (needed, operators) in &self.by_classes {
            if !classes.intersects(*needed) {
                for (left, out) in left.iter_mut().zip(operators) {
                    *left &= !out;
                }
            }
        }
    }

    /// How many words of 64 operators the sets have.
    pub fn words(&self) -> usize {
        self.direct.len()
    }

    /// Bytes of heap that the strings' automata take.
    pub fn memory(&self) -> usize {
        self.hints.memory() + self.phrases.memory()
    }

    /// Writes to `matching` which of the `wanted` operators match the value, whose classes are `classes`. Both sets have
    /// [`Self::words`] words; what stood in `matching` is lost.
    ///
    /// One pass over the value for each of two automata, and one for each candidate.
    pub fn matches(&self, value: &[u8], classes: ByteClasses, wanted: &[u64], matching: &mut [u64]) {
        let phrases = self.narrow(value, classes, wanted, matching);
        for (index, word) in matching.iter_mut().enumerate() {
            let mut rest = *word & !phrases.get(index).copied().unwrap_or(0);
            while rest != 0 {
                let bit = rest.trailing_zeros();
                rest &= rest - 1;
                let operator = self.operators.get(index * 64 + bit as usize);
                if !operator.is_some_and(|operator| operator.matches(value)) {
                    *word &= !(1 << bit);
                }
            }
        }
    }

    /// Writes to `candidates` which of the `wanted` operators might match, as [`Self::matches`]: none is left out that
    /// matches.
    pub fn candidates(&self, value: &[u8], classes: ByteClasses, wanted: &[u64], candidates: &mut [u64]) {
        self.narrow(value, classes, wanted, candidates);
    }

    /// Writes the candidates; answers with the set of those operators whose candidacy is a match.
    fn narrow(&self, value: &[u8], classes: ByteClasses, wanted: &[u64], candidates: &mut [u64]) -> &[u64] {
        let mut possible: smallvec::SmallVec<[u64; 16]> = smallvec::SmallVec::from_slice(wanted);
        possible.resize(self.words(), 0);
        match self.plain.iter().find(|(plain, _)| classes.within(*plain)) {
            Some((_, operators)) => and(&mut possible, operators),
            None => self.exclude(classes, &mut possible),
        }
        if let Some(long_enough) = self.by_length.get(value.len().min(LENGTHS - 1)) {
            and(&mut possible, long_enough);
        }
        for ((candidate, possible), direct) in candidates.iter_mut().zip(&possible).zip(&self.direct) {
            *candidate = possible & direct;
        }
        self.hints.find(value, &possible, candidates);
        self.phrases.find(value, &possible, candidates);
        self.phrases.owners()
    }
}

/// Groups the operators by the classes they need: values are tested once for each distinct need.
fn by_classes(requirements: &[Requirement], size: usize) -> Vec<(ByteClasses, Words)> {
    let mut groups: Vec<(ByteClasses, Words)> = Vec::new();
    for (number, requirement) in requirements.iter().enumerate() {
        for bytes in &requirement.bytes {
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

fn set(words: &mut [u64], number: usize) {
    if let Some(word) = words.get_mut(number / 64) {
        *word |= 1 << (number % 64);
    }
}

fn and(words: &mut [u64], others: &[u64]) {
    for (word, other) in words.iter_mut().zip(others) {
        *word &= other;
    }
}

#[cfg(test)]
mod tests;
