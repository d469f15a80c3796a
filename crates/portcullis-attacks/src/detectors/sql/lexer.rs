//! Cuts bytes into SQL tokens, as the union of the dialects would, whatever the bytes are.

use memchr::{memchr, memmem};

use super::{
    token::{Kind, Token},
    word::Word,
};

/// Bytes of the longest word worth joining over invisible characters or a comment.
const JOINED_MAX: usize = 24;

/// Reads tokens from a text, a window at a time.
#[derive(Debug)]
pub(super) struct Lexer<'a> {
    lower: &'a [u8],
    at: usize,
    /// Where the token before ended, for `glued`.
    ended: usize,
    hidden: bool,
    versioned: bool,
    last: Kind,
    /// Quotes are no more than separators.
    blind: bool,
}

impl<'a> Lexer<'a> {
    /// A lexer over lower-case bytes from an offset.
    pub(super) const fn new(lower: &'a [u8], from: usize, blind: bool) -> Self {
        Self { lower, at: from, ended: from, hidden: false, versioned: false, last: Kind::End, blind }
    }

    /// Whether all is read.
    pub(super) const fn done(&self) -> bool {
        self.at >= self.lower.len()
    }

    /// Adds tokens until the list holds `most` of them or the text ends.
    pub(super) fn fill(&mut self, tokens: &mut Vec<Token>, most: usize) {
        while tokens.len() < most && !self.done() {
            let start = self.at;
            if let Some(kind) = self.step() {
                let glued = self.ended == start;
                tokens.push(Token {
                    kind,
                    glued,
                    hidden: self.hidden,
                    versioned: self.versioned,
                    start: offset(start),
                    end: offset(self.at),
                });
                (self.hidden, self.versioned, self.last, self.ended) = (false, false, kind, self.at);
            }
            if self.at == start {
                self.at += 1;
            }
        }
    }

    fn peek(&self, ahead: usize) -> u8 {
        self.lower.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn rest(&self) -> &'a [u8] {
        self.lower.get(self.at..).unwrap_or_default()
    }

    fn take(&mut self, bytes: usize, kind: Kind) -> Option<Kind> {
        self.at += bytes;
        Some(kind)
    }

    fn step(&mut self) -> Option<Kind> {
        let byte = self.peek(0);
        match byte {
            0..=b' ' => {
                self.at += 1;
                None
            }
            b'a'..=b'z' | b'_' | b'$' => self.word(),
            b'0'..=b'9' => self.number(),
            b'.' if self.peek(1).is_ascii_digit() => self.number(),
            b'\'' | b'"' | b'`' if self.blind => self.take(1, Kind::Other),
            b'\'' | b'"' | b'`' => self.text(byte),
            b'-' if self.peek(1) == b'-' => self.line_comment(2),
            b'#' => self.line_comment(1),
            b'/' if self.peek(1) == b'*' => self.block_comment(),
            b'*' if self.peek(1) == b'/' && self.peek(2) != b'*' => {
                self.at += 2;
                self.hidden = true;
                None
            }
            b'+' => self.plus(),
            b'@' => self.variable(),
            b'[' => self.bracket(),
            b'\\' if self.peek(1) == b'n' && self.last != Kind::Name => self.take(2, Kind::Number),
            0x80.. => self.beyond_ascii(),
            _ => self.punctuation(byte),
        }
    }

    fn punctuation(&mut self, byte: u8) -> Option<Kind> {
        match (byte, self.peek(1)) {
            (b'<', b'=') if self.peek(2) == b'>' => self.take(3, Kind::Compare),
            (b'<', b'<') | (b'>', b'>') => self.take(2, Kind::Arith),
            (b'<' | b'>' | b'!' | b'=', b'=') | (b'<', b'>') | (b':', b'=') => self.take(2, Kind::Compare),
            (b'=' | b'<' | b'>', _) => self.take(1, Kind::Compare),
            (b':', b':') => self.take(2, Kind::Cast),
            (b'|', b'|') | (b'&', b'&') => self.take(2, Kind::Logic),
            (b'-' | b'/' | b'%' | b'&' | b'|' | b'^', _) => self.take(1, Kind::Arith),
            (b'*', _) => self.take(1, Kind::Star),
            (b'!' | b'~', _) => self.take(1, Kind::Not),
            (b'(', _) => self.take(1, Kind::Open),
            (b')', _) => self.take(1, Kind::Close),
            (b',', _) => self.take(1, Kind::Comma),
            (b';', _) => self.take(1, Kind::Semicolon),
            (b'.', _) => self.take(1, Kind::Dot),
            _ => self.take(1, Kind::Other),
        }
    }

    /// A word, joined over invisible characters and over a comment in its middle.
    fn word(&mut self) -> Option<Kind> {
        let rest = self.rest();
        let length = word_length(rest);
        let word = rest.get(..length).unwrap_or_default();
        let next = rest.get(length..).unwrap_or_default();
        let qualified = self.last == Kind::Dot && self.ended == self.at;
        if qualified && !matches!(Word::of(word), Some(Word::System | Word::Catalog)) {
            return self.take(length, Kind::Name);
        }
        if let Some((joined, used)) = joined(word, next) {
            self.hidden = true;
            self.versioned = true;
            return self.take(length + used, Kind::Word(joined));
        }
        let prefixes_text = matches!(next, [b'\'', ..])
            && matches!(word, b"n" | b"x" | b"b" | b"e" | b"_utf8" | b"_binary" | b"_latin1");
        if prefixes_text && !self.blind {
            self.at += length;
            return self.text(b'\'');
        }
        if let Some(tail) = word.strip_prefix(b"select")
            && Word::of(tail).is_some_and(Word::is_function)
            && next.first() == Some(&b'(')
        {
            // A tool's template, or a filter that dropped the blank: both words are read.
            return self.take(word.len() - tail.len(), Kind::Word(Word::Select));
        }
        match Word::of(word) {
            Some(found) => self.take(length, Kind::Word(found)),
            None => self.apostrophe(length),
        }
    }

    /// A plain word, which goes on behind an apostrophe where letters stand on both sides of it.
    fn apostrophe(&mut self, length: usize) -> Option<Kind> {
        let next = self.lower.get(self.at + length..).unwrap_or_default();
        if let [b'\'', tail @ ..] = next
            && self.peek(length - 1).is_ascii_alphabetic()
            && tail.first().is_some_and(u8::is_ascii_alphabetic)
        {
            let after = word_length(tail);
            if Word::of(tail.get(..after).unwrap_or_default()).is_none() {
                return self.take(length + 1 + after, Kind::Name);
            }
        }
        self.take(length, Kind::Name)
    }

    /// A number; letters glued to it belong to it (`3rd`) unless they are a word of the language (`1or`).
    fn number(&mut self) -> Option<Kind> {
        let rest = self.rest();
        let digits = number_length(rest);
        let tail = rest.get(digits..).unwrap_or_default();
        let letters = word_length(tail);
        if letters == 0 {
            return self.take(digits, Kind::Number);
        }
        let word = tail.get(..letters).unwrap_or_default();
        let next = tail.get(letters..).unwrap_or_default();
        if Word::of(word).is_some() || joined(word, next).is_some() {
            return self.take(digits, Kind::Number);
        }
        if matches!(word, [b'd' | b'f', b'u', b'n', ..])
            && word.get(1..).and_then(Word::of) == Some(Word::Union)
        {
            // Oracle's suffixes of a number's type.
            return self.take(digits + 1, Kind::Number);
        }
        self.take(digits + letters, Kind::Name)
    }

    fn text(&mut self, quote: u8) -> Option<Kind> {
        let mut at = self.at + 1;
        loop {
            let rest = self.lower.get(at..).unwrap_or_default();
            let Some(found) = memchr::memchr2(quote, b'\\', rest) else {
                self.at = self.lower.len();
                return Some(Kind::OpenText(quote));
            };
            let here = at + found;
            if rest.get(found) == Some(&b'\\') {
                at = here + 2;
            } else if self.lower.get(here + 1) == Some(&quote) {
                // A doubled quote stands for one, except as the last two bytes: there the text ends and a new one opens.
                if here + 2 >= self.lower.len() {
                    self.at = here + 1;
                    return Some(closed(quote));
                }
                at = here + 2;
            } else {
                self.at = here + 1;
                return Some(closed(quote));
            }
        }
    }

    fn line_comment(&mut self, mark: usize) -> Option<Kind> {
        let rest = self.lower.get(self.at + mark..).unwrap_or_default();
        match memchr::memchr2(b'\n', b'\r', rest) {
            Some(line) if line + 1 < rest.len() => {
                self.at += mark + line + 1;
                self.hidden = true;
                None
            }
            _ => {
                self.at = self.lower.len();
                Some(Kind::Comment)
            }
        }
    }

    fn block_comment(&mut self) -> Option<Kind> {
        let rest = self.rest();
        if let Some(inside) = rest.strip_prefix(b"/*!") {
            let version = inside.iter().take(6).take_while(|byte| byte.is_ascii_digit()).count();
            self.at += 3 + version;
            self.hidden = true;
            self.versioned = true;
            return None;
        }
        match memmem::find(rest.get(2..).unwrap_or_default(), b"*/") {
            Some(end) => {
                self.at += end + 4;
                self.hidden = true;
                None
            }
            None => {
                self.at = self.lower.len();
                Some(Kind::Comment)
            }
        }
    }

    /// A plus is a space where a form's encoding was left on and a word of the language stands beside it.
    fn plus(&mut self) -> Option<Kind> {
        let rest = self.rest();
        let plus = rest.iter().take_while(|byte| **byte == b'+').count();
        let tail = rest.get(plus..).unwrap_or_default();
        let word = Word::of(tail.get(..word_length(tail)).unwrap_or_default());
        let beside = matches!(self.last, Kind::Word(word) if word.takes_plus_as_space());
        if beside || word.is_some_and(Word::takes_plus_as_space) {
            self.at += plus;
            return None;
        }
        self.take(1, Kind::Arith)
    }

    fn variable(&mut self) -> Option<Kind> {
        if self.ended == self.at && matches!(self.last, Kind::Name) {
            return self.take(1, Kind::Other);
        }
        let at_signs = self.rest().iter().take(2).take_while(|byte| **byte == b'@').count();
        let tail = self.lower.get(self.at + at_signs..).unwrap_or_default();
        let quoted = match tail.first() {
            Some(quote @ (b'`' | b'"' | b'\'')) => {
                memchr(*quote, tail.get(1..65.min(tail.len())).unwrap_or_default())
            }
            _ => None,
        };
        let name = quoted.map_or_else(|| word_length(tail), |end| end + 2);
        self.take(at_signs + name, Kind::Variable)
    }

    /// SQL Server's quoted identifier, if it holds nothing but a name.
    fn bracket(&mut self) -> Option<Kind> {
        let tail = self.lower.get(self.at + 1..).unwrap_or_default();
        let name = word_length(tail);
        if name > 0 && tail.get(name) == Some(&b']') && (self.ended != self.at || self.last == Kind::Dot) {
            return self.take(name + 2, Kind::Name);
        }
        self.take(1, Kind::Other)
    }

    fn beyond_ascii(&mut self) -> Option<Kind> {
        match invisible(self.rest()) {
            0 => match word_length(self.rest()) {
                0 => self.take(1, Kind::Other),
                length => self.take(length, Kind::Name),
            },
            bytes => {
                self.at += bytes;
                None
            }
        }
    }
}

const fn closed(quote: u8) -> Kind {
    match quote {
        b'`' => Kind::Name,
        _ => Kind::Text,
    }
}

/// Offsets are kept in 32 bits; no view is longer than a body may be, and what lies beyond is never looked at.
fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// Bytes of a word at the front: letters, digits, `_`, `$` and letters beyond ASCII, but not Unicode punctuation.
pub(super) fn word_length(text: &[u8]) -> usize {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$';
    let mut length = 0;
    while let Some(byte) = text.get(length) {
        let beyond = *byte >= 0x80 && !is_punctuation(text.get(length..).unwrap_or_default());
        if !plain(*byte) && !beyond {
            break;
        }
        length += 1;
    }
    length
}

/// Unicode's general punctuation and spaces.
const fn is_punctuation(text: &[u8]) -> bool {
    matches!(
        text,
        [0xE2, 0x80 | 0x81, ..]
            | [0xC2, 0x85 | 0xA0 | 0xAD, ..]
            | [0xE3, 0x80, 0x80, ..]
            | [0xEF, 0xBB, 0xBF, ..]
            | [0xA0, ..]
    )
}

/// Bytes of an invisible or white character at the front, 0 if there is none.
const fn invisible(text: &[u8]) -> usize {
    match text {
        [0xE2, 0x80, 0x80..=0x8F | 0xA8..=0xAF, ..]
        | [0xE2, 0x81, 0xA0, ..]
        | [0xE3, 0x80, 0x80, ..]
        | [0xEF, 0xBB, 0xBF, ..] => 3,
        [0xC2, 0x85 | 0xA0 | 0xAD, ..] => 2,
        [0xA0, ..] => 1,
        _ => 0,
    }
}

fn number_length(text: &[u8]) -> usize {
    if let [b'0', b'x', digits @ ..] = text {
        let hex = digits.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        if hex > 0 {
            return 2 + hex;
        }
    }
    let whole = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut length = whole;
    if text.get(length) == Some(&b'.') {
        length += 1 + text
            .get(length + 1..)
            .unwrap_or_default()
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
    }
    if let Some([b'e', tail @ ..]) = text.get(length..) {
        let sign = usize::from(matches!(tail, [b'+' | b'-', ..]));
        let power =
            tail.get(sign..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_digit()).count();
        if power > 0 {
            length += 1 + sign + power;
        }
    }
    length
}

/// `union`, `select` and their like, cut by invisible characters, by a comment, or by the seams of a joined list
/// (`un","ion`): the word and how many bytes behind its first piece belong to it.
fn joined(head: &[u8], mut next: &[u8]) -> Option<(Word, usize)> {
    const CUT: [&[u8]; 7] = [b"union", b"select", b"from", b"where", b"sleep", b"concat", b"order"];
    // Most words end at a blank: that costs one look.
    if !matches!(next.first(), Some(b'/' | b'"' | b',' | b'\\' | b'\'' | 0x80..)) {
        return None;
    }
    if head.len() < 2 || !CUT.iter().any(|word| word.len() > head.len() && word.starts_with(head)) {
        return None;
    }
    let mut buffer = [0_u8; JOINED_MAX];
    buffer.get_mut(..head.len())?.copy_from_slice(head);
    let (mut length, mut used) = (head.len(), 0);
    for _ in 0..JOINED_MAX {
        let seam = seam(next);
        if seam == 0 {
            break;
        }
        let tail = next.get(seam..)?;
        let letters = tail.iter().take(JOINED_MAX).take_while(|byte| byte.is_ascii_lowercase()).count();
        if letters == 0 {
            break;
        }
        buffer.get_mut(length..length + letters)?.copy_from_slice(tail.get(..letters)?);
        length += letters;
        used += seam + letters;
        next = tail.get(letters..)?;
        let so_far = buffer.get(..length)?;
        if CUT.contains(&so_far) {
            return Word::of(so_far).map(|word| (word, used));
        }
    }
    None
}

/// Bytes at the front that a later stage drops from the middle of a word.
fn seam(text: &[u8]) -> usize {
    if let Some(inside) = text.strip_prefix(b"/*") {
        return memmem::find(inside.get(..16.min(inside.len())).unwrap_or_default(), b"*/")
            .map_or(0, |end| end + 4);
    }
    match invisible(text) {
        0 => {
            // Quotes as typographers set them are three bytes each.
            let is_seam =
                |byte: &&u8| matches!(byte, b'"' | b',' | b'\\' | b'\'' | 0xE2 | 0x80 | 0x98..=0x9D);
            let length = text.iter().take(10).take_while(is_seam).count();
            if text.get(..length).is_some_and(|seam| seam.contains(&b',')) { length } else { 0 }
        }
        bytes => bytes,
    }
}
