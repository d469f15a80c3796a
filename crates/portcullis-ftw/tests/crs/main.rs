//! Conformance with the regression suite of the OWASP Core Rule Set: what has passed once must pass. `cargo xtask crs` runs
//! the same suite and tells what fails.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test stops where it fails"
)]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a test tells what it does")]
#![allow(unreachable_pub, missing_docs, dead_code, reason = "the command uses what the test does not")]

mod suite;

use std::collections::BTreeSet;

use suite::{ratchet, run};

#[test]
fn what_has_passed_passes() {
    let Some(folder) = suite::folder() else { return };
    let report = run::run(&folder, &run::Options { paranoia: 4, ..run::Options::default() });
    let kept = ratchet::read();
    assert!(!kept.is_empty(), "no case has ever passed");
    let lost: Vec<String> = report
        .failed
        .iter()
        .filter(|(id, _)| kept.contains(id))
        .map(|(id, why)| format!("{id}: {why}"))
        .collect();
    assert!(lost.is_empty(), "{} cases no longer pass:\n{}", lost.len(), lost.join("\n"));
    let gone: Vec<String> = kept
        .iter()
        .filter(|id| !report.passed.contains(id) && !report.overridden.contains(id))
        .map(ToString::to_string)
        .collect();
    assert!(gone.is_empty(), "{} cases are no longer in the suite: {}", gone.len(), gone.join(" "));
}

#[test]
fn every_case_has_an_id_of_its_own_and_expects_something() {
    let Some(folder) = suite::folder() else { return };
    let cases = suite::cases(&folder);
    assert!(cases.len() > 5000, "{}", cases.len());
    let ids: BTreeSet<_> = cases.iter().map(|case| case.id).collect();
    assert_eq!(ids.len(), cases.len());
    for case in &cases {
        assert!(!case.stages.is_empty(), "{}", case.id);
        for stage in &case.stages {
            assert!(!stage.output.is_empty(), "{}", case.id);
        }
    }
}
