//! What the replay found, for people.

use std::{collections::BTreeMap, fmt};

use serde_json::Value;

use crate::recording::Call;

/// Refusals that were looked into: side, operation, rule, whose fault it is and why.
const FAULTS: &[(Side, &str, &str, &str)] = &[
    (
        Side::Request,
        "POST /api/v1/dashboard",
        "attacks/sql/whole_statement",
        "ours: the resource of a database span is a SQL statement by nature, in a field whose name does not say so; an \
         exception for that field lets it pass",
    ),
    (
        Side::Request,
        "GET /api/v1/usage/attribution",
        "route/unknown_operation",
        "the document's: it lacks the operation, as does the client library of today",
    ),
    (
        Side::Request,
        "GET /api/v1/synthetics/tests/search",
        "schema/unknown_parameter",
        "the document's: it lacks the parameter, which Datadog's own client sent",
    ),
    (
        Side::Answer,
        "POST /api/v1/synthetics/variables",
        "schema/type",
        "the document's: the service answers null where it declares a type that is not nullable",
    ),
];

/// What was refused.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Side {
    /// The request.
    Request,
    /// The answer.
    Answer,
}

/// A recorded message that the gate refused.
#[derive(Debug)]
pub(crate) struct Refusal {
    side: Side,
    operation: String,
    scenario: String,
    rule: String,
    message: String,
    places: Vec<String>,
}

/// Counts, and all that was refused.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    /// What `portcullis reload` said after the document changed.
    pub(crate) loaded: String,
    /// Recorded calls.
    pub(crate) calls: usize,
    /// Requests whose body the recording cut: refused, as half a body must be, and not counted.
    pub(crate) requests_cut: usize,
    /// Requests judged.
    pub(crate) requests_judged: usize,
    /// Requests that reached the upstream.
    pub(crate) requests_conform: usize,
    /// Answers whose body the recording cut.
    pub(crate) answers_cut: usize,
    /// Answers without a body.
    pub(crate) answers_empty: usize,
    /// Answers judged.
    pub(crate) answers_judged: usize,
    /// Answers passed on.
    pub(crate) answers_conform: usize,
    /// All that was refused.
    pub(crate) refused: Vec<Refusal>,
    /// Answers that the document says nothing of, and how often.
    pub(crate) undeclared: BTreeMap<String, usize>,
}

impl Refusal {
    /// From the gate's record of it.
    pub(crate) fn of(side: Side, call: &Call, event: &Value) -> Self {
        let reason = &event["reasons"].as_array().and_then(|it| it.last()).expect("a refusal has a reason");
        let evidence = reason["evidence"].as_array().map(Vec::as_slice).unwrap_or_default();
        let places: Vec<String> = evidence.iter().map(place).collect();
        Self {
            side,
            operation: call.operation(),
            scenario: call.scenario.clone(),
            rule: reason["rule"].as_str().expect("a rule").to_owned(),
            message: reason["message"].as_str().expect("a message").to_owned(),
            places,
        }
    }

    /// Whose fault it is, and why.
    pub(crate) fn fault(&self) -> Option<&'static str> {
        let known = FAULTS.iter().find(|(side, operation, rule, _)| {
            (*side, *operation, *rule) == (self.side, self.operation.as_str(), self.rule.as_str())
        });
        known.map(|(.., fault)| *fault)
    }
}

impl Summary {
    /// Counts an answer that the document says nothing of.
    pub(crate) fn undeclared(&mut self, call: &Call) {
        let media = call.resp_type.as_deref().unwrap_or("no media type");
        let what = format!("{} {} {media}", call.operation(), call.status);
        *self.undeclared.entry(what).or_default() += 1;
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let undeclared: usize = self.undeclared.values().sum();
        writeln!(f, "document   {}", self.loaded)?;
        writeln!(
            f,
            "requests   {} recorded, {} cut by the recording, {} judged, {} conform ({})",
            self.calls,
            self.requests_cut,
            self.requests_judged,
            self.requests_conform,
            share(self.requests_conform, self.requests_judged)
        )?;
        writeln!(
            f,
            "answers    {} cut by the recording, {} empty, {undeclared} not declared, {} judged, {} conform ({})",
            self.answers_cut,
            self.answers_empty,
            self.answers_judged,
            self.answers_conform,
            share(self.answers_conform, self.answers_judged)
        )?;
        for (what, count) in &self.undeclared {
            writeln!(f, "not declared: {what} ({count}x)")?;
        }
        for it in &self.refused {
            let fault = it.fault().unwrap_or("not looked into");
            let side = match it.side {
                Side::Request => "request",
                Side::Answer => "answer",
            };
            writeln!(f, "refused {side}: {} ({})", it.operation, it.scenario)?;
            writeln!(f, "    {}: {}", it.rule, it.message)?;
            for place in &it.places {
                writeln!(f, "    at {place}")?;
            }
            writeln!(f, "    fault: {fault}")?;
        }
        Ok(())
    }
}

/// `query search_suites: "true"`.
fn place(evidence: &Value) -> String {
    let seen = evidence["seen"].as_str().unwrap_or_default();
    let place = match evidence["place"].as_object().and_then(|it| it.iter().next()) {
        Some((kind, name)) => format!("{} {}", kind.replace('_', " "), name.as_str().unwrap_or_default()),
        None => evidence["place"].as_str().unwrap_or_default().to_owned(),
    };
    format!("{place}: {seen}")
}

fn share(part: usize, whole: usize) -> String {
    let per_mille = part * 1000 / whole.max(1);
    format!("{}.{} %", per_mille / 10, per_mille % 10)
}
