//! Functions that wait, fail loudly, read files or name the server, called from a value; and tables that describe
//! the database.

use super::{
    finding::Findings,
    list::{self, List},
    token::{Kind, Start, Tokens},
    word::Word,
};

/// Tokens of a call's arguments that are looked at.
const ARGUMENTS_MAX: usize = 48;

/// Judges a word of the language that may be called or named, at an index.
pub(super) fn check(tokens: &Tokens<'_>, at: usize, word: Word, out: &mut Findings) {
    if tokens.before(at) == Kind::Dot && !matches!(word, Word::System | Word::Catalog) {
        return;
    }
    match word {
        Word::Delayer => delayer(tokens, at, out),
        Word::Sleep => sleep(tokens, at, out),
        Word::Erring => erring(tokens, at, out),
        Word::Cast => cast(tokens, at, out),
        Word::System => system(tokens, at, out),
        Word::Catalog => catalog(tokens, at, out),
        Word::Function | Word::Plain => gathering(tokens, at, out),
        _ => {}
    }
}

struct Arguments {
    end: usize,
    closed: bool,
    count: usize,
    select: bool,
    telling: bool,
    hex: bool,
    functions: usize,
    numbers: usize,
    names: usize,
    other: usize,
}

fn arguments(tokens: &Tokens<'_>, open: usize) -> Option<Arguments> {
    if tokens.kind(open) != Kind::Open {
        return None;
    }
    let mut found = Arguments {
        end: open + 1,
        closed: false,
        count: 0,
        select: false,
        telling: false,
        hex: false,
        functions: 0,
        numbers: 0,
        names: 0,
        other: 0,
    };
    let (mut depth, mut select) = (1_usize, false);
    while found.end < open + ARGUMENTS_MAX {
        match tokens.kind(found.end) {
            Kind::Open => depth += 1,
            Kind::Close => {
                depth -= 1;
                if depth == 0 {
                    found.closed = true;
                    found.end += 1;
                    break;
                }
            }
            Kind::Comma if depth == 1 => found.count += 1,
            Kind::Word(Word::Select) => {
                select = true;
                found.select |= list::judge(tokens, found.end + 1) == List::Sure;
            }
            Kind::Word(Word::From) => found.select |= select,
            Kind::Variable | Kind::Word(Word::Telling | Word::Catalog) => found.telling = true,
            Kind::Word(word) if word.is_function() && tokens.kind(found.end + 1) == Kind::Open => {
                found.functions += 1
            }
            Kind::Number => {
                found.numbers += 1;
                found.hex |= tokens.text(found.end).starts_with(b"0x");
            }
            Kind::Name => found.names += 1,
            Kind::End | Kind::Comment => break,
            Kind::Other => found.other += 1,
            _ => {}
        }
        found.end += 1;
    }
    Some(found)
}

fn delayer(tokens: &Tokens<'_>, at: usize, out: &mut Findings) {
    let name = tokens.text(at);
    let mut open = at + 1;
    if name.starts_with(b"dbms_") {
        // A package: the function stands behind a dot.
        if tokens.kind(open) != Kind::Dot {
            return;
        }
        open = at + 3;
    }
    let Some(arguments) = arguments(tokens, open) else { return };
    let score = match name {
        b"benchmark" if arguments.count == 0 || arguments.numbers == 0 => 0,
        b"benchmark" if arguments.functions > 0 => 10,
        b"benchmark" => 8,
        b"generate_series" | b"randomblob" if arguments.numbers == 0 && arguments.names == 0 => 0,
        b"generate_series" | b"randomblob" => {
            let large =
                (open..arguments.end).any(|i| tokens.kind(i) != Kind::Comma && tokens.text(i).len() >= 6);
            if large { 10 } else { 4 }
        }
        _ if arguments.end == open + 1 => 4,
        _ => 10,
    };
    out.add(
        tokens,
        "time_delay",
        score,
        (at, arguments.end),
        "a function that waits or burns time is called, to tell by the clock what a query answered",
    );
}

fn sleep(tokens: &Tokens<'_>, at: usize, out: &mut Findings) {
    let Some(arguments) = arguments(tokens, at + 1) else { return };
    let waits = arguments.numbers > 0 || arguments.functions > 0 || arguments.select || arguments.telling;
    if !waits || arguments.count > 0 {
        return;
    }
    let after = tokens.kind(arguments.end);
    let score = match tokens.before(at) {
        Kind::Logic | Kind::Comma | Kind::Arith | Kind::Compare | Kind::Not => 10,
        Kind::Word(word)
            if word.is_logic()
                || matches!(
                    word,
                    Word::Select
                        | Word::By
                        | Word::Then
                        | Word::When
                        | Word::Else
                        | Word::Not
                        | Word::All
                        | Word::Having
                        | Word::Where
                        | Word::Like
                ) =>
        {
            10
        }
        Kind::Number => 8,
        Kind::Open
            if matches!(tokens.before(at - 1), Kind::Word(_))
                && tokens.before(at - 1) != Kind::Word(Word::Plain) =>
        {
            10
        }
        Kind::Open => 6,
        Kind::Semicolon if tokens.start != Start::Value => 10,
        _ if tokens.at_break(at) => 10,
        _ if tokens.leads(at) && after == Kind::Comment => 10,
        _ if tokens.leads(at) && matches!(after, Kind::Compare | Kind::Arith | Kind::Logic) => 10,
        _ if tokens.leads(at) && after == Kind::End => 10,
        _ if tokens.hidden(at) || tokens.hidden(at + 1) => 10,
        _ => 3,
    };
    out.add(
        tokens,
        "time_delay",
        score,
        (at, arguments.end),
        "a function that waits or burns time is called, to tell by the clock what a query answered",
    );
}

fn erring(tokens: &Tokens<'_>, at: usize, out: &mut Findings) {
    let mut open = at + 1;
    while matches!(tokens.kind(open), Kind::Dot | Kind::Name | Kind::Word(_)) && open < at + 6 {
        open += 1;
    }
    let Some(arguments) = arguments(tokens, open) else { return };
    let score = match () {
        () if arguments.select || arguments.telling || arguments.functions > 0 || arguments.hex => 10,
        () if open > at + 1 => 9,
        () => 4,
    };
    out.add(
        tokens,
        "error_function",
        score,
        (at, arguments.end),
        "a function whose error message carries data out is called",
    );
}

fn cast(tokens: &Tokens<'_>, at: usize, out: &mut Findings) {
    let Some(arguments) = arguments(tokens, at + 1) else { return };
    let score = match () {
        () if arguments.select => 10,
        () if arguments.telling || arguments.hex => 8,
        () => 0,
    };
    out.add(
        tokens,
        "error_function",
        score,
        (at, arguments.end),
        "a conversion that fails on text carries data out in its error message",
    );
}

fn system(tokens: &Tokens<'_>, at: usize, out: &mut Findings) {
    let called = tokens.kind(at + 1) == Kind::Open;
    let procedure = matches!(tokens.text(at), [b's' | b'x', b'p', b'_', ..]);
    let score = match () {
        () if called => 10,
        () if procedure
            && (tokens.before(at) != Kind::End
                || matches!(tokens.kind(at + 1), Kind::Text | Kind::OpenText(_))) =>
        {
            10
        }
        () if procedure => 6,
        () => 5,
    };
    out.add(
        tokens,
        "system_function",
        score,
        (at, at + 2),
        "a function of the database that reads files or runs commands is called",
    );
}

fn catalog(tokens: &Tokens<'_>, at: usize, out: &mut Findings) {
    let from = matches!(
        tokens.before(at),
        Kind::Word(Word::From | Word::Into | Word::Join) | Kind::Comma | Kind::Open | Kind::Dot
    );
    let asked = (at.saturating_sub(32)..at + 16)
        .any(|i| matches!(tokens.kind(i), Kind::Word(Word::Select | Word::Where)));
    let dotted = tokens.kind(at + 1) == Kind::Dot;
    let score = match () {
        () if asked && from => 10,
        () if asked => 8,
        () if from && dotted => 5,
        () => 3,
    };
    out.add(tokens, "catalog_table", score, (at, at + 2), "a table that describes the database is named");
}

/// `concat(0x3a,version())`, `group_concat(table_name,0x3a)`, `substr(user(),1,1)`: data gathered or taken apart.
fn gathering(tokens: &Tokens<'_>, at: usize, out: &mut Findings) {
    let Some(arguments) = arguments(tokens, at + 1) else { return };
    if !arguments.closed && arguments.count == 0 {
        return;
    }
    let name = tokens.text(at);
    let joins = name.starts_with(b"concat") || name.starts_with(b"group_concat");
    let taken = tokens.word(at) == Some(Word::Function);
    let score = match () {
        () if arguments.select && arguments.other == 0 => 10,
        () if joins && (arguments.hex || arguments.telling) => 10,
        () if tokens.hidden(at + 1) && joins => 10,
        () if taken
            && arguments.telling
            && tokens.leads(at)
            && tokens.start == Start::Value
            && arguments.closed =>
        {
            10
        }
        () if taken && arguments.telling && arguments.functions > 0 && arguments.other == 0 => 8,
        () if taken && arguments.telling && arguments.other == 0 => 6,
        () if taken
            && matches!(name, b"make_set" | b"elt" | b"conv" | b"export_set" | b"find_in_set")
            && arguments.functions > 0 =>
        {
            8
        }
        () => 0,
    };
    out.add(
        tokens,
        "data_gathering",
        score,
        (at, arguments.end),
        "functions gather data of the server or take it apart",
    );
}
