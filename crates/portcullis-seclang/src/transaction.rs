//! The judgement of one exchange, phase by phase.

use std::sync::Arc;

use crate::message::{RequestHead, ResponseHead};
use crate::verdict::{Intervention, RuleMatch};

/// One exchange under judgement. The host calls the phases in order and stops forwarding at the first intervention;
/// `finish` always comes last, also after an intervention. A phase left out is run without its data by the next call.
pub struct Transaction {
    matches: Vec<RuleMatch>,
}

impl Transaction {
    pub(crate) fn new(_engine: Arc<()>) -> Self {
        Transaction { matches: Vec::new() }
    }

    /// Phase 1: the request's head.
    pub fn request_head(&mut self, _head: &RequestHead<'_>) -> Option<Intervention> {
        None
    }

    /// Phase 2: the whole request body as far as the host read it; empty where there is none.
    pub fn request_body(&mut self, _body: &[u8]) -> Option<Intervention> {
        None
    }

    /// Whether a rule asks for the response body of this exchange; without need the host may stream it through.
    #[must_use]
    pub fn wants_response_body(&self) -> bool {
        true
    }

    /// Phase 3: the response's head.
    pub fn response_head(&mut self, _head: &ResponseHead<'_>) -> Option<Intervention> {
        None
    }

    /// Phase 4: the whole response body as far as the host read it.
    pub fn response_body(&mut self, _body: &[u8]) -> Option<Intervention> {
        None
    }

    /// Phase 5: logging; its rules cannot stop anything any more.
    pub fn finish(&mut self) {}

    /// The matches that asked to be logged so far, in order.
    #[must_use]
    pub fn matches(&self) -> &[RuleMatch] {
        &self.matches
    }

    /// An integer of the `TX` collection as the rules left it, `anomaly_score` for one; absent or no number is `None`.
    #[must_use]
    pub fn tx_integer(&self, _name: &str) -> Option<i64> {
        None
    }
}
