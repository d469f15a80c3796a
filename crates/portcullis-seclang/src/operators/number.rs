//! `@eq`, `@ge`, `@gt`, `@le`, `@lt`: integers, read from text as C's library reads them.

use std::cmp::Ordering;

/// Compares as ModSecurity does for all but `@eq`: `atoll`, whose overflow stays at the end of the range.
pub(super) fn compare(left: &[u8], right: &[u8]) -> Ordering {
    let clamp = |text| read(text).clamp(i128::from(i64::MIN), i128::from(i64::MAX));
    clamp(left).cmp(&clamp(right))
}

/// `@eq` goes through `stoi`, for which what does not fit 32 bits is nothing, and so 0.
pub(super) fn eq(left: &[u8], right: &[u8]) -> bool {
    let fit = |text| i32::try_from(read(text)).unwrap_or(0);
    fit(left) == fit(right)
}

/// White space, a sign, digits, and then whatever; 0 without digits.
fn read(text: &[u8]) -> i128 {
    let spaces = text.iter().take_while(|byte| matches!(byte, b' ' | b'\t'..=b'\r')).count();
    let (negative, digits) = match text.get(spaces..).unwrap_or_default() {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] | digits => (false, digits),
    };
    // Saturating keeps the sum above every 64-bit number once it is.
    let value = digits
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .fold(0i128, |value, digit| value.saturating_mul(10).saturating_add(i128::from(digit - b'0')));
    if negative { -value } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_as_c_does() {
        assert_eq!(read(b" \t+12abc"), 12);
        assert_eq!(read(b"-3"), -3);
        assert_eq!(read(b"abc"), 0);
        assert_eq!(read(b""), 0);
        assert_eq!(read(b"+-1"), 0);
    }

    #[test]
    fn compares_beyond_the_range() {
        assert_eq!(compare(b"99999999999999999999", b"9223372036854775807"), Ordering::Equal);
        assert_eq!(compare(b"-99999999999999999999", b"0"), Ordering::Less);
        assert_eq!(compare(b"10", b"9"), Ordering::Greater);
        let digits = [b'9'; 500];
        assert_eq!(compare(&digits, b"1"), Ordering::Greater);
    }

    #[test]
    fn takes_what_exceeds_32_bits_for_0_in_eq() {
        assert!(eq(b"4294967296", b"0"));
        assert!(eq(b"2147483647", b"2147483647x"));
        assert!(eq(b"", b"abc"));
        assert!(eq(b"1", b"01"));
        assert!(!eq(b"1", b"2"));
    }
}
