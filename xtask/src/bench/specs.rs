//! Memory of the running gate after loading each document of the corpus.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use serde_json::json;

use super::{
    Options, Output,
    process::{Folder, Process, free_port},
};

/// What one document costs.
struct Cost {
    name: String,
    source_bytes: u64,
    outcome: Outcome,
}

enum Outcome {
    Loaded { ready_after: Duration, resident_kib: u64, peak_kib: u64 },
    Refused(String),
}

/// Runs the benchmark and prints its table or list, the largest resident size first.
pub(super) fn run(options: Options) -> anyhow::Result<()> {
    let binary = options.binary()?;
    let documents = documents()?;
    let mut costs = Vec::new();
    for document in &documents {
        let cost = measure(&binary, document)?;
        eprintln!("{}", cost.name);
        costs.push(cost);
    }
    costs.sort_by_key(|cost| match cost.outcome {
        Outcome::Loaded { resident_kib, .. } => u64::MAX - resident_kib,
        Outcome::Refused(_) => u64::MAX,
    });
    match options.output {
        Output::Table => print_table(&costs),
        Output::Json => println!("{}", serde_json::to_string_pretty(&list(&costs))?),
    }
    Ok(())
}

/// The corpus' documents, unpacked, and the large one beside the archive.
fn documents() -> anyhow::Result<Vec<PathBuf>> {
    let shared = crate::shared();
    let corpora = shared.join("corpora");
    let archive = corpora.join("corpora-dev.tar.xz");
    anyhow::ensure!(archive.exists(), "there is no corpus at `{}`; set PORTCULLIS_SHARED", archive.display());
    let unpacked = crate::target().join("bench-specs");
    if !unpacked.join("dev/specs").exists() {
        fs::create_dir_all(&unpacked)?;
        crate::run(Command::new("tar").arg("-xJf").arg(&archive).arg("-C").arg(&unpacked).arg("dev/specs"))?;
    }
    let mut documents = vec![corpora.join("datadog-v1.openapi.yaml")];
    for entry in fs::read_dir(unpacked.join("dev/specs"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|it| it == "gz") {
            crate::run(Command::new("gzip").arg("-dfk").arg(&path))?;
            documents.push(path.with_extension(""));
        }
    }
    documents.sort();
    Ok(documents)
}

#[expect(clippy::disallowed_methods, reason = "measures; nothing is decided by the clock")]
fn measure(binary: &Path, document: &Path) -> anyhow::Result<Cost> {
    let folder = Folder::new("specs")?;
    let (port, admin) = (free_port()?, free_port()?);
    let config = format!(
        "version: 1
data: {}/data
listen: \"127.0.0.1:{port}\"
tls: off
admin: {{ address: \"127.0.0.1:{admin}\" }}
apis:
  document: {{ spec: \"file:{}\", auth: anonymous, upstream: \"http://127.0.0.1:9\" }}
",
        folder.path().display(),
        document.display(),
    );
    let path = folder.write("portcullis.yaml", &config)?;
    let mut command = Command::new(binary);
    command.arg("run").arg("-c").arg(path).args(["--threads", "1", "--no-watch"]);
    let started = Instant::now();
    let outcome = match Process::start("portcullis", &mut command, folder.path(), &[port]) {
        Ok(process) => Outcome::Loaded {
            ready_after: started.elapsed(),
            resident_kib: process.status_kib("VmRSS")?,
            peak_kib: process.status_kib("VmHWM")?,
        },
        Err(error) => Outcome::Refused(error.to_string()),
    };
    let name = document.file_name().context("a document without a name")?.to_string_lossy().into_owned();
    Ok(Cost { name, source_bytes: fs::metadata(document)?.len(), outcome })
}

fn print_table(costs: &[Cost]) {
    println!("| document | source KiB | ready after s | resident MiB | peak MiB |\n|---|---|---|---|---|");
    for Cost { name, source_bytes, outcome } in costs {
        let source = source_bytes / 1024;
        match outcome {
            Outcome::Loaded { ready_after, resident_kib, peak_kib } => println!(
                "| {name} | {source} | {:.2} | {:.1} | {:.1} |",
                ready_after.as_secs_f64(),
                *resident_kib as f64 / 1024.0,
                *peak_kib as f64 / 1024.0,
            ),
            Outcome::Refused(why) => {
                let line =
                    why.lines().map(str::trim).find(|it| it.starts_with("error")).unwrap_or("see its log");
                println!("| {name} | {source} | refused: {line} | | |");
            }
        }
    }
}

fn list(costs: &[Cost]) -> serde_json::Value {
    costs
        .iter()
        .map(|Cost { name, source_bytes, outcome }| match outcome {
            Outcome::Loaded { ready_after, resident_kib, peak_kib } => json!({
                "document": name,
                "source_bytes": source_bytes,
                "ready_after_ms": u64::try_from(ready_after.as_millis()).unwrap_or(u64::MAX),
                "resident_kib": resident_kib,
                "peak_kib": peak_kib,
            }),
            Outcome::Refused(why) => {
                json!({ "document": name, "source_bytes": source_bytes, "refused": why })
            }
        })
        .collect()
}
