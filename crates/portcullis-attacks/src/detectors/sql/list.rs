//! Tells a column list behind `select` from a sentence that goes on behind it.

use super::{
    token::{Kind, Tokens},
    word::Word,
};

/// How much what follows `select` looks like columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum List {
    /// Columns that no sentence has: numbers, functions, commas, `*`.
    Sure,
    /// A lone name before `from` or the end.
    Likely,
    /// A word, as in a sentence.
    Doubtful,
    /// The text ends.
    Empty,
}

/// Judges the tokens from the one behind `select`.
pub(super) fn judge(tokens: &Tokens<'_>, from: usize) -> List {
    let mut at = from;
    while matches!(tokens.kind(at), Kind::Word(Word::All | Word::Top | Word::Inside) | Kind::Open | Kind::Not)
        && at < from + 16
    {
        at += 1;
        if tokens.word(at - 1) == Some(Word::Top) && tokens.kind(at) == Kind::Number {
            at += 1;
        }
    }
    let next = tokens.kind(at + 1);
    match tokens.kind(at) {
        Kind::End | Kind::Comment => List::Empty,
        Kind::Variable | Kind::Star => List::Sure,
        Kind::Arith => match next {
            Kind::Number | Kind::Text | Kind::Open | Kind::Variable | Kind::Word(_) => List::Sure,
            _ => List::Doubtful,
        },
        Kind::Number | Kind::Text => match next {
            Kind::Name if tokens.kind(at) == Kind::Number || tokens.kind(at + 2) == Kind::Name => {
                List::Doubtful
            }
            Kind::Word(Word::Or | Word::And)
                if !matches!(
                    tokens.kind(at + 2),
                    Kind::Number | Kind::Text | Kind::Variable | Kind::Open
                ) =>
            {
                List::Doubtful
            }
            Kind::End if tokens.kind(at) == Kind::Text => List::Likely,
            // A page of a manual: `select(2) waits`.
            Kind::Close if matches!(tokens.kind(at + 2), Kind::Name | Kind::Word(Word::Or | Word::And)) => {
                List::Doubtful
            }
            Kind::Close
            | Kind::Comma
            | Kind::Semicolon
            | Kind::Comment
            | Kind::Arith
            | Kind::Logic
            | Kind::Compare
            | Kind::Star
            | Kind::Cast
            | Kind::Word(_)
            | Kind::Open => List::Sure,
            _ if tokens.kind(at) == Kind::Text => List::Doubtful,
            _ => List::Sure,
        },
        Kind::OpenText(_) => List::Likely,
        Kind::Word(Word::Null | Word::Select | Word::Case | Word::Exists) => List::Sure,
        Kind::Word(word) if word.is_function() => match next {
            Kind::Open => List::Sure,
            Kind::Comma | Kind::Word(Word::From) | Kind::Dot => List::Likely,
            Kind::Semicolon | Kind::Comment | Kind::End if word == Word::Telling => List::Sure,
            _ => List::Doubtful,
        },
        Kind::Word(Word::From) => List::Likely,
        Kind::Name | Kind::Word(_) => named(tokens, at),
        _ => List::Doubtful,
    }
}

/// A list that begins with a name.
fn named(tokens: &Tokens<'_>, at: usize) -> List {
    match tokens.kind(at + 1) {
        Kind::Open if tokens.glued(at + 1) => List::Sure,
        Kind::Comma => match (tokens.kind(at + 2), tokens.kind(at + 3)) {
            // `a, b from`, `a, b, c`, `a, 0x3a`; a sentence's comma is followed by more than one word.
            (Kind::Name | Kind::Word(_), Kind::Comma | Kind::Word(Word::From) | Kind::Open | Kind::Dot)
            | (Kind::Number | Kind::Text | Kind::Variable, _) => List::Sure,
            _ => List::Doubtful,
        },
        Kind::Dot => List::Likely,
        Kind::Word(Word::From | Word::As) => List::Likely,
        Kind::Logic | Kind::Compare => List::Likely,
        Kind::End | Kind::Comment | Kind::Close | Kind::Semicolon => List::Likely,
        _ => List::Doubtful,
    }
}
