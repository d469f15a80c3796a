//! `@verifyCPF`: Brazilian taxpayer numbers of eleven digits, the last two of which check the others.

use super::verify::{digits, is_monotonous};

const LENGTH: usize = 11;

/// The first eleven digits of the match count; a twelfth is not looked at.
pub(super) fn is_valid(text: &[u8]) -> bool {
    let number: Vec<u32> = digits(text).take(LENGTH).collect();
    let [body @ .., first, second] = number.as_slice() else { return false };
    if number.len() != LENGTH || is_repeated(&number) {
        return false;
    }
    let one = check(body, 10);
    let two = (check_sum(body, 11) + 2 * one) % 11;
    let two = if two < 2 { 0 } else { 11 - two };
    *first == one && *second == two
}

/// Repeated digits pass the arithmetic and are given to nobody; nor is 01234567890.
fn is_repeated(number: &[u32]) -> bool {
    let ascending = number
        .split_last()
        .is_some_and(|(last, body)| *last == 0 && is_monotonous(body) && body.first() == Some(&0));
    (is_monotonous(number) && number.first() == number.last()) || ascending
}

fn check_sum(body: &[u32], weight: u32) -> u32 {
    body.iter().zip((0..=weight).rev()).map(|(digit, weight)| digit * weight).sum()
}

fn check(body: &[u32], weight: u32) -> u32 {
    match check_sum(body, weight) % 11 {
        0 | 1 => 0,
        rest => 11 - rest,
    }
}

#[cfg(test)]
mod tests {
    use super::is_valid;

    #[test]
    fn checks_both_digits() {
        assert!(is_valid(b"529.982.247-25"));
        assert!(!is_valid(b"529.982.247-26"));
        assert!(!is_valid(b"529.982.247-15"));
    }

    #[test]
    fn refuses_repeats_and_short_numbers() {
        assert!(!is_valid(b"111.111.111-11"));
        assert!(!is_valid(b"012.345.678-90"));
        assert!(!is_valid(b"529.982.247-2"));
    }
}
