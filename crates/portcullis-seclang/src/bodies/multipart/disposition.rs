//! `Content-Disposition` of a part: its name and file name, and what is odd about them.

use crate::bodies::urlencoded::hex;

/// What a header says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Disposition {
    pub(super) name: Option<Vec<u8>>,
    pub(super) filename: Option<Vec<u8>>,
    /// Single quotes, or quotes in the wrong place.
    pub(super) invalid_quoting: bool,
    pub(super) fault: Option<&'static str>,
}

/// Reads a header's value. What stands before a fault is kept.
pub(super) fn parse(value: &[u8]) -> Disposition {
    let mut found = Disposition::default();
    let mut reader = Reader { text: value, at: 0, extended: None };
    if let Err(fault) = reader.parameters(&mut found) {
        found.fault = Some(fault);
    }
    if found.fault.is_none() && reader.extended.is_some() && found.filename.is_none() {
        found.fault = Some("invalid Content-Disposition header (filename* without filename)");
    }
    // Where only the extended form names the file, it is still a file.
    if found.filename.is_none() {
        found.filename = reader.extended;
    }
    found
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    extended: Option<Vec<u8>>,
}

const MALFORMED: &str = "invalid Content-Disposition header";

impl Reader<'_> {
    fn parameters(&mut self, found: &mut Disposition) -> Result<(), &'static str> {
        let kind = self.text.get(..9).unwrap_or(self.text);
        self.at = kind.len();
        let is_known = kind == b"form-data";
        if !is_known {
            // Read on none the less: the parameters are what an application may use.
            self.at = memchr::memchr(b';', self.text).unwrap_or(self.text.len());
        }
        self.blanks();
        match self.peek() {
            None => return if is_known { Ok(()) } else { Err(MALFORMED) },
            Some(b';') => self.at += 1,
            Some(_) => return Err(MALFORMED),
        }
        while self.peek().is_some() {
            self.parameter(found)?;
        }
        if is_known { Ok(()) } else { Err(MALFORMED) }
    }

    fn parameter(&mut self, found: &mut Disposition) -> Result<(), &'static str> {
        self.blanks();
        let start = self.at;
        while self.peek().is_some_and(|byte| !matches!(byte, b'=' | b'\t' | b' ')) {
            self.at += 1;
        }
        let name = self.text.get(start..self.at).unwrap_or_default();
        self.blanks();
        if self.peek() != Some(b'=') {
            return Err(MALFORMED);
        }
        self.at += 1;
        self.blanks();
        if self.peek().is_none() {
            return Err(MALFORMED);
        }
        match name {
            b"name" => {
                let value = self.value(found)?;
                keep_first(&mut found.name, value, "duplicate name in Content-Disposition header")?;
            }
            b"filename" => {
                let value = self.value(found)?;
                keep_first(&mut found.filename, value, "duplicate filename in Content-Disposition header")?;
            }
            b"filename*" => {
                let value = self.extended()?;
                keep_first(&mut self.extended, value, "duplicate filename* in Content-Disposition header")?;
            }
            _ => return Err("unknown parameter in Content-Disposition header"),
        }
        self.blanks();
        match self.peek() {
            None => Ok(()),
            Some(b';') => {
                self.at += 1;
                Ok(())
            }
            Some(_) => {
                let before = self.at.checked_sub(1).and_then(|at| self.text.get(at));
                if matches!(before, Some(b'"' | b'\'')) {
                    found.invalid_quoting = true;
                }
                Err(MALFORMED)
            }
        }
    }

    fn value(&mut self, found: &mut Disposition) -> Result<Vec<u8>, &'static str> {
        let mut value = Vec::new();
        let Some(quote @ (b'"' | b'\'')) = self.peek() else {
            while let Some(byte) = self.peek().filter(|byte| is_token(*byte)) {
                value.push(byte);
                self.at += 1;
            }
            found.invalid_quoting |= value.contains(&b'\'');
            return Ok(value);
        };
        found.invalid_quoting |= quote == b'\'';
        self.at += 1;
        if self.peek().is_none() {
            return Err(MALFORMED);
        }
        while let Some(byte) = self.peek() {
            self.at += 1;
            match (byte, self.peek()) {
                (b'\\', None) => return Err(MALFORMED),
                // Only the quote and the backslash are escaped; browsers send other backslashes as they are.
                (b'\\', Some(next)) if next == quote || next == b'\\' => {
                    value.push(next);
                    self.at += 1;
                }
                (byte, _) if byte == quote => break,
                (byte, _) => value.push(byte),
            }
        }
        found.invalid_quoting |= quote != b'"' && value.contains(&b'\'');
        Ok(value)
    }

    /// `charset'language'percent-encoded`, RFC 5987; the bytes stay encoded.
    fn extended(&mut self) -> Result<Vec<u8>, &'static str> {
        let fault = "invalid filename* in Content-Disposition header";
        let rest = self.text.get(self.at..).unwrap_or_default();
        let charset = memchr::memchr(b'\'', rest).ok_or(fault)?;
        let is_charset = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&+-^_`{}~".contains(byte);
        if charset == 0 || !rest.iter().take(charset).all(is_charset) {
            return Err(fault);
        }
        let after = rest.get(charset + 1..).unwrap_or_default();
        let language = memchr::memchr(b'\'', after).ok_or(fault)?;
        self.at += charset + language + 2;
        let start = self.at;
        while let Some(byte) = self.peek().filter(|byte| *byte != b';') {
            if byte == b'%' {
                let digits = self.text.get(self.at + 1..self.at + 3).ok_or(fault)?;
                if digits.iter().any(|digit| hex(*digit).is_none()) {
                    return Err(fault);
                }
                self.at += 3;
            } else if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`~".contains(&byte) {
                self.at += 1;
            } else {
                return Err(fault);
            }
        }
        Ok(self.text.get(start..self.at).unwrap_or_default().to_vec())
    }

    fn blanks(&mut self) {
        while let Some(b' ' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }
}

fn keep_first(slot: &mut Option<Vec<u8>>, value: Vec<u8>, fault: &'static str) -> Result<(), &'static str> {
    if slot.as_ref().is_some_and(|known| !known.is_empty()) {
        return Err(fault);
    }
    *slot = Some(value);
    Ok(())
}

fn is_token(byte: u8) -> bool {
    (33..127).contains(&byte) && !b"()<>@,;:\\\"/[]?=".contains(&byte)
}
