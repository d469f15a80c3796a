//! SQL injection (CWE-89): reads a value as a piece of a statement, in every place where it can land.
//!
//! A value can land bare, or inside a string of any of three quotes. Each of these is a *reading*: the tokens from the
//! value's start, or from behind the quote that would close the string. Rules then look at every word that an injection
//! cannot do without (`union`, `or`, a semicolon, a waiting function) and read the expression or statement around it;
//! a sentence that happens to hold the word does not parse as one. Covers MySQL, PostgreSQL, SQL Server, Oracle, SQLite.

mod breakout;
mod call;
mod clause;
mod condition;
mod expression;
mod finding;
mod lexer;
mod list;
mod statement;
#[cfg(test)]
mod tests;
mod token;
mod union;
mod weigh;
mod word;

use finding::Findings;
use lexer::Lexer;
use token::{Kind, Start, Token, Tokens};
use word::Word;

use crate::{
    class::Class,
    detectors::Detector,
    hit::{Hit, Hits},
    view::View,
};

/// Tokens judged at once; a longer text is judged in windows.
const WINDOW: usize = 4096;
/// Tokens that a window shares with the one before it, more than any rule reads ahead.
const OVERLAP: usize = 256;

/// Bytes of the shortest string in which another statement hides: `sleep(9)` in its quotes.
const HIDING_BYTES_MIN: u32 = 10;

/// Finds SQL injection.
#[derive(Debug)]
pub(super) struct Sql;

impl Detector for Sql {
    fn class(&self) -> Class {
        Class::Sql
    }

    fn literals(&self) -> &'static [&'static str] {
        LITERALS
    }

    fn inspect(&self, view: &View<'_>, hits: &mut Hits) {
        let Some(pass) = weigh::Pass::of(&view.leaf, view.text) else { return };
        let marks = breakout::Marks::of(view.lower);
        if !marks.worth_reading(view.lower) {
            return;
        }
        let mut found = Findings::default();
        let mut tokens = Vec::with_capacity(64);
        let hides = read(view.lower, 0, Start::Value, &mut tokens, &mut found);
        if hides && !found.is_certain() {
            let mut blind = Findings::default();
            read(view.lower, 0, Start::Blind, &mut tokens, &mut blind);
            found.take_over(blind, SURE_IN_ANY_QUOTES);
        }
        for breakout in breakout::find(view.lower, marks) {
            if found.is_certain() {
                break;
            }
            read(view.lower, breakout.behind, breakout.start, &mut tokens, &mut found);
        }
        for finding in found.sorted() {
            let score = pass.weigh(&finding, view.lower);
            if score > 0 {
                let span = finding.from..finding.to;
                hits.push(Hit { class: Class::Sql, rule: finding.rule, score, span, why: finding.why });
            }
        }
    }
}

/// Judges one reading, window by window; whether it holds strings long enough to hide a statement.
fn read(lower: &[u8], from: usize, start: Start, tokens: &mut Vec<Token>, found: &mut Findings) -> bool {
    let mut lexer = Lexer::new(lower, from, start == Start::Blind);
    tokens.clear();
    let (mut first, mut hides) = (true, false);
    loop {
        lexer.fill(tokens, WINDOW);
        let window = Tokens { list: tokens, lower, start, complete: lexer.done(), first };
        judge(&window, found);
        hides |= tokens.iter().any(|token| {
            matches!(token.kind, Kind::Text | Kind::OpenText(_))
                && token.end - token.start >= HIDING_BYTES_MIN
        });
        if lexer.done() || found.is_certain() {
            return hides;
        }
        first = false;
        let keep = tokens.len().saturating_sub(OVERLAP);
        tokens.drain(..keep);
    }
}

fn judge(tokens: &Tokens<'_>, found: &mut Findings) {
    condition::check_break(tokens, found);
    let mut fresh = tokens.first;
    for at in 0..tokens.list.len() {
        match tokens.kind(at) {
            Kind::Logic => condition::check(tokens, at, found),
            Kind::Semicolon => statement::check_stacked(tokens, at, found),
            Kind::Word(word) => judge_word(tokens, at, word, fresh, found),
            _ => {}
        }
        // A statement may stand behind closing and opening brackets, but behind nothing else.
        fresh &= matches!(tokens.kind(at), Kind::Close | Kind::Open | Kind::Comma | Kind::Other)
            || (at == 0 && matches!(tokens.kind(at), Kind::Number | Kind::Text));
    }
}

fn judge_word(tokens: &Tokens<'_>, at: usize, word: Word, fresh: bool, found: &mut Findings) {
    match word {
        Word::Or | Word::And | Word::Xor => condition::check(tokens, at, found),
        Word::Union => union::check(tokens, at, found),
        Word::Select if tokens.before(at) == Kind::Open => statement::check_subquery(tokens, at, found),
        Word::Having
        | Word::Where
        | Word::Order
        | Word::Group
        | Word::Into
        | Word::Procedure
        | Word::Limit
        | Word::Case => {
            clause::check(tokens, at, word, found);
        }
        _ if word.is_function() || word == Word::Catalog => call::check(tokens, at, word, found),
        _ => {}
    }
    if fresh || matches!(tokens.kind(at), Kind::Word(Word::Waitfor | Word::Declare | Word::Exec | Word::Load))
    {
        statement::check_whole(tokens, at, found);
    }
    if tokens.versioned(at) {
        clause::hidden(tokens, at, found);
    }
}

/// What is an injection in whatever quotes it stands: a value may be a text in another language that holds the real one.
const SURE_IN_ANY_QUOTES: &[&str] =
    &["union_select", "time_delay", "error_function", "system_function", "file_written"];

/// An injection holds one of these. A quote alone is listed because `'='` and `admin'#` hold nothing else.
const LITERALS: &[&str] = &[
    "'",
    "\"",
    "`",
    "/*",
    "shutdown",
    "||",
    "&&",
    "union",
    "select",
    "or",
    "and",
    "having",
    "group",
    "order",
    "where",
    "sleep",
    "benchmark",
    "delay",
    "declare",
    "exec",
    "into",
    "insert",
    "update",
    "delete",
    "drop",
    "truncate",
    "create",
    "alter",
    "analyse",
    "xp_",
    "sp_",
    "cast",
    "convert",
    "concat",
    "information_schema",
    "load",
    "extractvalue",
    "updatexml",
    "utl_",
    "dbms_",
    "case",
    "backup",
    "bulk",
    "copy",
    "load_file",
    "json_keys",
];
