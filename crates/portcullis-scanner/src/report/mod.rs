//! What a scan has to say, and every form it is said in: one file a format.
//!
//! A target is hostile: whatever it answered goes through [`text::visible`] and the format's own escaping, so that a
//! report neither runs anything nor shows another text than it holds.

pub mod baseline;
pub mod har;
pub mod html;
pub mod json;
pub mod junit;
pub mod markdown;
mod numbers;
pub mod sarif;
pub mod terminal;
mod text;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use self::baseline::Compared;
use crate::{
    check::Info,
    finding::{Certainty, Exchange, Finding, Section, Severity},
    identity::Role,
    model::{Line, Note},
};

/// Everything a scan has to say.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The API's title.
    pub title: String,
    /// What was scanned: a URL without a path.
    pub target: String,
    /// The input it was modelled from: a file's name or a URL; empty where it was found by itself.
    pub source: String,
    /// When it began: RFC 3339, in UTC.
    pub started: String,
    /// How long it took, in milliseconds.
    pub duration_millis: u64,
    /// The seed that gives the same scan again.
    pub seed: String,
    /// The version of this program.
    pub tool_version: String,
    /// Whether it was a whole scan.
    pub status: Status,
    /// Why it was not, a sentence each.
    pub incomplete: Vec<String>,
    /// What was repaired, left out or guessed in the input.
    pub notes: Vec<Note>,
    /// What was reached, in the model's order.
    pub coverage: Vec<Coverage>,
    /// Who called.
    pub identities: Vec<Caller>,
    /// Requests sent.
    pub requests: u64,
    /// Checks in their order, with what came of each.
    pub checks: Vec<CheckRun>,
    /// What was found.
    pub findings: Vec<Finding>,
    /// What could not be tried.
    pub skipped: Vec<Skipped>,
    /// Where operations stand in the input, by their id, where that is known.
    pub lines: BTreeMap<String, Line>,
    /// Every exchange of the scan, for the HAR file; empty where it was not kept, and never part of the JSON.
    #[serde(skip)]
    pub traffic: Vec<Exchange>,
    /// How it compares with an earlier one.
    pub baseline: Option<Compared>,
}

/// Whether a scan was whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It was.
    Completed,
    /// It was not: too little was reached, logins were lost, a budget ran out, or it was interrupted.
    #[default]
    Incomplete,
}

/// Whether an operation was reached.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// The operation, by id.
    pub operation: String,
    /// Whether a call of it was answered well.
    pub reached: bool,
    /// Why not; empty where it was.
    pub why: String,
}

/// One who called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// Its name.
    pub name: String,
    /// What it was for.
    pub role: Role,
    /// How it was come by: `given`, `registered`, `anonymous`.
    pub by: String,
    /// Whether it could still call at the end.
    pub alive: bool,
}

/// A check, with what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckRun {
    /// [`Info::id`].
    pub id: String,
    /// Its title.
    pub title: String,
    /// The part of the report.
    pub section: Section,
    /// Its usual severity.
    pub severity: Severity,
    /// OWASP API Security Top 10 2023.
    pub owasp: String,
    /// CWE number.
    pub cwe: u32,
    /// Fault code of Web Fuzzing Commons.
    pub wfc: Option<String>,
    /// How what it finds is mended.
    pub remedy: String,
    /// How it shows it.
    pub oracle: String,
    /// Places that it was tried on to an end.
    pub tried: u32,
    /// Places that it could not be tried on.
    pub skipped: u32,
    /// Requests that it sent.
    pub requests: u64,
    /// Operations that it was tried on to an end, by id, each once; the empty id is the server as a whole.
    pub operations: Vec<String>,
}

/// A trial that could not be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// The check.
    pub check: String,
    /// The operation, by id; empty for the server as a whole.
    pub operation: String,
    /// The slot, as in [`Finding::slot`].
    pub slot: String,
    /// Why.
    pub why: String,
}

/// From when on a scan fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailOn {
    /// Findings at least as bad.
    pub severity: Severity,
    /// Suspected ones too.
    pub suspected: bool,
    /// Only those that an earlier report does not have.
    pub new_only: bool,
}

impl Default for FailOn {
    /// Confirmed ones of medium severity and above.
    fn default() -> Self {
        Self { severity: Severity::Medium, suspected: false, new_only: false }
    }
}

impl CheckRun {
    /// A check that has not run yet.
    pub fn of(info: &Info) -> Self {
        Self {
            id: info.id.to_owned(),
            title: info.title.to_owned(),
            section: info.section,
            severity: info.severity,
            owasp: info.owasp.to_owned(),
            cwe: info.cwe,
            wfc: info.wfc.map(str::to_owned),
            remedy: info.remedy.to_owned(),
            oracle: info.oracle.to_owned(),
            tried: 0,
            skipped: 0,
            requests: 0,
            operations: Vec::new(),
        }
    }
}

impl Report {
    /// Findings that fail a build.
    pub fn failing(&self, on: FailOn) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(move |it| {
            it.severity >= on.severity
                && (on.suspected || it.certainty == Certainty::Confirmed)
                && (!on.new_only || self.is_new(it).unwrap_or(true))
        })
    }

    /// Operations reached, of all.
    pub fn reached(&self) -> (usize, usize) {
        (self.coverage.iter().filter(|it| it.reached).count(), self.coverage.len())
    }

    /// Whether an earlier report lacks the finding; `None` where there is no earlier one.
    pub fn is_new(&self, finding: &Finding) -> Option<bool> {
        self.baseline.as_ref().map(|it| it.new.contains(&finding.fingerprint))
    }

    /// Findings of one section: confirmed ones first, worst first, then by operation.
    pub fn ordered(&self, section: Section) -> Vec<&Finding> {
        let mut findings: Vec<&Finding> = self.findings.iter().filter(|it| it.section == section).collect();
        findings.sort_by(|a, b| {
            (b.certainty, b.severity, &a.operation, &a.slot, &a.check).cmp(&(
                a.certainty,
                a.severity,
                &b.operation,
                &b.slot,
                &b.check,
            ))
        });
        findings
    }

    fn run(&self, check: &str) -> Option<&CheckRun> {
        self.checks.iter().find(|it| it.id == check)
    }
}

impl Severity {
    /// All, worst first.
    pub const ALL: [Self; 5] = [Self::Critical, Self::High, Self::Medium, Self::Low, Self::Info];

    /// In a word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
            Self::Info => "info",
        }
    }
}

/// The categories of OWASP API Security Top 10 2023, in short.
pub const OWASP: [(&str, &str); 10] = [
    ("API1:2023", "Broken object level authorization"),
    ("API2:2023", "Broken authentication"),
    ("API3:2023", "Broken object property level authorization"),
    ("API4:2023", "Unrestricted resource consumption"),
    ("API5:2023", "Broken function level authorization"),
    ("API6:2023", "Unrestricted access to sensitive business flows"),
    ("API7:2023", "Server side request forgery"),
    ("API8:2023", "Security misconfiguration"),
    ("API9:2023", "Improper inventory management"),
    ("API10:2023", "Unsafe consumption of APIs"),
];

#[cfg(test)]
mod tests;
