//! A scan from the shell, without the gate's binary around it: `scan FILE URL [--only CHECK,…] [--seed N] [--auth FILE]`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for the terminal")]

use std::{path::PathBuf, sync::Arc};

use portcullis_scanner::{
    engine::{Base, Budget, Engine, Options, Progress, TransportLimits, permit},
    identity::file,
    listener,
    model::openapi,
    world::Bounds,
};
use portcullis_spec::openapi::{LoadOptions, MemorySource};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let word = |at: usize| arguments.get(at).cloned().unwrap_or_default();
    let flag =
        |name: &str| arguments.iter().position(|it| it == name).and_then(|at| arguments.get(at + 1).cloned());
    let (input, url) = (word(0), word(1));
    let base = Base::parse(&url)?;
    permit(&base, &[])?;
    let source = MemorySource::default().with(input.clone(), std::fs::read(&input)?);
    let model = openapi::read(&input, &source, &LoadOptions::default(), Some(&url))?;
    let key = [7; 32];
    let visits = listener::Listener::start("127.0.0.1:0".parse()?, key).await?;
    let list =
        |name: &str| flag(name).map(|it| it.split(',').map(str::to_owned).collect()).unwrap_or_default();
    let options = Options {
        base,
        seed: flag("--seed").and_then(|it| it.parse().ok()).unwrap_or(1),
        budget: Budget::default(),
        limits: TransportLimits::default(),
        bounds: Bounds::default(),
        users: match flag("--auth") {
            Some(path) => file::read(&std::fs::read_to_string(path)?)?,
            None => Vec::new(),
        },
        allowed: Vec::new(),
        headers: Vec::new(),
        unix_now: 0,
        only: list("--only"),
        skip: list("--skip"),
        operations: list("--operations"),
        tls: None::<Arc<_>>,
        directory: flag("--out").map(PathBuf::from),
        resume: false,
        coverage_min: 50,
    };
    let verbose = arguments.iter().any(|it| it == "-v");
    let mut tell = |progress: Progress| match progress {
        Progress::Part(part) => eprintln!("== {part}"),
        Progress::Step { what, requests, .. } if verbose => eprintln!("   {requests} {what}"),
        Progress::Step { .. } => {}
        Progress::Found(finding) => {
            eprintln!("!! {:?} {} {} {}", finding.certainty, finding.check, finding.operation, finding.slot)
        }
        Progress::Note(text) => eprintln!("-- {text}"),
    };
    let outcome = Engine::new(model, options, Some(visits), &mut tell)?.scan().await;
    for coverage in &outcome.coverage {
        println!("{} {} {}", if coverage.reached { "ok " } else { "---" }, coverage.operation, coverage.why);
    }
    for edge in &outcome.world.edges {
        let name =
            |index| outcome.world.model.operation(index).map(|it| it.id.to_string()).unwrap_or_default();
        println!("edge {} {:?} -> {} {}", name(edge.from), edge.origin, name(edge.to), edge.slot);
    }
    for resource in &outcome.world.resources {
        println!("resource {resource:?}");
    }
    if verbose {
        for trial in outcome.trials.iter().filter(|it| it.skipped.is_some()) {
            println!(
                "skipped {} {}",
                trial.key.replace('\n', " "),
                trial.skipped.clone().unwrap_or_default()
            );
        }
    }
    for finding in &outcome.findings {
        println!(
            "{:?} {:?} {} | {} {} | {}",
            finding.severity,
            finding.certainty,
            finding.check,
            finding.operation,
            finding.slot,
            finding.summary
        );
        println!("    {}", finding.curl);
    }
    println!(
        "{} requests, {} trials, {} findings, {:?}",
        outcome.requests,
        outcome.trials.len(),
        outcome.findings.len(),
        outcome.unfinished
    );
    Ok(())
}
