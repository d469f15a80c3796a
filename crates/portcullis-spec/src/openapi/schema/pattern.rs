//! Regular expressions: those that cannot be matched in linear time are not matched at all (CWE-1333).

use jsonschema::{Draft, PatternOptions};
use serde_json::json;

use crate::openapi::{node::Node, reader::Reader};

impl<'a> Reader<'a> {
    /// Whether a validator can be compiled of the pattern; warns when not. Patterns are ECMA-262, translated by
    /// the validator itself.
    pub(super) fn pattern_compiles(&mut self, node: &Node<'a>, pattern: &str) -> bool {
        if let Some(known) = self.schemas.patterns.get(pattern) {
            let known = *known;
            if !known {
                self.warn_with(node, message(pattern), Some(HINT));
            }
            return known;
        }
        let compiles = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .with_pattern_options(PatternOptions::regex())
            .build(&json!({"pattern": pattern}))
            .is_ok();
        self.schemas.patterns.insert(pattern.to_owned(), compiles);
        if !compiles {
            self.warn_with(node, message(pattern), Some(HINT));
        }
        compiles
    }
}

const HINT: &str = "it is left out: any text is accepted here; say it without look-around and back-references";

fn message(pattern: &str) -> String {
    let shown: String = pattern.chars().take(80).collect();
    if ["(?=", "(?!", "(?<=", "(?<!"].iter().any(|it| pattern.contains(it)) {
        format!("pattern `{shown}` uses look-around, which cannot be matched in linear time")
    } else {
        format!("pattern `{shown}` is not a regular expression that can be matched in linear time")
    }
}
