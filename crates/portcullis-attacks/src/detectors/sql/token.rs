//! The pieces of an SQL text, and a window over them that answers past its end.

use super::word::Word;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A decimal, scientific or hexadecimal number, or `\N`.
    Number,
    /// A closed string.
    Text,
    /// A string that the text does not close; the byte is its quote.
    OpenText(u8),
    /// A word that the language does not know, or a quoted identifier: a column, a table, prose.
    Name,
    /// A word of the language.
    Word(Word),
    /// `@name`, `@@name`, a lone `@`.
    Variable,
    /// `=`, `<>`, `!=`, `<`, `:=` and their kin.
    Compare,
    /// `||` or `&&`.
    Logic,
    /// `+`, `-`, `/`, `%`, `&`, `|`, `^`, `<<`, `>>`.
    Arith,
    /// `*`: a multiplication or every column.
    Star,
    /// `!` or `~` before an operand.
    Not,
    /// `(`.
    Open,
    /// `)`.
    Close,
    /// `,`.
    Comma,
    /// `;`.
    Semicolon,
    /// `.` between names.
    Dot,
    /// `::`.
    Cast,
    /// A comment that runs to the end of the text.
    Comment,
    /// A byte without a meaning here.
    Other,
    /// Past the last token.
    End,
}

/// One piece, with its place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    /// What it is.
    pub(super) kind: Kind,
    /// Nothing stood between it and the token before.
    pub(super) glued: bool,
    /// An inline or versioned comment stood right before it.
    pub(super) hidden: bool,
    /// The comment before it was a versioned one, `/*!50000`, which MySQL runs.
    pub(super) versioned: bool,
    /// First byte.
    pub(super) start: u32,
    /// One past the last byte.
    pub(super) end: u32,
}

/// Where the text that was tokenised begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// At the value's first byte: the value lands in a statement unquoted.
    Value,
    /// After the value's first quote of this kind, which would close the string that it lands in.
    Quote(u8),
    /// After a later quote: nothing is known of what stands before.
    Middle,
    /// At the value's first byte, with quotes taken for mere separators.
    Blind,
}

/// Tokens with their text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tokens<'a> {
    /// The tokens of this window.
    pub(super) list: &'a [Token],
    /// The whole text in lower case.
    pub(super) lower: &'a [u8],
    /// Where the reading began.
    pub(super) start: Start,
    /// The window ends where the text does.
    pub(super) complete: bool,
    /// The window begins where the reading does.
    pub(super) first: bool,
}

impl<'a> Tokens<'a> {
    /// The kind at an index. Past the end it is [`Kind::End`], or [`Kind::Other`] where only the window ends.
    pub(super) fn kind(&self, at: usize) -> Kind {
        #[cfg(test)]
        LOOKS.set(LOOKS.get() + 1);
        match self.list.get(at) {
            Some(token) => token.kind,
            None if self.complete => Kind::End,
            None => Kind::Other,
        }
    }

    /// The kind before an index, [`Kind::End`] at the front.
    pub(super) fn before(&self, at: usize) -> Kind {
        at.checked_sub(1).and_then(|at| self.list.get(at)).map_or(Kind::End, |token| token.kind)
    }

    /// The word of the language at an index.
    pub(super) fn word(&self, at: usize) -> Option<Word> {
        match self.kind(at) {
            Kind::Word(word) => Some(word),
            _ => None,
        }
    }

    /// The bytes at an index.
    pub(super) fn text(&self, at: usize) -> &'a [u8] {
        self.list
            .get(at)
            .and_then(|token| self.lower.get(token.start as usize..token.end as usize))
            .unwrap_or_default()
    }

    /// Whether the token touches the one before.
    pub(super) fn glued(&self, at: usize) -> bool {
        self.list.get(at).is_some_and(|token| token.glued)
    }

    /// Whether a comment hides the border before the token.
    pub(super) fn hidden(&self, at: usize) -> bool {
        self.list.get(at).is_some_and(|token| token.hidden)
    }

    /// Whether the token follows a versioned comment's mark.
    pub(super) fn versioned(&self, at: usize) -> bool {
        self.list.get(at).is_some_and(|token| token.versioned)
    }

    /// Whether the text has been left by its first quote, and nothing but closing brackets stands between.
    pub(super) fn at_break(&self, at: usize) -> bool {
        self.first
            && matches!(self.start, Start::Quote(_))
            && self.list.get(..at).is_some_and(|before| before.iter().all(|token| token.kind == Kind::Close))
    }

    /// Whether nothing stands before the token but brackets.
    pub(super) fn leads(&self, at: usize) -> bool {
        self.first
            && self
                .list
                .get(..at)
                .is_some_and(|before| before.iter().all(|t| matches!(t.kind, Kind::Close | Kind::Open)))
    }

    /// The first byte of a token, or the end of the text.
    pub(super) fn from(&self, at: usize) -> usize {
        self.list.get(at).map_or(self.lower.len(), |token| token.start as usize)
    }

    /// The byte after the token before `at`.
    pub(super) fn to(&self, at: usize) -> usize {
        at.checked_sub(1)
            .and_then(|at| self.list.get(at))
            .or(self.list.last())
            .map_or(0, |token| token.end as usize)
    }

    /// Whether a trailing comment at the index holds no sentence: attackers leave it empty or end it with a tag.
    pub(super) fn quiet_comment(&self, at: usize) -> bool {
        if self.kind(at) != Kind::Comment {
            return false;
        }
        let Some(token) = self.list.get(at) else { return false };
        let rest = self.lower.get(token.start as usize..).unwrap_or_default();
        let mut words = rest.split(|byte| byte.is_ascii_whitespace() || *byte == b'+').filter(|word| {
            word.iter().filter(|byte| byte.is_ascii_alphabetic()).count() > 1
                || word.iter().any(|byte| *byte >= 0x80)
        });
        words.next();
        words.next().is_none()
    }
}

#[cfg(test)]
thread_local! {
    /// How often a rule looked at a token: the measure of work in tests.
    pub(super) static LOOKS: core::cell::Cell<u64> = const { core::cell::Cell::new(0) };
}
