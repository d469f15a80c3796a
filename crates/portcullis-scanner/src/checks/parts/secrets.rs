//! Values that should not be in an answer: by their form, with check digits where there are any, and by their names.

use std::sync::LazyLock;

use regex::Regex;

/// What kind of secret a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Secret {
    /// A password in clear.
    Password,
    /// The hash of a password.
    PasswordHash,
    /// A private key.
    PrivateKey,
    /// A key or token of some service.
    ServiceKey,
    /// A payment card's number.
    Card,
    /// An international bank account number.
    Iban,
    /// A national identity number.
    NationalId,
    /// A second factor's secret or a one-time code.
    OneTime,
}

impl Secret {
    /// For people.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Password => "a password",
            Self::PasswordHash => "a password's hash",
            Self::PrivateKey => "a private key",
            Self::ServiceKey => "a service's key",
            Self::Card => "a payment card's number",
            Self::Iban => "a bank account number",
            Self::NationalId => "a national identity number",
            Self::OneTime => "a second factor's secret",
        }
    }
}

/// What a member of an answer is, by its name and value; `None` for what is harmless, masked or a placeholder.
pub fn judge(name: &str, value: &str) -> Option<Secret> {
    if value.len() < 3 || value.len() > 16 * 1024 || masked(value) {
        return None;
    }
    by_form(value, name).or_else(|| by_name(name, value))
}

fn masked(value: &str) -> bool {
    let hidden = value.chars().filter(|it| matches!(it, '*' | '•' | 'X' | 'x' | '#')).count();
    hidden * 2 >= value.chars().count()
        || ["[redacted]", "redacted", "hidden", "string", "password", "<password>", "null", "none"]
            .contains(&value.to_ascii_lowercase().as_str())
}

static HASHES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"^(?:\$2[abxy]\$\d\d\$[./A-Za-z0-9]{53}|\$argon2(?:id|i|d)\$v=\d+\$.+|\$[156]\$[^$]{1,32}\$[./A-Za-z0-9]{22,}|\{S?SHA(?:256|512)?\}[A-Za-z0-9+/=]{20,}|(?:pbkdf2|scrypt)(?:[_:]sha\d+)?[:$].{16,}|bcrypt(?:_sha256)?\$.{20,})$",
    )
    .ok()
});

static KEYS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36}\b|\bxox[abpr]-[A-Za-z0-9-]{20,}|\bsk_live_[A-Za-z0-9]{16,}|\bAIza[A-Za-z0-9_-]{35}\b|\bglpat-[A-Za-z0-9_-]{20}",
    )
    .ok()
});

fn by_form(value: &str, name: &str) -> Option<Secret> {
    let text = value.trim();
    if text.contains("-----BEGIN ") && text.contains("PRIVATE KEY-----") {
        return Some(Secret::PrivateKey);
    }
    if HASHES.as_ref().is_some_and(|it| it.is_match(text)) {
        return Some(Secret::PasswordHash);
    }
    if KEYS.as_ref().is_some_and(|it| it.is_match(text)) {
        return Some(Secret::ServiceKey);
    }
    if is_card(text, name) {
        return Some(Secret::Card);
    }
    if is_iban(text) {
        return Some(Secret::Iban);
    }
    let ssn = plain(name).contains("ssn") || plain(name).contains("socialsecurity");
    (ssn && is_us_ssn(text)).then_some(Secret::NationalId)
}

fn by_name(name: &str, value: &str) -> Option<Secret> {
    let name = plain(name);
    let word =
        !value.contains(char::is_whitespace) && value.parse::<f64>().map_or(true, |_| value.len() >= 4);
    let url = value.starts_with("http://") || value.starts_with("https://") || value.starts_with('/');
    if !word || url || value == "true" || value == "false" {
        return None;
    }
    const PASSWORDS: &[&str] = &[
        "password",
        "passwd",
        "pwd",
        "userpassword",
        "passphrase",
        "pin",
        "cvv",
        "cvc",
        "plainpassword",
        "pass",
    ];
    const HASHES: &[&str] = &["passwordhash", "hashedpassword", "passhash", "pwdhash", "passworddigest"];
    const ONE_TIME: &[&str] = &[
        "otp",
        "otpsecret",
        "totpsecret",
        "mfasecret",
        "twofactorsecret",
        "resettoken",
        "passwordresettoken",
        "resetcode",
        "verificationcode",
        "recoverycodes",
    ];
    const SERVICE: &[&str] = &[
        "apisecret",
        "clientsecret",
        "secretkey",
        "privatekey",
        "awssecretaccesskey",
        "jwtsecret",
        "dbpassword",
        "databasepassword",
        "connectionstring",
        "databaseurl",
        "signingkey",
        "encryptionkey",
    ];
    if PASSWORDS.contains(&name.as_str()) {
        let hex = value.len() >= 32 && value.bytes().all(|it| it.is_ascii_hexdigit());
        Some(if hex { Secret::PasswordHash } else { Secret::Password })
    } else if HASHES.contains(&name.as_str()) {
        Some(Secret::PasswordHash)
    } else if ONE_TIME.contains(&name.as_str()) {
        Some(Secret::OneTime)
    } else if SERVICE.contains(&name.as_str()) {
        Some(Secret::ServiceKey)
    } else if ["nationalid", "nationalidnumber", "passportnumber", "taxid", "taxnumber"]
        .contains(&name.as_str())
    {
        // Numbers of other countries carry no check that all share: the name and some digits must do.
        (value.bytes().filter(u8::is_ascii_digit).count() >= 6).then_some(Secret::NationalId)
    } else {
        None
    }
}

/// A name without case and separators.
fn plain(name: &str) -> String {
    name.chars().filter(|it| it.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// A card's number: 13 to 19 digits with separators at most, a known issuer's beginning, Luhn's check (ISO/IEC 7812-1);
/// sixteen bare digits can be any number, so a bare one needs a name that says card.
fn is_card(text: &str, name: &str) -> bool {
    if !text.bytes().all(|it| it.is_ascii_digit() || it == b' ' || it == b'-') {
        return false;
    }
    let digits: Vec<u32> = text.chars().filter_map(|it| it.to_digit(10)).collect();
    let name = plain(name);
    let said = ["card", "pan", "ccnumber", "creditcard"].iter().any(|it| name.contains(it));
    let grouped = text.contains([' ', '-']);
    let issuer = matches!(
        digits.as_slice(),
        [4, ..] | [5, 1..=5, ..] | [3, 4 | 7, ..] | [6, 0 | 2 | 5, ..] | [2, 2..=7, ..]
    );
    (13..=19).contains(&digits.len()) && issuer && (said || grouped) && luhn(&digits)
}

fn luhn(digits: &[u32]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| {
            if at % 2 == 0 {
                *digit
            } else {
                let it = digit * 2;
                if it > 9 { it - 9 } else { it }
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

/// An IBAN: two letters, two check digits, up to 30 characters, remainder 1 modulo 97 (ISO 13616).
fn is_iban(text: &str) -> bool {
    let text: String = text.chars().filter(|it| *it != ' ').collect();
    if !(15..=34).contains(&text.len())
        || !text.bytes().all(|it| it.is_ascii_uppercase() || it.is_ascii_digit())
    {
        return false;
    }
    let Some((head, tail)) = text.split_at_checked(4) else { return false };
    let mut country = head.chars();
    let letters = country.by_ref().take(2).all(|it| it.is_ascii_uppercase());
    if !letters
        || !country.all(|it| it.is_ascii_digit())
        || tail.bytes().filter(u8::is_ascii_digit).count() < 6
    {
        return false;
    }
    let mut rest = 0_u32;
    for letter in tail.chars().chain(head.chars()) {
        let Some(value) = letter.to_digit(36) else { return false };
        rest = if value < 10 { (rest * 10 + value) % 97 } else { (rest * 100 + value) % 97 };
    }
    rest == 1
}

/// A social security number of the United States: no area 000, 666 or 9xx, no group 00, no serial 0000.
fn is_us_ssn(text: &str) -> bool {
    let digits: String = text.chars().filter(|it| *it != '-').collect();
    let Ok(number) = digits.parse::<u32>() else { return false };
    let (area, group, serial) = (number / 1_000_000, number / 10_000 % 100, number % 10_000);
    digits.len() == 9 && area != 0 && area != 666 && area < 900 && group != 0 && serial != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_secrets_by_form_and_name() {
        let cases = [
            ("password", "pass1", Secret::Password),
            ("password", "5f4dcc3b5aa765d61d8327deb882cf99", Secret::PasswordHash),
            ("x", "$2b$12$abcdefghijklmnopqrstuvabcdefghijklmnopqrstuvwxyzabcde", Secret::PasswordHash),
            ("card_number", "4111111111111111", Secret::Card),
            ("n", "4111 1111 1111 1111", Secret::Card),
            ("account", "GB82 WEST 1234 5698 7654 32", Secret::Iban),
            ("ssn", "078-05-1120", Secret::NationalId),
            ("k", "-----BEGIN RSA PRIVATE KEY-----\nMII", Secret::PrivateKey),
            ("resetToken", "8f2a90", Secret::OneTime),
        ];
        for (name, value, secret) in cases {
            assert_eq!(judge(name, value), Some(secret), "{name}={value}");
        }
    }

    #[test]
    fn leaves_masked_values_and_look_alikes() {
        let cases = [
            ("password", "********"),
            ("password", "true"),
            ("password", "must be at least 8 characters"),
            ("card_number", "**** **** **** 1111"),
            ("card_number", "4111111111111112"),
            ("order_number", "4111111111111111"),
            ("account", "GB82 WEST 1234 5698 7654 33"),
            ("ssn", "000-12-3456"),
            ("pin_url", "/pins/1"),
            ("reset", "https://a.example/reset"),
        ];
        for (name, value) in cases {
            assert_eq!(judge(name, value), None, "{name}={value}");
        }
    }
}
