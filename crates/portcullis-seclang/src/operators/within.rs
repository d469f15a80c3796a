//! `@within`: the value occurs in the argument. The empty value does.

use memchr::{memchr_iter, memmem};

use crate::scan::share;

/// Values up to this are compared where their rarest byte stands: preparing a search would cost more.
const SHORT: usize = 32;

pub(super) fn matches(argument: &[u8], value: &[u8]) -> bool {
    let rarest =
        value.iter().enumerate().min_by(|(_, one), (_, other)| share(**one).total_cmp(&share(**other)));
    let Some((place, byte)) = rarest else { return true };
    if value.len() > argument.len() {
        return false;
    }
    if value.len() > SHORT {
        return memmem::find(argument, value).is_some();
    }
    memchr_iter(*byte, argument).any(|at| {
        let start = at.checked_sub(place);
        start.and_then(|start| argument.get(start..)).is_some_and(|rest| rest.starts_with(value))
    })
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn looks_for_the_value_in_the_argument() {
        assert!(matches(b"GET,POST", b"POST"));
        assert!(matches(b"GET,POST", b"T,P"));
        assert!(matches(b"", b""));
        assert!(matches(b"aab", b"ab") && !matches(b"aab", b"ac"));
        let long = [b'x'; 40];
        assert!(matches(&[&b"x,"[..], &long].concat(), &long) && !matches(&[b'x'; 39], &long));
        assert!(!matches(b"GET,POST", b"PUT"));
        assert!(!matches(b"GET", b"GET,POST"));
    }
}
