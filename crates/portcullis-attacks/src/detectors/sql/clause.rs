//! Clauses joined on behind a value: `order by 9--`, `having 1=1`, `into outfile`, `procedure analyse`.

use super::{
    expression::{self, Due, Stop},
    finding::Findings,
    token::{Kind, Start, Tokens},
    word::Word,
};

/// Judges a word that begins a clause, at an index.
pub(super) fn check(tokens: &Tokens<'_>, at: usize, word: Word, out: &mut Findings) {
    if tokens.before(at) == Kind::Dot {
        return;
    }
    match word {
        Word::Order | Word::Group if tokens.word(at + 1) == Some(Word::By) => ordering(tokens, at, out),
        Word::Having | Word::Where => filter(tokens, at, word, out),
        Word::Into if tokens.word(at + 1) == Some(Word::Outfile) => {
            let named = matches!(
                tokens.kind(at + 2),
                Kind::Text | Kind::OpenText(_) | Kind::Open | Kind::Variable | Kind::Number | Kind::Other
            );
            out.add(
                tokens,
                "file_written",
                if named { 10 } else { 4 },
                (at, at + 3),
                "a query's result is written to a file on the server",
            );
        }
        Word::Procedure if tokens.word(at + 1) == Some(Word::Analyse) => {
            let called = tokens.kind(at + 2) == Kind::Open;
            out.add(
                tokens,
                "clause_probe",
                if called { 10 } else { 5 },
                (at, at + 3),
                "a procedure is asked to analyse the query's columns",
            );
        }
        Word::Limit if tokens.at_break(at) && tokens.kind(at + 1) == Kind::Number => {
            let read = expression::read(tokens, at + 1, Due::Operand);
            let cut = tokens.kind(at + 2) == Kind::Comma || read.stop == Stop::Comment;
            out.add(
                tokens,
                "clause_probe",
                if cut { 10 } else { 5 },
                (at, at + 3),
                "a limit is joined on behind a closed value",
            );
        }
        Word::Case => case(tokens, at, out),
        _ => {}
    }
    if tokens.versioned(at) {
        hidden(tokens, at, out);
    }
}

/// A word of the language right behind the mark of a versioned comment: only MySQL runs it, and only filters miss it.
pub(super) fn hidden(tokens: &Tokens<'_>, at: usize, out: &mut Findings) {
    let touching = tokens
        .from(at)
        .checked_sub(1)
        .and_then(|i| tokens.lower.get(i))
        .is_some_and(|byte| *byte == b'!' || byte.is_ascii_digit());
    let score = if touching { 10 } else { 0 };
    out.add(
        tokens,
        "hidden_word",
        score,
        (at, at + 1),
        "a word of the language is hidden in a versioned comment",
    );
}

fn ordering(tokens: &Tokens<'_>, at: usize, out: &mut Findings) {
    let mut next = at + 2;
    let mut numbers = 0;
    loop {
        while tokens.kind(next) == Kind::Open && next < at + 16 {
            next += 1;
        }
        let read = expression::read(tokens, next, Due::Operand);
        if read.functions > 0 || read.nested {
            let anchored = tokens.at_break(at)
                || tokens.leads(at)
                || matches!(tokens.before(at), Kind::Number | Kind::Close);
            return out.add(
                tokens,
                "clause_probe",
                if anchored { 10 } else { 6 },
                (at, read.end),
                "rows are ordered by an expression that asks for data",
            );
        }
        if tokens.kind(next) != Kind::Number {
            break;
        }
        numbers += 1;
        next += 1;
        if tokens.kind(next) != Kind::Comma || numbers > 200 {
            break;
        }
        next += 1;
    }
    while matches!(tokens.kind(next), Kind::Close | Kind::Word(Word::Direction)) {
        next += 1;
    }
    let cut = tokens.kind(next) == Kind::Comment && tokens.quiet_comment(next);
    let goes_on = matches!(tokens.kind(next), Kind::Word(Word::Union | Word::Having | Word::Limit));
    let ends = matches!(tokens.kind(next), Kind::End | Kind::Semicolon | Kind::OpenText(_));
    let broken = tokens.at_break(at);
    let anchored =
        broken || tokens.leads(at) || matches!(tokens.before(at), Kind::Number | Kind::Close | Kind::Text);
    let score = match () {
        () if numbers > 0 && (cut || goes_on) => 10,
        () if numbers > 0 && broken && ends => 10,
        () if numbers > 0
            && anchored
            && ends
            && at <= 1
            && !matches!(tokens.start, Start::Middle | Start::Blind) =>
        {
            10
        }
        () if numbers > 0 && anchored && ends => 6,
        () if numbers > 0 && ends => 3,
        () if numbers == 0 && broken => {
            let named =
                matches!(tokens.kind(at + 2), Kind::Name) && matches!(tokens.kind(at + 3), Kind::Comment);
            if named { 10 } else { 3 }
        }
        () => 0,
    };
    out.add(
        tokens,
        "clause_probe",
        score,
        (at, next),
        "rows are ordered or grouped by number, to count the query's columns",
    );
}

fn filter(tokens: &Tokens<'_>, at: usize, word: Word, out: &mut Findings) {
    let read = expression::read(tokens, at + 1, Due::Operand);
    let constant = read.compares > 0 && read.is_constant() && read.literals > 0;
    let broken = tokens.at_break(at);
    let anchored =
        broken || tokens.leads(at) || matches!(tokens.before(at), Kind::Number | Kind::Close | Kind::Text);
    let cut = read.stop == Stop::Comment && tokens.quiet_comment(read.end);
    let score = match () {
        () if constant && read.is_whole() => 10,
        () if (read.functions > 0 || read.nested) && read.compares > 0 && read.is_whole() && anchored => 10,
        () if read.compares > 0 && read.is_whole() && broken => 10,
        () if read.compares > 0 && cut && anchored => 10,
        () if word == Word::Having && read.is_constant() && (broken || cut) && read.is_whole() => 10,
        () if word == Word::Having && read.compares > 0 && anchored && read.is_whole() => 6,
        () => 0,
    };
    out.add(tokens, "clause_probe", score, (at, read.end), "a filtering clause is joined on behind a value");
}

/// `case when … then … else … end` over a comparison.
fn case(tokens: &Tokens<'_>, at: usize, out: &mut Findings) {
    if tokens.word(at + 1) != Some(Word::When) {
        return;
    }
    let (mut compares, mut then, mut asks, mut plain) = (false, false, false, 0);
    let mut next = at + 2;
    while next < at + 64 {
        match tokens.kind(next) {
            Kind::Compare | Kind::Word(Word::Like) if !then => compares = true,
            Kind::Word(Word::Then) => then = true,
            Kind::Word(Word::End) if then => break,
            Kind::Word(Word::Select) => asks = true,
            Kind::Word(word) if word.is_function() && tokens.kind(next + 1) == Kind::Open => asks = true,
            Kind::Name if tokens.before(next) == Kind::Name => plain += 1,
            Kind::End => break,
            _ => {}
        }
        next += 1;
    }
    let ended = tokens.word(next) == Some(Word::End);
    let condition = expression::read(tokens, at + 2, Due::Operand);
    let constant = condition.compares > 0 && condition.is_constant();
    let score = match () {
        () if !then || plain > 2 => 0,
        () if (asks || constant) && compares => 10,
        () if compares && ended && !matches!(tokens.start, Start::Middle | Start::Blind) => 8,
        () if compares => 5,
        () => 0,
    };
    out.add(
        tokens,
        "conditional_answer",
        score,
        (at, next),
        "a conditional expression answers a question about the data",
    );
}
