//! `@verifySVNR`: Austrian social insurance numbers of ten digits, the fourth of which checks the others.

use super::verify::{digits, is_monotonous};

const LENGTH: usize = 10;
const WEIGHTS: [u32; LENGTH] = [3, 7, 9, 0, 5, 8, 4, 2, 1, 6];

/// The first ten digits of the match count.
pub(super) fn is_valid(text: &[u8]) -> bool {
    let number: Vec<u32> = digits(text).take(LENGTH).collect();
    let [_, _, _, check, ..] = number.as_slice() else { return false };
    if number.len() != LENGTH || is_nobodys(&number) {
        return false;
    }
    let sum: u32 = number.iter().zip(WEIGHTS).map(|(digit, weight)| digit * weight).sum();
    // A remainder of ten, which no digit can show, counts as 0.
    sum % 11 % 10 == *check
}

/// Repeats, 0123456789 and 1234567890.
fn is_nobodys(number: &[u32]) -> bool {
    let wraps = number
        .split_last()
        .is_some_and(|(last, body)| *last == 0 && is_monotonous(body) && body.last() == Some(&9));
    is_monotonous(number) || wraps
}

#[cfg(test)]
mod tests {
    use super::is_valid;

    #[test]
    fn checks_the_fourth_digit() {
        assert!(is_valid(b"1237 010180"));
        assert!(!is_valid(b"1238 010180"));
    }

    #[test]
    fn refuses_sequences_and_short_numbers() {
        for number in ["0000000000", "0123456789", "1234567890", "123701018"] {
            assert!(!is_valid(number.as_bytes()), "{number}");
        }
    }
}
