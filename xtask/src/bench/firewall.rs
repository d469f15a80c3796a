//! What judging a request costs under the OWASP Core Rule Set: our engine beside libmodsecurity, in process, with the same
//! rules and the same bytes. Every request is a new one, so that nothing remembered from an earlier one flatters the
//! figure; the same request over and over is shown beside it.

mod requests;

use std::{collections::BTreeMap, path::PathBuf, process::Command};

use anyhow::Context as _;
use serde_json::json;

use super::{
    Build, Options, Output,
    process::Folder,
    tally::{median, range},
};

const US: &str = "portcullis-seclang";
const PEER: &str = "libmodsecurity";
const NATIVE: &str = "portcullis-attacks";

/// The rule set as its authors deliver it: paranoia level 1, blocking. Bodies go to the parser of their media type, and
/// the limit of arguments is above what the largest body has. `{crs}` is the folder of the rule set.
const RULES: &str = r#"
SecRuleEngine On
SecAuditEngine Off
SecRequestBodyAccess On
SecRequestBodyLimit 13107200
SecRequestBodyNoFilesLimit 1048576
SecArgumentsLimit 10000
SecResponseBodyAccess Off
SecRule REQUEST_HEADERS:Content-Type "@rx ^(?:application|text)/(?:[a-z0-9.-]+\+)?xml" "id:100,phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=XML"
SecRule REQUEST_HEADERS:Content-Type "@rx ^application/(?:[a-z0-9.-]+\+)?json" "id:101,phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=JSON"
SecRule REQBODY_ERROR "!@eq 0" "id:102,phase:2,t:none,deny,status:400,log,msg:'The body could not be read'"
Include {crs}/crs-setup.conf
Include {crs}/rules/*.conf
"#;

/// Reads the rules and files of requests, and prints what the program of our engine prints: `load MILLIS KIB`, then for
/// each file `NAME FRESH REPEATED VERDICTS`: microseconds of CPU a request, and a digit for each of the first requests.
const LIBMODSECURITY: &str = r#"
import os, sys, time
from libmodsecurity import ModSecurity, RulesSet, Transaction

def memory():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))

def read(path):
    with open(path, "rb") as file:
        data = file.read()
    requests = []
    while data:
        length, data = data.split(b"\n", 1)
        whole, data = data[:int(length)], data[int(length):]
        head, body = whole.split(b"\r\n\r\n", 1)
        line, *fields = head.decode("latin-1").split("\r\n")
        method, target, protocol = line.split(" ")
        fields = [tuple(field.split(": ", 1)) for field in fields]
        requests.append((method, target, protocol[5:], fields, body))
    return requests

def judge(engine, rules, request):
    method, target, version, fields, body = request
    transaction = Transaction(engine, rules)
    stopped = None
    def step(call, *arguments):
        nonlocal stopped
        if stopped is None:
            call(*arguments)
            it = transaction.intervention()
            if it is not None and it.disruptive:
                stopped = it.status
    step(transaction.process_connection, "192.0.2.7", 50000, "198.51.100.1", 80)
    step(transaction.process_uri, target, method, version)
    for name, value in fields:
        transaction.add_request_header(name, value)
    step(transaction.process_request_headers)
    if stopped is None and body:
        transaction.append_request_body(body)
    step(transaction.process_request_body)
    if stopped is None:
        transaction.add_response_header("Content-Type", "application/json")
        transaction.add_response_header("Content-Length", "2")
    step(transaction.process_response_headers, 200, "HTTP/1.1")
    step(transaction.process_response_body)
    transaction.process_logging()
    return stopped

def measure(calls, budget):
    start, done = time.process_time_ns(), 0
    for call in calls:
        call()
        done += 1
        if time.process_time_ns() - start > budget * 1e9:
            break
    return (time.process_time_ns() - start) / done / 1e3

before, start = memory(), time.process_time_ns()
engine, rules = ModSecurity(), RulesSet()
engine.set_log_callback(lambda text: None)
if rules.load_from_uri(sys.argv[1]) < 0:
    sys.exit(rules.get_parser_error())
print("load", (time.process_time_ns() - start) / 1e6, memory() - before)
for path in sys.argv[2:]:
    requests = read(path)
    first = requests[:4]
    verdicts = "".join("0" if judge(engine, rules, it) is None else "1" for it in first)
    fresh = measure([lambda it=it: judge(engine, rules, it) for it in requests[4:]], 2)
    repeated = measure([lambda: judge(engine, rules, first[0])] * 1000, 1)
    print(os.path.basename(path), fresh, repeated, verdicts, flush=True)
"#;

/// Figures of one contender at one kind of work, a value a round.
#[derive(Default)]
struct Row {
    fresh: Vec<f64>,
    repeated: Vec<f64>,
    of_peer: Vec<f64>,
    verdicts: String,
}

/// What loading the rules takes, a value a round.
#[derive(Default)]
struct Load {
    millis: Vec<f64>,
    kib: Vec<f64>,
}

/// Runs the benchmark and prints its tables or list.
pub(super) fn run(options: Options) -> anyhow::Result<()> {
    let shared = crate::shared();
    let Ok(crs) = std::fs::canonicalize(shared.join("crs")) else {
        println!("skipped: no rule set at {} (set PORTCULLIS_SHARED)", shared.join("crs").display());
        return Ok(());
    };
    let python = crate::install::python(&["libmodsecurity"])?.join("bin/python");
    let us = built("portcullis-seclang", "firewall_speed", options.build)?;
    let native = built("portcullis-attacks", "attacks_speed", options.build)?;
    let folder = Folder::new("firewall")?;
    let rules = folder.write("rules.conf", &RULES.replace("{crs}", &crs.display().to_string()))?;
    let script = folder.write("libmodsecurity_speed.py", LIBMODSECURITY)?;
    let files = requests::write(&folder)?;

    let mut rows: BTreeMap<(usize, &str), Row> = BTreeMap::new();
    let mut loads: BTreeMap<&str, Load> = BTreeMap::new();
    for round in 0..options.rounds {
        eprintln!("round {} of {}", round + 1, options.rounds);
        let peer = said(Command::new(&python).arg(&script).arg(&rules).args(&files))?;
        let ours = said(Command::new(&us).arg(&rules).args(&files))?;
        let natively = said(Command::new(&native).args(&files))?;
        let peer = Said::read(&peer, files.len())?;
        let of: Vec<f64> = peer.figures.iter().map(|it| it.fresh).collect();
        let ours = Said::read(&ours, files.len())?;
        let natively = Said::read(&natively, files.len())?;
        for (who, said) in [(PEER, peer), (US, ours), (NATIVE, natively)] {
            if let Some((millis, kib)) = said.load {
                let load = loads.entry(who).or_default();
                load.millis.push(millis);
                load.kib.push(kib);
            }
            for (at, (figure, of)) in said.figures.into_iter().zip(&of).enumerate() {
                let row = rows.entry((at, who)).or_default();
                row.of_peer.push(figure.fresh / of);
                row.fresh.push(figure.fresh);
                row.repeated.push(figure.repeated);
                row.verdicts = figure.verdicts;
            }
        }
    }
    tell_differing_verdicts(&rows);
    match options.output {
        Output::Table => print_tables(&rows, &loads),
        Output::Json => println!("{}", serde_json::to_string_pretty(&list(&rows))?),
    }
    Ok(())
}

/// The measuring program of a crate, built in release unless asked not to.
fn built(package: &str, example: &str, build: Build) -> anyhow::Result<PathBuf> {
    if build == Build::First {
        let command = &mut crate::cargo();
        crate::run(command.args(["build", "--release", "--locked", "-p", package, "--example", example]))?;
    }
    Ok(crate::target().join("release/examples").join(example))
}

fn said(command: &mut Command) -> anyhow::Result<String> {
    let output = command.output().with_context(|| format!("cannot start {command:?}"))?;
    let errors = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "{command:?} ended with {}:\n{errors}", output.status);
    Ok(String::from_utf8(output.stdout)?)
}

/// What one program says.
struct Said {
    /// Milliseconds and KiB.
    load: Option<(f64, f64)>,
    figures: Vec<Figure>,
}

struct Figure {
    fresh: f64,
    repeated: f64,
    verdicts: String,
}

impl Said {
    fn read(text: &str, works: usize) -> anyhow::Result<Self> {
        let mut said = Self { load: None, figures: Vec::new() };
        for line in text.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            match words[..] {
                ["load", millis, kib] => said.load = Some((millis.parse()?, kib.parse()?)),
                [_, fresh, repeated, verdicts] => said.figures.push(Figure {
                    fresh: fresh.parse()?,
                    repeated: repeated.parse()?,
                    verdicts: verdicts.to_owned(),
                }),
                _ => anyhow::bail!("an odd line: {line}"),
            }
        }
        anyhow::ensure!(said.figures.len() == works, "{} figures, not {works}:\n{text}", said.figures.len());
        Ok(said)
    }
}

/// Two engines that run the same rules must decide the same; that they do not is told, and says what to look at first.
fn tell_differing_verdicts(rows: &BTreeMap<(usize, &str), Row>) {
    for (at, work) in requests::WORKS.iter().enumerate() {
        let verdicts = |who| rows.get(&(at, who)).map(|row| row.verdicts.as_str());
        if let (Some(theirs), Some(ours)) = (verdicts(PEER), verdicts(US))
            && theirs != ours
        {
            eprintln!("{}: {PEER} decides {theirs}, {US} {ours}", work.name);
        }
    }
}

fn print_tables(rows: &BTreeMap<(usize, &str), Row>, loads: &BTreeMap<&str, Load>) {
    println!(
        "| work | who | CPU µs a request (min–max) | the same request again | {PEER} ÷ this, paired (min–max) |\n|---|---|---|---|---|"
    );
    for ((at, who), row) in rows {
        let (low, high) = range(&row.fresh);
        let faster: Vec<f64> = row.of_peer.iter().map(|it| 1.0 / it).collect();
        let (slowest, fastest) = range(&faster);
        println!(
            "| {} | {who} | {:.1} ({low:.1}–{high:.1}) | {:.1} | {:.1} ({slowest:.1}–{fastest:.1}) |",
            requests::WORKS.get(*at).map_or("", |it| it.name),
            median(&row.fresh),
            median(&row.repeated),
            median(&faster),
        );
    }
    println!("\n| who | load, CPU ms | memory of the loaded rules, MiB |\n|---|---|---|");
    for (who, load) in loads {
        println!("| {who} | {:.0} | {:.1} |", median(&load.millis), median(&load.kib) / 1024.0);
    }
}

fn list(rows: &BTreeMap<(usize, &str), Row>) -> serde_json::Value {
    let round = |value: f64, to: f64| (value * to).round() / to;
    rows.iter()
        .map(|((at, who), row)| {
            json!({
                "work": requests::WORKS.get(*at).map_or("", |it| it.name),
                "who": who,
                "cpu_us": round(median(&row.fresh), 1e3),
                "of_libmodsecurity": round(median(&row.of_peer), 1e6),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_programs_say() {
        let said = Said::read("load 410.5 30000\nget 61.5 40.0 0000\nsqli 70 60 1111\n", 2).expect("figures");
        assert_eq!(said.load, Some((410.5, 30000.0)));
        let verdicts: Vec<&str> = said.figures.iter().map(|it| it.verdicts.as_str()).collect();
        assert_eq!(verdicts, ["0000", "1111"]);
        assert!(Said::read("get 61.5 40.0 0000\n", 2).is_err());
        assert!(Said::read("get fast\n", 1).is_err());
    }
}
