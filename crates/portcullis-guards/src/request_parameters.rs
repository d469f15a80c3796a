//! Refuses path, query, header and cookie parameters that the specification does not allow
//! (OWASP API8:2023; CWE-20), and query parameters it does not know.

use std::{borrow::Cow, sync::Arc};

use portcullis_core::{
    chain::{Guard, Phase},
    context::Context,
    verdict::{Denial, Reason, RuleId, Severity, Verdict},
};
use portcullis_spec::{compiled::CompiledOperation, violation::Violation};

/// Checks the head of a request against the operation's parameters.
#[derive(Debug)]
pub struct RequestParameters {
    operation: Arc<CompiledOperation>,
}

impl RequestParameters {
    /// A guard for one operation.
    pub fn new(operation: Arc<CompiledOperation>) -> Self {
        Self { operation }
    }
}

impl Guard for RequestParameters {
    fn name(&self) -> &'static str {
        NAME
    }

    fn phase(&self) -> Phase {
        Phase::RequestHead
    }

    fn check(&self, cx: &mut Context) -> Verdict {
        match self.operation.check_parameters(&cx.request) {
            Ok(()) => Verdict::Pass,
            Err(violations) => reason(&violations).deny(Denial::Invalid),
        }
    }
}

/// The first half of the rule ids of all guards that judge by the specification.
pub(crate) const NAME: &str = "schema";

/// One reason for all violations of a message: the first gives the rule, each its place.
pub(crate) fn reason(violations: &[Violation]) -> Reason {
    let Some((first, others)) = violations.split_first() else {
        return Reason::new(RuleId::new("schema/invalid"), Severity::Low, "does not conform to the specification");
    };
    let mut message = first.message.clone();
    if !first.schema.is_empty() {
        message.push_str(&format!(" (by `{}`)", first.schema));
    }
    if !others.is_empty() {
        message.push_str(&format!("; and {} more", others.len()));
    }
    let rule = RuleId::owned(format!("{NAME}/{}", first.keyword));
    violations.iter().fold(Reason::new(rule, Severity::Low, Cow::Owned(message)), |reason, violation| {
        reason.at(violation.place.clone(), violation.excerpt.clone())
    })
}
