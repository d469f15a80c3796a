//! `cargo xtask efficacy`: attacks stopped and benign calls refused, by the native detectors as they come.

use std::{path::PathBuf, process::Command};

use anyhow::Context as _;

const HELP: &str = "\
cargo xtask efficacy [--corpora DIR] [--json] [--only FILE] [--misses N] [--refused N] [--class WORD]

DIR holds the `.jsonl` files; without it, the shared development corpora are unpacked below `target/`.";

/// Prints the table, or the list with `--json`.
pub(crate) fn run(args: &[String]) -> anyhow::Result<()> {
    let mut corpora = None;
    let mut passed = Vec::new();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let mut value = || args.next().with_context(|| format!("`{arg}` needs a value\n\n{HELP}"));
        match arg.as_str() {
            "--corpora" => corpora = Some(PathBuf::from(value()?)),
            "--json" => passed.push(arg.clone()),
            "--only" | "--misses" | "--refused" | "--class" => passed.extend([arg.clone(), value()?.clone()]),
            other => anyhow::bail!("no option `{other}`\n\n{HELP}"),
        }
    }
    let corpora = match corpora {
        Some(given) => std::path::absolute(given)?,
        None => unpacked()?,
    };
    let mut command = crate::cargo();
    command.args(["run", "--quiet", "--locked", "-p", "portcullis-attacks", "--example", "efficacy", "--"]);
    crate::run(command.arg(corpora).args(passed))
}

/// The shared corpora, unpacked once.
fn unpacked() -> anyhow::Result<PathBuf> {
    let shared = std::env::var_os("PORTCULLIS_SHARED").map(PathBuf::from);
    let shared = shared.unwrap_or_else(|| crate::root().join("../shared"));
    let archive = shared.join("corpora/corpora-dev.tar.xz");
    anyhow::ensure!(archive.exists(), "there is no `{}`; name a folder with --corpora", archive.display());
    let folder = crate::target().join("corpora");
    let dev = folder.join("dev");
    if !dev.exists() {
        std::fs::create_dir_all(&folder)?;
        crate::run(Command::new("tar").arg("-xJf").arg(&archive).arg("-C").arg(&folder))?;
    }
    Ok(dev)
}
