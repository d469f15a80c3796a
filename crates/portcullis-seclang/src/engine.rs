//! The engine: a compiled rule set that threads share.

use std::sync::Arc;

use crate::transaction::Transaction;

/// A compiled rule set. Cheap to clone; clones share everything.
///
/// `Engine::compile(rules: RuleSet, ports: Ports) -> Result<Engine, Vec<Diagnostic>>` makes one.
#[derive(Clone)]
pub struct Engine {
    shared: Arc<()>,
}

impl Engine {
    /// Opens the judgement of one exchange.
    #[must_use]
    pub fn transaction(&self) -> Transaction {
        Transaction::new(Arc::clone(&self.shared))
    }
}
