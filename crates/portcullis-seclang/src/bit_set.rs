//! A set of small numbers.

/// A set of small numbers, as bits.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct BitSet(Vec<u64>);

impl BitSet {
    /// Room for the numbers below `size` without growing.
    pub(crate) fn new(size: usize) -> Self {
        BitSet(vec![0; size.div_ceil(64)])
    }

    /// Adds a number; whether it was absent.
    pub(crate) fn insert(&mut self, number: usize) -> bool {
        let word = number / 64;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        let Some(word) = self.0.get_mut(word) else { return false };
        let bit = 1 << (number % 64);
        let absent = *word & bit == 0;
        *word |= bit;
        absent
    }

    pub(crate) fn contains(&self, number: usize) -> bool {
        self.0.get(number / 64).is_some_and(|word| word & (1 << (number % 64)) != 0)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// The words, as many as the largest number ever needed.
    pub(crate) fn words(&self) -> &[u64] {
        &self.0
    }

    /// The same to write to, after making room for the numbers below `size` and clearing.
    pub(crate) fn words_for(&mut self, size: usize) -> &mut [u64] {
        self.0.clear();
        self.0.resize(size.div_ceil(64), 0);
        &mut self.0
    }

    /// Makes room for the numbers below `size`.
    pub(crate) fn grow(&mut self, size: usize) {
        if self.0.len() < size.div_ceil(64) {
            self.0.resize(size.div_ceil(64), 0);
        }
    }

    pub(crate) fn clear(&mut self) {
        self.0.fill(0);
    }

    /// Adds all of the other's numbers.
    pub(crate) fn union(&mut self, other: &BitSet) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        for (word, more) in self.0.iter_mut().zip(&other.0) {
            *word |= more;
        }
    }

    /// Whether each number is in the other too.
    pub(crate) fn is_subset(&self, other: &BitSet) -> bool {
        self.0.iter().enumerate().all(|(index, word)| word & !other.0.get(index).copied().unwrap_or(0) == 0)
    }

    /// The numbers, ascending.
    pub(crate) fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().enumerate().flat_map(|(index, word)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                if rest == 0 {
                    return None;
                }
                let bit = rest.trailing_zeros() as usize;
                rest &= rest - 1;
                Some(index * 64 + bit)
            })
        })
    }
}

impl FromIterator<usize> for BitSet {
    fn from_iter<I: IntoIterator<Item = usize>>(numbers: I) -> Self {
        let mut set = BitSet::default();
        for number in numbers {
            set.insert(number);
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_what_was_put_in() {
        let mut set = BitSet::new(10);
        assert!(set.insert(3) && set.insert(200) && !set.insert(3));
        assert!(set.contains(200) && !set.contains(4) && !set.contains(1000));
        assert_eq!(set.iter().collect::<Vec<_>>(), [3, 200]);
        let more: BitSet = [3, 64, 200].into_iter().collect();
        assert!(set.is_subset(&more) && !more.is_subset(&set));
        set.union(&more);
        assert_eq!(set.iter().collect::<Vec<_>>(), [3, 64, 200]);
        set.clear();
        assert!(set.is_empty());
    }
}
