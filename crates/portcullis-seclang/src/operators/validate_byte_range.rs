//! `@validateByteRange`: matches when a byte of the value is outside the ranges, such as `32-126,9,10`.

use super::OperatorError;
use crate::byte_set::ByteSet;

/// Reads the set of allowed bytes.
pub(super) fn parse(argument: &[u8]) -> Result<ByteSet, OperatorError> {
    let mut allowed = ByteSet::EMPTY;
    let mut offset = 0;
    for item in argument.split(|byte| *byte == b',') {
        let (low, high) = range(item).ok_or_else(|| OperatorError {
            message: format!("`{}` is no byte from 0 to 255 and no range of them", item.escape_ascii()),
            offset: Some(offset),
        })?;
        allowed = allowed.union(ByteSet::range(low, high));
        offset += item.len() + 1;
    }
    Ok(allowed)
}

fn range(item: &[u8]) -> Option<(u8, u8)> {
    let text = std::str::from_utf8(item).ok()?;
    let (low, high) = text.split_once('-').unwrap_or((text, text));
    let (low, high) = (low.trim().parse().ok()?, high.trim().parse().ok()?);
    (low <= high).then_some((low, high))
}

pub(super) fn matches(allowed: ByteSet, value: &[u8]) -> bool {
    value.iter().any(|byte| !allowed.contains(*byte))
}

#[cfg(test)]
mod tests {
    use super::{matches, parse};

    #[test]
    fn finds_bytes_outside() {
        let allowed = parse(b"32-126, 9,10").unwrap();
        assert!(!matches(allowed, b"a b\t\n"));
        assert!(!matches(allowed, b""));
        assert!(matches(allowed, b"a\0"));
        assert!(matches(allowed, b"\x7f"));
    }

    #[test]
    fn refuses_what_is_no_range_with_its_place() {
        for (text, offset) in [("1,x", 2), ("256", 0), ("9-3", 0), ("", 0), ("1,,2", 2), ("1-2-3", 0)] {
            assert_eq!(parse(text.as_bytes()).unwrap_err().offset, Some(offset), "{text}");
        }
    }
}
