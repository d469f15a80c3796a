//! The words of a directive: separated by blanks, or in quotes.

use super::context::Context;
use super::piece::{Piece, closing_quote};

/// One word.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Word<'t> {
    /// What it says, without its quotes.
    pub(crate) text: Piece<'t>,
    /// Whether quotes stood around it.
    pub(crate) is_quoted: bool,
}

/// Splits a line; none when a quote does not close, which is reported.
pub(crate) fn words<'t>(cx: &mut Context<'_>, line: Piece<'t>) -> Option<Vec<Word<'t>>> {
    let mut words = Vec::with_capacity(4);
    let mut rest = line.trim();
    while let Some(first) = rest.first() {
        let (text, behind) = if matches!(first, b'"' | b'\'') {
            let inside = rest.skip(1);
            let Some(end) = closing_quote(inside.bytes, first) else {
                return unclosed(cx, rest);
            };
            let (text, behind) = inside.quoted(first).split_at(end);
            let behind = behind.skip(1).unquoted();
            if behind.first().is_some_and(|next| !next.is_ascii_whitespace() && !matches!(next, b'"' | b'\''))
            {
                let hint = "a quote that belongs to the text needs a backslash before it";
                return cx.error(behind, "expected a blank behind the closing quote", hint);
            }
            (text, behind)
        } else {
            rest.split_where(|byte| byte.is_ascii_whitespace())
        };
        words.push(Word { text, is_quoted: matches!(first, b'"' | b'\'') });
        rest = behind.trim_start();
    }
    Some(words)
}

fn unclosed<T>(cx: &mut Context<'_>, quote: Piece<'_>) -> Option<T> {
    let hint = if cx.line.has_blank_after_backslash {
        "blanks stand behind the backslash that should continue the line"
    } else {
        "a text that goes on over lines needs a backslash at the end of each but the last"
    };
    cx.error(quote, "quote is not closed", hint)
}
