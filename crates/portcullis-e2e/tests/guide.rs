//! What the guide says that a program can compare: links, exit codes, diagnostics, commands, the quick start's file.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failure here is a failed test"
)]

use std::path::{Path, PathBuf};

use portcullis_e2e::portcullis;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every page that people read, with its text.
fn pages() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for folder in [".", "docs/guide", "docs/adr", "examples"] {
        for entry in std::fs::read_dir(root().join(folder)).expect("the folder can be read") {
            let path = entry.expect("an entry").path();
            if path.extension().is_some_and(|it| it == "md") {
                let text = std::fs::read_to_string(&path).expect("a page is text");
                found.push((path, text));
            }
        }
    }
    assert!(found.len() > 15, "the pages are not where they were: {}", found.len());
    found
}

#[test]
fn links_lead_somewhere() {
    for (page, text) in pages() {
        let folder = page.parent().expect("a page is in a folder");
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = link.split('#').next().unwrap_or_default();
            let is_ours = !file.is_empty() && !file.contains("://") && !file.contains(' ');
            assert!(!is_ours || folder.join(file).exists(), "{}: {link}", page.display());
        }
    }
}

#[test]
fn exit_codes_are_those_of_the_help() {
    let help = portcullis(&root(), &["--help"]).stdout;
    let table = help.split("Exit codes:\n").nth(1).expect("the help has a table of exit codes");
    let operations = std::fs::read_to_string(root().join("docs/guide/operations.md")).unwrap();
    let codes: Vec<_> = table.lines().filter_map(|line| line.trim().split_once("  ")).collect();
    assert!(codes.len() >= 7, "{table}");
    for (code, meaning) in codes {
        let row = format!("| {code} | {meaning} |");
        assert!(operations.contains(&row), "docs/guide/operations.md lacks {row}");
    }
}

#[test]
fn diagnostics_named_exist() {
    for (page, text) in pages() {
        for rest in text.split("PC").skip(1) {
            let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
            if digits.len() == 4 {
                let code = format!("PC{digits}");
                assert_eq!(portcullis(&root(), &["explain", &code]).code, 0, "{}: {code}", page.display());
            }
        }
    }
}

#[test]
fn commands_shown_exist() {
    let help = portcullis(&root(), &["--help"]).stdout;
    for (page, text) in pages() {
        let lines = text.lines().map(|line| line.trim_start().trim_start_matches("$ "));
        for command in lines.filter_map(|line| line.strip_prefix("portcullis ")) {
            let word = command.split_whitespace().next().unwrap_or_default();
            // The first line that a gate prints begins with its name and version.
            let is_command = word.bytes().all(|it| it.is_ascii_lowercase());
            assert!(!is_command || help.contains(&format!("\n  {word} ")), "{}: {word}", page.display());
        }
    }
}

#[test]
fn the_quick_start_is_the_example() {
    let page = std::fs::read_to_string(root().join("docs/guide/quickstart.md")).unwrap();
    let shown =
        page.split("```yaml\n").nth(1).and_then(|it| it.split("```").next()).expect("a file is shown");
    let example = std::fs::read_to_string(root().join("examples/quickstart/portcullis.yaml")).unwrap();
    let example: String =
        example.lines().skip_while(|it| it.starts_with('#')).map(|it| format!("{it}\n")).collect();
    assert_eq!(shown, example);
}
