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
mod tier;

use std::borrow::Borrow;

use crate::byte_set::{ByteClasses, ByteSet};
use crate::operators::Operator;

pub(crate) use rarity::share;
use tier::Tier;

/// Marks of values that most traffic is made of beside letters and digits, from the plainest: each alphabet has a tier of
/// its own, which knows what values without other marks need.
const PLAIN: [&[u8]; 3] = [b"", b"-._", b"-._ :,/@+"];

/// The operators of a program, prepared.
#[derive(Debug)]
pub struct Scanner {
    /// From the plainest alphabet to that of all bytes.
    tiers: Vec<Tier>,
    operators: Vec<Operator>,
    words: usize,
}

impl Scanner {
    /// Prepares the operators, whose numbers are their places.
    pub fn new<O: Borrow<Operator>>(operators: impl IntoIterator<Item = O>) -> Self {
        let operators: Vec<Operator> =
            operators.into_iter().map(|operator| operator.borrow().clone()).collect();
        let plain = PLAIN.iter().map(|marks| {
            ByteSet::of(marks)
                .union(ByteSet::range(b'0', b'9'))
                .union(ByteSet::range(b'A', b'Z'))
                .union(ByteSet::range(b'a', b'z'))
        });
        let trees: Vec<_> = operators.iter().map(requirement::tree_of).collect();
        let tiers =
            plain.chain([ByteSet::ALL]).map(|alphabet| Tier::new(&operators, &trees, alphabet)).collect();
        Self { tiers, words: operators.len().div_ceil(64), operators }
    }

    /// How many words of 64 operators the sets have: operator `n` is bit `n % 64` of word `n / 64`.
    pub fn words(&self) -> usize {
        self.words
    }

    /// What the scanner holds, in brief, for reports of measurements.
    pub fn outline(&self) -> String {
        let tiers: Vec<String> = self.tiers.iter().map(Tier::outline).collect();
        format!("{} operators; by alphabet {}", self.operators.len(), tiers.join("; "))
    }

    /// Writes to `matching` which of the `wanted` operators match the value, whose classes are `classes`. Both sets have
    /// [`Self::words`] words; what stood in `matching` is lost.
    ///
    /// One pass over the value for each of two automata, and one for each candidate.
    pub fn matches(&self, value: &[u8], classes: ByteClasses, wanted: &[u64], matching: &mut [u64]) {
        if let Some(tier) = self.candidates(value, classes, wanted, matching) {
            self.confirm(tier, value, matching);
        }
    }

    /// Writes to `found` whose strings occur in values that differ in nothing but the case of ASCII letters: one search
    /// serves all of them, since it minds no case, and a tier's alphabet has both cases of a letter or neither.
    pub(crate) fn search_alike<'v>(
        &self,
        alike: impl Iterator<Item = (&'v [u8], ByteClasses, &'v [u64])>,
        found: &mut [u64],
    ) {
        found.fill(0);
        let mut first: Option<(&[u8], &Tier)> = None;
        let mut all = tier::Possible::new();
        for (value, classes, wanted) in alike {
            let Some((_, tier)) = first.or_else(|| Some((value, self.tier(classes)?))) else { continue };
            first.get_or_insert((value, tier));
            let possible = tier.possible(value.len(), classes, wanted);
            all.resize(possible.len(), 0);
            for (all, possible) in all.iter_mut().zip(possible) {
                *all |= possible;
            }
        }
        if let Some((value, tier)) = first {
            tier.find(value, &all, found);
        }
    }

    /// As [`Self::matches`], where [`Self::search_alike`] has found the strings.
    pub(crate) fn matches_found(
        &self,
        value: &[u8],
        classes: ByteClasses,
        wanted: &[u64],
        found: &[u64],
        matching: &mut [u64],
    ) {
        matching.fill(0);
        if let Some(tier) = self.tier(classes) {
            tier.choose(&tier.possible(value.len(), classes, wanted), found, matching);
            self.confirm(tier, value, matching);
        }
    }

    /// The plainest tier that values of these classes belong to.
    fn tier(&self, classes: ByteClasses) -> Option<&Tier> {
        self.tiers.iter().find(|tier| tier.admits(classes))
    }

    /// Asks the candidates.
    fn confirm(&self, tier: &Tier, value: &[u8], matching: &mut [u64]) {
        for (index, (word, proven)) in matching.iter_mut().zip(tier.proven()).enumerate() {
            let mut rest = *word & !proven;
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

    /// Writes to `candidates` which of the `wanted` operators might match, as [`Self::matches`] does: none is left out that
    /// matches. Those that [`Candidacy::proves`] need not be asked.
    pub fn narrow(
        &self,
        value: &[u8],
        classes: ByteClasses,
        wanted: &[u64],
        candidates: &mut [u64],
    ) -> Candidacy<'_> {
        Candidacy(self.candidates(value, classes, wanted, candidates).map(Tier::proven).unwrap_or_default())
    }

    fn candidates(
        &self,
        value: &[u8],
        classes: ByteClasses,
        wanted: &[u64],
        candidates: &mut [u64],
    ) -> Option<&Tier> {
        candidates.fill(0);
        let tier = self.tier(classes)?;
        tier.narrow(value, classes, wanted, candidates);
        Some(tier)
    }
}

/// What candidacy means for each operator.
#[derive(Clone, Copy, Debug)]
pub struct Candidacy<'a>(&'a [u64]);

impl Candidacy<'_> {
    /// Whether the operator matches if it is a candidate.
    pub fn proves(self, operator: usize) -> bool {
        self.0.get(operator / 64).is_some_and(|word| word & (1 << (operator % 64)) != 0)
    }
}

fn set(words: &mut [u64], number: usize) {
    if let Some(word) = words.get_mut(number / 64) {
        *word |= 1 << (number % 64);
    }
}

#[cfg(test)]
mod tests;
