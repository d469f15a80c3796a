//! Evidence that may be shown: cut, printable, secrets masked.

use crate::leaf::Field;

/// Bytes of the value that are shown.
const BYTES_MAX: usize = 96;

/// Runs of letters and digits from this length on are taken for keys when they hold both.
const KEY_BYTES_MIN: usize = 20;

/// What is shown of recognised bytes in a value of that field.
pub(crate) fn of(bytes: &[u8], name: &str, field: Field) -> String {
    if is_secret(name) || field == Field::Opaque {
        return format!("({} bytes of a secret)", bytes.len());
    }
    let shown = bytes.get(..BYTES_MAX.min(bytes.len())).unwrap_or_default();
    let mut text = String::with_capacity(shown.len() + 4);
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric();
    for run in shown.chunk_by(|a, b| is_word(a) == is_word(b)) {
        let is_key = run.len() >= KEY_BYTES_MIN
            && run.iter().any(u8::is_ascii_digit)
            && run.iter().all(is_word)
            && run.iter().any(u8::is_ascii_alphabetic);
        if is_key {
            text.push_str("***");
        } else {
            run.utf8_chunks().for_each(|chunk| push_printable(chunk.valid(), chunk.invalid(), &mut text));
        }
    }
    if shown.len() < bytes.len() {
        text.push('…');
    }
    text
}

fn push_printable(valid: &str, invalid: &[u8], text: &mut String) {
    for character in valid.chars() {
        if character.is_control() {
            text.extend(character.escape_default());
        } else {
            text.push(character);
        }
    }
    for byte in invalid {
        text.extend(std::ascii::escape_default(*byte).map(char::from));
    }
}

/// Whether values of that name are not to be shown.
fn is_secret(name: &str) -> bool {
    const WORDS: [&str; 9] = [
        "password",
        "passwd",
        "passphrase",
        "secret",
        "token",
        "apikey",
        "api_key",
        "credential",
        "authorization",
    ];
    let name = name.to_ascii_lowercase();
    WORDS.iter().any(|word| name.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_what_was_found_and_no_more() {
        assert_eq!(of(b"' OR 1=1 --\n", "q", Field::Unknown), "' OR 1=1 --\\n");
        assert_eq!(of(&[b'a'; 500], "q", Field::Unknown).chars().count(), BYTES_MAX + 1);
        assert_eq!(of(b"\xff\xfe<", "q", Field::Unknown), "\\xff\\xfe<");
    }

    #[test]
    fn masks_secrets() {
        assert_eq!(of(b"' or 1=1", "user_password", Field::Unknown), "(8 bytes of a secret)");
        assert_eq!(of(b"key=AKIA0123456789ABCDEF;", "q", Field::Unknown), "key=***;");
        assert_eq!(of(b"abc", "x", Field::Opaque), "(3 bytes of a secret)");
    }
}
