//! Refuses exchanges beyond a number at the same time. The place is given back when the exchange ends, however.

use std::{sync::Arc, time::Duration};

use portcullis_core::{
    chain::{Guard, Phase},
    context::Context,
    ports::Counters,
    verdict::{RuleId, Verdict},
};

use crate::rate_limit::{Amount, Scope, exceeded};

const EXCEEDED: RuleId = RuleId::new("limits/concurrency_exceeded");

/// Nobody knows when a place becomes free; a client that waits this long asks rarely enough.
const WAIT: Duration = Duration::from_secs(1);

/// Refuses exchanges beyond a number at the same time.
pub struct ConcurrencyLimit {
    scope: Scope,
    amount: Amount<u32>,
    counters: Arc<dyn Counters>,
}

impl ConcurrencyLimit {
    /// A guard that takes its places from `counters`. Where callers or plans matter it belongs behind
    /// authentication.
    pub fn new(scope: Scope, amount: Amount<u32>, counters: Arc<dyn Counters>) -> Self {
        Self { scope, amount, counters }
    }
}

impl Guard for ConcurrencyLimit {
    fn name(&self) -> &'static str {
        "limits"
    }

    fn phase(&self) -> Phase {
        Phase::RequestHead
    }

    fn check(&self, cx: &mut Context) -> Verdict {
        if !self.scope.covers(cx) {
            return Verdict::Pass;
        }
        let Some((policy, places_max)) = self.amount.of(cx) else { return Verdict::Pass };
        for key in self.scope.keys(cx, &*self.counters) {
            match self.counters.concurrency(key, *places_max, cx.now) {
                Some(permit) => cx.notes.permits.push(permit),
                None => return exceeded(EXCEEDED, format!("all places of `{policy}` are taken"), WAIT),
            }
        }
        Verdict::Pass
    }
}

#[cfg(test)]
mod tests {
    use portcullis_config::units::{Dimension, LimitWhen};

    use super::*;
    use crate::rate_limit::testing::{Counted, call_by, say};

    #[test]
    fn a_place_is_held_until_the_exchange_ends() {
        let scope = Scope::new("at once", vec![Dimension::Consumer], LimitWhen::Always);
        let amount = Amount::Same { policy: "2 concurrent".into(), amount: 2 };
        let guard = ConcurrencyLimit::new(scope, amount, Arc::new(Counted::default()));
        let mut under_way = [call_by("alice", &[], None), call_by("alice", &[], None)];
        for cx in &mut under_way {
            assert_eq!(say(&guard.check(cx)), "pass");
        }
        let refused = "limits/concurrency_exceeded retry after 1";
        assert_eq!(say(&guard.check(&mut call_by("alice", &[], None))), refused);
        assert_eq!(say(&guard.check(&mut call_by("bob", &[], None))), "pass");
        drop(under_way);
        assert_eq!(say(&guard.check(&mut call_by("alice", &[], None))), "pass");
    }
}
