//! `@detectSQLi`: libinjection's judgement, in Rust.

use std::{
    cell::RefCell,
    collections::{HashSet, VecDeque},
    hash::{BuildHasherDefault, Hasher},
    sync::LazyLock,
};

use libinjectionrs::sqli::sqli_data::SQL_KEYWORDS;

/// Words that libinjection knows, alone or as a part of a phrase, in capitals.
static KNOWN_WORDS: LazyLock<HashSet<&[u8], BuildHasherDefault<Quick>>> = LazyLock::new(|| {
    SQL_KEYWORDS
        .iter()
        .flat_map(|known| known.word.as_bytes().split(|byte| matches!(byte, b' ' | b'.')))
        .collect()
});

/// Bytes of the longest known word; what is longer is looked up nowhere.
const KNOWN_WORD_BYTES_MAX: usize = 32;
/// Injections whose fingerprint is kept for the rule that asks for it next.
const INJECTIONS_MAX: usize = 16;
/// Bytes of an injection that is kept.
const INJECTION_BYTES_MAX: usize = 2048;

type Print = [u8; 8];

thread_local! {
    /// The latest injections of this thread, with what they look like: a rule that matches is asked at once what it saw.
    static INJECTIONS: RefCell<VecDeque<(Box<[u8]>, Print)>> = const { RefCell::new(VecDeque::new()) };
}

/// Eight bytes a step. The words are those of a fixed list, so that nobody can make them collide.
#[derive(Default)]
struct Quick(u64);

impl Hasher for Quick {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            for (to, from) in word.iter_mut().zip(chunk) {
                *to = *from;
            }
            self.write_u64(u64::from_le_bytes(word));
        }
    }
    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0 ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    }
    fn write_usize(&mut self, word: usize) {
        self.write_u64(word as u64);
    }
    fn finish(&self) -> u64 {
        self.0.wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

pub(super) fn matches(value: &[u8]) -> bool {
    if is_plain(value) {
        return false;
    }
    let Some(print) = judge(value) else { return false };
    if value.len() <= INJECTION_BYTES_MAX {
        INJECTIONS.with_borrow_mut(|kept| {
            kept.truncate(INJECTIONS_MAX - 1);
            kept.push_front((value.into(), print));
        });
    }
    true
}

/// What an injection looks like to libinjection.
fn judge(value: &[u8]) -> Option<Print> {
    let result = libinjectionrs::detect_sqli(value);
    let mut print = Print::default();
    if let Some(known) = &result.fingerprint {
        for (to, from) in print.iter_mut().zip(known.as_bytes()) {
            *to = *from;
        }
    }
    result.is_injection().then_some(print)
}

/// Whether a value is made of words that mean nothing in SQL and of numbers, with spaces, dots, commas, colons, slashes and
/// single dashes between: prose, dates, identifiers, addresses of pages. Its fingerprint then holds nothing but words,
/// numbers, operators and these marks, and none that libinjection knows does. Most text is so, and looking its words up once
/// is a tenth of the cost of judging it.
fn is_plain(value: &[u8]) -> bool {
    let is_mark = |byte: &u8| matches!(byte, b' ' | b'.' | b',' | b':' | b'-' | b'/');
    // Two dashes open a comment.
    if memchr::memchr_iter(b'-', value).any(|at| value.get(at + 1) == Some(&b'-')) {
        return false;
    }
    let mut behind_dot = false;
    value.split_inclusive(is_mark).all(|piece| {
        let word = match piece {
            [word @ .., last] if is_mark(last) => word,
            _ => piece,
        };
        let goes_on_number = std::mem::replace(&mut behind_dot, piece.last() == Some(&b'.'));
        word.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
            && has_no_known(word, goes_on_number)
    })
}

/// Whether no word that SQL knows begins where libinjection may begin one: at the start, or behind a number, so that `1or`
/// is two. A number may have an exponent and a letter for its kind, and may have begun before a dot.
fn has_no_known(word: &[u8], goes_on_number: bool) -> bool {
    let skip_digits = |from: usize| {
        let digits = word.iter().skip(from).take_while(|byte| byte.is_ascii_digit());
        from + digits.count()
    };
    let is_known_from = |from: usize| word.get(from..).is_some_and(|rest| !rest.is_empty() && is_known(rest));
    let digits = skip_digits(0);
    if digits == 0 && !goes_on_number {
        return !is_known(word);
    }
    if matches!(word, [b'0', b'x' | b'X' | b'b' | b'B', ..]) {
        return false;
    }
    let exponent = matches!(word.get(digits), Some(b'e' | b'E')).then(|| skip_digits(digits + 1));
    let begins_known = std::iter::once(digits).chain(exponent).any(|end| {
        let kind = matches!(word.get(end), Some(b'd' | b'D' | b'f' | b'F'));
        is_known_from(end) || kind && is_known_from(end + 1)
    });
    !begins_known && !is_known(word)
}

fn is_known(word: &[u8]) -> bool {
    let mut capitals = [0; KNOWN_WORD_BYTES_MAX];
    let Some(capitals) = capitals.get_mut(..word.len()) else { return false };
    for (to, from) in capitals.iter_mut().zip(word) {
        *to = from.to_ascii_uppercase();
    }
    KNOWN_WORDS.contains(&*capitals)
}

/// The token fingerprint of a value that matches.
pub(super) fn fingerprint(value: &[u8]) -> Option<Vec<u8>> {
    let kept = INJECTIONS.with_borrow(|kept| {
        kept.iter().find(|(injection, _)| **injection == *value).map(|(_, print)| *print)
    });
    let print = kept.or_else(|| judge(value))?;
    Some(print.into_iter().take_while(|byte| *byte != 0).collect())
}

#[cfg(test)]
mod tests {
    use super::{KNOWN_WORD_BYTES_MAX, SQL_KEYWORDS, fingerprint, is_plain, matches};
    use proptest::prelude::*;

    #[test]
    fn no_known_fingerprint_holds_words_and_numbers_alone() {
        let mut fingerprints = 0;
        for known in SQL_KEYWORDS.iter().filter(|known| known.token_type == b'F') {
            let kinds = known.word.strip_prefix('0').unwrap();
            assert!(!kinds.bytes().all(|kind| b"N1O.,:".contains(&kind)), "{kinds}");
            fingerprints += 1;
        }
        assert!(fingerprints > 1000);
        assert!(SQL_KEYWORDS.iter().all(|known| known.word.len() <= KNOWN_WORD_BYTES_MAX));
    }

    #[test]
    fn tells_plain_text_from_words_that_mean_something() {
        for value in [
            "",
            "gate",
            "two  grey gates 12",
            "select_",
            "a1",
            "x 0",
            "json.items.array_17.name",
            "637cb61b-4422-41b0-af2e-b7ccde6e970f",
            "https://shop.example.com/products/roli",
            "2026-11-24",
            "a - b, c: d.",
        ] {
            assert!(is_plain(value.as_bytes()), "{value}");
        }
        for value in [
            "1 or 1",
            "SELECT a",
            "1or 1",
            "0x41",
            "a--b",
            "sys.stragg",
            "1.or 1",
            "1.e5or 1",
            "1e5or 1",
            "1e5for 1",
            "1dunion select",
            "a/*b",
            "0x1",
            "it's",
            "group of by",
            "\t",
            "\u{e9}",
        ] {
            assert!(!is_plain(value.as_bytes()), "{value}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn plain_text_is_never_an_injection(
            words in proptest::collection::vec(
                prop_oneof![
                    "[a-zA-Z0-9_]{1,6}",
                    "[0-9]{1,3}",
                    (0..SQL_KEYWORDS.len()).prop_map(|at| SQL_KEYWORDS[at].word.to_owned()),
                    ("[0-9]{0,2}[.]?[0-9]?(?:[eE][-]?[0-9]{0,2})?[dDfFlLxXbB]?", 0..SQL_KEYWORDS.len())
                        .prop_map(|(number, at)| format!("{number}{}", SQL_KEYWORDS[at].word)),
                ],
                0..7,
            ),
            mark in prop_oneof![Just(" "), Just("."), Just(","), Just(":"), Just("-"), Just(" - "), Just(", "), Just("/"), Just("://")],
        ) {
            let text = words.join(mark);
            prop_assert!(!is_plain(text.as_bytes()) || !libinjectionrs::detect_sqli(text.as_bytes()).is_injection());
        }
    }

    #[test]
    fn sees_injections() {
        for value in ["1' or '1'='1", "1 union select 1,2 from users--", "admin'--", "1; drop table users"] {
            assert!(matches(value.as_bytes()), "{value}");
        }
        // Once remembered, once judged, and nothing remembered of what is none.
        for _ in 0..2 {
            assert_eq!(fingerprint(b"1' or '1'='1").unwrap(), b"s&sos");
        }
        assert_eq!(fingerprint(b"-1' and 1=1 union select 1").unwrap(), b"s&1UE");
        assert!(fingerprint(b"gate").is_none());
    }

    #[test]
    fn lets_text_be() {
        for value in ["", "gate", "it's a gate", "2024-01-01T00:00:00Z", "select a seat", "a - b"] {
            assert!(!matches(value.as_bytes()), "{value}");
        }
    }
}
