//! `@detectXSS`: libinjection's judgement, in Rust.

pub(super) fn matches(value: &[u8]) -> bool {
    libinjectionrs::detect_xss(value).is_injection()
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn sees_markup_that_runs() {
        for value in ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "\"><svg/onload=x>"] {
            assert!(matches(value.as_bytes()), "{value}");
        }
    }

    #[test]
    fn lets_text_be() {
        for value in ["", "gate", "a < b", "<b>bold</b>", "x=1"] {
            assert!(!matches(value.as_bytes()), "{value}");
        }
    }
}
