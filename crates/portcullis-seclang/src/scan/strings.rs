//! One automaton over the strings of many operators, in any case.

use std::collections::HashMap;

use aho_corasick::automaton::Automaton;
use aho_corasick::{Anchored, dfa, nfa};

/// Bytes of strings up to which a table of all transitions is built; more go into a compact form, which takes two or three
/// times as long a byte and a tenth of the memory.
const TABLE_BYTES_MAX: usize = 20 << 10;

/// Strings with their owners, while they are gathered.
#[derive(Default)]
pub(super) struct FinderBuilder {
    /// Owners by string.
    strings: HashMap<Vec<u8>, Vec<u32>>,
}

/// Finds the strings of many owners.
#[derive(Debug)]
pub(super) struct Finder {
    automaton: Option<Form>,
    /// For each string the range of its owners in `flat`.
    owners_of: Vec<(u32, u32)>,
    flat: Vec<u32>,
    /// All owners.
    owners: Box<[u64]>,
}

#[derive(Debug)]
enum Form {
    Table(dfa::DFA),
    Compact(nfa::contiguous::NFA),
}

impl FinderBuilder {
    pub(super) fn add(&mut self, owner: usize, strings: &[Vec<u8>]) {
        for string in strings {
            let owners = self.strings.entry(string.clone()).or_default();
            if owners.last() != Some(&(owner as u32)) {
                owners.push(owner as u32);
            }
        }
    }

    /// Builds for sets of so many words.
    pub(super) fn build(self, size: usize) -> Finder {
        let mut strings: Vec<(Vec<u8>, Vec<u32>)> = self.strings.into_iter().collect();
        strings.sort_unstable();
        let mut finder =
            Finder { automaton: None, owners_of: Vec::new(), flat: Vec::new(), owners: vec![0; size].into() };
        for (_, owners) in &strings {
            let from = finder.flat.len() as u32;
            finder.flat.extend(owners);
            finder.owners_of.push((from, finder.flat.len() as u32));
            for owner in owners {
                super::set(&mut finder.owners, *owner as usize);
            }
        }
        if !strings.is_empty() {
            finder.automaton = form(&strings);
        }
        // Without an automaton, which no set within its limits lacks, every owner would be a candidate always.
        finder
    }
}

fn form(strings: &[(Vec<u8>, Vec<u32>)]) -> Option<Form> {
    let bytes: usize = strings.iter().map(|(string, _)| string.len()).sum();
    let patterns = strings.iter().map(|(string, _)| string);
    let noncontiguous =
        nfa::noncontiguous::Builder::new().ascii_case_insensitive(true).build(patterns).ok()?;
    if bytes <= TABLE_BYTES_MAX
        && let Ok(table) = dfa::Builder::new()
            .start_kind(aho_corasick::StartKind::Unanchored)
            .build_from_noncontiguous(&noncontiguous)
    {
        return Some(Form::Table(table));
    }
    nfa::contiguous::Builder::new().build_from_noncontiguous(&noncontiguous).ok().map(Form::Compact)
}

impl Finder {
    /// All owners of strings.
    pub(super) fn owners(&self) -> &[u64] {
        &self.owners
    }

    pub(super) fn outline(&self) -> String {
        let (form, bytes) = match &self.automaton {
            Some(Form::Table(table)) => ("table", table.memory_usage()),
            Some(Form::Compact(compact)) => ("compact", compact.memory_usage()),
            None => ("nothing", 0),
        };
        format!("{} in {form} of {} KiB", self.owners_of.len(), bytes / 1024)
    }

    /// Adds to `found` the `possible` owners one of whose strings occurs.
    pub(super) fn find(&self, value: &[u8], possible: &[u64], found: &mut [u64]) {
        let concerned = possible.iter().zip(&self.owners).any(|(possible, owner)| possible & owner != 0);
        if !concerned {
            return;
        }
        match &self.automaton {
            Some(Form::Table(table)) => self.run(table, value, possible, found),
            Some(Form::Compact(compact)) => self.run(compact, value, possible, found),
            None => {
                for ((found, possible), owner) in found.iter_mut().zip(possible).zip(&self.owners) {
                    *found |= possible & owner;
                }
            }
        }
    }

    fn run(&self, automaton: &impl Automaton, value: &[u8], possible: &[u64], found: &mut [u64]) {
        let Ok(mut state) = automaton.start_state(Anchored::No) else { return };
        for byte in value {
            state = automaton.next_state(Anchored::No, state, *byte);
            if automaton.is_special(state) && automaton.is_match(state) {
                for index in 0..automaton.match_len(state) {
                    self.credit(automaton.match_pattern(state, index).as_usize(), possible, found);
                }
            }
        }
    }

    /// Counts one found string for its owners.
    fn credit(&self, string: usize, possible: &[u64], found: &mut [u64]) {
        let Some((from, to)) = self.owners_of.get(string) else { return };
        for owner in self.flat.get(*from as usize..*to as usize).unwrap_or_default() {
            let (word, bit) = (*owner as usize / 64, 1u64 << (owner % 64));
            if let Some(found) = found.get_mut(word) {
                *found |= possible.get(word).copied().unwrap_or(0) & bit;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::FinderBuilder;

    fn found(value: &str, possible: u64) -> u64 {
        let mut builder = FinderBuilder::default();
        builder.add(0, &[b"select".to_vec(), b"union".to_vec()]);
        builder.add(1, &[b"elect".to_vec()]);
        builder.add(2, &[b"select".to_vec()]);
        let mut found = [0];
        builder.build(1).find(value.as_bytes(), &[possible], &mut found);
        found[0]
    }

    #[test]
    fn finds_the_owners_of_overlapping_strings_in_any_case() {
        assert_eq!(found("1 SeLeCt", 0b111), 0b111);
        assert_eq!(found("elect", 0b111), 0b010);
        assert_eq!(found("Union", 0b111), 0b001);
        assert_eq!(found("selec", 0b111), 0);
    }

    #[test]
    fn finds_possible_owners_only() {
        assert_eq!(found("select", 0b101), 0b101);
        assert_eq!(found("select", 0), 0);
    }

    #[test]
    fn finds_nothing_among_nothing() {
        let mut found = [0];
        FinderBuilder::default().build(1).find(b"select", &[u64::MAX], &mut found);
        assert_eq!(found, [0]);
    }
}
