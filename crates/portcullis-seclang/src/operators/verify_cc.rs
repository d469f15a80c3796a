//! `@verifyCC`: payment card numbers, by the Luhn check (ISO/IEC 7812-1).

use super::verify::digits;

/// All digits of the match count, whatever stands between them.
pub(super) fn is_valid(text: &[u8]) -> bool {
    if digits(text).next().is_none() {
        return false;
    }
    let weighted = digits(text).rev().zip([1, 2].into_iter().cycle()).map(|(digit, weight)| {
        let product = digit * weight;
        if product > 9 { product - 9 } else { product }
    });
    weighted.sum::<u32>() % 10 == 0
}

#[cfg(test)]
mod tests {
    use super::is_valid;

    #[test]
    fn checks_the_last_digit() {
        assert!(is_valid(b"4111 1111-1111 1111"));
        assert!(is_valid(b"79927398713"));
        assert!(!is_valid(b"4111111111111112"));
        assert!(!is_valid(b"cards"));
    }
}
