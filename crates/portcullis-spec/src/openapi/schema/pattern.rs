//! Regular expressions: those that cannot be matched in linear time are not matched at all (CWE-1333).

use jsonschema::{Draft, PatternOptions};
use serde_json::json;

use crate::openapi::{node::Node, reader::Reader};

const HINT: &str =
    "it is left out: any text is accepted here; say it without look-around and back-references";

impl<'a> Reader<'a> {
    /// The pattern as a validator can be compiled of it; `None`, with a warning, where none can. Patterns are
    /// ECMA-262, translated by the validator itself.
    pub(super) fn pattern(&mut self, node: &Node<'a>, pattern: &str) -> Option<String> {
        let usable = match self.schemas.patterns.get(pattern) {
            Some(known) => known.clone(),
            None => {
                let usable = [pattern.to_owned(), anchored(pattern)].into_iter().find(|it| compiles(it));
                self.schemas.patterns.insert(pattern.to_owned(), usable.clone());
                usable
            }
        };
        let shown: String = pattern.chars().take(80).collect();
        match &usable {
            Some(same) if same == pattern => {}
            Some(_) => self.warn(node, format!("pattern `{shown}`: `\\A` and `\\z` are read as `^` and `$`")),
            None if ["(?=", "(?!", "(?<=", "(?<!"].iter().any(|it| pattern.contains(it)) => {
                let message =
                    format!("pattern `{shown}` uses look-around, which cannot be matched in linear time");
                self.warn_with(node, message, Some(HINT));
            }
            None => {
                let message =
                    format!("pattern `{shown}` is no regular expression that can be matched in linear time");
                self.warn_with(node, message, Some(HINT));
            }
        }
        usable
    }
}

fn compiles(pattern: &str) -> bool {
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .with_pattern_options(PatternOptions::regex())
        .build(&json!({"pattern": pattern}))
        .is_ok()
}

/// Anchors of other languages as ECMA-262 has them.
fn anchored(pattern: &str) -> String {
    let mut text = String::with_capacity(pattern.len());
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            text.push(character);
            continue;
        }
        match characters.next() {
            Some('A') => text.push('^'),
            Some('z' | 'Z') => text.push('$'),
            Some(other) => text.extend([character, other]),
            None => text.push(character),
        }
    }
    text
}
