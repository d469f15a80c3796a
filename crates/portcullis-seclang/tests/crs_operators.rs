//! Every operator of the OWASP CRS compiles, and the scan finds with all of them what each finds alone.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test may fail, and says why it is skipped"
)]

use std::path::{Path, PathBuf};

use portcullis_seclang::byte_set::ByteClasses;
use portcullis_seclang::operators::{Operator, OperatorPorts, RuleFiles};
use portcullis_seclang::scan::Scanner;
use portcullis_seclang::source::{MemoryFiles, Source};

struct Disk(PathBuf);

impl RuleFiles for Disk {
    fn read(&self, name: &str) -> Result<Vec<u8>, String> {
        std::fs::read(self.0.join(name)).map_err(|error| error.to_string())
    }
}

/// The folder of the rules, where there is one.
#[expect(clippy::disallowed_methods, reason = "tests find shared data through the environment")]
fn folder() -> Option<PathBuf> {
    let shared = std::env::var("PORTCULLIS_SHARED")
        .map_or_else(|_| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let folder = shared.join("crs/rules");
    if !folder.is_dir() {
        println!("skipped: no rules in {}", folder.display());
        return None;
    }
    Some(folder)
}

/// All operators whose argument holds no macro, and how many expressions there are among them.
fn operators(folder: &Path) -> (Vec<Operator>, usize) {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|end| end == "conf"));
    paths.sort();
    let sources: Vec<Source> = paths
        .iter()
        .map(|path| Source::new(path.display().to_string(), std::fs::read(path).unwrap()))
        .collect();
    let mut files = MemoryFiles::new();
    for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        files = files.with(&entry.display().to_string(), std::fs::read(&entry).unwrap_or_default());
    }
    let rules = portcullis_seclang::load(&sources, &files).unwrap_or_else(|faults| panic!("{}", faults[0]));
    let disk = Disk(folder.to_path_buf());
    let ports = OperatorPorts { files: Some(&disk), outside: None };
    let (mut all, mut expressions) = (Vec::new(), 0);
    for condition in rules.chains().flat_map(|chain| &chain.links).filter_map(|link| link.condition.as_ref())
    {
        let operator = &condition.operator;
        if operator.raw.windows(2).any(|pair| pair == b"%{") {
            continue;
        }
        expressions += usize::from(operator.name.name() == "rx");
        let compiled = Operator::compile_kind(operator.name, &operator.raw, ports);
        all.push(compiled.unwrap_or_else(|error| panic!("{}: {error}", operator.raw.escape_ascii())));
    }
    (all, expressions)
}

#[test]
fn compiles_every_operator_and_scans_without_loss() {
    let Some(folder) = folder() else { return };
    let (operators, expressions) = operators(&folder);
    assert!(expressions > 300, "{expressions} expressions");
    let scanner = Scanner::new(&operators);
    let wanted = vec![u64::MAX; scanner.words()];
    let mut matching = vec![0; scanner.words()];
    for value in [
        "",
        "invoice",
        "1' or '1'='1",
        "1 union select password from users",
        "<script>alert(1)</script>",
        "; cat /etc/passwd",
        "../../../../etc/passwd",
        "${jndi:ldap://x/a}",
        "{{7*7}}",
        "<?php system('id');",
        "c'a't /e*c/p?sswd",
        "10.1.2.3",
        "http://127.0.0.1/admin",
        "sleep(5)",
        "curl",
        "rm -rf",
        "é\u{1f600}",
        "%00",
        "%u003cscript%u003e",
        "require('child_process')",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36",
        "sqlmap/1.0",
        ".env",
        "a.b-c",
        "9b2f-11ee",
    ] {
        let value = value.as_bytes();
        scanner.matches(value, ByteClasses::of_value(value), &wanted, &mut matching);
        for (number, operator) in operators.iter().enumerate() {
            let found = matching[number / 64] & (1 << (number % 64)) != 0;
            assert_eq!(found, operator.matches(value), "{} on {}", operator.outline(), value.escape_ascii());
        }
    }
}
