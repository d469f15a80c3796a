//! The best-fit table of a code page, as `SecUnicodeMapFile` names it.

/// Which byte each code point of the basic plane becomes in one code page.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnicodeMap {
    code_page: u32,
    /// Sorted by code point: the files list a few hundred of 65,536.
    entries: Vec<(u16, u8)>,
}

impl UnicodeMap {
    /// Reads the table of `code_page` from the text of a `unicode.mapping` file: a line that begins with the page's number,
    /// then lines of `HHHH:HH` pairs up to an empty line or the next page.
    ///
    /// # Errors
    /// When the page is not in the file, or one of its pairs is malformed.
    pub fn parse(text: &[u8], code_page: u32) -> Result<Self, String> {
        let mut entries = Vec::new();
        let mut within = false;
        let mut found = false;
        for (line, number) in String::from_utf8_lossy(text).lines().zip(1u32..) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                within = false;
                continue;
            }
            if let Some(page) = heading(line) {
                within = page == code_page;
                found |= within;
                continue;
            }
            if within {
                for pair in line.split_ascii_whitespace() {
                    entries.push(
                        entry(pair).ok_or_else(|| format!("line {number}: `{pair}` is not `HHHH:HH`"))?,
                    );
                }
            }
        }
        if !found {
            return Err(format!("no code page `{code_page}` in the file"));
        }
        // A later entry for the same code point wins.
        entries.reverse();
        entries.sort_by_key(|(code, _)| *code);
        entries.dedup_by_key(|(code, _)| *code);
        Ok(Self { code_page, entries })
    }

    /// The code page that the table is of.
    pub fn code_page(&self) -> u32 {
        self.code_page
    }

    /// The byte for a code point, where the table has one.
    pub fn best_fit(&self, code: u16) -> Option<u8> {
        let at = self.entries.binary_search_by_key(&code, |(code, _)| *code).ok()?;
        self.entries.get(at).map(|(_, byte)| *byte)
    }
}

/// The number of a heading such as `20127 (US-ASCII)`; pairs hold a colon.
fn heading(line: &str) -> Option<u32> {
    let first = line.split_ascii_whitespace().next()?;
    first.parse().ok()
}

fn entry(pair: &str) -> Option<(u16, u8)> {
    let (code, byte) = pair.split_once(':')?;
    Some((u16::from_str_radix(code, 16).ok()?, u8::from_str_radix(byte, 16).ok()?))
}

#[cfg(test)]
mod tests {
    use super::UnicodeMap;

    const FILE: &[u8] =
        b"1250 (ANSI - Central Europe)\n00a1:21 2215:2f\n\n20127 (US-ASCII)\n00a0:20 00a1:21\nff1c:3c\n";

    #[test]
    fn reads_the_page_that_is_asked_for() {
        let map = UnicodeMap::parse(FILE, 20127).unwrap();
        assert_eq!(map.best_fit(0xa0), Some(b' '));
        assert_eq!(map.best_fit(0xff1c), Some(b'<'));
        assert_eq!(map.best_fit(0x2215), None);
        assert_eq!(map.code_page(), 20127);
    }

    #[test]
    fn refuses_a_missing_page_and_a_broken_pair() {
        assert!(UnicodeMap::parse(FILE, 932).unwrap_err().contains("932"));
        assert!(UnicodeMap::parse(b"1 x\n00a0-20\n", 1).unwrap_err().contains("line 2"));
    }
}
