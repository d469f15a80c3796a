//! `@detectSQLi`: libinjection's judgement, in Rust.

pub(super) fn matches(value: &[u8]) -> bool {
    libinjectionrs::detect_sqli(value).is_injection()
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
    use super::{fingerprint, matches};

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
