//! The guards and transforms of one route, in the order they run.
//!
//! A guard decides and never changes the message; a transform changes it and never decides. Whether a refusal
//! stops the exchange is the step's [`Mode`], so that every guard can run in the shadow without its own help.

use std::{future::Future, pin::Pin, sync::Arc};

use http::HeaderMap;
use serde::{Deserialize, Serialize};

use crate::{
    context::Context,
    event::Outcome,
    verdict::{Denial, Reason, Verdict},
};

/// The phases of an exchange in which guards run, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// The request's head is known; nothing was sent upstream.
    RequestHead,
    /// The request's whole body is in [`Context::request`]; nothing was sent upstream.
    RequestBody,
    /// The upstream's answer has begun; nothing was sent to the client.
    ResponseHead,
    /// The answer's whole body is in [`Context::response`]; nothing was sent to the client.
    ResponseBody,
}

/// Decides about an exchange at once: no waiting, no I/O, no panic.
pub trait Guard: Send + Sync {
    /// The guard's name, the first half of its rule ids.
    fn name(&self) -> &'static str;

    /// When it runs.
    fn phase(&self) -> Phase;

    /// For the two body phases: whether this exchange's body must be held back and read whole.
    /// Asked once the head of that message is known.
    fn wants_body(&self, _cx: &Context) -> bool {
        true
    }

    /// The decision.
    fn check(&self, cx: &mut Context) -> Verdict;

    /// Whether [`Guard::finish`] does anything; asked once, when the chain is built.
    fn wants_finish(&self) -> bool {
        false
    }

    /// Called once when the exchange has ended, however it ended.
    fn finish(&self, _cx: &Context, _outcome: &Outcome) {}
}

/// A decision that may take a wait. Boxed, so that only the calls which do wait pay for it.
pub type Waiting<'a> = Pin<Box<dyn Future<Output = Verdict> + Send + 'a>>;

/// Decides in the request-head phase, mostly at once from what it remembers, sometimes after a wait
/// (a password hash, an unknown signing key). What a fault means, pass or deny, is its own configuration.
pub trait RemoteGuard: Send + Sync {
    /// The guard's name, the first half of its rule ids.
    fn name(&self) -> &'static str;

    /// The decision if it can be had without waiting.
    fn check(&self, cx: &mut Context) -> Option<Verdict>;

    /// The decision after the wait; called only when [`RemoteGuard::check`] gave none.
    fn ask<'a>(&'a self, cx: &'a mut Context) -> Waiting<'a>;

    /// Whether [`RemoteGuard::finish`] does anything; asked once, when the chain is built.
    fn wants_finish(&self) -> bool {
        false
    }

    /// Called once when the exchange has ended, however it ended.
    fn finish(&self, _cx: &Context, _outcome: &Outcome) {}
}

/// Changes a message after the guards of its phase.
pub trait Transform: Send + Sync {
    /// The transform's name.
    fn name(&self) -> &'static str;

    /// Changes the header fields that the upstream will see.
    fn request(&self, _cx: &Context, _headers: &mut HeaderMap) {}

    /// Changes the header fields that the client will see.
    fn response(&self, _cx: &Context, _headers: &mut HeaderMap) {}
}

/// What a refusal does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Stop the exchange.
    Block,
    /// Record what would have been stopped.
    Report,
    /// Do not run.
    Off,
}

/// What runs in a step.
#[derive(Clone)]
pub enum Check {
    /// Decides at once.
    Local(Arc<dyn Guard>),
    /// May wait.
    Remote(Arc<dyn RemoteGuard>),
}

/// One guard with its mode.
#[derive(Clone)]
pub struct Step {
    /// What a refusal does.
    pub mode: Mode,
    /// The guard.
    pub check: Check,
}

/// All guards and transforms of one route.
#[derive(Clone, Default)]
pub struct Chain {
    request_head: Vec<Step>,
    request_body: Vec<Step>,
    response_head: Vec<Step>,
    response_body: Vec<Step>,
    finishing: Vec<Check>,
    transforms: Vec<Arc<dyn Transform>>,
}

/// How a phase went on: all passed, one refused, or one must wait.
#[derive(Debug, PartialEq)]
pub enum Progress {
    /// Every step passed.
    Passed,
    /// A step in `block` mode refused.
    Denied(Denial),
    /// The step of this index must wait: call [`Chain::ask`], then go on with [`Chain::resume`].
    Waits(usize),
}

impl Chain {
    /// Appends a guard to its phase. A guard that is off is left out.
    pub fn guard(&mut self, mode: Mode, guard: Arc<dyn Guard>) {
        if mode == Mode::Off {
            return;
        }
        if guard.wants_finish() {
            self.finishing.push(Check::Local(Arc::clone(&guard)));
        }
        let steps = match guard.phase() {
            Phase::RequestHead => &mut self.request_head,
            Phase::RequestBody => &mut self.request_body,
            Phase::ResponseHead => &mut self.response_head,
            Phase::ResponseBody => &mut self.response_body,
        };
        steps.push(Step { mode, check: Check::Local(guard) });
    }

    /// Appends a guard that may wait to the request-head phase. A guard that is off is left out.
    pub fn remote(&mut self, mode: Mode, guard: Arc<dyn RemoteGuard>) {
        if mode == Mode::Off {
            return;
        }
        if guard.wants_finish() {
            self.finishing.push(Check::Remote(Arc::clone(&guard)));
        }
        self.request_head.push(Step { mode, check: Check::Remote(guard) });
    }

    /// Appends a transform.
    pub fn transform(&mut self, transform: Arc<dyn Transform>) {
        self.transforms.push(transform);
    }

    /// The steps of a phase, in order: for `explain` and for tests.
    pub fn steps(&self, phase: Phase) -> &[Step] {
        match phase {
            Phase::RequestHead => &self.request_head,
            Phase::RequestBody => &self.request_body,
            Phase::ResponseHead => &self.response_head,
            Phase::ResponseBody => &self.response_body,
        }
    }

    /// Whether the body of that phase must be held back and read whole.
    pub fn wants_body(&self, phase: Phase, cx: &Context) -> bool {
        self.steps(phase).iter().any(|step| match &step.check {
            Check::Local(guard) => guard.wants_body(cx),
            Check::Remote(_) => false,
        })
    }

    /// Whether a guard of the phase that may refuse wants the body: without it, it cannot let the message pass.
    pub fn needs_body(&self, phase: Phase, cx: &Context) -> bool {
        self.steps(phase).iter().any(|step| match &step.check {
            Check::Local(guard) => step.mode == Mode::Block && guard.wants_body(cx),
            Check::Remote(_) => false,
        })
    }

    /// Runs a phase from its beginning. Reasons are gathered in [`Notes::reasons`](crate::context::Notes).
    pub fn run(&self, phase: Phase, cx: &mut Context) -> Progress {
        self.resume(phase, 0, cx)
    }

    /// Runs a phase from the step of index `from`.
    pub fn resume(&self, phase: Phase, from: usize, cx: &mut Context) -> Progress {
        for (index, step) in self.steps(phase).iter().enumerate().skip(from) {
            let verdict = match &step.check {
                Check::Local(guard) => guard.check(cx),
                Check::Remote(guard) => match guard.check(cx) {
                    Some(verdict) => verdict,
                    None => return Progress::Waits(index),
                },
            };
            if let Some(denial) = note(step.mode, verdict, cx) {
                return Progress::Denied(denial);
            }
        }
        Progress::Passed
    }

    /// Waits for the decision of the request-head step of index `at`; `Some` when it refuses.
    pub async fn ask(&self, at: usize, cx: &mut Context) -> Option<Denial> {
        let Some(Step { mode, check: Check::Remote(guard) }) = self.request_head.get(at) else {
            return None;
        };
        let verdict = guard.ask(cx).await;
        note(*mode, verdict, cx)
    }

    /// Whether anything changes header fields here.
    pub fn transforms(&self) -> bool {
        !self.transforms.is_empty()
    }

    /// Changes the header fields that the upstream will see.
    pub fn transform_request(&self, cx: &Context, headers: &mut HeaderMap) {
        for transform in &self.transforms {
            transform.request(cx, headers);
        }
    }

    /// Changes the header fields that the client will see.
    pub fn transform_response(&self, cx: &Context, headers: &mut HeaderMap) {
        for transform in &self.transforms {
            transform.response(cx, headers);
        }
    }

    /// Tells the guards which asked for it how the exchange ended.
    pub fn finish(&self, cx: &Context, outcome: &Outcome) {
        for check in &self.finishing {
            match check {
                Check::Local(guard) => guard.finish(cx, outcome),
                Check::Remote(guard) => guard.finish(cx, outcome),
            }
        }
    }
}

/// Writes a verdict down; `Some` when the exchange must stop.
fn note(mode: Mode, verdict: Verdict, cx: &mut Context) -> Option<Denial> {
    match verdict {
        Verdict::Pass => None,
        Verdict::Flag(reason) => {
            push_bounded(&mut cx.notes.reasons, *reason);
            None
        }
        Verdict::Deny(denial, mut reason) => {
            reason.reported_only = mode != Mode::Block;
            push_bounded(&mut cx.notes.reasons, *reason);
            (mode == Mode::Block).then_some(denial)
        }
    }
}

/// An attacker must not make one event arbitrarily large.
const REASONS_MAX: usize = 32;

fn push_bounded(reasons: &mut Vec<Reason>, reason: Reason) {
    if reasons.len() < REASONS_MAX {
        reasons.push(reason);
    }
}
