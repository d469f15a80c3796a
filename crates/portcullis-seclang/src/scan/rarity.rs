//! How common bytes are in the values of requests, roughly: only the choice among sound requirements depends on it.

use crate::byte_set::ByteSet;

/// Letters from the most to the least common in English, in groups with the share of each letter.
const LETTERS: [(&[u8], f64); 8] = [
    (b"e", 0.080),
    (b"taoin", 0.055),
    (b"srh", 0.045),
    (b"dlc", 0.028),
    (b"umpwfgyb", 0.015),
    (b"v", 0.008),
    (b"k", 0.006),
    (b"jxqz", 0.002),
];

/// The share of each byte: asked for at every node of every expression, so worked out once.
const SHARES: [f64; 256] = {
    let mut shares = [0.0; 256];
    let mut rest: &mut [f64] = &mut shares;
    let mut byte = 0u16;
    while let [first, tail @ ..] = rest {
        *first = share_by_kind(byte as u8);
        byte += 1;
        rest = tail;
    }
    shares
};

const fn share_by_kind(byte: u8) -> f64 {
    let folded = byte.to_ascii_lowercase();
    match folded {
        b'a'..=b'z' => share_of_letter(folded),
        b'0'..=b'9' => 0.025,
        b' ' => 0.08,
        b'-' | b'.' | b'/' => 0.015,
        b'_' | b':' | b',' => 0.010,
        b'"' | b'\'' | b'=' | b'&' | b'%' | b'(' | b')' => 0.003,
        b'!'..=b'~' => 0.001,
        0x80..=0xff => 0.002,
        _ => 0.0005,
    }
}

const fn share_of_letter(letter: u8) -> f64 {
    let mut groups: &[(&[u8], f64)] = &LETTERS;
    while let [(group, share), rest @ ..] = groups {
        let mut letters = *group;
        while let [first, others @ ..] = letters {
            if *first == letter {
                return *share;
            }
            letters = others;
        }
        groups = rest;
    }
    0.01
}

/// The share of a byte among all bytes of values, letter case folded.
pub(crate) fn share(byte: u8) -> f64 {
    SHARES.get(usize::from(byte)).copied().unwrap_or(0.0)
}

/// The share of all bytes of a set, each letter counted once.
pub(super) fn share_of(set: ByteSet) -> f64 {
    let once = |byte: &u8| !byte.is_ascii_uppercase() || !set.contains(byte.to_ascii_lowercase());
    set.iter().filter(once).map(share).sum()
}

/// How often one of the strings is to be expected, for each byte of a value.
pub(super) fn share_of_strings(strings: &[Vec<u8>]) -> f64 {
    strings.iter().map(|string| string.iter().map(|byte| share(*byte)).product::<f64>()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_marks_below_letters() {
        assert!(share(b'`') < share(b'E'));
        assert_eq!(share(b'e'), share(b'E'));
        assert_eq!(share_of(ByteSet::of(b"eE")), share(b'e'));
        assert!(share_of_strings(&[b"union".to_vec()]) < share_of_strings(&[b"or".to_vec()]));
    }

    #[test]
    fn covers_about_everything() {
        let all = share_of(ByteSet::ALL);
        assert!((0.9..2.0).contains(&all), "{all}");
    }
}
