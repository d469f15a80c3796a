//! `cargo xtask efficacy`: attacks stopped and benign calls refused, by the native detectors as they come, and by the OWASP
//! CRS as it is released.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::Context as _;

const HELP: &str = "\
cargo xtask efficacy [--corpora DIR] [--json] [--only FILE] [--misses N] [--refused N] [--class WORD] [--no-crs]

DIR holds the `.jsonl` files; without it, the shared development corpora are unpacked below `target/`.
Behind the table stands what the shared OWASP CRS stops and refuses at paranoia levels 1 to 4, which takes some minutes;
not with `--json`, a narrowed run, or `--no-crs`.";

/// Prints the table, or the list with `--json`.
pub(crate) fn run(args: &[String]) -> anyhow::Result<()> {
    let mut corpora = None;
    let mut passed = Vec::new();
    let mut beside_crs = true;
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let mut value = || args.next().with_context(|| format!("`{arg}` needs a value\n\n{HELP}"));
        match arg.as_str() {
            "--corpora" => corpora = Some(PathBuf::from(value()?)),
            "--no-crs" => beside_crs = false,
            "--json" => {
                beside_crs = false;
                passed.push(arg.clone());
            }
            "--only" | "--class" => {
                beside_crs = false;
                passed.extend([arg.clone(), value()?.clone()]);
            }
            "--misses" | "--refused" => passed.extend([arg.clone(), value()?.clone()]),
            other => anyhow::bail!("no option `{other}`\n\n{HELP}"),
        }
    }
    let corpora = match corpora {
        Some(given) => std::path::absolute(given)?,
        None => unpacked()?,
    };
    let mut command = crate::cargo();
    command.args(["run", "--quiet", "--locked", "-p", "portcullis-attacks", "--example", "efficacy", "--"]);
    crate::run(command.arg(&corpora).args(passed))?;
    if beside_crs { crs(&corpora) } else { Ok(()) }
}

/// What the CRS does with the same calls, by our own engine.
fn crs(corpora: &Path) -> anyhow::Result<()> {
    let rules = crate::shared().join("crs");
    if !rules.join("rules").is_dir() {
        println!("\nskipped: the CRS' columns, for there are no rules at {}", rules.display());
        return Ok(());
    }
    let mut command = crate::cargo();
    command.args(["run", "--quiet", "--locked", "--release", "-p", "portcullis-seclang"]);
    command.args(["--example", "crs_efficacy", "--"]).arg(rules).arg(corpora);
    // Linked as a whole it would take minutes to build, for the same counts.
    command.env("CARGO_PROFILE_RELEASE_LTO", "off").env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
    let output = command.stderr(Stdio::inherit()).output()?;
    anyhow::ensure!(output.status.success(), "the CRS could not be tried");
    let counts: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    println!("\nthe OWASP CRS as released, attacks stopped / benign calls refused, by paranoia level");
    println!("{:<24} {:>14} {:>14} {:>14} {:>14}", "corpus", "PL1", "PL2", "PL3", "PL4");
    for (file, levels) in counts.as_object().into_iter().flatten() {
        let level = |name: &str| {
            let count = |what: &str| {
                let count = levels.get(name).and_then(|level| level.get(what));
                count.and_then(serde_json::Value::as_u64).unwrap_or_default()
            };
            format!("{} / {}", count("stopped"), count("refused"))
        };
        println!(
            "{file:<24} {:>14} {:>14} {:>14} {:>14}",
            level("pl1"),
            level("pl2"),
            level("pl3"),
            level("pl4")
        );
    }
    Ok(())
}

/// The shared corpora, unpacked once.
fn unpacked() -> anyhow::Result<PathBuf> {
    let archive = crate::shared().join("corpora/corpora-dev.tar.xz");
    anyhow::ensure!(archive.exists(), "there is no `{}`; name a folder with --corpora", archive.display());
    let folder = crate::target().join("corpora");
    let dev = folder.join("dev");
    if !dev.exists() {
        std::fs::create_dir_all(&folder)?;
        crate::run(Command::new("tar").arg("-xJf").arg(&archive).arg("-C").arg(&folder))?;
    }
    Ok(dev)
}
