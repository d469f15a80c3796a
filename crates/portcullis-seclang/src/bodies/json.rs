//! JSON bodies as arguments: one for each leaf, named by its path as ModSecurity v3 names it (`json.user.roles.array_0`).
//!
//! Strict RFC 8259 (no comments, no trailing commas, valid UTF-8), iterative, one pass. What was read before a fault stays
//! visible to the rules. Duplicate keys give an argument each.

use crate::bodies::urlencoded::hex;
use crate::values::{ARGS_STRUCTURED, Span, Values};

/// How much a body may hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Objects and arrays within each other.
    pub(crate) depth_max: usize,
    /// Leaves.
    pub(crate) arguments_max: usize,
}

/// Why a body is no good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    #[error("syntax error at byte {0}")]
    Syntax(usize),
    #[error("invalid UTF-8 at byte {0}")]
    Utf8(usize),
    #[error("premature end")]
    Truncated,
    #[error("parsing depth limit exceeded")]
    Depth,
    #[error("more arguments than the limit allows")]
    Arguments,
    #[error("names of the arguments are too long in sum")]
    Names,
}

/// Names may grow to this multiple of the body: a deep path repeated for many leaves would be quadratic otherwise.
const NAME_BYTES_PER_BODY_BYTE: usize = 16;
/// Names that any body may have in sum.
const NAME_BYTES_FREE: usize = 1 << 20;

struct Container {
    /// Bytes of the path that belong to what is outside of it.
    path_length: usize,
    /// Index of the next element; `None` in an object.
    next: Option<u64>,
}

struct Parser<'a> {
    values: &'a mut Values,
    text: &'a [u8],
    at: usize,
    path: Vec<u8>,
    open: Vec<Container>,
    /// A container was just opened: an element or its end comes next, no comma.
    is_fresh: bool,
    limits: Limits,
    name_bytes_left: usize,
    arguments: usize,
    bytes: u64,
}

/// Reads a body into arguments; the sum of the bytes of names and values, and the fault that ended the reading, if any.
pub(crate) fn parse(values: &mut Values, text: &[u8], limits: Limits) -> (u64, Result<(), Fault>) {
    if let Err(error) = std::str::from_utf8(text) {
        // The part before the fault is read none the less: an attack there must not hide behind a bad byte.
        let valid = text.get(..error.valid_up_to()).unwrap_or_default();
        let (bytes, _) = parse_utf8(values, valid, limits);
        return (bytes, Err(Fault::Utf8(error.valid_up_to())));
    }
    parse_utf8(values, text, limits)
}

fn parse_utf8(values: &mut Values, text: &[u8], limits: Limits) -> (u64, Result<(), Fault>) {
    let mut parser = Parser {
        values,
        text,
        at: 0,
        path: b"json".to_vec(),
        open: Vec::new(),
        is_fresh: false,
        limits,
        name_bytes_left: NAME_BYTES_FREE + text.len().saturating_mul(NAME_BYTES_PER_BODY_BYTE),
        arguments: 0,
        bytes: 0,
    };
    let result = parser.document();
    (parser.bytes, result)
}

impl Parser<'_> {
    fn document(&mut self) -> Result<(), Fault> {
        self.value()?;
        while !self.open.is_empty() {
            self.step()?;
        }
        self.blanks();
        if self.at == self.text.len() { Ok(()) } else { Err(Fault::Syntax(self.at)) }
    }

    /// Reads on within the innermost container: the next element (or the start of it), or the end.
    fn step(&mut self) -> Result<(), Fault> {
        self.blanks();
        let Some(container) = self.open.last() else { return Ok(()) };
        let is_array = container.next.is_some();
        let is_fresh = std::mem::take(&mut self.is_fresh);
        match (self.peek(), is_array) {
            (Some(b']'), true) | (Some(b'}'), false) => {
                self.at += 1;
                self.close();
                Ok(())
            }
            (Some(_), _) if is_fresh => self.element(is_array),
            (Some(b','), _) => {
                self.at += 1;
                self.element(is_array)
            }
            (None, _) => Err(Fault::Truncated),
            _ => Err(Fault::Syntax(self.at)),
        }
    }

    /// Reads one element after `[`, `{` or a comma: its key, and its value or the start of it.
    fn element(&mut self, is_array: bool) -> Result<(), Fault> {
        self.blanks();
        if is_array {
            self.path_of_element();
            return self.value();
        }
        if self.peek() != Some(b'"') {
            return Err(self.unexpected());
        }
        let key = self.string()?;
        self.path_of_key(key);
        self.blanks();
        if self.peek() != Some(b':') {
            return Err(self.unexpected());
        }
        self.at += 1;
        self.value()
    }

    fn value(&mut self) -> Result<(), Fault> {
        self.blanks();
        match self.peek() {
            Some(b'{') => self.enter(None),
            Some(b'[') => self.enter(Some(0)),
            Some(b'"') => {
                let value = self.string()?;
                self.argument(value)
            }
            Some(b't') => self.word(b"true", b"true"),
            Some(b'f') => self.word(b"false", b"false"),
            Some(b'n') => self.word(b"null", b""),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => Err(self.unexpected()),
        }
    }

    fn enter(&mut self, next: Option<u64>) -> Result<(), Fault> {
        self.at += 1;
        if self.open.len() >= self.limits.depth_max {
            return Err(Fault::Depth);
        }
        self.open.push(Container { path_length: self.path.len(), next });
        self.is_fresh = true;
        Ok(())
    }

    fn close(&mut self) {
        if let Some(container) = self.open.pop() {
            self.path.truncate(container.path_length);
        }
    }

    fn path_of_element(&mut self) {
        let Some(container) = self.open.last_mut() else { return };
        let number = container.next.unwrap_or_default();
        container.next = Some(number + 1);
        self.path.truncate(container.path_length);
        self.path.extend_from_slice(b".array_");
        let mut digits = [0u8; 20];
        let mut rest = number;
        let mut used = 0;
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
            used += 1;
            if rest == 0 {
                break;
            }
        }
        self.path.extend_from_slice(digits.get(digits.len() - used..).unwrap_or_default());
    }

    fn path_of_key(&mut self, key: Span) {
        let Some(container) = self.open.last() else { return };
        self.path.truncate(container.path_length);
        self.path.push(b'.');
        let key = self.values.bytes(key);
        self.path.extend_from_slice(if key.is_empty() { b"empty-key" } else { key });
    }

    fn argument(&mut self, value: Span) -> Result<(), Fault> {
        if self.arguments == self.limits.arguments_max {
            return Err(Fault::Arguments);
        }
        self.arguments += 1;
        self.name_bytes_left = self.name_bytes_left.checked_sub(self.path.len()).ok_or(Fault::Names)?;
        let name = self.values.store(&self.path);
        self.bytes += (name.len() + value.len()) as u64;
        self.values.add(ARGS_STRUCTURED, name, value);
        Ok(())
    }

    fn word(&mut self, word: &[u8], value: &[u8]) -> Result<(), Fault> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        if !rest.starts_with(word) {
            return Err(if word.starts_with(rest) { Fault::Truncated } else { Fault::Syntax(self.at) });
        }
        self.at += word.len();
        let value = self.values.store(value);
        self.argument(value)
    }

    fn number(&mut self) -> Result<(), Fault> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.digits(),
            _ => return Err(self.unexpected()),
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.some_digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.some_digits()?;
        }
        let value = self.values.store(self.text.get(start..self.at).unwrap_or_default());
        self.argument(value)
    }

    fn some_digits(&mut self) -> Result<(), Fault> {
        let before = self.at;
        self.digits();
        if self.at == before { Err(self.unexpected()) } else { Ok(()) }
    }

    fn digits(&mut self) {
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
    }

    /// Reads a string, its escapes undone, into the arena.
    fn string(&mut self) -> Result<Span, Fault> {
        self.at += 1;
        let start = self.values.open();
        loop {
            let rest = self.text.get(self.at..).unwrap_or_default();
            let plain =
                rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f)).unwrap_or(rest.len());
            self.values.extend(rest.get(..plain).unwrap_or_default());
            self.at += plain;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(self.values.span_from(start));
                }
                Some(b'\\') => self.escape()?,
                Some(_) => return Err(Fault::Syntax(self.at)),
                None => return Err(Fault::Truncated),
            }
        }
    }

    fn escape(&mut self) -> Result<(), Fault> {
        let byte = match self.text.get(self.at + 1) {
            Some(byte @ (b'"' | b'\\' | b'/')) => *byte,
            Some(b'b') => 8,
            Some(b'f') => 12,
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(b'u') => return self.unicode_escape(),
            Some(_) => return Err(Fault::Syntax(self.at)),
            None => return Err(Fault::Truncated),
        };
        self.values.push(byte);
        self.at += 2;
        Ok(())
    }

    fn unicode_escape(&mut self) -> Result<(), Fault> {
        let unit = self.code_unit()?;
        let character = match unit {
            0xd800..=0xdbff if self.text.get(self.at..self.at + 2) == Some(b"\\u") => {
                let back = self.at;
                let low = self.code_unit()?;
                if let 0xdc00..=0xdfff = low {
                    char::from_u32(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00))
                } else {
                    self.at = back;
                    None
                }
            }
            _ => char::from_u32(unit),
        };
        // A lone surrogate stands for no character; YAJL, which ModSecurity uses, reads a question mark.
        let mut room = [0; 4];
        self.values.extend(character.unwrap_or('?').encode_utf8(&mut room).as_bytes());
        Ok(())
    }

    fn code_unit(&mut self) -> Result<u32, Fault> {
        let digits = self.text.get(self.at + 2..self.at + 6).ok_or(Fault::Truncated)?;
        let mut unit = 0;
        for digit in digits {
            unit = unit << 4 | u32::from(hex(*digit).ok_or(Fault::Syntax(self.at))?);
        }
        self.at += 6;
        Ok(unit)
    }

    fn blanks(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn unexpected(&self) -> Fault {
        if self.at >= self.text.len() { Fault::Truncated } else { Fault::Syntax(self.at) }
    }
}

#[cfg(test)]
#[path = "json_tests.rs"]
mod tests;
