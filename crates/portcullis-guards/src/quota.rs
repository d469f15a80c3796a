//! Refuses calls beyond an allowance per calendar hour, day or month (UTC).

use std::sync::Arc;

use portcullis_core::{
    chain::{Guard, Phase},
    context::Context,
    limit::{CalendarPeriod, Quota},
    ports::Counters,
    verdict::{RuleId, Verdict},
};

use crate::rate_limit::{Amount, Scope, exceeded, tell};

const EXCEEDED: RuleId = RuleId::new("limits/quota_exceeded");

/// Refuses calls beyond a calendar quota.
pub struct QuotaLimit {
    scope: Scope,
    amount: Amount<Quota>,
    counters: Arc<dyn Counters>,
}

impl QuotaLimit {
    /// A guard that counts in `counters`. Where callers or plans matter it belongs behind authentication; behind
    /// rates in any case, so that a call that a rate refuses spends no quota.
    pub fn new(scope: Scope, amount: Amount<Quota>, counters: Arc<dyn Counters>) -> Self {
        Self { scope, amount, counters }
    }
}

impl Guard for QuotaLimit {
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
        let Some((policy, quota)) = self.amount.of(cx) else { return Verdict::Pass };
        let mut refused = None;
        for key in self.scope.keys(cx, &*self.counters) {
            let allowance = self.counters.quota(key, quota, 1, cx.now);
            tell(cx, policy, quota.count, window_secs(quota.period), &allowance);
            if !allowance.allowed {
                refused = refused.max(Some(allowance.retry_after));
            }
        }
        match refused {
            None => Verdict::Pass,
            Some(wait) => exceeded(EXCEEDED, format!("the quota `{policy}` is spent"), wait),
        }
    }
}

/// A month is told as thirty days: `RateLimit-Policy` knows no calendar, `RateLimit` tells when it ends.
const fn window_secs(period: CalendarPeriod) -> u64 {
    match period {
        CalendarPeriod::Hour => 3_600,
        CalendarPeriod::Day => 86_400,
        CalendarPeriod::Month => 30 * 86_400,
    }
}

#[cfg(test)]
mod tests {
    use hashbrown::HashMap;
    use portcullis_config::units::{Dimension, LimitWhen};

    use super::*;
    use crate::rate_limit::testing::{Counted, call, call_by, say};

    const DAILY: Quota = Quota { count: 2, period: CalendarPeriod::Day };

    #[test]
    fn a_spent_quota_refuses_and_says_what_remains() {
        let scope = Scope::new("daily", vec![Dimension::Ip], LimitWhen::Always);
        let amount = Amount::Same { policy: "2/day".into(), amount: DAILY };
        let guard = QuotaLimit::new(scope, amount, Arc::new(Counted::default()));
        for (expected, remaining) in [("pass", 1), ("pass", 0), ("limits/quota_exceeded retry after 2", 0)] {
            let mut cx = call("192.0.2.1");
            assert_eq!(say(&guard.check(&mut cx)), expected);
            let told = &cx.notes.limits[0];
            assert_eq!((told.quota, told.window_secs, told.remaining), (2, 86_400, remaining));
        }
        assert_eq!(say(&guard.check(&mut call("192.0.2.2"))), "pass");
    }

    #[test]
    fn a_plan_brings_its_own_quota() {
        let plans = HashMap::from([("free".into(), Quota { count: 1, ..DAILY })]);
        let guard =
            QuotaLimit::new(Scope::of_plans("plan"), Amount::ByPlan(plans), Arc::new(Counted::default()));
        assert_eq!(say(&guard.check(&mut call_by("alice", &[], Some("free")))), "pass");
        let refused = say(&guard.check(&mut call_by("alice", &[], Some("free"))));
        assert_eq!(refused, "limits/quota_exceeded retry after 2");
        assert_eq!(say(&guard.check(&mut call_by("bob", &[], Some("free")))), "pass");
        assert_eq!(say(&guard.check(&mut call("192.0.2.2"))), "pass");
    }
}
