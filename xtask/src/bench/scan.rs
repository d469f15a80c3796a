//! The scanner against the range, both of its sides, and against a server that only answers; Schemathesis beside it.

mod truth;

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::Context as _;
use serde_json::{Value, json};

use self::truth::{Entry, Judged};
use super::{
    Build, Options, Output,
    process::{Folder, Process, free_port},
};

/// What one run showed.
struct Run {
    work: &'static str,
    who: &'static str,
    requests: u64,
    cpu_millis: f64,
    wall_millis: f64,
    judged: Option<Judged>,
}

/// Runs the benchmark and prints its table or list.
pub(super) fn run(options: Options) -> anyhow::Result<()> {
    crate::install::debian(&["nginx-light"])?;
    let binary = options.binary()?;
    if options.build == Build::First {
        crate::run(crate::cargo().args(["build", "--release", "--locked", "-p", "portcullis-range"]))?;
    }
    let range = binary.with_file_name("portcullis-range");
    let folder = Folder::new("scan")?;
    let entries =
        truth::entries(&std::fs::read_to_string(crate::root().join("crates/portcullis-range/truth.toml"))?);
    let mut runs = Vec::new();
    for (work, mode) in [("range-vulnerable", "vulnerable"), ("range-secure", "secure")] {
        eprintln!("{work}");
        let started = Range::start(&range, mode, &folder)?;
        let (report, mut run) = ours(&binary, &folder, work, &started.specification, &started.url)?;
        run.judged = Some(truth::judge(&entries, mode == "vulnerable", &report));
        runs.push(run);
    }
    runs.push(null(&binary, &folder)?);
    match schemathesis(&range, &folder) {
        Ok(run) => runs.push(run),
        Err(error) => eprintln!("skipped: Schemathesis: {error:#}"),
    }
    print(&entries, &runs, options.output)
}

/// The range as a process, with its specification in a file.
struct Range {
    _process: Process,
    url: String,
    specification: PathBuf,
}

impl Range {
    fn start(binary: &Path, mode: &str, folder: &Folder) -> anyhow::Result<Self> {
        let port = free_port()?;
        let mut command = Command::new(binary);
        command.args(["--port", &port.to_string(), "--mode", mode]);
        let process = Process::start("range", &mut command, folder.path(), &[port])?;
        let url = format!("http://127.0.0.1:{port}");
        let specification = folder.path().join("range.json");
        let text = Command::new("curl").args(["-sSf", &format!("{url}/openapi.json")]).output()?;
        anyhow::ensure!(text.status.success(), "the range shows no specification");
        std::fs::write(&specification, text.stdout)?;
        Ok(Self { _process: process, url, specification })
    }
}

/// One scan of ours, with its report.
fn ours(
    binary: &Path,
    folder: &Folder,
    work: &'static str,
    specification: &Path,
    url: &str,
) -> anyhow::Result<(Value, Run)> {
    let path = folder.path().join("report.json");
    let mut command = Command::new(binary);
    command.arg("scan").arg(specification).args([
        "--target",
        url,
        "--seed",
        "1",
        "--quiet",
        "--coverage",
        "0",
        "--report",
    ]);
    // What it has to say is in the report; the table alone stands on our own output.
    command.stdout(Stdio::null());
    let (cpu_millis, wall_millis) = timed(command.arg(&path))?;
    let report: Value = serde_json::from_slice(&std::fs::read(&path).context("the scan left no report")?)?;
    let requests = report.get("requests").and_then(Value::as_u64).context("a report without `requests`")?;
    Ok((report, Run { work, who: "portcullis", requests, cpu_millis, wall_millis, judged: None }))
}

/// The engine alone: many operations of a server that answers everything alike.
fn null(binary: &Path, folder: &Folder) -> anyhow::Result<Run> {
    eprintln!("null");
    let port = free_port()?;
    let config = folder.path().join("null.conf");
    let text = format!(
        "daemon off; worker_processes 1; pid {0}/null.pid; error_log {0}/null.err; events {{}}\n\
         http {{ access_log off; keepalive_requests 1000000; client_body_temp_path {0}/null-body; server {{ listen 127.0.0.1:{port};\n\
         location / {{ default_type application/json; return 200 '{{\"id\":1}}'; }} }} }}",
        folder.path().display()
    );
    std::fs::write(&config, text)?;
    let _nginx =
        Process::start("nginx", Command::new("nginx").arg("-c").arg(&config), folder.path(), &[port])?;
    let paths: serde_json::Map<String, Value> = (0..400)
        .map(|number| {
            let answers = json!({"200": {"description": "ok", "content": {"application/json": {"schema": {"type": "object"}}}}});
            let parameters = json!([{"name": "q", "in": "query", "required": true, "schema": {"type": "string"}}]);
            (format!("/thing{number}"), json!({"get": {"parameters": parameters, "responses": answers}}))
        })
        .collect();
    let specification = folder.path().join("null.json");
    let document = json!({"openapi": "3.1.0", "info": {"title": "null", "version": "1"}, "paths": paths});
    std::fs::write(&specification, document.to_string())?;
    let (_, run) = ours(binary, folder, "null", &specification, &format!("http://127.0.0.1:{port}"))?;
    Ok(run)
}

/// The same range by Schemathesis, with the user that the range knows; what it calls failures is counted, not judged.
fn schemathesis(range: &Path, folder: &Folder) -> anyhow::Result<Run> {
    eprintln!("schemathesis");
    let tool = crate::install::python(&["schemathesis"])?.join("bin/schemathesis");
    let started = Range::start(range, "vulnerable", folder)?;
    let har = folder.path().join("schemathesis.har");
    let mut command = Command::new(tool);
    command.args([
        "run",
        "--max-examples",
        "10",
        "--seed",
        "1",
        "--no-color",
        "--report",
        "har",
        "--report-har-path",
    ]);
    command.arg(&har).args(["--url", &started.url]).arg(&started.specification);
    let log = folder.path().join("schemathesis.log");
    command.stdout(std::fs::File::create(&log)?).stderr(Stdio::null());
    let (cpu_millis, wall_millis) = timed(&mut command)?;
    let recorded: Value = serde_json::from_slice(&std::fs::read(&har).context("it left no HAR file")?)?;
    let requests = recorded.pointer("/log/entries").and_then(Value::as_array).map_or(0, Vec::len);
    Ok(Run {
        work: "range-vulnerable",
        who: "schemathesis",
        requests: requests as u64,
        cpu_millis,
        wall_millis,
        judged: None,
    })
}

/// Runs a command to its end: CPU time of it and its children, and wall time, in milliseconds. Its exit code is not
/// judged: scanners end with one that says what they found.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
fn timed(command: &mut Command) -> anyhow::Result<(f64, f64)> {
    let (before, begun) = (children_millis()?, Instant::now());
    command
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("cannot run {:?}", command.get_program()))?;
    Ok((children_millis()? - before, begun.elapsed().as_secs_f64() * 1e3))
}

/// CPU time of all children that have ended, in milliseconds.
fn children_millis() -> anyhow::Result<f64> {
    const MILLIS_PER_TICK: f64 = 10.0;
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let (_, after_name) = stat.rsplit_once(')').context("an odd /proc/self/stat")?;
    let field = |at: usize| after_name.split_whitespace().nth(at).and_then(|it| it.parse::<f64>().ok());
    let (user, system) = field(13).zip(field(14)).context("an odd /proc/self/stat")?;
    Ok((user + system) * MILLIS_PER_TICK)
}

fn print(entries: &[Entry], runs: &[Run], output: Output) -> anyhow::Result<()> {
    let per_request = |run: &Run| run.cpu_millis / run.requests.max(1) as f64;
    let rate = |run: &Run| run.requests as f64 / (run.wall_millis / 1e3).max(1e-9);
    if output == Output::Json {
        let list: Vec<Value> = runs
            .iter()
            .map(|run| {
                json!({"work": run.work, "who": run.who, "requests": run.requests, "cpu_millis": run.cpu_millis,
                    "cpu_millis_a_request": per_request(run), "requests_a_second": rate(run),
                    "weaknesses": run.judged.as_ref().map(|_| entries.iter().filter(|it| it.weakness).count()),
                    "confirmed": run.judged.as_ref().map(|it| it.confirmed.len()),
                    "suspected": run.judged.as_ref().map(|it| it.suspected.len()),
                    "missed": run.judged.as_ref().map(|it| it.missed.clone()),
                    "false_alarms": run.judged.as_ref().map(|it| it.false_alarms.clone())})
            })
            .collect();
        println!("{}", serde_json::to_string_pretty(&list)?);
        return Ok(());
    }
    println!(
        "| work | who | requests | CPU ms | CPU ms a request | requests/s | confirmed | suspected only | missed | false alarms |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    for run in runs {
        let count = |list: fn(&Judged) -> usize| {
            run.judged.as_ref().map_or("-".to_owned(), |it| list(it).to_string())
        };
        println!(
            "| {} | {} | {} | {:.0} | {:.3} | {:.0} | {} | {} | {} | {} |",
            run.work,
            run.who,
            run.requests,
            run.cpu_millis,
            per_request(run),
            rate(run),
            count(|it| it.confirmed.len()),
            count(|it| it.suspected.len()),
            count(|it| it.missed.len()),
            count(|it| it.false_alarms.len()),
        );
    }
    for judged in runs.iter().filter_map(|run| run.judged.as_ref()) {
        for missed in &judged.missed {
            println!("missed: {missed}");
        }
        for alarm in &judged.false_alarms {
            println!("false alarm: {alarm}");
        }
    }
    Ok(())
}
