//! Conditions joined on with `or`, `and`, `||`, `&&`, `xor`, and strings left by one quote and entered by another.

use super::{
    expression::{self, Due, Expression, Stop},
    finding::Findings,
    token::{Kind, Start, Tokens},
    word::Word,
};

/// Judges the condition behind a logical operator at an index.
pub(super) fn check(tokens: &Tokens<'_>, at: usize, out: &mut Findings) {
    if tokens.before(at) == Kind::Dot {
        return;
    }
    let after = at + 1 + usize::from(tokens.word(at + 1) == Some(Word::Not));
    let read = expression::read(tokens, after, Due::Operand);
    if read.is_empty() {
        return;
    }
    let place = Place::of(tokens, at);
    let span = (at, read.end);
    let computes = read.functions > 0 || read.variables > 0;
    if read.compares > 0 && read.is_constant() && !computes {
        out.add(
            tokens,
            "constant_condition",
            constant(place, &read),
            span,
            "a condition that is the same for every row is joined on",
        );
    } else if read.nested || read.functions > 0 {
        let score = match (place.anchored(), read.is_whole()) {
            (true, true) => 10,
            (false, true) => 8,
            (true, false) => 5,
            (false, false) => 3,
        };
        out.add(
            tokens,
            "probing_condition",
            score,
            span,
            "a condition that takes data apart or asks another query is joined on",
        );
    } else if read.compares > 0 {
        out.add(
            tokens,
            "column_condition",
            column(place, &read, tokens),
            span,
            "a condition on a column is joined on behind a closed value",
        );
    } else {
        out.add(
            tokens,
            "bare_condition",
            bare(place, &read, tokens),
            span,
            "a truth value is joined on behind a closed value",
        );
    }
}

/// What stands before the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// The quote that the value closed.
    Break,
    /// A number, a string, a bracket.
    Operand,
    /// Nothing: the value begins with the operator.
    Front,
    /// A word.
    Word,
}

impl Place {
    fn of(tokens: &Tokens<'_>, at: usize) -> Self {
        if tokens.at_break(at) {
            return Self::Break;
        }
        match tokens.before(at) {
            Kind::Number
            | Kind::Text
            | Kind::Close
            | Kind::Variable
            | Kind::Word(Word::Null | Word::Truth) => Self::Operand,
            _ if tokens.leads(at) && !matches!(tokens.start, Start::Middle | Start::Blind) => Self::Front,
            _ => Self::Word,
        }
    }

    fn anchored(self) -> bool {
        self != Self::Word
    }
}

fn constant(place: Place, read: &Expression) -> u8 {
    match (read.is_whole() || read.abuts, place.anchored()) {
        (true, _) => 10,
        (false, true) => 6,
        (false, false) => 4,
    }
}

fn column(place: Place, read: &Expression, tokens: &Tokens<'_>) -> u8 {
    let cut = read.stop == Stop::Comment && tokens.quiet_comment(read.end);
    let computed = read.names == 0 && read.literals > 0 && read.calls > 0;
    let tells = (read.variables > 0 || computed) && read.is_whole();
    let quoted =
        matches!(read.stop, Stop::OpenText(_)) && is_sentence(tokens.text(read.end.saturating_sub(1)));
    match place {
        Place::Break if quoted => 4,
        Place::Operand | Place::Front if tells => 10,
        Place::Break if read.is_whole() => 10,
        Place::Break => 4,
        Place::Operand | Place::Front if cut => 10,
        Place::Operand | Place::Front if matches!(read.stop, Stop::OpenText(_)) => 6,
        Place::Operand | Place::Front if read.is_whole() => 5,
        Place::Word if cut => 5,
        _ => 0,
    }
}

fn bare(place: Place, read: &Expression, tokens: &Tokens<'_>) -> u8 {
    let cut = read.stop == Stop::Comment && !read.dangling && tokens.quiet_comment(read.end);
    let reopens = matches!((read.stop, tokens.start), (Stop::OpenText(quote), Start::Quote(opened)) if quote == opened)
        && !read.abuts
        && !is_sentence(tokens.text(read.end.saturating_sub(1)));
    let calls = read.calls > 0 && read.is_whole();
    match place {
        Place::Break if cut || reopens => 10,
        Place::Break if read.stop == Stop::Clause && !read.dangling && read.is_constant() => 10,
        Place::Break if calls => 8,
        Place::Break if read.is_constant() && read.is_whole() => 4,
        Place::Operand if reopens => 8,
        Place::Operand | Place::Front if cut && read.is_constant() => 10,
        Place::Operand | Place::Front if cut && calls => 8,
        Place::Operand | Place::Front if calls || (read.variables > 0 && read.is_whole()) => 5,
        _ => 0,
    }
}

/// Judges what follows the quote by which the value leaves its string, as one expression up to its end.
pub(super) fn check_break(tokens: &Tokens<'_>, out: &mut Findings) {
    let Start::Quote(quote) = tokens.start else { return };
    if !tokens.first {
        return;
    }
    let first = tokens.list.iter().take_while(|token| token.kind == Kind::Close).count();
    if tokens.kind(first) == Kind::Comment {
        return comment_after_quote(tokens, first, out);
    }
    let joins = match tokens.kind(first) {
        Kind::Compare | Kind::Logic | Kind::Arith | Kind::Star | Kind::Not => true,
        Kind::Word(word) => {
            word.is_logic()
                || matches!(word, Word::Like | Word::In | Word::Between | Word::Is | Word::Div | Word::Not)
        }
        _ => false,
    };
    if !joins {
        return;
    }
    let mut sum = Sum::default();
    let mut at = first;
    let last = loop {
        let read = expression::read(tokens, at, Due::Operator);
        sum.add(&read);
        at = read.end;
        if read.stop != Stop::Logic || sum.parts > 16 {
            break read;
        }
        sum.logic = true;
        // Behind the operator an operand is due.
        let read = expression::read(tokens, at + 1, Due::Operand);
        sum.add(&read);
        at = read.end;
        if read.stop != Stop::Logic {
            break read;
        }
    };
    let reopens = last.stop == Stop::OpenText(quote) && !last.abuts;
    let cut = last.stop == Stop::Comment && !last.dangling && tokens.quiet_comment(last.end);
    let operands = sum.operands.saturating_sub(u8::from(reopens));
    let opened = tokens.text(last.end.saturating_sub(1));
    let sentence = reopens && is_sentence(opened);
    let few = words_before(tokens) <= 2;
    let score = match () {
        () if sentence => 3,
        () if reopens && (sum.compares > 0 || sum.logic) => 10,
        () if reopens && operands > 0 => 10,
        () if reopens => 6,
        () if cut && (sum.compares > 0 || sum.logic) => 10,
        () if cut && operands > 0 && few => 10,
        () if cut && operands > 0 => 8,
        () => 0,
    };
    out.add(
        tokens,
        "string_left",
        score,
        (0, last.end),
        "a quote closes the value's string, and what follows goes on as an expression to the end",
    );
}

#[derive(Default)]
struct Sum {
    parts: u8,
    operands: u8,
    compares: u8,
    logic: bool,
}

impl Sum {
    fn add(&mut self, read: &Expression) {
        self.parts += 1;
        self.compares = self.compares.saturating_add(read.compares);
        let operands =
            [read.literals, read.names, read.variables, read.functions, read.calls, u8::from(read.nested)];
        self.operands = operands.iter().fold(self.operands, |sum, more| sum.saturating_add(*more));
    }
}

/// `admin'--`: the quote closes the string and a comment drops the rest of the statement.
fn comment_after_quote(tokens: &Tokens<'_>, at: usize, out: &mut Findings) {
    let words = words_before(tokens);
    let comment = tokens.text(at);
    let mark =
        comment.iter().take_while(|byte| matches!(byte, b'-' | b'#' | b'/' | b'*' | b'+' | b' ')).count();
    let trailing = comment.get(mark..).unwrap_or_default();
    let quoted = trailing.iter().any(|byte| matches!(byte, b'\'' | b'"'));
    let score = match () {
        () if quoted || !tokens.quiet_comment(at) => 2,
        () if at > 0 && trailing.len() <= 16 => 10,
        () if words <= 2 && trailing.is_empty() => 10,
        () if words <= 2 && trailing.len() <= 16 && !comment.starts_with(b"#") => 10,
        () if trailing.len() <= 16 => 6,
        () => 3,
    };
    out.add(
        tokens,
        "quote_and_comment",
        score,
        (0, at + 1),
        "a quote closes the value's string and a comment drops the rest of the statement",
    );
}

/// Whether a string that opens last holds more than an injection puts there: a word or a value. A sentence was
/// quoted, not left.
fn is_sentence(opened: &[u8]) -> bool {
    let letters = |word: &&[u8]| word.iter().any(u8::is_ascii_alphabetic);
    let spaced = opened.get(1).is_some_and(|byte| matches!(byte, b' ' | b'+')) && letters(&opened);
    let words = opened.split(u8::is_ascii_whitespace).filter(letters).count();
    let signs = !opened.iter().any(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'%' | b'_'));
    spaced
        || words > 1
        || opened.len() > 64
        || (signs && !opened.get(1..).unwrap_or_default().trim_ascii().is_empty())
}

/// Words before the quote that was left.
fn words_before(tokens: &Tokens<'_>) -> usize {
    let before = tokens.lower.get(..tokens.list.first().map_or(0, |t| t.start as usize)).unwrap_or_default();
    before.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).take(4).count()
}
