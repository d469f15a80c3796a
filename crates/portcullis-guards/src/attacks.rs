//! Refuses what native detection recognises as an attack (OWASP API8:2023, API10:2023): the head and the body are
//! looked at in their phases, and what both hold adds up.

use std::sync::Arc;

use http::header::CONTENT_TYPE;
use portcullis_attacks::{Candidate, Finding, Inspector, Judgement, Where};
use portcullis_core::{
    chain::{Guard, Phase},
    context::Context,
    verdict::{Denial, Place, Reason, RuleId, Severity, Verdict},
};
use portcullis_leaves::Tree;
use portcullis_spec::compiled::CompiledOperation;

use crate::{
    exceptions::Exceptions,
    inspection::{Inspection, Looked},
};

/// The guard's name.
const NAME: &str = "attacks";

/// Findings told besides the strongest.
const OTHERS_MAX: usize = 5;

/// Types of one body that are heeded besides the first; more are no client's.
const TYPES_MAX: usize = 3;

/// A weaker suspicion is not worth a remark.
const REMARKED_MIN: u32 = 5;

/// Native detection as one operation uses it.
pub struct AttackWatch {
    /// The detectors.
    pub inspector: Arc<Inspector>,
    /// The score at which a call is an attack.
    pub threshold: u32,
    /// The operation as it is enforced, where its schemas were held to the message before this guard: what they prove
    /// needs no look.
    pub proof: Option<Arc<CompiledOperation>>,
    /// What is no attack here, by the operator's word: it does not count.
    pub exceptions: Exceptions,
    /// How much of a body is looked at.
    pub inspection: Inspection,
}

/// One phase of native detection.
pub struct Attacks {
    watch: Arc<AttackWatch>,
    phase: Phase,
}

impl Attacks {
    /// What is found in the head.
    pub fn in_head(watch: Arc<AttackWatch>) -> Self {
        Self { watch, phase: Phase::RequestHead }
    }

    /// What is found in the body.
    pub fn in_body(watch: Arc<AttackWatch>) -> Self {
        Self { watch, phase: Phase::RequestBody }
    }

    fn head(&self, cx: &mut Context) -> Verdict {
        let counts = |candidate: &Candidate<'_>| self.watch.counts(candidate);
        let mut judging = self.watch.inspector.judge(&counts);
        let request = &cx.request;
        judging.path(request.path.as_bytes());
        if let Some(query) = &request.query {
            judging.query(query.as_bytes());
        }
        for (name, value) in &request.headers {
            judging.header(name.as_str(), value.as_bytes());
        }
        self.watch.verdict(judging.finish(), cx)
    }

    fn body(&self, cx: &mut Context) -> Verdict {
        let Some(body) = cx.request.body.clone().filter(|body| !body.is_empty()) else {
            return Verdict::Pass;
        };
        let (seen, remark) = match self.watch.inspection.look(NAME, &cx.request.headers, &body) {
            Looked::Whole(seen) => (seen, None),
            Looked::Prefix(seen, remark) => (seen, Some(remark)),
            Looked::Nothing(verdict) => return verdict,
        };
        let counts = |candidate: &Candidate<'_>| self.watch.counts(candidate);
        let mut judging = self.watch.inspector.judge(&counts);
        // The specification's guard has parsed it already, and it is all there: then both read the same.
        let tree = cx.request.parsed.as_ref().and_then(|parsed| parsed.downcast_ref::<Tree>());
        match tree.filter(|_| remark.is_none()) {
            Some(tree) => judging.tree(tree, &|_| false),
            None => {
                let mut types =
                    cx.request.headers.get_all(CONTENT_TYPE).iter().map(http::HeaderValue::as_bytes);
                judging.body(types.next(), &seen);
                // Receivers differ in which of several types they take: all readings are looked at, within reason.
                types.take(TYPES_MAX).for_each(|other| judging.body(Some(other), &seen));
            }
        }
        match (self.watch.verdict(judging.finish(), cx), remark) {
            (Verdict::Pass, Some(remark)) => Verdict::Flag(remark),
            (verdict, _) => verdict,
        }
    }
}

impl AttackWatch {
    fn counts(&self, candidate: &Candidate<'_>) -> bool {
        !self.is_proven(candidate) && self.is_no_exception(candidate)
    }

    /// Asked only where something was found: looking costs less than knowing the place.
    fn is_proven(&self, candidate: &Candidate<'_>) -> bool {
        self.proof.as_ref().is_some_and(|operation| match candidate.at {
            Where::Query => operation.proves_query(candidate.place),
            Where::Body => operation.proves_body(candidate.place),
            Where::Path | Where::Header | Where::Cookie | Where::Name => false,
        })
    }

    fn is_no_exception(&self, candidate: &Candidate<'_>) -> bool {
        self.exceptions.is_empty() || {
            let rule = rule(candidate.class.word(), candidate.rule);
            !self.exceptions.cover(&rule, Some(&place(candidate.at, candidate.place)))
        }
    }

    fn verdict(&self, judgement: Judgement, cx: &mut Context) -> Verdict {
        if judgement.score == 0 {
            return Verdict::Pass;
        }
        self.suspect(&judgement, cx)
    }

    #[cold]
    fn suspect(&self, judgement: &Judgement, cx: &mut Context) -> Verdict {
        let before = std::mem::replace(&mut cx.notes.suspicion, judgement.score);
        // As within a part, the stronger counts in full and the other as company.
        let score = judgement.score.max(before) + judgement.score.min(before) / 3;
        cx.notes.suspicion = score;
        if score >= self.threshold {
            return reason(judgement, score, Severity::High).deny(Denial::Blocked);
        }
        if judgement.score < REMARKED_MIN {
            return Verdict::Pass;
        }
        reason(judgement, score, Severity::Low).flag()
    }
}

fn rule(class: &str, pattern: &str) -> String {
    format!("{NAME}/{class}/{pattern}")
}

fn reason(judgement: &Judgement, score: u32, severity: Severity) -> Reason {
    let id = |finding: &Finding| RuleId::owned(rule(finding.class.word(), finding.rule));
    let Some((first, others)) = judgement.findings.split_first() else {
        return Reason::new(RuleId::new("attacks/score"), severity, "the parts add up to an attack");
    };
    let mut message = format!("{} (score {score})", first.why);
    if !first.layers.is_empty() {
        message.push_str(&format!(", behind {}", first.layers));
    }
    let mut reason =
        Reason::new(id(first), severity, message).at(place(first.at, &first.place), first.excerpt.as_str());
    for other in others.iter().take(OTHERS_MAX) {
        reason = reason.also(id(other), place(other.at, &other.place), other.excerpt.as_str());
    }
    reason
}

/// Where in the message a finding stood.
fn place(at: Where, place: &str) -> Place {
    let name = || place.to_owned().into_boxed_str();
    match at {
        Where::Path => Place::Path,
        Where::Query => Place::Query(name()),
        Where::Header => Place::Header(place.to_ascii_lowercase().into()),
        Where::Cookie => Place::Cookie(name()),
        Where::Body if place.is_empty() || place.starts_with('/') => Place::Body(name()),
        Where::Body => Place::Body(format!("/{place}").into()),
        Where::Name if place.starts_with('/') => Place::Body(name()),
        Where::Name => Place::Query(name()),
    }
}

impl Guard for Attacks {
    fn name(&self) -> &'static str {
        NAME
    }

    fn phase(&self) -> Phase {
        self.phase
    }

    fn wants_body(&self, cx: &Context) -> bool {
        self.watch.inspection.wants(cx)
    }

    fn check(&self, cx: &mut Context) -> Verdict {
        match self.phase {
            Phase::RequestHead => self.head(cx),
            Phase::RequestBody | Phase::ResponseHead | Phase::ResponseBody => self.body(cx),
        }
    }
}
