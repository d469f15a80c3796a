//! A scan beside an earlier one: what is new, what is still there, what is gone, and what was not looked at again.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Report;
use crate::finding::Finding;

/// How two reports compare.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Compared {
    /// When the earlier scan began.
    pub earlier: String,
    /// Fingerprints that only this one has.
    pub new: Vec<String>,
    /// Fingerprints that both have.
    pub persisting: Vec<String>,
    /// Earlier findings that were tried again and are not there any more.
    pub fixed: Vec<Finding>,
    /// Earlier findings that were not tried again: nothing is known of them now.
    pub untried: Vec<Finding>,
}

/// Compares a report with an earlier one. A finding is only gone where its check was tried on its operation again, to
/// an end.
pub fn compare(report: &Report, earlier: &Report) -> Compared {
    let now: BTreeSet<&str> = report.findings.iter().map(|it| it.fingerprint.as_str()).collect();
    let then: BTreeSet<&str> = earlier.findings.iter().map(|it| it.fingerprint.as_str()).collect();
    let mut compared = Compared { earlier: earlier.started.clone(), ..Compared::default() };
    for fingerprint in &now {
        let list = if then.contains(fingerprint) { &mut compared.persisting } else { &mut compared.new };
        list.push((*fingerprint).to_owned());
    }
    for finding in earlier.findings.iter().filter(|it| !now.contains(it.fingerprint.as_str())) {
        let list = if tried_again(report, finding) { &mut compared.fixed } else { &mut compared.untried };
        list.push(finding.clone());
    }
    compared
}

fn tried_again(report: &Report, finding: &Finding) -> bool {
    let gave_up = report
        .skipped
        .iter()
        .any(|it| it.check == finding.check && it.operation == finding.operation && it.slot == finding.slot);
    let run = report.run(&finding.check);
    !gave_up && run.is_some_and(|it| it.operations.contains(&finding.operation))
}
