//! `cargo xtask tidy`: what a reviewer should not have to look for. The floor table of the house, read against
//! `cargo metadata`, and the shape of files.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::Context as _;

use crate::{cargo, root};

/// Which floor each crate lives on. A crate depends only on lower floors; neighbours do not know each other.
const FLOORS: &[&[&str]] = &[
    &["portcullis-core", "portcullis-leaves", "portcullis-seclang"],
    &["portcullis-config", "portcullis-auth", "portcullis-spec", "portcullis-attacks", "portcullis-ftw"],
    &[
        "portcullis-guards",
        "portcullis-gateway",
        "portcullis-events",
        "portcullis-store",
        "portcullis-scanner",
        "portcullis-demo",
    ],
    &["portcullis-admin"],
    &["portcullis"],
];

/// Crates that start the others from outside and link none of them.
const OUTSIDE: &[&str] = &["xtask", "portcullis-e2e", "portcullis-range"];

/// What those may link all the same: tools for tests, which are no part of what is tested.
const TEST_TOOLS: &[&str] = &["portcullis-ftw", "portcullis-range"];

/// Lower floors that a crate may nevertheless not know, beyond its floor: what it may depend on, in full.
/// A crate that is not named here may know every lower floor.
const ALLOWED: &[(&str, &[&str])] = &[
    ("portcullis-attacks", &["portcullis-leaves"]),
    ("portcullis-config", &["portcullis-core"]),
    ("portcullis-auth", &["portcullis-core"]),
    ("portcullis-ftw", &["portcullis-seclang"]),
    ("portcullis-gateway", &["portcullis-core"]),
    ("portcullis-events", &["portcullis-core"]),
    ("portcullis-store", &["portcullis-core"]),
    ("portcullis-scanner", &["portcullis-core", "portcullis-spec", "portcullis-leaves"]),
    ("portcullis-demo", &["portcullis-core"]),
];

/// Lines of code, tests apart, above which a file must be split by meaning or stand here with its reason.
const CODE_LINES_MAX: usize = 400;

/// Files that are longer, each with the reason.
const LONGER: &[(&str, &str)] = &[(
    "crates/portcullis-seclang/src/transformations/reference.rs",
    "plain forms of all transformations, compiled for tests only, one short function each",
)];

/// File names that say nothing.
const VAGUE: &[&str] = &["utils", "util", "helpers", "helper", "common", "misc", "manager", "stuff"];

/// Pages with a bound, because nobody reads a longer one.
const PAGES: &[(&str, usize)] = &[("ARCHITECTURE.md", 150)];

/// Runs all rules and reports every breach.
pub(crate) fn run() -> anyhow::Result<()> {
    let mut errors = floors()?;
    for file in rust_files()? {
        errors.extend(file_shape(&file)?);
    }
    for (page, lines_max) in PAGES {
        let text = fs::read_to_string(root().join(page)).with_context(|| format!("{page} is missing"))?;
        if text.lines().count() >= *lines_max {
            errors.push(format!("{page}: {} lines, must stay under {lines_max}", text.lines().count()));
        }
    }
    for error in &errors {
        eprintln!("tidy: {error}");
    }
    anyhow::ensure!(errors.is_empty(), "{} breaches of the house rules", errors.len());
    println!("tidy: the house is in order");
    Ok(())
}

/// Edges between our own crates, from `cargo metadata`, against the table.
fn floors() -> anyhow::Result<Vec<String>> {
    let output = cargo().args(["metadata", "--no-deps", "--format-version", "1", "--locked"]).output()?;
    anyhow::ensure!(
        output.status.success(),
        "cargo metadata failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let packages =
        metadata.get("packages").and_then(|it| it.as_array()).context("cargo metadata has no packages")?;
    let floor_of: BTreeMap<&str, usize> = FLOORS
        .iter()
        .enumerate()
        .flat_map(|(floor, names)| names.iter().map(move |name| (*name, floor)))
        .collect();

    let mut errors = Vec::new();
    for package in packages {
        let name = package.get("name").and_then(|it| it.as_str()).unwrap_or_default();
        let dependencies = package.get("dependencies").and_then(|it| it.as_array()).into_iter().flatten();
        let ours = dependencies
            .filter_map(|it| it.get("name").and_then(|it| it.as_str()))
            .filter(|it| it.starts_with("portcullis"));
        if OUTSIDE.contains(&name) {
            let ours = ours.filter(|it| !TEST_TOOLS.contains(it));
            errors.extend(ours.map(|it| format!("{name} must link nothing of ours, but depends on {it}")));
            continue;
        }
        let Some(own) = floor_of.get(name) else {
            errors.push(format!("{name}: give it a floor in xtask/src/tidy.rs"));
            continue;
        };
        let allowed = ALLOWED.iter().find(|(it, _)| *it == name).map(|(_, allowed)| *allowed);
        for dependency in ours {
            let lower = floor_of.get(dependency).is_some_and(|floor| floor < own);
            if !lower || allowed.is_some_and(|allowed| !allowed.contains(&dependency)) {
                errors.push(format!("{name} must not depend on {dependency}"));
            }
        }
    }
    Ok(errors)
}

/// Rust sources that git knows, so that leftovers do not count.
fn rust_files() -> anyhow::Result<Vec<String>> {
    let output = std::process::Command::new("git").current_dir(root()).args(["ls-files", "*.rs"]).output()?;
    anyhow::ensure!(output.status.success(), "git ls-files failed");
    Ok(String::from_utf8(output.stdout)?.lines().map(str::to_owned).collect())
}

fn file_shape(file: &str) -> anyhow::Result<Vec<String>> {
    let Ok(text) = fs::read_to_string(root().join(file)) else {
        return Ok(Vec::new());
    };
    let mut errors = Vec::new();
    let is_test = file.contains("/tests/")
        || file.ends_with("/tests.rs")
        || file.contains("/benches/")
        || file.starts_with("fuzz/");
    let stem = Path::new(file).file_stem().and_then(|it| it.to_str()).unwrap_or_default();
    if VAGUE.contains(&stem) {
        errors.push(format!("{file}: name it for what it holds"));
    }
    if !text.starts_with("//!") && !text.starts_with("#![") {
        errors.push(format!("{file}: begin with a `//!` line that says what it holds"));
    }
    let lines = code_lines(&text);
    if !is_test && lines > CODE_LINES_MAX && !LONGER.iter().any(|(it, _)| *it == file) {
        errors.push(format!("{file}: {lines} lines of code (at most {CODE_LINES_MAX}); split it by meaning"));
    }
    for (number, line) in text.lines().enumerate() {
        let open = line
            .split(|it: char| !it.is_ascii_alphanumeric())
            .any(|word| ["TODO", "FIXME", "XXX"].contains(&word));
        if open && file != "xtask/src/tidy.rs" {
            errors.push(format!("{file}:{}: finish it, or refuse it with a clear error", number + 1));
        }
    }
    Ok(errors)
}

/// Lines that are neither blank nor comment, up to the tests.
fn code_lines(text: &str) -> usize {
    text.lines()
        .take_while(|line| !line.trim_start().starts_with("#[cfg(test)]"))
        .filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with("//"))
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_code_without_comments_and_tests() {
        assert_eq!(code_lines("//! doc\n\nfn a() {}\n// why\nfn b() {}\n#[cfg(test)]\nmod tests {}\n"), 2);
    }

    #[test]
    fn every_crate_of_the_house_stands_on_one_floor() {
        let mut seen = std::collections::BTreeSet::new();
        for name in FLOORS.iter().flat_map(|it| it.iter()) {
            assert!(seen.insert(name), "{name} stands on two floors");
        }
    }
}
