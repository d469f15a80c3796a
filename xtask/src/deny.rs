//! `cargo xtask deny`: licences, sources and bans of dependencies, and a count of duplicates that only falls.

use std::{collections::BTreeMap, process::Command};

use anyhow::Context as _;

use crate::{cargo, install, root};

/// Crates that the lock file holds in more than one version. Lower it when the count falls; never raise it
/// without a reason in the commit.
const DUPLICATES_MAX: usize = 11;

const VERSION: &str = "0.20.2";

/// Runs cargo-deny (the machine's own, or one built into `target/`), then counts duplicates.
pub(crate) fn run() -> anyhow::Result<()> {
    let own = cargo().args(["deny", "--version"]).output().is_ok_and(|it| it.status.success());
    let mut command = if own {
        let mut command = cargo();
        command.arg("deny");
        command
    } else {
        let mut command = Command::new(install::cargo_tool("cargo-deny", VERSION)?);
        command.current_dir(root());
        command
    };
    crate::run(command.args([
        "--all-features",
        "check",
        "--hide-inclusion-graph",
        "bans",
        "licenses",
        "sources",
    ]))?;
    println!(
        "skipped: the advisory database (it cannot be reached everywhere; run `cargo deny check advisories` where it can)"
    );

    let duplicates = duplicates()?;
    println!(
        "{} crates are there in two versions (at most {DUPLICATES_MAX}): {}",
        duplicates.len(),
        duplicates.join(", ")
    );
    anyhow::ensure!(duplicates.len() <= DUPLICATES_MAX, "the number of duplicate crates may only fall");
    Ok(())
}

fn duplicates() -> anyhow::Result<Vec<String>> {
    // Only what is really built counts: the lock file also names crates of other platforms.
    let output = cargo()
        .args(["tree", "--workspace", "--edges", "normal,build", "--prefix", "none", "--format", "{p}"])
        .output()?;
    anyhow::ensure!(output.status.success(), "cargo tree failed");
    let text = String::from_utf8(output.stdout).context("cargo tree did not print UTF-8")?;
    let mut versions: BTreeMap<&str, std::collections::BTreeSet<&str>> = BTreeMap::new();
    for line in text.lines() {
        let mut words = line.split_whitespace();
        if let (Some(name), Some(version)) = (words.next(), words.next()) {
            versions.entry(name).or_default().insert(version);
        }
    }
    Ok(versions.into_iter().filter(|(_, it)| it.len() > 1).map(|(name, _)| name.to_owned()).collect())
}
