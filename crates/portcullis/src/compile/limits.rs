//! `limit:`, `plans:` and a listener's `limit:` → guards, those before authentication and those after it.

use std::sync::Arc;

use portcullis_config::{
    model::Config,
    units::{Dimension, Limit, LimitAmount, LimitWhen},
};
use portcullis_core::{chain::Guard, ports::Counters};
use portcullis_guards::{Amount, AtListener, ConcurrencyLimit, QuotaLimit, RateLimit, Scope};

use super::chain::Subject;

type Guards = Vec<Arc<dyn Guard>>;

/// The limits of one operation: those that need to know nobody, and those that count by caller.
pub(crate) fn of(config: &Config, subject: &Subject<'_>, counters: &Arc<dyn Counters>) -> (Guards, Guards) {
    let scope = subject.settings.limit_scope(subject.name);
    let (late, early): (Vec<&Limit>, Vec<&Limit>) =
        subject.settings.limit.value.iter().partition(|it| needs_caller(it));
    let mut guards: Guards = Vec::new();
    for (name, listener) in &config.listeners {
        guards.extend(of_listener(name, &listener.limit, counters));
    }
    guards.extend(ordered(early).map(|it| guard(&scope, it, counters)));
    let mut late: Guards = ordered(late).map(|it| guard(&scope, it, counters)).collect();
    late.extend(plans(config, counters));
    (guards, late)
}

/// The limits of a listener; all of them come before authentication.
fn of_listener(name: &Arc<str>, limits: &[Limit], counters: &Arc<dyn Counters>) -> Guards {
    let scope = format!("listener {name}");
    let guards = ordered(limits.iter().collect()).map(|it| guard(&scope, it, counters));
    guards.map(|it| Arc::new(AtListener::new(Arc::clone(name), it)) as _).collect()
}

fn needs_caller(limit: &Limit) -> bool {
    let by_caller = |it: &Dimension| match it {
        Dimension::Consumer | Dimension::Role | Dimension::Tenant => true,
        Dimension::Ip | Dimension::Operation | Dimension::Api | Dimension::Listener => false,
    };
    limit.when != LimitWhen::Always || limit.per.iter().any(by_caller)
}

/// Rates first, then quotas, then places: what a rate refuses spends no quota and takes no place.
fn ordered(mut limits: Vec<&Limit>) -> impl Iterator<Item = &Limit> {
    limits.sort_by_key(|it| match it.amount {
        LimitAmount::Rate(_) => 0,
        LimitAmount::Quota(_) => 1,
        LimitAmount::Concurrent(_) => 2,
    });
    limits.into_iter()
}

fn guard(scope: &str, limit: &Limit, counters: &Arc<dyn Counters>) -> Arc<dyn Guard> {
    // The text is part of the name: a changed limit begins anew, an unchanged one goes on.
    let scope = Scope::new(format!("{scope} {}", limit.text), limit.per.clone(), limit.when);
    let (policy, counters) = (Arc::clone(&limit.text), Arc::clone(counters));
    match limit.amount {
        LimitAmount::Rate(amount) => {
            Arc::new(RateLimit::new(scope, Amount::Same { policy, amount }, counters))
        }
        LimitAmount::Quota(amount) => {
            Arc::new(QuotaLimit::new(scope, Amount::Same { policy, amount }, counters))
        }
        LimitAmount::Concurrent(amount) => {
            Arc::new(ConcurrencyLimit::new(scope, Amount::Same { policy, amount }, counters))
        }
    }
}

/// The plans' limits, counted for each consumer over all APIs.
fn plans(config: &Config, counters: &Arc<dyn Counters>) -> Guards {
    let mut guards: Guards = Vec::new();
    let plans = || config.plans.iter();
    let rates: hashbrown::HashMap<_, _> =
        plans().filter_map(|(name, it)| Some((Arc::clone(name), it.rate?))).collect();
    if !rates.is_empty() {
        let guard = RateLimit::new(Scope::of_plans("plan rate"), Amount::ByPlan(rates), Arc::clone(counters));
        guards.push(Arc::new(guard));
    }
    let quotas: hashbrown::HashMap<_, _> =
        plans().filter_map(|(name, it)| Some((Arc::clone(name), it.quota?))).collect();
    if !quotas.is_empty() {
        let guard =
            QuotaLimit::new(Scope::of_plans("plan quota"), Amount::ByPlan(quotas), Arc::clone(counters));
        guards.push(Arc::new(guard));
    }
    let places = plans().filter_map(|(name, it)| {
        Some((Arc::clone(name), u32::try_from(it.concurrency?.0).unwrap_or(u32::MAX)))
    });
    let places: hashbrown::HashMap<_, _> = places.collect();
    if !places.is_empty() {
        let guard = ConcurrencyLimit::new(
            Scope::of_plans("plan concurrency"),
            Amount::ByPlan(places),
            Arc::clone(counters),
        );
        guards.push(Arc::new(guard));
    }
    guards
}
