//! Finds the quotes by which a value could leave the string it lands in.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};
use smallvec::SmallVec;

use super::{lexer::word_length, token::Start, word::Word};

/// Quotes of a value that are looked at.
const QUOTES_MAX: usize = 48;
/// Readings behind quotes; more would let a value of quotes cost more than its length.
const READINGS_MAX: usize = 5;

/// Which bytes occur in a value, so that prose costs one pass.
#[derive(Clone, Copy, Debug)]
pub(super) struct Marks(u8);

/// `'`, `"`, `` ` ``.
const QUOTE: u8 = 1;
/// What a condition, a call, a comment or a second statement cannot do without.
const SIGN: u8 = 2;
/// Bytes beyond ASCII, which may cut words.
const BEYOND: u8 = 4;
/// `-`, two of which begin a comment.
const DASH: u8 = 8;

/// What each byte is.
const TABLE: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "the loop ends at 255")]
        #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, which would refuse")]
        {
            table[byte] = match byte as u8 {
                b'\'' | b'"' | b'`' => QUOTE,
                b'=' | b'<' | b'>' | b'(' | b'#' | b'*' | b'@' | b'&' | b'|' | b';' => SIGN,
                b'-' => DASH,
                0x80.. => BEYOND,
                _ => 0,
            };
        }
        byte += 1;
    }
    table
};

/// Words that are enough without any sign.
#[expect(clippy::expect_used, reason = "the words are constants, and a few of them fit any automaton")]
static WORDS: LazyLock<AhoCorasick> = LazyLock::new(|| {
    let words =
        ["select", "union", "drop", "order", "group", "like", "between", "is n", "shutdown", "backup"];
    // Leftmost, because only then are the vector instructions used that find where a word may begin.
    AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(words).expect("constant words")
});

impl Marks {
    /// Looks a value through.
    pub(super) fn of(lower: &[u8]) -> Self {
        Self(
            lower
                .iter()
                .fold(0, |marks, byte| marks | TABLE.get(usize::from(*byte)).copied().unwrap_or_default()),
        )
    }

    /// Whether quotes occur.
    pub(super) fn has_quotes(self) -> bool {
        self.0 & QUOTE != 0
    }

    /// Whether any rule could find something in the value.
    pub(super) fn worth_reading(self, lower: &[u8]) -> bool {
        self.0 & (QUOTE | SIGN | BEYOND) != 0
            || (self.0 & DASH != 0 && lower.windows(2).any(|pair| pair == b"--"))
            || WORDS.is_match(lower)
    }
}

/// A place behind a quote where a statement could go on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Breakout {
    /// First byte behind the quote.
    pub(super) behind: usize,
    /// What is known of the place.
    pub(super) start: Start,
}

/// The quotes behind which something follows that an injection would have there.
pub(super) fn find(lower: &[u8], marks: Marks) -> SmallVec<[Breakout; READINGS_MAX]> {
    let mut found = SmallVec::new();
    if !marks.has_quotes() {
        return found;
    }
    let mut seen = [false; 3];
    for at in memchr::memchr3_iter(b'\'', b'"', b'`', lower).take(QUOTES_MAX) {
        let Some(quote) = lower.get(at).copied() else { break };
        let behind = lower.get(at + 1..).unwrap_or_default();
        let follows = follows(behind);
        if quote == b'\''
            && follows != Follows::Statement
            && is_apostrophe(lower.get(..at).unwrap_or_default(), behind)
        {
            continue;
        }
        let index = match quote {
            b'\'' => 0,
            b'"' => 1,
            _ => 2,
        };
        let first = seen.get_mut(index).is_some_and(|seen| !core::mem::replace(seen, true));
        if follows == Follows::Statement {
            // Behind a blank and before a letter, a quote opens: a word is quoted.
            let opens = at
                .checked_sub(1)
                .and_then(|at| lower.get(at))
                .is_some_and(|byte| matches!(byte, b' ' | b'+'))
                && behind.first().is_some_and(u8::is_ascii_alphabetic);
            let start = if first && !opens { Start::Quote(quote) } else { Start::Middle };
            found.push(Breakout { behind: at + 1, start });
            if found.len() >= READINGS_MAX {
                break;
            }
        }
    }
    found
}

/// A letter on each side: part of a word, as in `O'Brien`.
fn is_apostrophe(before: &[u8], behind: &[u8]) -> bool {
    before.last().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte >= 0x80)
        && behind.first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte >= 0x80)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Follows {
    Statement,
    Text,
}

/// Whether what stands behind a quote could go on as SQL.
fn follows(behind: &[u8]) -> Follows {
    let skipped = behind
        .iter()
        .take(64)
        .take_while(|byte| byte.is_ascii_whitespace() || matches!(byte, b')' | b'+' | b'\x0b' | b'\0'))
        .count();
    let rest = behind.get(skipped..).unwrap_or_default();
    let statement = match rest {
        [
            b'=' | b'<' | b'>' | b'!' | b'|' | b'&' | b'^' | b'*' | b'/' | b'-' | b'%' | b';' | b'#' | b','
            | b'~',
            ..,
        ] => true,
        [b'\'' | b'"', ..] => behind.iter().take(skipped).any(|byte| *byte == b'+'),
        [byte, ..] if byte.is_ascii_alphabetic() => {
            let word = rest
                .get(..word_length(rest.get(..32.min(rest.len())).unwrap_or_default()))
                .unwrap_or_default();
            Word::of(word).is_some_and(Word::follows_string)
                || word.starts_with(b"un")
                || word.starts_with(b"se")
                || (behind.first() == Some(&b'+') && Word::of(word).is_some_and(Word::is_function))
        }
        [b'(' | b'@' | b'0'..=b'9', ..] => behind.first() == Some(&b'+'),
        _ => false,
    };
    if statement { Follows::Statement } else { Follows::Text }
}
