//! `SecUnicodeMapFile`: which byte a code point looks like in a code page.
//!
//! The file holds code pages, each a line with its number followed by a line of pairs `hhhh:hh`, hexadecimal.

/// Pairs a map may hold: every code point of the basic plane once.
const PAIRS_MAX: usize = 65_536;

/// The pairs of one code page, sorted by code point. The error is a reason for the operator.
pub(crate) fn unicode_map(text: &[u8], code_page: u32) -> Result<Vec<(u32, u8)>, String> {
    let mut is_wanted = false;
    let mut pairs = Vec::new();
    for line in text.split(|byte| *byte == b'\n') {
        let line = line.trim_ascii();
        if line.is_empty() || line.starts_with(b"#") || line.starts_with(b"(") {
            continue;
        }
        let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let Some(first) = words.next() else { continue };
        if !first.contains(&b':') {
            if is_wanted && !pairs.is_empty() {
                break;
            }
            is_wanted = number(first, 10) == Some(code_page);
            continue;
        }
        if is_wanted {
            for word in std::iter::once(first).chain(words) {
                let pair = pair(word).ok_or_else(|| format!("`{}` is no pair `hhhh:hh`", crate::diagnostic::shown(word)))?;
                pairs.push(pair);
                if pairs.len() > PAIRS_MAX {
                    return Err(format!("more than {PAIRS_MAX} pairs"));
                }
            }
        }
    }
    if pairs.is_empty() {
        return Err(format!("no code page {code_page} in the file"));
    }
    // A later pair for the same code point wins, as it does where the pairs fill a table one by one.
    pairs.reverse();
    pairs.sort_by_key(|(code_point, _)| *code_point);
    pairs.dedup_by_key(|(code_point, _)| *code_point);
    Ok(pairs)
}

fn pair(word: &[u8]) -> Option<(u32, u8)> {
    let colon = memchr::memchr(b':', word)?;
    let (code_point, byte) = word.split_at_checked(colon)?;
    let byte = number(byte.get(1..)?, 16)?;
    Some((number(code_point, 16)?, u8::try_from(byte).ok()?))
}

fn number(digits: &[u8], radix: u32) -> Option<u32> {
    let digits = std::str::from_utf8(digits).ok()?;
    u32::from_str_radix(digits, radix).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &[u8] = b"(MAC)\n\n1250  (Central)\n00a1:21 00a2:63\n\n20127 (US-ASCII)\n2215:2f 00a0:20 \n\n20261 (T.61)\n00a0:01\n";

    #[test]
    fn reads_the_pairs_of_one_code_page() {
        assert_eq!(unicode_map(FILE, 20127), Ok(vec![(0xa0, 0x20), (0x2215, 0x2f)]));
        assert_eq!(unicode_map(FILE, 1250), Ok(vec![(0xa1, 0x21), (0xa2, 0x63)]));
    }

    #[test]
    fn refuses_what_it_cannot_read() {
        assert_eq!(unicode_map(FILE, 1), Err("no code page 1 in the file".to_owned()));
        assert_eq!(unicode_map(b"7 (x)\n00a1:zz", 7), Err("`00a1:zz` is no pair `hhhh:hh`".to_owned()));
        assert!(unicode_map(b"\xff\xfe:\xff", 7).is_err());
    }
}
