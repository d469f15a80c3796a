//! `portcullis rules test`: regression cases against the rules as a configuration has them. Nothing is sent.

use std::{
    io::IsTerminal as _,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use portcullis_config::FromDisk;
use portcullis_core::chain::Mode;
use portcullis_ftw::{
    Failure,
    cases::{Case, Stage},
    exchange::{self, Stops},
    expect::Outcome,
    files, judge,
};
use portcullis_guards::RuleBook;
use portcullis_seclang::Transaction;
use serde_json::{Value, json};

use self::routing::Routing;
use super::{ensure_api, quoted, read, tell_refused};
use crate::{
    cli,
    commands::{check::NoKeys, complain, print},
    compile::Compiled,
    exit::Exit,
    gate, load,
};

mod routing;

/// More threads gain nothing: a case takes milliseconds.
const THREADS_MAX: usize = 8;

/// Runs the command.
pub(crate) fn run(arguments: &cli::RulesTest) -> anyhow::Result<Exit> {
    let path = &arguments.config.config;
    let Some(loaded) = read(path) else { return Ok(Exit::Config) };
    if let Some(api) = &arguments.api {
        ensure_api(&loaded.config, api)?;
    }
    let world = gate::detached_world(Arc::new(NoKeys))?;
    let compiled = match load::compile(&loaded, &FromDisk, &world, None, 0) {
        Ok(compiled) => compiled,
        Err(refused) => {
            tell_refused(path, &refused);
            return Ok(Exit::Config);
        }
    };
    let api = the_api(&compiled, arguments.api.as_deref())?;
    let cases = files::load(&arguments.files).map_err(|errors| {
        let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("the cases cannot be read:\n{}", errors.join("\n"))
    })?;
    anyhow::ensure!(!cases.is_empty(), "there are no cases in these files");

    let routing = Routing::new(&compiled, &loaded.config, &api);
    let failed = run_all(&routing, &cases, arguments.verbose);
    let (failed_count, passed) = (failed.len(), cases.len() - failed.len());
    if arguments.json {
        let failures: Vec<Value> = failed.iter().map(|(case, failure)| as_json(case, failure)).collect();
        let report =
            json!({ "tests": cases.len(), "passed": passed, "failed": failed_count, "failures": failures });
        print(&format!("{report:#}\n"));
    } else {
        let text: String = failed.iter().map(|(case, failure)| text(case, failure)).collect();
        let plural = load::plural(cases.len());
        print(&format!("{text}{} case{plural}: {passed} passed, {failed_count} failed\n", cases.len()));
    }
    Ok(if failed.is_empty() { Exit::Success } else { Exit::Failure })
}

/// The API that is tested: the one named, or the only one that has rules.
fn the_api(compiled: &Compiled, named: Option<&str>) -> anyhow::Result<Arc<str>> {
    let mut with_rules: Vec<&Arc<str>> = compiled.books.keys().map(|(api, _)| api).collect();
    with_rules.dedup();
    if let Some(named) = named {
        let found = with_rules.iter().find(|it| &****it == named);
        return match found {
            Some(api) => Ok(Arc::clone(api)),
            None => anyhow::bail!("the API `{named}` has no rules"),
        };
    }
    match with_rules[..] {
        [] => anyhow::bail!(
            "no API has rules: `firewall: {{ rules: [crs: DIRECTORY, files: [PATTERNS]] }}` loads some"
        ),
        [only] => Ok(Arc::clone(only)),
        _ => {
            let names: Vec<&str> = with_rules.iter().map(|it| &***it).collect();
            anyhow::bail!("several APIs have rules; name one with --api: {}", quoted(&names))
        }
    }
}

/// Runs all cases on a few threads; the failures in the order of their ids.
fn run_all<'c>(routing: &Routing<'_>, cases: &'c [Case], verbose: bool) -> Vec<(&'c Case, Failure)> {
    let threads = thread::available_parallelism().map_or(1, usize::from).min(THREADS_MAX);
    // What is shown of one case must stand together.
    let threads = if verbose { 1 } else { threads };
    let (next, progress) = (AtomicUsize::new(0), Progress::new(cases.len()));
    let failed = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let failure = run_one(routing, case, verbose);
                    let mut failed = failed.lock().unwrap_or_else(PoisonError::into_inner);
                    failed.extend(failure.map(|failure| (case, failure)));
                    progress.step(failed.len());
                }
            });
        }
    });
    progress.end();
    let mut failed = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
    failed.sort_by_key(|(case, _)| case.id);
    failed
}

fn run_one(routing: &Routing<'_>, case: &Case, verbose: bool) -> Option<Failure> {
    judge(case, None, &mut |stage, bytes| {
        let outcome = send(routing, stage, bytes);
        if verbose {
            print(&described(case, bytes, &outcome));
        }
        outcome
    })
}

fn send(routing: &Routing<'_>, stage: &Stage, bytes: &[u8]) -> Outcome {
    exchange::run(bytes, stage.answer.as_ref(), &mut |request| {
        let (mode, book) = routing.book(request)?;
        let stops = if *mode == Mode::Block { Stops::Enforced } else { Stops::Reported };
        Some((begin(book), stops))
    })
}

/// Begins the judgement of a request as the gate does.
fn begin(book: &RuleBook) -> Transaction {
    let mut transaction = book.engine.transaction();
    for (name, value) in &book.facts {
        transaction.set_tx(name, Arc::clone(value));
    }
    transaction
}

/// The id, what differs, and what matched instead.
fn text(case: &Case, failure: &Failure) -> String {
    let stage = if case.stages.len() > 1 { format!(" (stage {})", failure.stage) } else { String::new() };
    let mut text = format!("{}{stage}: {}\n", case.id, failure.differences.join(", "));
    let description = case.description.iter().map(|it| format!("  {}\n", it.trim()));
    description.for_each(|line| text.push_str(&line));
    let matched = match &failure.outcome.ids[..] {
        [] => "nothing".to_owned(),
        ids => ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
    };
    text.push_str(&format!("  {}; matched: {matched}\n", case.file));
    text
}

fn as_json(case: &Case, failure: &Failure) -> Value {
    json!({
        "id": case.id.to_string(), "file": *case.file, "stage": failure.stage,
        "differences": failure.differences, "matched": failure.outcome.ids, "status": failure.outcome.status,
    })
}

fn described(case: &Case, bytes: &[u8], outcome: &Outcome) -> String {
    let status = outcome.status.map_or_else(|| "no answer".to_owned(), |it| it.to_string());
    let mut text = format!("{}\n  {}\n  => {status}\n", case.id, bytes.escape_ascii());
    for line in &outcome.lines {
        text.push_str(&format!("     {}\n", line.escape_ascii()));
    }
    text
}

/// Said on a terminal while cases run.
struct Progress {
    all: usize,
    done: AtomicUsize,
    is_shown: bool,
}

impl Progress {
    /// Cases between two lines.
    const EVERY: usize = 50;

    fn new(all: usize) -> Self {
        Self { all, done: AtomicUsize::new(0), is_shown: std::io::stderr().is_terminal() }
    }

    fn step(&self, failed: usize) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        if self.is_shown && done.is_multiple_of(Self::EVERY) {
            complain(&format!("\r{done} of {}, {failed} failed", self.all));
        }
    }

    fn end(&self) {
        if self.is_shown && self.all >= Self::EVERY {
            complain("\r\x1b[K");
        }
    }
}
