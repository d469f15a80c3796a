//! What a finding weighs in the field where it stood.

use super::{finding::Finding, lexer::word_length, word::Word};
use crate::leaf::{Field, Leaf};

/// Plain words in a row from which a value reads as prose.
const PROSE_WORDS: usize = 5;

/// How findings count in a field.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pass {
    field: Field,
}

impl Pass {
    /// What the field lets through; `None` where SQL is what the field is for.
    pub(super) fn of(leaf: &Leaf<'_>, text: &[u8]) -> Option<Self> {
        let short = text.len() <= 160 && !text.contains(&b'\n');
        match leaf.field {
            // A patch or a script holds SQL of its own; a voucher code does not, and is short.
            Field::Code if !short => None,
            field => Some(Self { field }),
        }
    }

    /// The score of a finding here.
    pub(super) fn weigh(&self, finding: &Finding, lower: &[u8]) -> u8 {
        match self.field {
            Field::Query | Field::Code if is_statement(lower) => 0,
            Field::Query if matches!(finding.rule, "whole_statement" | "subquery" | "catalog_table") => 0,
            Field::Code if finding.rule.ends_with("_condition") => finding.score.min(6),
            Field::Prose | Field::Markup if reads_as_prose(lower) => finding.score.min(5),
            _ => finding.score,
        }
    }
}

/// Whether the text begins as a statement does, for fields that take statements.
fn is_statement(lower: &[u8]) -> bool {
    let begin = lower.iter().take_while(|byte| byte.is_ascii_whitespace() || **byte == b'(').count();
    let rest = lower.get(begin..).unwrap_or_default();
    let word =
        rest.get(..word_length(rest.get(..32.min(rest.len())).unwrap_or_default())).unwrap_or_default();
    matches!(
        Word::of(word),
        Some(
            Word::Select
                | Word::Insert
                | Word::Update
                | Word::Delete
                | Word::Create
                | Word::Alter
                | Word::Drop
                | Word::Declare
                | Word::Exec
                | Word::Begin
        )
    ) || matches!(word, b"with" | b"explain" | b"show" | b"merge" | b"grant")
}

/// Whether plain words stand in a row, as in a sentence.
fn reads_as_prose(text: &[u8]) -> bool {
    let mut row = 0;
    for word in text.split(|byte| *byte == b' ' || *byte == b'\n').take(400) {
        let plain = word.strip_suffix(b",").or(word.strip_suffix(b".")).unwrap_or(word);
        let letters = plain.len() > 1 && plain.iter().all(u8::is_ascii_alphabetic);
        if letters && Word::of(plain).is_none() {
            row += 1;
            if row >= PROSE_WORDS {
                return true;
            }
        } else if !(letters || plain == b"a" || plain == b"i") {
            row = 0;
        }
    }
    false
}
