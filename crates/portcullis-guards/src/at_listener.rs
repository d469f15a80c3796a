//! A guard that runs at one listener only: `listeners.X.limit` holds for the calls that come in there.

use std::sync::Arc;

use portcullis_core::{
    chain::{Guard, Phase},
    context::Context,
    event::Outcome,
    verdict::Verdict,
};

/// Runs its guard for the calls of one listener and passes all others.
pub struct AtListener {
    listener: Arc<str>,
    guard: Arc<dyn Guard>,
}

impl AtListener {
    /// The guard, at that listener.
    pub fn new(listener: Arc<str>, guard: Arc<dyn Guard>) -> Self {
        Self { listener, guard }
    }

    fn is_here(&self, cx: &Context) -> bool {
        cx.client.listener == self.listener
    }
}

impl Guard for AtListener {
    fn name(&self) -> &'static str {
        self.guard.name()
    }

    fn phase(&self) -> Phase {
        self.guard.phase()
    }

    fn wants_body(&self, cx: &Context) -> bool {
        self.is_here(cx) && self.guard.wants_body(cx)
    }

    fn check(&self, cx: &mut Context) -> Verdict {
        if self.is_here(cx) { self.guard.check(cx) } else { Verdict::Pass }
    }

    fn wants_finish(&self) -> bool {
        self.guard.wants_finish()
    }

    fn finish(&self, cx: &Context, outcome: &Outcome) {
        if self.is_here(cx) {
            self.guard.finish(cx, outcome);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Authorize, Demand, authenticate::test_context::context};

    #[test]
    fn runs_at_its_listener_only() {
        let mut cx = context(&[]);
        let here = Arc::clone(&cx.client.listener);
        let refusing = || Arc::new(Authorize::new(Demand::Nobody));
        assert!(matches!(AtListener::new(here, refusing()).check(&mut cx), Verdict::Deny(..)));
        assert_eq!(AtListener::new("elsewhere".into(), refusing()).check(&mut cx), Verdict::Pass);
    }
}
