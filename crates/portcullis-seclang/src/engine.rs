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

/// How rules are compiled.
#[derive(Debug, Clone, Copy, Default)]
pub struct CompileOptions<'a> {
    /// Variables of `TX` that the host sets for each transaction: their values are no constants.
    pub host_variables: &'a [&'a str],
}

impl Engine {
    /// Stub.
    pub fn compile(
        _rules: crate::rules::RuleSet,
        _files: &dyn crate::source::Files,
        _ports: crate::Ports,
        _options: &CompileOptions<'_>,
    ) -> Result<Self, Vec<crate::diagnostic::Diagnostic>> {
        Ok(Self { shared: Arc::new(()) })
    }

    /// Opens the judgement of one exchange.
    #[must_use]
    pub fn transaction(&self) -> Transaction {
        Transaction::new(Arc::clone(&self.shared))
    }
}
