//! `@verifySSN`: social security numbers of the United States, as they were given out before 2011.

use super::verify::{exactly, is_monotonous};

pub(super) fn is_valid(text: &[u8]) -> bool {
    let Some(number) = exactly::<9>(text) else { return false };
    let [a, b, c, d, e, serial @ ..] = number;
    let area = a * 100 + b * 10 + c;
    let given = area != 0 && area != 666 && area < 740;
    given && (d != 0 || e != 0) && serial != [0; 4] && !is_monotonous(&number)
}

#[cfg(test)]
mod tests {
    use super::is_valid;

    #[test]
    fn knows_what_was_given_out() {
        assert!(is_valid(b"536-22-8726"));
        for number in ["000-22-8726", "666-22-8726", "740-22-8726", "536-00-8726", "536-22-0000"] {
            assert!(!is_valid(number.as_bytes()), "{number}");
        }
    }

    #[test]
    fn refuses_sequences_and_other_lengths() {
        for number in ["123-45-6789", "111-11-1111", "536-22-872", "536-22-87261"] {
            assert!(!is_valid(number.as_bytes()), "{number}");
        }
    }
}
