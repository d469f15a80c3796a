//! What a message breaks of its description, in the operator's terms and without secrets.

use std::borrow::Cow;

use portcullis_core::verdict::Place;
use portcullis_leaves::{Kind, Value};

/// Violations reported for one message; the rest would say nothing new.
pub const VIOLATIONS_MAX: usize = 8;

/// Characters shown of a value.
const EXCERPT_CHARS_MAX: usize = 64;

/// One thing a message breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The JSON Schema keyword, or a word of ours: `unknown_parameter`, `missing_parameter`, …
    pub keyword: Cow<'static, str>,
    /// Where in the message.
    pub place: Place,
    /// Where in the bundled schemas: a JSON pointer; empty when no schema is concerned.
    pub schema: Box<str>,
    /// What is wrong: lower case, no full stop, without values of the message.
    pub message: String,
    /// What was seen there: cut, and `…` where it could be a secret.
    pub excerpt: Box<str>,
}

impl Violation {
    /// A violation that no schema is concerned with.
    pub(crate) fn new(keyword: &'static str, place: Place, message: impl Into<String>) -> Self {
        Self {
            keyword: Cow::Borrowed(keyword),
            place,
            schema: Box::default(),
            message: message.into(),
            excerpt: Box::default(),
        }
    }

    /// Adds what was seen, as text.
    pub(crate) fn seen(mut self, name: &str, text: &str) -> Self {
        self.excerpt = if looks_secret(name) { "…".into() } else { cut(text) };
        self
    }
}

/// What may be shown of a value found at a JSON pointer: never the content of a container, because what it
/// holds has names of its own.
pub(crate) fn excerpt(pointer: &str, value: Value<'_>) -> Box<str> {
    match value.kind() {
        Kind::Null => "null".into(),
        Kind::Bool => if value.as_bool().unwrap_or_default() { "true" } else { "false" }.into(),
        Kind::Object => format!("object of {} members", value.len()).into(),
        Kind::Array => format!("array of {} items", value.len()).into(),
        Kind::Number | Kind::String if looks_secret(pointer) => "…".into(),
        Kind::Number => cut(value.number().map_or("", |number| number.as_str())),
        Kind::String => cut(value.as_str().unwrap_or_default()),
    }
}

/// The first characters of a text, control characters replaced so that a terminal shows them and does nothing.
pub(crate) fn cut(text: &str) -> Box<str> {
    let mut shown: String =
        text.chars().take(EXCERPT_CHARS_MAX).map(|char| if char.is_control() { '·' } else { char }).collect();
    if text.chars().nth(EXCERPT_CHARS_MAX).is_some() {
        shown.push('…');
    }
    shown.into()
}

/// Whether a field of this name, or below it, could hold a credential or payment data (CWE-532).
pub fn looks_secret(name: &str) -> bool {
    const WORDS: [&str; 19] = [
        "password",
        "passwd",
        "passphrase",
        "passcode",
        "pwd",
        "secret",
        "token",
        "authorization",
        "api_key",
        "apikey",
        "api-key",
        "card",
        "cvv",
        "cvc",
        "iban",
        "credential",
        "private",
        "signature",
        "session",
    ];
    let name = name.to_ascii_lowercase();
    WORDS.iter().any(|word| name.contains(word))
        || name.split(['/', '_', '-', '.']).any(|part| matches!(part, "pin" | "otp" | "ssn" | "key" | "auth"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hides_what_names_itself_a_secret() {
        for name in ["password", "/user/newPassword", "X-API-Key", "card_number", "refresh_token", "/a/pin"] {
            assert!(looks_secret(name), "{name}");
        }
        for name in ["name", "/shipping/street", "quantity", "monkey"] {
            assert!(!looks_secret(name), "{name}");
        }
    }

    #[test]
    fn cuts_at_characters_and_shows_no_control_characters() {
        assert_eq!(&*cut("a\u{1b}[2Jb\n"), "a·[2Jb·");
        assert_eq!(cut(&"ü".repeat(100)).chars().count(), 65);
    }
}
