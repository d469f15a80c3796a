//! What a scan comes to.

use serde::{Deserialize, Serialize};

use super::Engine;
use crate::{finding::Finding, identity::Role, world::World};

/// What a scan came to; every report is made of it.
#[derive(Debug)]
pub struct ScanOutcome {
    /// All that was known at the end.
    pub world: World,
    /// What was found, the worst first.
    pub findings: Vec<Finding>,
    /// Every trial.
    pub trials: Vec<TrialRecord>,
    /// By operation.
    pub coverage: Vec<Coverage>,
    /// What the operator should know.
    pub notes: Vec<String>,
    /// Requests sent.
    pub requests: u64,
    /// Why the scan counts as failed, if it does.
    pub unfinished: Option<Unfinished>,
}

/// Why a scan counts as failed: what it says about the target cannot be trusted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfinished {
    /// Too few operations were answered well.
    #[error("only {reached} of {all} operations were answered well ({percent} % were asked for)")]
    Coverage {
        /// Answered well.
        reached: usize,
        /// All.
        all: usize,
        /// Asked for.
        percent: u32,
    },
    /// Users could not log in any more.
    #[error("the scan lost its logins: {0}")]
    Logins(String),
    /// The budget ended before all was tried, or the target died.
    #[error("{0}")]
    Budget(String),
}

/// How one operation was reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// Its id.
    pub operation: String,
    /// Whether it was answered well at least once.
    pub reached: bool,
    /// Otherwise why not, as far as known.
    pub why: String,
}

/// One trial, for resuming and counting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrialRecord {
    /// Check, operation, slot, variant.
    pub key: String,
    /// The check.
    pub check: String,
    /// Requests it took.
    pub requests: u32,
    /// Why it could not be tried, if so.
    pub skipped: Option<String>,
    /// What it found.
    pub findings: Vec<Finding>,
}

impl Engine<'_> {
    /// Whether too little of the API was reached for the scan to mean anything.
    pub(super) fn too_little(&mut self) -> Option<Unfinished> {
        let all = self.world.model.operations.len();
        let reached = self.world.good.iter().flatten().count() + self.world.quarantined.len();
        let needs_login = self.world.model.operations.iter().any(|operation| {
            operation
                .security
                .as_ref()
                .is_some_and(|ways| !ways.is_empty() && ways.iter().all(|way| !way.is_empty()))
        });
        if needs_login && self.world.who(Role::A).is_none() {
            self.note(
                "operations ask for credentials and there are none: give `--identities FILE`".to_owned(),
            );
        }
        let percent = self.options.coverage_min;
        (reached * 100 < all * percent as usize).then_some(Unfinished::Coverage { reached, all, percent })
    }

    /// Puts the outcome together.
    pub(super) fn finish(mut self, unfinished: Option<Unfinished>) -> ScanOutcome {
        let budget = self.pace.exhausted().map(Unfinished::Budget);
        let lost = self.lost.take();
        if let Some(fault) = self.log.fault.take() {
            self.note(format!("the log ended early: {fault}"));
        }
        let trials = self.log.take_trials();
        let mut findings: Vec<Finding> =
            trials.iter().flat_map(|trial| trial.findings.iter().cloned()).collect();
        findings.sort_by(|a, b| {
            (b.severity, b.certainty, &a.check, &a.operation, &a.slot).cmp(&(
                a.severity,
                a.certainty,
                &b.check,
                &b.operation,
                &b.slot,
            ))
        });
        findings.dedup_by(|a, b| a.fingerprint == b.fingerprint);
        let coverage = self.coverage();
        ScanOutcome {
            findings,
            trials,
            coverage,
            notes: self.notes,
            requests: self.pace.requests,
            unfinished: unfinished.or(lost).or(budget),
            world: self.world,
        }
    }

    fn coverage(&self) -> Vec<Coverage> {
        self.world
            .model
            .all()
            .map(|(index, operation)| {
                let reached = self.world.good(index).is_some() || self.world.quarantined.contains(&index);
                let seen =
                    self.world.samples.iter().rev().find(|sample| sample.call.operation == Some(index));
                let why = match seen {
                    _ if reached => String::new(),
                    Some(sample) => format!("last answered {}", sample.answer.status),
                    None => "no answer came".to_owned(),
                };
                Coverage { operation: operation.id.to_string(), reached, why }
            })
            .collect()
    }
}
