//! Developer tasks: `cargo xtask help` lists them.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line talks to a terminal")]

mod bench;
mod crs;
mod demo;
mod deny;
mod efficacy;
mod gen_docs;
mod install;
mod test;
mod tidy;

use std::{path::PathBuf, process::ExitCode};

const HELP: &str = "\
cargo xtask <task>

  demo [args]       build, then run `portcullis demo` (args go to it, e.g. --for 30s)
  test [args]       install what the tests need and is missing, then run all of them
  tidy              the floor table and the shape of files
  gen [--check]     write (or check) the generated reference and JSON Schema
  deny              licences, sources and bans of dependencies
  efficacy [--json] attacks stopped and benign calls refused on the corpora
  crs [args]        the regression suite of the OWASP Core Rule Set (--json, --only ID, --verbose, --paranoia N)
  bench <what>      gateway | json | specs | firewall, each with --json
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let rest = args.get(1..).unwrap_or_default();
    let outcome = match args.first().map(String::as_str) {
        Some("demo") => demo::run(rest),
        Some("test") => test::run(rest),
        Some("tidy") => tidy::run(),
        Some("gen") => gen_docs::run(rest),
        Some("deny") => deny::run(),
        Some("efficacy") => efficacy::run(rest),
        Some("crs") => crs::run(rest),
        Some("bench") => bench::run(rest),
        Some("help" | "--help" | "-h") => {
            print!("{HELP}");
            Ok(())
        }
        Some(other) => Err(anyhow::anyhow!("no task `{other}`\n\n{HELP}")),
        None => Err(anyhow::anyhow!("which task?\n\n{HELP}")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The workspace's root folder.
pub(crate) fn root() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.parent().map(PathBuf::from).unwrap_or(here)
}

/// Data that lies beside the checkout: `PORTCULLIS_SHARED`, or `../shared`.
pub(crate) fn shared() -> PathBuf {
    std::env::var_os("PORTCULLIS_SHARED").map_or_else(|| root().join("../shared"), PathBuf::from)
}

/// The build folder, where everything installed or unpacked goes as well.
pub(crate) fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(given) => root().join(given),
        None => root().join("target"),
    }
}

/// The cargo that started this task.
pub(crate) fn cargo() -> std::process::Command {
    let mut command = std::process::Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// Runs a command, showing its output; an exit code other than 0 is an error that names the command.
pub(crate) fn run(command: &mut std::process::Command) -> anyhow::Result<()> {
    let status = command.status().map_err(|e| anyhow::anyhow!("cannot start {command:?}: {e}"))?;
    anyhow::ensure!(status.success(), "{command:?} ended with {status}");
    Ok(())
}
