//! `@detectSQLi`: libinjection's judgement, in Rust.

use std::{collections::HashSet, sync::LazyLock};

use libinjectionrs::sqli::sqli_data::SQL_KEYWORDS;

/// Words that libinjection knows, alone or as a part of a phrase, in capitals.
static KNOWN_WORDS: LazyLock<HashSet<&[u8]>> = LazyLock::new(|| {
    SQL_KEYWORDS
        .iter()
        .flat_map(|known| known.word.as_bytes().split(|byte| matches!(byte, b' ' | b'.')))
        .collect()
});

/// Bytes of the longest known word; what is longer is looked up nowhere.
const KNOWN_WORD_BYTES_MAX: usize = 32;

pub(super) fn matches(value: &[u8]) -> bool {
    !is_plain(value) && libinjectionrs::detect_sqli(value).is_injection()
}

/// Whether a value is made of words that mean nothing in SQL and of whole numbers, with spaces, dots, commas, colons and
/// single dashes between: prose, dates, names of leaves. Its fingerprint then holds nothing but words, numbers, operators
/// and these marks, and none that libinjection knows does. Most text is so, and looking its words up once is a tenth of the
/// cost of judging it.
fn is_plain(value: &[u8]) -> bool {
    let is_mark = |byte: &u8| matches!(byte, b' ' | b'.' | b',' | b':' | b'-');
    // Two dashes open a comment.
    memchr::memmem::find(value, b"--").is_none()
        && value.split(is_mark).all(|word| match word.first() {
            None => true,
            // Behind a number a word begins anew, so that `1or` is two.
            Some(b'0'..=b'9') => word.iter().all(u8::is_ascii_digit),
            Some(_) => {
                word.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_') && !is_known(word)
            }
        })
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
    let result = libinjectionrs::detect_sqli(value);
    if !result.is_injection() {
        return None;
    }
    let print = result.fingerprint?;
    Some(print.as_bytes().iter().copied().take_while(|byte| *byte != 0).collect())
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
                ],
                0..7,
            ),
            mark in prop_oneof![Just(" "), Just("."), Just(","), Just(":"), Just("-"), Just(" - "), Just(", ")],
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
        assert_eq!(fingerprint(b"1' or '1'='1").unwrap(), b"s&sos");
    }

    #[test]
    fn lets_text_be() {
        for value in ["", "gate", "it's a gate", "2024-01-01T00:00:00Z", "select a seat", "a - b"] {
            assert!(!matches(value.as_bytes()), "{value}");
        }
    }
}
