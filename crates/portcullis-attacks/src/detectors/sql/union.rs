//! `union select`: a second result set appended to the application's own.

use super::{
    finding::Findings,
    list::{self, List},
    token::{Kind, Tokens},
    word::Word,
};

const WHY: &str = "a union appends the rows of another query to the result";

/// Judges a `union` at an index.
pub(super) fn check(tokens: &Tokens<'_>, at: usize, out: &mut Findings) {
    if tokens.before(at) == Kind::Dot {
        return;
    }
    let mut next = at + 1;
    let mut hidden = tokens.hidden(at) || tokens.versioned(at);
    while matches!(tokens.kind(next), Kind::Word(Word::All) | Kind::Open) && next < at + 16 {
        hidden |= tokens.hidden(next);
        next += 1;
    }
    let anchored = tokens.at_break(at)
        || matches!(tokens.before(at), Kind::Number | Kind::Text | Kind::Close | Kind::Word(Word::Null));
    if tokens.word(next) != Some(Word::Select) {
        let cut = matches!(tokens.kind(next), Kind::End | Kind::Comment);
        let score = match () {
            () if cut && (hidden || tokens.kind(next) == Kind::Comment) && anchored => 8,
            () if cut && anchored => 5,
            () => 0,
        };
        out.add(
            tokens,
            "union_probe",
            score,
            (at, next),
            "a union at the end of a value probes how a query takes it",
        );
        return;
    }
    hidden |= tokens.hidden(next) || tokens.hidden(next + 1);
    let score = match list::judge(tokens, next + 1) {
        _ if hidden => 10,
        List::Sure => 10,
        List::Likely | List::Empty if anchored => 10,
        List::Likely if tokens.word(next + 2) == Some(Word::From) => 10,
        List::Empty if tokens.kind(next + 1) == Kind::Comment => 10,
        List::Likely => 8,
        List::Empty => 7,
        List::Doubtful if anchored && tokens.at_break(at) => 8,
        List::Doubtful => 4,
    };
    out.add(tokens, "union_select", score, (at, next + 2), WHY);
}
