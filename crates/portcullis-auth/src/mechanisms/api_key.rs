//! API keys issued by the gate: `pcl_` + 43 base62 digits (32 random bytes) + a 6-digit checksum.
//!
//! The prefix lets secret scanners find leaked keys; the checksum refuses typing errors and made-up keys before
//! anything is looked up. A key has 256 bits of chance, so a plain SHA-256 is a sufficient record of it.

use std::{fmt, sync::Arc};

use aws_lc_rs::digest;
use http::HeaderName;
use portcullis_core::{
    clock::{Entropy, Timestamp},
    ports::Keys,
    secret::Secret,
    verdict::Place,
};
use zeroize::Zeroize;

use crate::{
    mechanisms::Attempt,
    presented::{Presented, authorization_place},
    refusal::{Fault, Refusal},
};

/// The prefix of keys unless configured otherwise.
pub const PREFIX_DEFAULT: &str = "pcl_";
/// The longest prefix, in bytes.
pub const PREFIX_BYTES_MAX: usize = 16;

const BODY_DIGITS: usize = 43;
const CHECKSUM_DIGITS: usize = 6;
/// Digits after the prefix that may be shown to tell keys apart: 36 of 256 bits.
const SHOWN_DIGITS: usize = 6;
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A freshly made key. Its text is shown once and kept nowhere.
#[derive(Debug)]
pub struct NewKey {
    /// The whole key, for its owner.
    pub text: Secret<String>,
    /// SHA-256 of the text, for the store.
    pub sha256: [u8; 32],
    /// The beginning of the text, by which people tell keys apart.
    pub shown: Box<str>,
}

/// A prefix for keys: lower-case letters, digits and `_`, ending in `_`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPrefix(Box<str>);

/// The text cannot be a key's prefix.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a key prefix is 2 to {PREFIX_BYTES_MAX} lower-case letters, digits and `_`, and ends in `_`; found `{0}`"
)]
pub struct KeyPrefixError(Box<str>);

impl KeyPrefix {
    /// Takes a prefix.
    ///
    /// # Errors
    /// When it is empty, long, or has other characters.
    pub fn new(text: &str) -> Result<Self, KeyPrefixError> {
        let good = (2..=PREFIX_BYTES_MAX).contains(&text.len())
            && text.ends_with('_')
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if good { Ok(Self(text.into())) } else { Err(KeyPrefixError(text.into())) }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for KeyPrefix {
    fn default() -> Self {
        Self(PREFIX_DEFAULT.into())
    }
}

/// Makes a key.
pub fn generate(entropy: &dyn Entropy, prefix: &KeyPrefix) -> NewKey {
    let mut random = [0u8; 32];
    entropy.fill(&mut random);
    let mut text = String::with_capacity(prefix.0.len() + BODY_DIGITS + CHECKSUM_DIGITS);
    text.push_str(&prefix.0);
    push_base62(&mut text, &random, BODY_DIGITS);
    random.zeroize();
    let checksum = crc32(text.as_bytes());
    push_base62(&mut text, &checksum.to_be_bytes(), CHECKSUM_DIGITS);
    let shown = text.chars().take(prefix.0.len() + SHOWN_DIGITS).collect::<String>().into();
    NewKey { sha256: sha256(text.as_bytes()), shown, text: Secret::new(text) }
}

/// The SHA-256 of a key's text, if it has the shape of a key with that prefix and its checksum is right.
pub fn parse(text: &str, prefix: &KeyPrefix) -> Option<[u8; 32]> {
    let digits = text.strip_prefix(&*prefix.0)?;
    if digits.len() != BODY_DIGITS + CHECKSUM_DIGITS {
        return None;
    }
    let (checked, checksum) = text.as_bytes().split_at_checked(prefix.0.len() + BODY_DIGITS)?;
    let mut value = 0u64;
    for digit in checksum {
        value = value * 62 + u64::from(digit_value(*digit)?);
    }
    if !digits.bytes().all(|b| b.is_ascii_alphanumeric()) || value != u64::from(crc32(checked)) {
        return None;
    }
    Some(sha256(text.as_bytes()))
}

/// SHA-256 (FIPS 180-4).
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    digest::digest(&digest::SHA256, bytes).as_ref().try_into().unwrap_or_default()
}

/// Appends a big-endian number as exactly `digits` base62 digits, most significant first.
fn push_base62(text: &mut String, number: &[u8], digits: usize) {
    let mut rest = number.to_vec();
    let mut reversed = Vec::with_capacity(digits);
    for _ in 0..digits {
        let mut carry = 0u32;
        for byte in &mut rest {
            let value = carry * 256 + u32::from(*byte);
            *byte = u8::try_from(value / 62).unwrap_or(u8::MAX);
            carry = value % 62;
        }
        reversed
            .push(usize::try_from(carry).ok().and_then(|digit| ALPHABET.get(digit)).copied().unwrap_or(b'0'));
    }
    text.extend(reversed.iter().rev().map(|digit| char::from(*digit)));
    rest.zeroize();
    reversed.zeroize();
}

fn digit_value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'A'..=b'Z' => Some(digit - b'A' + 10),
        b'a'..=b'z' => Some(digit - b'a' + 36),
        _ => None,
    }
}

/// CRC-32 as in ISO 3309 (reflected, polynomial 0x04C11DB7): catches typing errors, is no protection.
fn crc32(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 16] = {
        let mut table = [0u32; 16];
        let mut index = 0;
        while index < 16 {
            let mut value = index as u32;
            let mut bit = 0;
            while bit < 4 {
                value = if value & 1 == 1 { (value >> 1) ^ 0xedb8_8320 } else { value >> 1 };
                bit += 1;
            }
            #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, bounded by the loop")]
            {
                table[index] = value;
            }
            index += 1;
        }
        table
    };
    let step = |crc: u32, low: u32| {
        let entry = usize::try_from((crc ^ low) & 0xf).ok().and_then(|index| TABLE.get(index));
        (crc >> 4) ^ entry.copied().unwrap_or_default()
    };
    !bytes.iter().fold(u32::MAX, |crc, byte| step(step(crc, u32::from(*byte)), u32::from(*byte) >> 4))
}

/// Where callers put their keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyPlace {
    /// A header field of its own, such as `X-API-Key`.
    Header(HeaderName),
    /// `Authorization: Bearer`; a bearer credential without the prefix belongs to somebody else.
    Bearer,
    /// A cookie.
    Cookie(Box<str>),
}

/// Believes holders of keys that the store knows.
pub struct ApiKeyProvider {
    name: Arc<str>,
    place: KeyPlace,
    prefix: KeyPrefix,
    keys: Arc<dyn Keys>,
}

impl ApiKeyProvider {
    /// A provider of that name in the configuration.
    pub fn new(name: Arc<str>, place: KeyPlace, prefix: KeyPrefix, keys: Arc<dyn Keys>) -> Self {
        Self { name, place, prefix, keys }
    }

    /// The provider's name.
    pub const fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Where it looks.
    pub const fn key_place(&self) -> &KeyPlace {
        &self.place
    }

    /// Checks the key of a request, from memory.
    pub fn check(&self, presented: &Presented<'_>, now: Timestamp) -> Attempt {
        let found = match &self.place {
            KeyPlace::Header(name) => presented.header(name),
            KeyPlace::Cookie(name) => presented.cookie(name),
            KeyPlace::Bearer => {
                presented.scheme("Bearer").map(|it| it.filter(|text| text.starts_with(self.prefix.as_str())))
            }
        };
        let text = match found {
            Ok(Some(text)) => text,
            Ok(None) => return Attempt::Absent,
            Err(fault) => return Attempt::Refused(self.refusal(fault)),
        };
        let Some(digest) = parse(text, &self.prefix) else {
            return Attempt::Refused(self.refusal(Fault::KeyMalformed));
        };
        match self.keys.find(&digest, now) {
            Some(principal) => Attempt::Accepted(principal),
            None => Attempt::Refused(self.refusal(Fault::KeyNotValid)),
        }
    }

    fn refusal(&self, fault: Fault) -> Refusal {
        Refusal::new(fault, &self.name, self.place())
    }

    /// Where the key would be, as evidence names places.
    pub fn place(&self) -> Place {
        match &self.place {
            KeyPlace::Header(name) => Place::Header(name.as_str().into()),
            KeyPlace::Bearer => authorization_place(),
            KeyPlace::Cookie(name) => Place::Cookie(name.clone()),
        }
    }
}

impl fmt::Debug for ApiKeyProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKeyProvider")
            .field("name", &self.name)
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    struct Fixed(u8);

    impl Entropy for Fixed {
        fn fill(&self, buffer: &mut [u8]) {
            for (index, byte) in buffer.iter_mut().enumerate() {
                *byte = self.0.wrapping_add(u8::try_from(index).unwrap());
            }
        }
    }

    #[test]
    fn crc_agrees_with_the_standard_check_value() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn makes_keys_that_it_reads_back() {
        for (seed, prefix) in [(0, "pcl_"), (17, "acme_"), (255, "k_")] {
            let prefix = KeyPrefix::new(prefix).unwrap();
            let key = generate(&Fixed(seed), &prefix);
            let text = key.text.reveal();
            assert_eq!(text.len(), prefix.as_str().len() + 49);
            assert_eq!(parse(text, &prefix), Some(key.sha256));
            assert!(text.starts_with(&*key.shown));
        }
    }

    #[test]
    fn base62_is_exact() {
        let mut text = String::new();
        push_base62(&mut text, &[0xff; 32], 43);
        assert_eq!(text.len(), 43);
        let mut text = String::new();
        push_base62(&mut text, &3844u32.to_be_bytes(), 4);
        assert_eq!(text, "0100");
    }

    #[test]
    fn refuses_every_single_mistyped_character() {
        let prefix = KeyPrefix::default();
        let key = generate(&Fixed(3), &prefix);
        let text = key.text.reveal();
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] = if bytes[at] == b'x' { b'y' } else { b'x' };
            assert_eq!(parse(std::str::from_utf8(&bytes).unwrap(), &prefix), None, "at {at}");
        }
        for wrong in
            ["", "pcl_", text.split_at(text.len() - 1).0, &format!("{text}0"), &text.replace("pcl_", "pcx_")]
        {
            assert_eq!(parse(wrong, &prefix), None, "{wrong}");
        }
    }

    #[test]
    fn refuses_bad_prefixes() {
        for text in ["", "_", "PCL_", "pcl", "a b_", "abcdefghijklmnopq_"] {
            assert!(KeyPrefix::new(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn never_panics_on_garbage(text in "\\PC{0,80}") {
            prop_assert_eq!(parse(&text, &KeyPrefix::default()), None);
        }
    }
}
