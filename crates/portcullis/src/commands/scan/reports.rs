//! From a scan's outcome to its report, and the files that are asked for.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use anyhow::Context as _;
use portcullis_core::clock::Timestamp;
use portcullis_scanner::{
    checks,
    engine::ScanOutcome,
    identity::Role,
    model::{Line, Note},
    report::{self, Caller, CheckRun, Coverage, Report, Skipped, Status},
};

use crate::cli::Scan;

/// What is known of a scan besides its outcome.
pub(super) struct About {
    pub(super) title: String,
    pub(super) target: String,
    pub(super) source: String,
    pub(super) began: Timestamp,
    /// In milliseconds.
    pub(super) took: u64,
    pub(super) seed: u64,
    pub(super) lines: BTreeMap<String, Line>,
    pub(super) notes: Vec<Note>,
}

/// The report of a scan.
pub(super) fn of(about: &About, outcome: &ScanOutcome) -> Report {
    let mut incomplete: Vec<String> = outcome.unfinished.iter().map(ToString::to_string).collect();
    let status = if incomplete.is_empty() { Status::Completed } else { Status::Incomplete };
    if status == Status::Incomplete {
        incomplete.extend(outcome.notes.iter().cloned());
    }
    let mut notes = about.notes.clone();
    notes.extend(outcome.notes.iter().map(|text| Note { place: String::new(), text: text.clone() }));
    Report {
        title: about.title.clone(),
        target: about.target.clone(),
        source: about.source.clone(),
        started: jiff::Timestamp::from_microsecond(
            i64::try_from(about.began.as_micros()).unwrap_or_default(),
        )
        .unwrap_or_default()
        .to_string(),
        duration_millis: about.took,
        seed: about.seed.to_string(),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        status,
        incomplete,
        notes,
        coverage: outcome
            .coverage
            .iter()
            .map(|it| Coverage { operation: it.operation.clone(), reached: it.reached, why: it.why.clone() })
            .collect(),
        identities: callers(outcome),
        requests: outcome.requests,
        checks: check_runs(outcome),
        findings: outcome.findings.clone(),
        skipped: skipped(outcome),
        lines: about.lines.clone(),
        traffic: outcome.findings.iter().flat_map(|finding| finding.exchanges.iter().cloned()).collect(),
        baseline: None,
    }
}

fn callers(outcome: &ScanOutcome) -> Vec<Caller> {
    let all = outcome.world.identities.iter();
    all.map(|identity| Caller {
        name: identity.name.clone(),
        role: identity.role,
        by: match identity.role {
            Role::Anonymous => "anonymous",
            Role::High => "given",
            _ if identity.values.contains_key("password") && !identity.session.secret.is_empty() => {
                "registered"
            }
            _ => "given",
        }
        .to_owned(),
        alive: identity.role == Role::Anonymous
            || !identity.session.secret.is_empty()
            || !identity.session.headers.is_empty(),
    })
    .collect()
}

fn check_runs(outcome: &ScanOutcome) -> Vec<CheckRun> {
    let runs = checks::ALL.iter().map(|check| {
        let mut run = CheckRun::of(check.info());
        let mut operations = BTreeSet::new();
        for trial in outcome.trials.iter().filter(|trial| trial.check == run.id) {
            run.requests += u64::from(trial.requests);
            if trial.skipped.is_some() {
                run.skipped += 1;
            } else {
                run.tried += 1;
                operations.insert(trial.key.split('\n').nth(1).unwrap_or_default().to_owned());
            }
        }
        run.operations = operations.into_iter().collect();
        run
    });
    runs.collect()
}

fn skipped(outcome: &ScanOutcome) -> Vec<Skipped> {
    let all = outcome.trials.iter().filter_map(|trial| {
        let why = trial.skipped.clone()?;
        let mut parts = trial.key.split('\n').skip(1).map(str::to_owned);
        let (operation, slot) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        Some(Skipped { check: trial.check.clone(), operation, slot, why })
    });
    all.collect()
}

/// Reads an earlier report.
pub(super) fn earlier(path: &Path) -> anyhow::Result<Report> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    report::json::read(&bytes).with_context(|| format!("`{}` is no report of a scan", path.display()))
}

/// Writes every file that was asked for.
pub(super) fn write(arguments: &Scan, report: &Report) -> anyhow::Result<()> {
    type Render = fn(&Report) -> String;
    let wanted: [(&Option<std::path::PathBuf>, Render); 6] = [
        (&arguments.report, report::json::render),
        (&arguments.sarif, report::sarif::render),
        (&arguments.junit, report::junit::render),
        (&arguments.html, report::html::render),
        (&arguments.har, report::har::render),
        (&arguments.markdown, report::markdown::render),
    ];
    for (path, render) in wanted {
        if let Some(path) = path {
            std::fs::write(path, render(report))
                .with_context(|| format!("cannot write `{}`", path.display()))?;
        }
    }
    Ok(())
}
