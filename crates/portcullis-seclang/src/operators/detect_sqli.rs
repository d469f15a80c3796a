//! `@detectSQLi`: libinjection's judgement, in Rust.

use std::collections::HashSet;
use std::sync::LazyLock;

use libinjectionrs::sqli::sqli_data::SQL_KEYWORDS;

pub(super) fn matches(value: &[u8]) -> bool {
    !is_prose(value) && libinjectionrs::detect_sqli(value).is_injection()
}

/// Whether a value is words that no SQL dialect knows, numbers, and marks between them: names, dates, addresses, prose.
///
/// libinjection makes barewords, numbers, operators, dots, commas and colons of these, and no fingerprint of its list
/// consists of such alone; looking so far costs a tenth of its tokens and foldings.
fn is_prose(value: &[u8]) -> bool {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let mut before = 0;
    for byte in value {
        let is_mark = matches!(byte, b' ' | b'.' | b',' | b':');
        // Two dashes open a comment.
        let is_lone_dash = *byte == b'-' && before != b'-';
        if !(is_word(byte) || is_mark || is_lone_dash) {
            return false;
        }
        before = *byte;
    }
    value.split(|byte| !is_word(byte)).all(|word| !KEYWORDS.holds(word))
}

/// The words of all keywords: of those that consist of several, each.
struct Keywords {
    words: HashSet<Vec<u8>>,
    /// By the first two letters and the length, whether there are any: most words end here.
    starts: Vec<u64>,
}

static KEYWORDS: LazyLock<Keywords> = LazyLock::new(|| {
    let keywords = SQL_KEYWORDS.iter().map(|keyword| keyword.word.as_bytes());
    // Fingerprints stand in the same list, after a zero.
    let keywords = keywords.filter(|word| !word.starts_with(b"0"));
    let pieces = keywords.flat_map(|word| word.split(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_'));
    let words: HashSet<Vec<u8>> =
        pieces.filter(|piece| !piece.is_empty()).map(<[u8]>::to_ascii_uppercase).collect();
    let mut starts = vec![0; 32 * 32];
    for word in &words {
        let (place, bit) = start(word);
        if let Some(lengths) = starts.get_mut(place) {
            *lengths |= bit;
        }
    }
    Keywords { words, starts }
});

impl Keywords {
    fn holds(&self, word: &[u8]) -> bool {
        let (place, bit) = start(word);
        self.starts.get(place).is_some_and(|lengths| lengths & bit != 0)
            && self.words.contains(&word.to_ascii_uppercase())
    }
}

/// Where a word is noted: by the first two letters, whatever their case, and a bit for its length.
fn start(word: &[u8]) -> (usize, u64) {
    let letter = |index: usize| usize::from(word.get(index).copied().unwrap_or(0) & 0x1f);
    (letter(0) * 32 + letter(1), 1 << word.len().min(63))
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
    use libinjectionrs::sqli::sqli_data::SQL_KEYWORDS;
    use proptest::prelude::*;

    use super::{fingerprint, is_prose, matches};

    #[test]
    fn no_fingerprint_is_of_prose_alone() {
        let mut prints = SQL_KEYWORDS.iter().filter_map(|keyword| keyword.word.strip_prefix('0'));
        assert!(prints.clone().count() > 8000);
        assert!(!prints.any(|print| print.bytes().all(|token| b"N1O.,:".contains(&token))));
    }

    #[test]
    fn tells_prose_from_keywords() {
        for value in ["json.items.array_17.name", "Market Square 7, Tiba", "2026-11-24T18:00:00Z", "1.5", ""]
        {
            assert!(is_prose(value.as_bytes()), "{value}");
        }
        for value in ["a union b", "cross join", "sys.stragg", "a--b", "a'b", "1=1", "a(b)", "Group  by"] {
            assert!(!is_prose(value.as_bytes()), "{value}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]
        #[test]
        fn prose_is_never_an_injection(value in "[a-zA-Z0-9_ .,:-]{0,40}") {
            if is_prose(value.as_bytes()) {
                prop_assert!(!libinjectionrs::detect_sqli(value.as_bytes()).is_injection());
            }
        }

        #[test]
        fn words_in_any_order_are_never_judged_otherwise(
            value in "((or|and|1|x|y_z|is|null|not|like|-|,|[.]|:|2e3|0x1f|group|by|foo)[ .,:-]?){0,8}"
        ) {
            prop_assert_eq!(matches(value.as_bytes()), libinjectionrs::detect_sqli(value.as_bytes()).is_injection());
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
