//! Runs the regression suite of the OWASP Core Rule Set against the engine: `cargo xtask crs`, which passes its arguments
//! on. `--json`, `--only ID` (a case, or all of a rule), `--verbose`, `--paranoia N`, `--accept` (add what passes to the
//! list of what must pass).
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a tool stops where it fails"
)]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a tool tells what it does")]
#![allow(unreachable_pub, missing_docs, dead_code, reason = "the test uses what the command does not")]

#[path = "../tests/crs/suite/mod.rs"]
mod suite;

use std::process::ExitCode;

use suite::{ratchet, run};

fn main() -> ExitCode {
    let mut options = run::Options { paranoia: 4, ..run::Options::default() };
    let (mut json, mut accept) = (false, false);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().unwrap_or_else(|| panic!("`{argument}` needs a value"));
        match argument.as_str() {
            "--json" => json = true,
            "--accept" => accept = true,
            "--verbose" => options.verbose = true,
            "--only" => options.only = value(),
            "--paranoia" => options.paranoia = value().parse().unwrap(),
            other => panic!("no option `{other}`"),
        }
    }
    let Some(folder) = suite::folder() else { return ExitCode::SUCCESS };
    let report = run::run(&folder, &options);
    for (id, why) in &report.failed {
        eprintln!("{id}: {why}");
    }
    if accept {
        ratchet::extend(&report.passed.union(&report.overridden).copied().collect());
    }
    let (passed, overridden, failed) = (report.passed.len(), report.overridden.len(), report.failed.len());
    if json {
        let figures = serde_json::json!({
            "tests": report.tests, "passed": passed, "overridden": overridden, "failed": failed,
        });
        println!("{figures}");
    } else {
        println!("{} tests: {passed} passed, {overridden} overridden, {failed} failed", report.tests);
    }
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
