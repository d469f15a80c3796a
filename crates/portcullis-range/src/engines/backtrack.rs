//! A matcher that backtracks, as many do: `^(x+)+$` costs it twice as much with every further character.

/// Steps after which it gives up, so that the range stays up: about a second.
const STEPS_MAX: u64 = 100_000_000;

/// Whether the text is `(class+)+` from end to end, and the steps that took.
pub(crate) fn nested_plus(text: &str, class: fn(u8) -> bool) -> (bool, u64) {
    let mut steps = 0;
    let bytes = text.as_bytes();
    let bytes = bytes.get(..64.min(bytes.len())).unwrap_or_default();
    let whole = groups(bytes, class, &mut steps) && text.len() <= 64;
    (whole, steps)
}

/// Tries every way to cut the front into a group. Depth is bounded by the 64 bytes looked at.
fn groups(rest: &[u8], class: fn(u8) -> bool, steps: &mut u64) -> bool {
    let longest = rest.iter().take_while(|it| class(**it)).count();
    for length in (1..=longest).rev() {
        *steps += 1;
        if *steps > STEPS_MAX {
            return false;
        }
        let Some(tail) = rest.get(length..) else { continue };
        if tail.is_empty() || groups(tail, class, steps) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_its_cost_with_every_character_that_fails() {
        let lower = |it: u8| it.is_ascii_lowercase();
        assert_eq!(nested_plus("abc", lower), (true, 1));
        let cost = |count: usize| nested_plus(&format!("{}!", "a".repeat(count)), lower).1;
        assert!(!nested_plus("aaaa!", lower).0);
        assert!(cost(13) > cost(12) * 19 / 10);
    }
}
