//! The word that was probably meant.

/// Longest word that is compared, in bytes: longer ones are no slips of the pen.
const WORD_BYTES_MAX: usize = 48;

/// A hint naming the known word nearest to an unknown one, or nothing when none is near.
pub(crate) fn like(word: &[u8], known: impl Iterator<Item = &'static str>) -> String {
    if word.len() > WORD_BYTES_MAX {
        return String::new();
    }
    known
        .map(|candidate| (distance(word, candidate.as_bytes()), candidate))
        .min()
        .filter(|(distance, candidate)| *distance * 3 <= candidate.len().max(3))
        .map_or_else(String::new, |(_, candidate)| format!("did you mean `{candidate}`?"))
}

/// Levenshtein's distance, without regard to case.
fn distance(one: &[u8], other: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (line, a) in one.iter().enumerate() {
        let mut diagonal = line;
        let mut left = line + 1;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (b, above) in other.iter().zip(row.iter_mut().skip(1)) {
            let change = diagonal + usize::from(!a.eq_ignore_ascii_case(b));
            diagonal = *above;
            left = change.min(left + 1).min(diagonal + 1);
            *above = left;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_nearest_word() {
        let known = ["lowercase", "uppercase", "length"];
        assert_eq!(like(b"lowerCas", known.into_iter()), "did you mean `lowercase`?");
        assert_eq!(like(b"quite different", known.into_iter()), "");
        assert_eq!(like(&[b'a'; 1000], known.into_iter()), "");
    }
}
