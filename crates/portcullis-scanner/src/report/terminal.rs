//! For a terminal: what was found, worst first, and what was not reached and why.

use std::fmt::Write as _;

use super::{
    Report, Status, numbers,
    text::{cut, line},
};
use crate::finding::{Certainty, Finding, Section, Severity};

/// Operations that were not reached, listed by name.
const UNREACHED_MAX: usize = 20;

/// The report, coloured where asked.
pub fn render(report: &Report, colour: bool) -> String {
    let mut out = Out { text: String::new(), colour };
    out.head(report);
    for (section, certainty, title) in [
        (Section::Security, Certainty::Confirmed, "Confirmed"),
        (Section::Security, Certainty::Suspected, "Suspected"),
        (Section::Contract, Certainty::Confirmed, "Departures from the description"),
    ] {
        let findings: Vec<&Finding> = report
            .ordered(section)
            .into_iter()
            .filter(|it| section == Section::Contract || it.certainty == certainty)
            .collect();
        if !findings.is_empty() {
            out.line(&out.bold(&format!("\n{title}")));
            findings.iter().for_each(|it| out.finding(report, it));
        }
    }
    out.coverage(report);
    out.baseline(report);
    out.end(report);
    out.text
}

struct Out {
    text: String,
    colour: bool,
}

impl Out {
    fn line(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push('\n');
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    fn bold(&self, text: &str) -> String {
        self.paint("1", text)
    }

    fn dim(&self, text: &str) -> String {
        self.paint("2", text)
    }

    fn severity(&self, severity: Severity) -> String {
        let code = match severity {
            Severity::Critical => "1;97;41",
            Severity::High => "1;31",
            Severity::Medium => "1;33",
            Severity::Low => "1;36",
            Severity::Info => "2",
        };
        self.paint(code, &format!("{:<8}", severity.word()))
    }

    fn head(&mut self, report: &Report) {
        let title = if report.title.is_empty() { "API scan" } else { &report.title };
        let text = format!("{}  {}", self.bold(&line(title)), line(&report.target));
        self.line(&text);
        let facts = format!(
            "{} requests in {}, seed {}, portcullis {}",
            report.requests,
            numbers::duration(report.duration_millis),
            line(&report.seed),
            line(&report.tool_version)
        );
        let facts = self.dim(&facts);
        self.line(&facts);
    }

    fn finding(&mut self, report: &Report, finding: &Finding) {
        let place = match (finding.operation.is_empty(), finding.slot.is_empty()) {
            (true, _) => "the server".to_owned(),
            (false, true) => line(&finding.operation),
            (false, false) => format!("{}  {}", line(&finding.operation), line(&finding.slot)),
        };
        let new = match report.is_new(finding) {
            Some(true) => self.paint("1;35", " new"),
            Some(false) | None => String::new(),
        };
        let text = format!("  {} {}{new}", self.severity(finding.severity), self.bold(&line(&finding.title)));
        self.line(&text);
        self.line(&format!("           {place}"));
        self.line(&format!("           {}", cut(&line(&finding.summary), 400)));
        let codes =
            format!("{}  CWE-{}  {}  {}", finding.owasp, finding.cwe, finding.check, finding.fingerprint);
        let codes = self.dim(&line(&codes));
        self.line(&format!("           {codes}"));
        if !finding.curl.is_empty() {
            self.line(&format!("           $ {}", line(&finding.curl)));
        }
    }

    fn coverage(&mut self, report: &Report) {
        let (reached, all) = report.reached();
        let heading = self.bold("\nCoverage");
        self.line(&heading);
        let percent = numbers::percent((reached, all));
        self.line(&format!("  {reached} of {all} operations were answered well ({percent} %)"));
        let missed: Vec<_> = report.coverage.iter().filter(|it| !it.reached).collect();
        for it in missed.iter().take(UNREACHED_MAX) {
            let name = line(&it.operation);
            self.line(&format!("  {} {name}: {}", self.dim("not reached"), line(&it.why)));
        }
        if let Some(rest) = missed.len().checked_sub(UNREACHED_MAX).filter(|it| *it > 0) {
            self.line(&format!("  and {rest} more"));
        }
        let tried: u32 = report.checks.iter().map(|it| it.tried).sum();
        let skipped: u32 = report.checks.iter().map(|it| it.skipped).sum();
        self.line(&format!(
            "  {} checks, {tried} trials made, {skipped} could not be made",
            report.checks.len()
        ));
        let lost: Vec<String> =
            report.identities.iter().filter(|it| !it.alive).map(|it| line(&it.name)).collect();
        if !lost.is_empty() {
            let text = self.paint("31", &format!("  logins lost: {}", lost.join(", ")));
            self.line(&text);
        }
        if !report.notes.is_empty() {
            self.line(&format!(
                "  {} remarks about the description (see the JSON report)",
                report.notes.len()
            ));
        }
    }

    fn baseline(&mut self, report: &Report) {
        let Some(compared) = &report.baseline else { return };
        let heading = self.bold("\nSince the earlier scan");
        self.line(&heading);
        self.line(&format!(
            "  {} new, {} still there, {} fixed, {} not tried again",
            compared.new.len(),
            compared.persisting.len(),
            compared.fixed.len(),
            compared.untried.len()
        ));
        for it in &compared.fixed {
            let text =
                format!("  {} {}  {}", self.paint("32", "fixed"), line(&it.title), line(&it.operation));
            self.line(&text);
        }
    }

    fn end(&mut self, report: &Report) {
        let verdict = numbers::verdict(report);
        let code = if verdict.starts_with("No ") { "1;32" } else { "1;31" };
        let text = format!("\n{}", self.paint(code, &verdict));
        self.line(&text);
        if report.status == Status::Incomplete {
            let text = self.paint("1;31", "The scan is incomplete: what it did not find may be there");
            self.line(&text);
            for why in &report.incomplete {
                // Writing to a string cannot fail.
                let _ = writeln!(self.text, "  {}", line(why));
            }
        }
    }
}
