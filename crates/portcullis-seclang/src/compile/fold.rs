//! Which rules can run at all, and which run always: conditions on `TX` that are known at load are decided there.

use crate::rules::{Entry, RuleSet};

/// What is known of a rule before any request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It never runs, or never matches.
    Dead,
    /// Its conditions hold whenever it runs.
    Always,
    /// Known only when it runs.
    Open,
}

/// The fate of each entry of each phase.
pub(crate) fn fates(rules: &RuleSet, _host_variables: &[&str]) -> [Vec<Fate>; 5] {
    rules.phases.each_ref().map(|entries: &Vec<Entry>| vec![Fate::Open; entries.len()])
}
