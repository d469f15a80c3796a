//! Slices of a logical line that remember where they lie.

use memchr::memchr;

/// A part of a line's text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Piece<'t> {
    /// The bytes as written.
    pub(crate) bytes: &'t [u8],
    /// Offset of the first of them within the line.
    pub(crate) at: usize,
    /// Quotes around this piece: a backslash before one of them only served to keep it inside, and is left out of the
    /// value. Unused places repeat the first or are 0, which no quote is.
    quotes: [u8; 2],
}

impl<'t> Piece<'t> {
    /// A whole line.
    pub(crate) const fn new(bytes: &'t [u8]) -> Self {
        Self { bytes, at: 0, quotes: [0; 2] }
    }

    /// The piece with a further quote around it.
    pub(crate) const fn within(self, quote: u8) -> Self {
        Self { quotes: [self.quotes[0], quote], ..self }
    }

    /// The piece outside of any quotes.
    pub(crate) const fn unquoted(self) -> Self {
        Self { quotes: [0; 2], ..self }
    }

    /// The piece with a first quote around it.
    pub(crate) const fn quoted(self, quote: u8) -> Self {
        Self { quotes: [quote, quote], ..self }
    }

    /// Two pieces, the first with `count` bytes; all of it when it is shorter.
    pub(crate) fn split_at(self, count: usize) -> (Self, Self) {
        let count = count.min(self.bytes.len());
        let (start, rest) = self.bytes.split_at_checked(count).unwrap_or((self.bytes, &[]));
        let rest = Self { bytes: rest, at: self.at + start.len(), ..self };
        (Self { bytes: start, ..self }, rest)
    }

    /// What stands before and behind the first such byte.
    pub(crate) fn split_once(self, byte: u8) -> Option<(Self, Self)> {
        let (before, rest) = self.split_at(memchr(byte, self.bytes)?);
        Some((before, rest.skip(1)))
    }

    /// The piece without its first bytes.
    pub(crate) fn skip(self, count: usize) -> Self {
        self.split_at(count).1
    }

    /// The piece up to the first byte that fits, and the rest from it on.
    pub(crate) fn split_where(self, fits: impl Fn(u8) -> bool) -> (Self, Self) {
        self.split_at(self.bytes.iter().position(|byte| fits(*byte)).unwrap_or(self.bytes.len()))
    }

    /// The rest behind a byte that comes first.
    pub(crate) fn strip(self, byte: u8) -> Option<Self> {
        (self.first() == Some(byte)).then(|| self.skip(1))
    }

    /// The first byte.
    pub(crate) fn first(self) -> Option<u8> {
        self.bytes.first().copied()
    }

    /// Without blanks at the start.
    pub(crate) fn trim_start(self) -> Self {
        self.skip(self.bytes.len() - self.bytes.trim_ascii_start().len())
    }

    /// Without blanks at both ends.
    pub(crate) fn trim(self) -> Self {
        let start = self.trim_start();
        start.split_at(start.bytes.trim_ascii_end().len()).0
    }

    /// Whether nothing is left.
    pub(crate) const fn is_empty(self) -> bool {
        self.bytes.is_empty()
    }

    /// Whether it is this word, in any case.
    pub(crate) fn is(self, word: &str) -> bool {
        self.bytes.eq_ignore_ascii_case(word.as_bytes())
    }

    /// A number in decimal digits, without sign.
    pub(crate) fn number<N: std::str::FromStr>(self) -> Option<N> {
        let digits = std::str::from_utf8(self.bytes).ok()?;
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        digits.parse().ok()
    }

    /// Whether a backslash here only keeps the next byte, a quote, inside.
    pub(crate) fn keeps_quote(self, index: usize) -> bool {
        self.bytes.get(index) == Some(&b'\\')
            && self.bytes.get(index + 1).is_some_and(|next| *next != 0 && self.quotes.contains(next))
    }

    /// The value: backslashes that only kept a quote inside left out.
    pub(crate) fn value(self) -> Box<[u8]> {
        if memchr(b'\\', self.bytes).is_none() || self.quotes == [0; 2] {
            return self.bytes.into();
        }
        self.bytes
            .iter()
            .enumerate()
            .filter(|(index, _)| !self.keeps_quote(*index))
            .map(|(_, byte)| *byte)
            .collect()
    }
}

/// Where the first such quote lies that no backslash keeps inside.
pub(crate) fn closing_quote(bytes: &[u8], quote: u8) -> Option<usize> {
    let mut is_escaped = false;
    for (index, byte) in bytes.iter().enumerate() {
        if *byte == quote && !is_escaped {
            return Some(index);
        }
        is_escaped = *byte == b'\\' && !is_escaped;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_its_place_through_cutting() {
        let piece = Piece::new(b"  ab=cd ").trim();
        let (before, behind) = piece.split_once(b'=').unwrap();
        assert_eq!((before.bytes, before.at, behind.bytes, behind.at), (&b"ab"[..], 2, &b"cd"[..], 5));
        assert!(piece.split_once(b'!').is_none());
        assert_eq!(piece.skip(99).at, 7);
    }

    #[test]
    fn undoes_only_the_quotes_around_it() {
        let text = Piece::new(br#"a\"b\'c\\d"#);
        assert_eq!(&*text.value(), br#"a\"b\'c\\d"#);
        assert_eq!(&*text.quoted(b'"').value(), br#"a"b\'c\\d"#);
        assert_eq!(&*text.quoted(b'"').within(b'\'').value(), br#"a"b'c\\d"#);
    }

    #[test]
    fn finds_the_quote_that_closes() {
        assert_eq!(closing_quote(br#"a\"b""#, b'"'), Some(4));
        assert_eq!(closing_quote(br#"a\\"b"#, b'"'), Some(3));
        assert_eq!(closing_quote(br#"a\""#, b'"'), None);
    }

    #[test]
    fn reads_numbers_without_sign() {
        assert_eq!(Piece::new(b"12").number::<u8>(), Some(12));
        for bad in [&b""[..], b"+1", b"-1", b"256", b"1x", b"\xff"] {
            assert_eq!(Piece::new(bad).number::<u8>(), None);
        }
    }
}
