//! JUnit XML: a suite a check, a case an operation that it was tried on.

use super::{CheckRun, Report, Status, numbers, text::markup};
use crate::finding::{Certainty, Finding};

/// Cases of one suite; the rest is counted.
const CASES_MAX: usize = 5_000;

/// The report. Only confirmed findings are failures; a scan that is not whole is an error.
pub fn render(report: &Report) -> String {
    let mut suites = String::new();
    let (mut tests, mut failures, mut skipped) = (0, 0, 0);
    for run in &report.checks {
        let suite = suite(report, run);
        tests += suite.tests;
        failures += suite.failures;
        skipped += suite.skipped;
        suites.push_str(&suite.text);
    }
    let errors = usize::from(report.status == Status::Incomplete);
    if errors > 0 {
        tests += 1;
        suites.push_str(&format!(
            "  <testsuite name=\"scan\" tests=\"1\" failures=\"0\" errors=\"1\" skipped=\"0\" time=\"0\">\n    <testcase \
             name=\"the scan is whole\" classname=\"portcullis.scan\" time=\"0\">\n      <error message=\"the scan is \
             incomplete\">{}</error>\n    </testcase>\n  </testsuite>\n",
            markup(&report.incomplete.join("\n"))
        ));
    }
    let seconds = format!("{}.{:03}", report.duration_millis / 1_000, report.duration_millis % 1_000);
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"{}\" tests=\"{tests}\" failures=\"{failures}\" \
         errors=\"{errors}\" skipped=\"{skipped}\" time=\"{seconds}\">\n{suites}</testsuites>\n",
        markup(&format!("portcullis scan of {}: {}", report.target, numbers::verdict(report)))
    )
}

struct Suite {
    text: String,
    tests: usize,
    failures: usize,
    skipped: usize,
}

fn suite(report: &Report, run: &CheckRun) -> Suite {
    let of_check = || report.findings.iter().filter(|it| it.check == run.id);
    // Operations in the order of the scan; with those that only a finding or a skip names.
    let mut operations: Vec<&str> = run.operations.iter().map(String::as_str).collect();
    let skips: Vec<_> = report.skipped.iter().filter(|it| it.check == run.id).collect();
    let others =
        of_check().map(|it| it.operation.as_str()).chain(skips.iter().map(|it| it.operation.as_str()));
    for name in others {
        if operations.len() < CASES_MAX && !operations.contains(&name) {
            operations.push(name);
        }
    }
    let mut suite = Suite { text: String::new(), tests: operations.len(), failures: 0, skipped: 0 };
    let mut cases = String::new();
    for operation in operations {
        let findings: Vec<&Finding> = of_check().filter(|it| it.operation == operation).collect();
        let confirmed: Vec<&&Finding> =
            findings.iter().filter(|it| it.certainty == Certainty::Confirmed).collect();
        let why = skips.iter().find(|it| it.operation == operation);
        let name = if operation.is_empty() { "the server" } else { operation };
        cases.push_str(&format!(
            "    <testcase name=\"{}\" classname=\"portcullis.{}\" time=\"0\">\n",
            markup(name),
            markup(&run.id)
        ));
        if confirmed.is_empty() {
            if let (false, Some(skip)) = (run.operations.iter().any(|it| it == operation), why) {
                suite.skipped += 1;
                cases.push_str(&format!("      <skipped message=\"{}\"/>\n", markup(&skip.why)));
            }
        } else {
            suite.failures += 1;
            let told: Vec<String> = confirmed.iter().map(|it| told(it)).collect();
            let first = confirmed.first().map_or("", |it| it.summary.as_str());
            cases.push_str(&format!(
                "      <failure message=\"{}\" type=\"{}\">{}</failure>\n",
                markup(first),
                markup(&run.id),
                markup(&told.join("\n\n"))
            ));
        }
        let suspected: Vec<String> =
            findings.iter().filter(|it| it.certainty == Certainty::Suspected).map(|it| told(it)).collect();
        if !suspected.is_empty() {
            cases.push_str(&format!(
                "      <system-out>{}</system-out>\n",
                markup(&format!("suspected:\n{}", suspected.join("\n\n")))
            ));
        }
        cases.push_str("    </testcase>\n");
    }
    suite.text = format!(
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\" time=\"0\">\n{cases}  \
         </testsuite>\n",
        markup(&run.id),
        suite.tests,
        suite.failures,
        suite.skipped
    );
    suite
}

fn told(finding: &Finding) -> String {
    let slot = if finding.slot.is_empty() { String::new() } else { format!(" at {}", finding.slot) };
    format!(
        "{} ({}{slot})\n{}\n{} CWE-{} {}\n{}\nRemedy: {}",
        finding.title,
        finding.severity.word(),
        finding.summary,
        finding.owasp,
        finding.cwe,
        finding.fingerprint,
        finding.curl,
        finding.remedy
    )
}
