//! Time-based one-time passwords (RFC 6238), for logins that ask for one.

/// The six digits for a moment, by HMAC-SHA-1 in steps of thirty seconds; `None` where the secret is no Base32 (RFC 4648
/// §6; case, spaces and padding do not matter).
pub fn code(secret: &str, unix_seconds: u64) -> Option<String> {
    let key = base32(secret)?;
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &key);
    let tag = aws_lc_rs::hmac::sign(&key, &(unix_seconds / 30).to_be_bytes());
    let offset = usize::from(tag.as_ref().last()? & 0x0f);
    let bytes: [u8; 4] = tag.as_ref().get(offset..offset + 4)?.try_into().ok()?;
    Some(format!("{:06}", (u32::from_be_bytes(bytes) & 0x7fff_ffff) % 1_000_000))
}

fn base32(text: &str) -> Option<Vec<u8>> {
    let (mut bits, mut held, mut bytes) = (0_u32, 0_u32, Vec::new());
    for letter in text.bytes().filter(|it| !matches!(it, b' ' | b'-' | b'=')) {
        let value = match letter.to_ascii_uppercase() {
            letter @ b'A'..=b'Z' => letter - b'A',
            digit @ b'2'..=b'7' => digit - b'2' + 26,
            _ => return None,
        };
        bits = (bits << 5) | u32::from(value);
        held += 5;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    (!bytes.is_empty()).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_the_codes_of_the_standard() {
        // RFC 6238 Appendix B, SHA-1, last six digits; the key is "12345678901234567890".
        let secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
        for (at, digits) in [(59, "287082"), (1_111_111_109, "081804"), (20_000_000_000, "353130")] {
            assert_eq!(code(secret, at).as_deref(), Some(digits));
        }
        assert_eq!(code("not base 32!", 0), None);
    }
}
