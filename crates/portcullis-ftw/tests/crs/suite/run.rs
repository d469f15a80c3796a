//! All cases, on two threads, with what came of them.

use std::{
    collections::BTreeSet,
    io::{IsTerminal as _, Write as _},
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use portcullis_ftw::{
    cases::{Case, CaseId, Output, Stage},
    exchange::{self, Stops},
    expect::Outcome,
};
use portcullis_seclang::Engine;

use super::{overrides, rules};

const THREADS: usize = 2;

/// What is run, and what is said meanwhile.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Cases whose id is this or begins with it; all where it is empty.
    pub only: String,
    /// Says what every stage's request was and what matched.
    pub verbose: bool,
    /// Paranoia level; the suite is written for 4.
    pub paranoia: u8,
}

/// What came of a run.
#[derive(Debug, Default)]
pub struct Report {
    pub tests: usize,
    /// Pass as they are written.
    pub passed: BTreeSet<CaseId>,
    /// Come out as an override says.
    pub overridden: BTreeSet<CaseId>,
    /// Come out otherwise, and how.
    pub failed: Vec<(CaseId, String)>,
}

pub fn run(folder: &Path, options: &Options) -> Report {
    let engine = rules::engine(folder, options.paranoia);
    let mut cases = super::cases(folder);
    cases.retain(|case| {
        let id = case.id.to_string();
        options.only.is_empty() || id == options.only || case.id.rule.to_string() == options.only
    });
    let next = AtomicUsize::new(0);
    let report = Mutex::new(Report { tests: cases.len(), ..Report::default() });
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let judgement = judge(&engine, case, options);
                    let mut report = report.lock().unwrap();
                    match judgement {
                        Judgement::Passed => report.passed.extend([case.id]),
                        Judgement::Overridden => report.overridden.extend([case.id]),
                        Judgement::Failed(why) => report.failed.push((case.id, why)),
                    }
                    show_progress(&report);
                }
            });
        }
    });
    let mut report = report.into_inner().unwrap();
    report.failed.sort();
    report
}

enum Judgement {
    Passed,
    Overridden,
    Failed(String),
}

fn judge(engine: &Engine, case: &Case, options: &Options) -> Judgement {
    let as_written = stages(engine, case, options, None);
    match (overrides::of(case.id), as_written) {
        (None, None) => Judgement::Passed,
        (None, Some(why)) => Judgement::Failed(why),
        (Some(_), None) => Judgement::Failed("passes as written: take its override away".to_owned()),
        (Some(it), Some(_)) => match stages(engine, case, options, Some(&it.output())) {
            None => Judgement::Overridden,
            Some(why) => Judgement::Failed(why),
        },
    }
}

/// What differs in the first stage that does not pass.
fn stages(engine: &Engine, case: &Case, options: &Options, instead: Option<&Output>) -> Option<String> {
    let mut exchange = |stage: &Stage, bytes: &[u8]| {
        let outcome = exchange::run(bytes, stage.answer.as_ref(), &mut |_| {
            Some((engine.transaction(), Stops::Enforced))
        });
        if options.verbose {
            describe(case.id, bytes, &outcome);
        }
        outcome
    };
    portcullis_ftw::judge(case, instead, &mut exchange).map(|failure| failure.differences.join(", "))
}

fn describe(id: CaseId, bytes: &[u8], outcome: &Outcome) {
    let mut text = format!("--- {id}\n{}\n=> {:?}\n", bytes.escape_ascii(), outcome.status);
    for line in &outcome.lines {
        text.push_str(&format!("   {}\n", line.escape_ascii()));
    }
    print!("{text}");
}

fn show_progress(report: &Report) {
    let done = report.passed.len() + report.overridden.len() + report.failed.len();
    if std::io::stderr().is_terminal() && (done.is_multiple_of(50) || done == report.tests) {
        eprint!("\r{done} of {}, {} failed ", report.tests, report.failed.len());
        let _ = std::io::stderr().flush();
        if done == report.tests {
            eprintln!();
        }
    }
}
