//! Whole statements: stacked behind a semicolon, or standing alone where a value should.

use super::{
    finding::Findings,
    list::{self, List},
    token::{Kind, Start, Tokens},
    word::Word,
};

/// Judges a statement behind a semicolon at an index.
pub(super) fn check_stacked(tokens: &Tokens<'_>, at: usize, out: &mut Findings) {
    let mut next = at + 1;
    while matches!(tokens.kind(next), Kind::Semicolon | Kind::Word(Word::Begin) | Kind::Open) && next < at + 8
    {
        next += 1;
    }
    let Some(read) = read(tokens, next) else { return };
    let firm = tokens.hidden(next)
        || matches!(tokens.start, Start::Quote(_))
        || matches!(tokens.before(at), Kind::Number | Kind::Close);
    let score = match read.sure {
        Sure::Yes => 10,
        Sure::Likely if firm => 10,
        Sure::Likely => 8,
        Sure::Doubtful if firm => 5,
        Sure::Doubtful => 2,
    };
    out.add(
        tokens,
        "stacked_statement",
        score,
        (at, read.end),
        "a semicolon ends the application's statement and another one follows",
    );
}

/// Judges a statement that stands where the reading begins.
pub(super) fn check_whole(tokens: &Tokens<'_>, at: usize, out: &mut Findings) {
    let Some(read) = read(tokens, at) else { return };
    let score = match (read.sure, tokens.start) {
        (Sure::Yes, _) => 10,
        (Sure::Likely, _) if matches!(tokens.before(at), Kind::Number | Kind::Text) => 5,
        (Sure::Likely, Start::Quote(_)) => 10,
        (Sure::Likely, Start::Value) => 6,
        (Sure::Likely, Start::Middle | Start::Blind) => 5,
        (Sure::Doubtful, _) => 2,
    };
    out.add(tokens, "whole_statement", score, (at, read.end), "the value is a statement of its own");
}

/// Judges a `select` inside brackets.
pub(super) fn check_subquery(tokens: &Tokens<'_>, at: usize, out: &mut Findings) {
    let list = list::judge(tokens, at + 1);
    let mut depth = 1_usize;
    let mut from = false;
    let (mut telling, mut asks) = (false, false);
    let mut end = at + 1;
    while depth > 0 && end < at + 64 {
        match tokens.kind(end) {
            Kind::Open => depth += 1,
            Kind::Close => depth -= 1,
            Kind::Word(Word::From) => from = true,
            Kind::Word(Word::Where | Word::Limit) if from => asks = true,
            Kind::Variable => telling = true,
            Kind::Word(word) if word.is_function() && tokens.kind(end + 1) == Kind::Open => telling = true,
            Kind::Word(Word::Select | Word::Catalog) => telling = true,
            Kind::End | Kind::Comment => break,
            _ => {}
        }
        end += 1;
    }
    let score = match list {
        List::Sure if from || telling => 10,
        List::Sure => 6,
        List::Likely if telling => 10,
        List::Likely if from && (asks || tokens.hidden(at - 1)) => 10,
        List::Likely if from => 8,
        List::Likely => 3,
        List::Doubtful if from && telling => 6,
        _ => 0,
    };
    out.add(
        tokens,
        "subquery",
        score,
        (at.saturating_sub(1), end),
        "a query in brackets stands inside the value",
    );
}

/// How much it is a statement rather than a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sure {
    Yes,
    Likely,
    Doubtful,
}

struct Read {
    sure: Sure,
    end: usize,
}

/// Whether a statement ends here: nothing follows, or what may.
fn ends(tokens: &Tokens<'_>, at: usize) -> bool {
    matches!(tokens.kind(at), Kind::End | Kind::Comment | Kind::Semicolon | Kind::OpenText(_))
}

fn read(tokens: &Tokens<'_>, at: usize) -> Option<Read> {
    let word = tokens.word(at)?;
    let (sure, length) = match word {
        Word::Select => return Some(select(tokens, at)),
        Word::Insert if tokens.word(at + 1) == Some(Word::Into) => {
            let values =
                (at + 2..at + 48).any(|i| matches!(tokens.kind(i), Kind::Word(Word::Values | Word::Select)));
            (if values { Sure::Yes } else { Sure::Doubtful }, 3)
        }
        Word::Update => {
            let set = (at + 2..at + 6).find(|i| tokens.word(*i) == Some(Word::Set))?;
            let assigns = matches!(tokens.kind(set + 1), Kind::Name | Kind::Word(_))
                && (set + 2..set + 5).any(|i| tokens.kind(i) == Kind::Compare);
            (if assigns { Sure::Yes } else { Sure::Doubtful }, set - at + 3)
        }
        Word::Delete if tokens.word(at + 1) == Some(Word::From) => {
            let named = name_end(tokens, at + 2)?;
            let condition = tokens.word(named) == Some(Word::Where);
            (
                if condition {
                    Sure::Yes
                } else if ends(tokens, named) {
                    Sure::Likely
                } else {
                    Sure::Doubtful
                },
                named - at,
            )
        }
        Word::Drop | Word::Truncate => {
            let object = matches!(tokens.word(at + 1), Some(Word::Object | Word::Procedure | Word::Telling));
            if !object {
                return None;
            }
            let named = name_end(tokens, at + 2)?;
            // `drop table tennis` reads the same with or without harm: a mark of its own unless something is cut off.
            let sure = match tokens.kind(named) {
                Kind::Comment => Sure::Yes,
                Kind::Semicolon if matches!(tokens.kind(named + 1), Kind::Comment) => Sure::Yes,
                _ if ends(tokens, named) => Sure::Likely,
                _ => Sure::Doubtful,
            };
            (sure, named - at)
        }
        Word::Create | Word::Alter => {
            if !matches!(tokens.word(at + 1), Some(Word::Object | Word::Procedure | Word::Telling)) {
                return None;
            }
            let named = name_end(tokens, at + 2)?;
            let body = tokens.kind(named) == Kind::Open
                || matches!(tokens.word(named), Some(Word::As | Word::Drop | Word::Select))
                || (word == Word::Alter
                    && matches!(
                        tokens.text(named),
                        b"add" | b"modify" | b"rename" | b"identified" | b"with"
                    ))
                || (word == Word::Create
                    && matches!(tokens.text(named), b"before" | b"after" | b"on" | b"for" | b"returns"));
            (if body { Sure::Yes } else { Sure::Doubtful }, named - at)
        }
        Word::Exec => exec(tokens, at)?,
        Word::Declare => match (tokens.kind(at + 1), tokens.kind(at + 2)) {
            (Kind::Variable, Kind::Name | Kind::Word(_)) => (Sure::Yes, 3),
            _ => return None,
        },
        Word::Set if tokens.kind(at + 1) == Kind::Variable && tokens.kind(at + 2) == Kind::Compare => {
            (Sure::Yes, 3)
        }
        Word::Waitfor => match (tokens.kind(at + 1), tokens.kind(at + 2)) {
            (Kind::Word(Word::Delay), Kind::Text | Kind::OpenText(_) | Kind::Variable) => (Sure::Yes, 3),
            (Kind::Name, Kind::Text | Kind::OpenText(_)) if tokens.text(at + 1) == b"time" => (Sure::Yes, 3),
            _ => return None,
        },
        Word::Shutdown if ends(tokens, at + 1) || tokens.text(at + 1) == b"with" => (Sure::Likely, 1),
        Word::Load => load(tokens, at)?,
        Word::Begin => match tokens.kind(at + 1) {
            Kind::Word(
                Word::Declare | Word::Select | Word::Goto | Word::Exec | Word::Shutdown | Word::Waitfor,
            ) => (Sure::Yes, 2),
            Kind::Name if tokens.text(at + 1) == b"try" && tokens.word(at + 2) == Some(Word::Select) => {
                (Sure::Yes, 3)
            }
            _ => return None,
        },
        Word::Goto if tokens.kind(at + 1) == Kind::Name => {
            let goes_on =
                (at + 2..at + 6).any(|i| matches!(tokens.kind(i), Kind::Word(Word::Select | Word::Declare)));
            (if goes_on { Sure::Yes } else { Sure::Doubtful }, 2)
        }
        Word::Plain if tokens.text(at) == b"if" && matches!(tokens.kind(at + 1), Kind::Number) => {
            let compared =
                matches!(tokens.kind(at + 2), Kind::Compare) && matches!(tokens.kind(at + 3), Kind::Number);
            let then = matches!(
                tokens.kind(at + 4),
                Kind::Word(Word::Drop | Word::Waitfor | Word::Shutdown | Word::Select | Word::Exec)
            );
            (compared && then).then_some((Sure::Yes, 5))?
        }
        Word::Plain if tokens.text(at) == b"if" && tokens.kind(at + 1) == Kind::Open => {
            let harmful = (at + 2..at + 40).any(|i| match tokens.kind(i) {
                Kind::Word(Word::Waitfor | Word::Delayer) => true,
                Kind::Word(Word::Select) => list::judge(tokens, i + 1) == List::Sure,
                _ => false,
            });
            if !harmful {
                return None;
            }
            (Sure::Yes, 2)
        }
        _ => return None,
    };
    Some(Read { sure, end: at + length })
}

fn select(tokens: &Tokens<'_>, at: usize) -> Read {
    let list = list::judge(tokens, at + 1);
    let from = (at + 2..at + 64).find(|i| tokens.word(*i) == Some(Word::From));
    let catalog = (at + 1..at + 64).any(|i| tokens.word(i) == Some(Word::Catalog));
    let goes_on = from.and_then(|from| name_end(tokens, from + 1)).is_some_and(|named| {
        matches!(
            tokens.kind(named),
            Kind::Semicolon
                | Kind::Comment
                | Kind::Word(Word::Where | Word::Limit | Word::Order | Word::Group | Word::Join)
        )
    });
    let sure = match list {
        _ if catalog => Sure::Yes,
        List::Sure => Sure::Yes,
        List::Likely if from.is_some() && goes_on => Sure::Yes,
        List::Likely if from.is_some() => Sure::Likely,
        _ => Sure::Doubtful,
    };
    Read { sure, end: from.map_or(at + 3, |from| from + 2) }
}

/// The index behind a name with its qualifiers, and behind `if exists` before it.
fn name_end(tokens: &Tokens<'_>, from: usize) -> Option<usize> {
    let mut at = from;
    while matches!(tokens.text(at), b"if" | b"exists" | b"not" | b"only") && at < from + 3 {
        at += 1;
    }
    matches!(tokens.kind(at), Kind::Name | Kind::Word(_) | Kind::Variable).then_some(())?;
    at += 1;
    while tokens.kind(at) == Kind::Dot && at < from + 16 {
        at += 1;
        if matches!(tokens.kind(at), Kind::Name | Kind::Word(_)) {
            at += 1;
        }
    }
    Some(at)
}

fn exec(tokens: &Tokens<'_>, at: usize) -> Option<(Sure, usize)> {
    let system = (at + 1..at + 8).any(|i| tokens.word(i) == Some(Word::System));
    if system {
        return Some((Sure::Yes, 4));
    }
    if tokens.text(at) == b"call" {
        return (tokens.kind(at + 2) == Kind::Open && tokens.glued(at + 2)).then_some((Sure::Likely, 3));
    }
    match tokens.kind(at + 1) {
        Kind::Open if matches!(tokens.kind(at + 2), Kind::Variable | Kind::Word(_)) => Some((Sure::Yes, 3)),
        // Other languages execute strings as well.
        Kind::Open if matches!(tokens.kind(at + 2), Kind::Text | Kind::OpenText(_)) => {
            Some((Sure::Likely, 3))
        }
        Kind::Variable => Some((Sure::Yes, 2)),
        Kind::Name => {
            let named = name_end(tokens, at + 1)?;
            match tokens.kind(named) {
                Kind::Variable => Some((Sure::Yes, named - at)),
                _ if tokens.text(at + 1).starts_with(b"sp_") || tokens.text(at + 1).starts_with(b"xp_") => {
                    Some((Sure::Yes, named - at))
                }
                _ if tokens.text(at + 1) == b"immediate" => Some((Sure::Likely, named - at)),
                Kind::Text | Kind::OpenText(_) if named > at + 2 => Some((Sure::Yes, named - at)),
                _ => None,
            }
        }
        _ => None,
    }
}

fn load(tokens: &Tokens<'_>, at: usize) -> Option<(Sure, usize)> {
    match tokens.text(at) {
        b"load" => (at + 1..at + 6).any(|i| tokens.word(i) == Some(Word::Infile)).then_some((Sure::Yes, 3)),
        b"backup" if tokens.word(at + 1) == Some(Word::Object) => (at + 2..at + 8)
            .any(|i| matches!(tokens.text(i), b"disk" | b"disks" | b"to"))
            .then_some((Sure::Yes, 3)),
        b"bulk" => (tokens.word(at + 1) == Some(Word::Insert)).then_some((Sure::Yes, 2)),
        b"copy" => (at + 2..at + 12)
            .any(|i| tokens.text(i) == b"program" && matches!(tokens.text(i - 1), b"to" | b"from"))
            .then_some((Sure::Yes, 3)),
        _ => None,
    }
}
