//! Refuses path, query, header and cookie parameters that the specification does not allow
//! (OWASP API8:2023; CWE-20), and query parameters it does not know.

use std::{borrow::Cow, sync::Arc};

use portcullis_core::{
    chain::{Guard, Phase},
    context::Context,
    verdict::{Denial, Place, Reason, RuleId, Severity, Verdict},
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
        return Reason::new(
            RuleId::new("schema/invalid"),
            Severity::Low,
            "does not conform to the specification",
        );
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
        let rule = RuleId::owned(format!("{NAME}/{}", violation.keyword));
        reason.also(rule, bounded(&violation.place), violation.excerpt.clone())
    })
}

/// A pointer's names are the client's: a thousand levels of them do not belong into a record.
fn bounded(place: &Place) -> Place {
    const POINTER_BYTES_MAX: usize = 200;
    let cut = |pointer: &str| match pointer.len() {
        0..=POINTER_BYTES_MAX => pointer.into(),
        _ => {
            let kept: String = pointer.chars().take(POINTER_BYTES_MAX / 2).collect();
            format!("{kept}…").into()
        }
    };
    match place {
        Place::Body(pointer) => Place::Body(cut(pointer)),
        Place::ResponseBody(pointer) => Place::ResponseBody(cut(pointer)),
        other => other.clone(),
    }
}

#[cfg(test)]
pub(crate) mod testing {
    use portcullis_spec::{
        compiled::{CompileOptions, CompiledDocument},
        openapi::{self, LoadOptions, MemorySource},
    };

    use super::*;

    /// The one operation of a small document.
    pub(crate) fn orders() -> Arc<CompiledOperation> {
        let document = "
openapi: 3.1.0
info: {title: t, version: '1'}
paths:
  /orders:
    post:
      parameters: [{name: dry, in: query, schema: {type: boolean}}]
      requestBody:
        content:
          application/json: {schema: {type: object, required: [item], properties: {item: {type: string}}}}
          application/octet-stream: {}
      responses:
        '200':
          description: ok
          content: {application/json: {schema: {type: object, required: [id], properties: {id: {type: integer}}}}}
";
        let source = MemorySource::default().with("api.yaml", document);
        let document = openapi::load("api.yaml", &source, &LoadOptions::default()).unwrap();
        let compiled = CompiledDocument::compile(document, CompileOptions::default());
        Arc::clone(compiled.operations.first().unwrap())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rate_limit::testing::{call, say};

    fn check(query: &str) -> String {
        let mut cx = call("192.0.2.1");
        cx.request.query = Some(query.into());
        say(&RequestParameters::new(testing::orders()).check(&mut cx))
    }

    #[test]
    fn refuses_parameters_that_are_wrong_or_unknown() {
        assert_eq!(check("dry=true"), "pass");
        assert_eq!(check("dry=maybe"), "schema/type invalid");
        assert_eq!(check("debug=1"), "schema/unknown_parameter invalid");
    }
}
