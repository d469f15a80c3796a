//! Reads a run of tokens as an SQL expression and tells what it is made of.

use super::{
    token::{Kind, Tokens},
    word::Word,
};

/// Tokens read at most: enough for any condition that says something, and a bound that keeps nested ones linear.
const TOKENS_MAX: usize = 64;

/// Why an expression ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The text ends after an operand.
    End,
    /// A trailing comment cuts off what the application adds.
    Comment,
    /// A string opens and the text ends in it: the application's own quote closes it.
    OpenText(u8),
    /// `and`, `or` or another condition follows.
    Logic,
    /// A clause, a separator or a closing bracket follows.
    Clause,
    /// A semicolon follows.
    Semicolon,
    /// What follows is no SQL here: prose, for one.
    Junk,
    /// It was well formed as far as it was read.
    Long,
}

/// What an expression is made of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expression {
    /// The index of the token after it.
    pub(super) end: usize,
    /// Comparisons.
    pub(super) compares: u8,
    /// Numbers, strings and truth values.
    pub(super) literals: u8,
    /// Columns or plain words.
    pub(super) names: u8,
    /// Calls of functions that SQL has under a name of its own.
    pub(super) functions: u8,
    /// Calls of functions whose names are English words, or of unknown ones.
    pub(super) calls: u8,
    /// `@a`, `@@version`, `user`, `version()`.
    pub(super) variables: u8,
    /// Arithmetic, including signs.
    pub(super) arithmetic: u8,
    /// A `select`, a `case` or an `exists` stands inside.
    pub(super) nested: bool,
    /// An operator waits for an operand where the text ends or a comment begins.
    pub(super) dangling: bool,
    /// Brackets closed that were not opened here.
    pub(super) unbalanced: u8,
    /// The string that ended it stood where an operator was due.
    pub(super) abuts: bool,
    /// How it ended.
    pub(super) stop: Stop,
}

impl Expression {
    /// Whether it is well formed up to a place where a statement may go on or end.
    pub(super) fn is_whole(&self) -> bool {
        self.stop != Stop::Junk && !self.dangling && !self.abuts
    }

    /// Whether it holds operands at all.
    pub(super) fn is_empty(&self) -> bool {
        self.literals == 0
            && self.names == 0
            && self.variables == 0
            && self.functions == 0
            && self.calls == 0
            && !self.nested
    }

    /// Whether it says the same whatever the row holds.
    pub(super) fn is_constant(&self) -> bool {
        self.names == 0
            && self.calls == 0
            && !self.nested
            && self.literals + self.variables + self.functions > 0
    }
}

struct Reader<'t, 'a> {
    tokens: &'t Tokens<'a>,
    at: usize,
    depth: usize,
    between: bool,
    found: Expression,
}

/// Reads the expression that begins at an index. `operand` says whether an operand is due, or an operator.
pub(super) fn read(tokens: &Tokens<'_>, from: usize, operand: Due) -> Expression {
    let found = Expression {
        end: from,
        compares: 0,
        literals: 0,
        names: 0,
        functions: 0,
        calls: 0,
        variables: 0,
        arithmetic: 0,
        nested: false,
        dangling: false,
        unbalanced: 0,
        abuts: false,
        stop: Stop::Long,
    };
    let mut reader = Reader { tokens, at: from, depth: 0, between: false, found };
    let mut due = operand;
    let stop = loop {
        if reader.at >= from + TOKENS_MAX {
            break Stop::Long;
        }
        let step = match due {
            Due::Operand => reader.operand(),
            Due::Operator => reader.operator(),
        };
        match step {
            Ok(next) => due = next,
            Err(stop) => break stop,
        }
    };
    reader.found.stop = stop;
    reader.found.end = reader.at;
    reader.found.dangling = due == Due::Operand
        && matches!(stop, Stop::End | Stop::Comment | Stop::Clause | Stop::Logic | Stop::Semicolon);
    reader.found
}

/// What the grammar wants next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// A value.
    Operand,
    /// What joins two values.
    Operator,
}

type Step = Result<Due, Stop>;

impl Reader<'_, '_> {
    fn go(&mut self, due: Due) -> Step {
        self.at += 1;
        Ok(due)
    }

    fn operand(&mut self) -> Step {
        match self.tokens.kind(self.at) {
            Kind::Number | Kind::Text => {
                self.found.literals += 1;
                self.go(Due::Operator)
            }
            Kind::OpenText(quote) => {
                self.found.literals += 1;
                self.at += 1;
                Err(Stop::OpenText(quote))
            }
            Kind::Variable => {
                self.found.variables += 1;
                self.go(Due::Operator)
            }
            Kind::Not => self.go(Due::Operand),
            Kind::Arith => {
                self.found.arithmetic += 1;
                self.go(Due::Operand)
            }
            Kind::Star if self.depth > 0 => self.go(Due::Operator),
            Kind::Open => {
                self.depth += 1;
                self.go(Due::Operand)
            }
            Kind::Close if self.depth > 0 && self.tokens.before(self.at) == Kind::Open => {
                self.depth -= 1;
                self.go(Due::Operator)
            }
            Kind::Name => self.name(),
            Kind::Word(word) => self.word(word),
            Kind::End => Err(Stop::End),
            Kind::Comment => Err(Stop::Comment),
            Kind::Semicolon => Err(Stop::Semicolon),
            _ => Err(Stop::Junk),
        }
    }

    fn name(&mut self) -> Step {
        if self.tokens.kind(self.at + 1) == Kind::Open && self.tokens.glued(self.at + 1) {
            self.found.calls += 1;
            self.depth += 1;
            self.at += 1;
            return self.go(Due::Operand);
        }
        self.found.names += 1;
        self.go(Due::Operator)
    }

    fn word(&mut self, word: Word) -> Step {
        match word {
            Word::Null | Word::Truth => {
                self.found.literals += 1;
                self.go(Due::Operator)
            }
            Word::Not | Word::Exists | Word::Like | Word::All => {
                self.found.nested |= word == Word::Exists && self.tokens.kind(self.at + 1) == Kind::Open;
                self.go(Due::Operand)
            }
            Word::Inside => self.go(Due::Operand),
            Word::Select if self.depth > 0 => {
                self.found.nested = true;
                self.at += 1;
                self.skip_to_close();
                Ok(Due::Operator)
            }
            Word::Case if (1..3).any(|ahead| self.tokens.word(self.at + ahead) == Some(Word::When)) => {
                self.found.nested = true;
                self.at += 1;
                while self.at < self.found.end + TOKENS_MAX {
                    match self.tokens.kind(self.at) {
                        Kind::Word(Word::End) => return self.go(Due::Operator),
                        Kind::End | Kind::Comment | Kind::OpenText(_) => break,
                        _ => self.at += 1,
                    }
                }
                Ok(Due::Operator)
            }
            _ if word.is_function() && self.tokens.kind(self.at + 1) == Kind::Open => {
                match word {
                    Word::Plain => self.found.calls += 1,
                    Word::Telling => self.found.variables += 1,
                    _ => self.found.functions += 1,
                }
                self.depth += 1;
                self.at += 1;
                self.go(Due::Operand)
            }
            Word::Telling => {
                // `user` and `version` are words of every language: alone they are columns.
                match self.tokens.text(self.at) {
                    b"user" | b"version" | b"column" => self.found.names += 1,
                    _ => self.found.variables += 1,
                }
                self.go(Due::Operator)
            }
            Word::Plain
            | Word::Function
            | Word::Object
            | Word::Sleep
            | Word::Delay
            | Word::Top
            | Word::Load
            | Word::Catalog
            | Word::Values
            | Word::System
            | Word::Erring
            | Word::Delayer => {
                self.found.names += 1;
                self.go(Due::Operator)
            }
            _ if word.begins_clause() => Err(Stop::Clause),
            _ => Err(Stop::Junk),
        }
    }

    fn operator(&mut self) -> Step {
        let kind = self.tokens.kind(self.at);
        match kind {
            Kind::Compare => {
                self.found.compares += 1;
                self.go(Due::Operand)
            }
            Kind::Arith => {
                self.found.arithmetic += 1;
                self.go(Due::Operand)
            }
            Kind::Star => self.go(Due::Operand),
            Kind::Not => self.go(Due::Operand),
            Kind::Dot => {
                // A table's column: the name after the dot belongs to the operand just read.
                self.at += 1;
                match self.tokens.kind(self.at) {
                    Kind::Name if self.tokens.kind(self.at + 1) == Kind::Open => {
                        self.found.calls += 1;
                        self.depth += 1;
                        self.at += 1;
                        self.go(Due::Operand)
                    }
                    Kind::Name | Kind::Star | Kind::Word(_) | Kind::Dot => self.go(Due::Operator),
                    _ => Err(Stop::Junk),
                }
            }
            Kind::Cast => {
                self.at += 1;
                self.go(Due::Operator)
            }
            Kind::Logic if self.depth > 0 => self.go(Due::Operand),
            Kind::Logic => Err(Stop::Logic),
            Kind::Comma if self.depth > 0 => self.go(Due::Operand),
            Kind::Close if self.depth > 0 => {
                self.depth -= 1;
                self.go(Due::Operator)
            }
            Kind::Close => {
                self.found.unbalanced += 1;
                self.go(Due::Operator)
            }
            Kind::Semicolon => Err(Stop::Semicolon),
            Kind::Comment => Err(Stop::Comment),
            Kind::End => Err(Stop::End),
            Kind::Word(word) => self.joining_word(word),
            Kind::OpenText(quote) => {
                self.found.abuts = true;
                self.at += 1;
                Err(Stop::OpenText(quote))
            }
            _ => Err(Stop::Junk),
        }
    }

    fn joining_word(&mut self, word: Word) -> Step {
        match word {
            // Behind `in` stands a list: `"n" in text` is another language's, and prose has the word everywhere.
            Word::In if self.tokens.kind(self.at + 1) != Kind::Open => Err(Stop::Junk),
            Word::Like | Word::In | Word::Between | Word::Is => {
                self.found.compares += 1;
                self.between |= word == Word::Between;
                self.go(Due::Operand)
            }
            Word::Not
                if matches!(self.tokens.word(self.at + 1), Some(Word::Like | Word::In | Word::Between)) =>
            {
                self.go(Due::Operator)
            }
            Word::Not | Word::Div | Word::Inside => self.go(Due::Operand),
            Word::And if self.between => {
                self.between = false;
                self.go(Due::Operand)
            }
            _ if word.is_logic() && self.depth > 0 => self.go(Due::Operand),
            _ if word.is_logic() => Err(Stop::Logic),
            Word::As if self.depth > 0 => self.go(Due::Operand),
            Word::From | Word::Where | Word::Order | Word::By | Word::Direction | Word::Limit
                if self.depth > 0 =>
            {
                self.go(Due::Operand)
            }
            _ if word.begins_clause() => Err(Stop::Clause),
            _ => Err(Stop::Junk),
        }
    }

    /// Skips a nested statement to the bracket that closes it, which is consumed.
    fn skip_to_close(&mut self) {
        let floor = self.depth - 1;
        let until = self.at + TOKENS_MAX;
        while self.depth > floor && self.at < until {
            match self.tokens.kind(self.at) {
                Kind::Open => self.depth += 1,
                Kind::Close => self.depth -= 1,
                Kind::End | Kind::Comment | Kind::OpenText(_) => return,
                _ => {}
            }
            self.at += 1;
        }
    }
}
