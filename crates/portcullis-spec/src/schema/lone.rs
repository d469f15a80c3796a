//! One JSON Schema on its own, of any draft: the seam through which the conformance suite of JSON Schema reaches
//! the same compiler, patterns and tape that documents are judged with.

use std::{collections::HashMap, sync::Arc};

use jsonschema::{Draft, PatternOptions, Retrieve, Uri, Validator};
use portcullis_leaves::Tree;
use serde_json::Value;

use super::node::{Tape, TapeNode};
use crate::format;

/// A compiled schema.
pub struct Lone(Validator<Tape>);

/// Whether `format` refuses a value or only remarks on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Formats {
    /// As the draft has it.
    ByDraft,
    /// It refuses.
    Asserted,
}

impl Lone {
    /// Compiles a schema of `draft4`, `draft7` or `draft2020-12`; `remotes` are other documents by URI.
    ///
    /// # Errors
    /// The draft is none of these, or the schema cannot be compiled: what is wrong, in words.
    pub fn compile(
        schema: &Value,
        draft: &str,
        remotes: Arc<HashMap<String, Value>>,
        formats: Formats,
    ) -> Result<Self, String> {
        let draft = match draft {
            "draft4" => Draft::Draft4,
            "draft7" => Draft::Draft7,
            "draft2020-12" => Draft::Draft202012,
            other => return Err(format!("draft `{other}` is not known here")),
        };
        let mut options = format::register(jsonschema::options_for::<Tape>())
            .with_draft(draft)
            .with_retriever(Remotes(remotes))
            .with_pattern_options(PatternOptions::regex());
        if formats == Formats::Asserted {
            options = options.should_validate_formats(true);
        }
        options.build(schema).map(Self).map_err(|error| error.to_string())
    }

    /// Whether the tree satisfies the schema.
    pub fn is_valid(&self, tree: &Tree) -> bool {
        self.0.is_valid(TapeNode::Value(tree.root()))
    }
}

impl std::fmt::Debug for Lone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Lone")
    }
}

struct Remotes(Arc<HashMap<String, Value>>);

impl Retrieve for Remotes {
    fn retrieve(&self, uri: &Uri<String>) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        self.0.get(uri.as_str()).cloned().ok_or_else(|| format!("`{uri}` is not among the remotes").into())
    }
}
