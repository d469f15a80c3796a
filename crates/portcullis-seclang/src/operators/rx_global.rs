//! `@rxGlobal`: as `@rx`, and captures every match, numbered on.

use std::borrow::Cow;

use super::Captures;
use super::rx::Rx;

/// Captures kept of one value: the variables of a transaction are bounded.
const CAPTURES_MAX: usize = 1000;

/// Matches do not overlap, and an empty one is kept where no longer one begins.
pub(super) fn captures<'v>(rx: &Rx, value: &'v [u8]) -> Captures<'v> {
    let mut all = Captures::new();
    let Some(regex) = rx.pattern().regex() else { return all };
    for found in regex.captures_iter(value) {
        let first = all.len();
        for (group, span) in found.iter().enumerate() {
            if all.len() >= CAPTURES_MAX {
                return all;
            }
            if let Some(bytes) = span.and_then(|span| value.get(span.range())) {
                all.push((first + group, Cow::Borrowed(bytes)));
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::super::rx::Rx;
    use super::captures;

    #[test]
    fn numbers_the_groups_of_all_matches() {
        let rx = Rx::compile(b"(a)(\\d)").unwrap();
        let all = captures(&rx, b"a1 a2");
        let numbers: Vec<usize> = all.iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, [0, 1, 2, 3, 4, 5]);
        assert_eq!(&*all[5].1, b"2");
        assert!(captures(&rx, b"b1").is_empty());
    }

    #[test]
    fn stops_at_the_limit() {
        let rx = Rx::compile(b"a").unwrap();
        assert_eq!(captures(&rx, &[b'a'; 5000]).len(), 1000);
    }
}
