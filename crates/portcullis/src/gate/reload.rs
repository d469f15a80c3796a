//! Replacing what is in force, and saying what protects less than before.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use portcullis_admin::{LastReload, ReloadOutcome, Weakened};

use super::{Gate, Split, with_tls};
use crate::{
    diff::{self, Kind, Side},
    load, show_event,
};

/// Lines of what got weaker; one line holds whatever changed alike, so more than these are read by `diff`.
const TOLD_MAX: usize = 20;

/// A reload that took place.
struct Applied {
    generation: u64,
    operations: usize,
    took: Duration,
    before: Side,
    after: Side,
}

impl Gate {
    pub(super) fn reload_now(&self) -> ReloadOutcome {
        match self.try_reload() {
            Ok(applied) => {
                let Applied { generation, operations, took, .. } = applied;
                let took_millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
                tracing::info!(generation, operations, took_millis, "a new configuration is in place");
                let weakened = self.tell_what_got_weaker(&applied);
                ReloadOutcome::Applied { generation, operations, took_millis, weakened }
            }
            Err(why) => {
                tracing::error!("the new configuration is refused; the old one stays in place\n{why}");
                self.metrics.config_rejected();
                self.in_force().last_rejected = Some(why.clone());
                ReloadOutcome::Rejected { why }
            }
        }
    }

    fn try_reload(&self) -> Result<Applied, String> {
        let mut state = self.in_force();
        let now = self.world.clock.now();
        self.outside.begin();
        let generation = state.generation + 1;
        let loaded = load::read(&self.config, &*self.outside, now).map_err(|it| format!("{it:#}"))?;
        let compiled = load::compile(&loaded, &*self.outside, &self.world, Some(&state.compiled), generation)
            .map_err(|it| format!("{it:#}"))?;
        let Split { plan, compiled, revocations, signing_keys } = compiled.split();
        let tls = with_tls(&plan);
        self.gateway.reload(plan).map_err(|error| format!("{:#}", anyhow::Error::from(error)))?;
        // From here on nothing can fail.
        self.world.revoked.replace(revocations);
        self.world.ring.replace(signing_keys);
        for (name, upstream) in &compiled.upstreams {
            let known = state.compiled.upstreams.get(name).is_some_and(|it| Arc::ptr_eq(it, upstream));
            if !known {
                upstream.start_checks(&self.runtime);
            }
        }
        let operations = compiled.apis.values().map(|it| it.operations.len()).sum();
        let config = Arc::new(loaded.config);
        let before = Side::of(Arc::clone(&state.config), &state.compiled);
        let after = Side::of(Arc::clone(&config), &compiled);
        state.config = config;
        state.compiled = compiled;
        state.tls = tls;
        state.generation = generation;
        state.last_rejected = None;
        state.last_reload = Some(LastReload { at: show_event::moment(now), generation, weakened: None });
        self.metrics.config_loaded(generation);
        for key in self.at_start.changed(&after.config) {
            tracing::warn!("`{key}` has changed, which takes effect at the next start only");
        }
        if !loaded.warnings.is_empty() {
            tracing::warn!("the new configuration has weaknesses:\n{}", loaded.warnings);
        }
        Ok(Applied { generation, operations, took: self.world.clock.now().since(now), before, after })
    }

    /// The new configuration is in force already, and the lock is open again: reading two large specifications takes
    /// a while. Whatever goes wrong here must not look like a reload that failed.
    fn tell_what_got_weaker(&self, applied: &Applied) -> Option<Weakened> {
        let generation = applied.generation;
        let found = catch_unwind(AssertUnwindSafe(|| weakened(&applied.before, &applied.after)));
        let found = found.unwrap_or_else(|_| Err("a defect stopped the comparison".to_owned()));
        let weakened = match found {
            Ok(weakened) => weakened,
            Err(why) => {
                tracing::warn!(generation, "what the reload made weaker is not known: {why}");
                return None;
            }
        };
        for line in &weakened.told {
            tracing::warn!(generation, "a protection got weaker: {line}");
        }
        if weakened.untold > 0 {
            let count = weakened.untold;
            tracing::warn!(generation, "and {count} more; `portcullis diff OLD NEW` shows them all");
        }
        let mut state = self.in_force();
        // Another reload may have come meanwhile, and has its own to tell.
        if let Some(last) = state.last_reload.as_mut().filter(|it| it.generation == generation) {
            last.weakened = Some(weakened.clone());
        }
        Some(weakened)
    }
}

fn weakened(before: &Side, after: &Side) -> Result<Weakened, String> {
    let mut differences = diff::compare(before, after).map_err(|problem| problem.to_string())?;
    differences.retain(|it| it.kind == Kind::Weaker);
    let alike = diff::alike(&differences);
    Ok(Weakened {
        count: differences.len(),
        told: alike.iter().take(TOLD_MAX).map(ToString::to_string).collect(),
        untold: alike.len().saturating_sub(TOLD_MAX),
    })
}
