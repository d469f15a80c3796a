//! Attacks stopped and benign calls refused on recorded corpora, by the detectors as they come. Neither figure means
//! anything without the other, so both are asserted in one run.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that reads where the shared data lies, says so when it does not, and stops when it cannot go on"
)]

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use portcullis_attacks::{Inspector, Settings};

#[path = "../examples/efficacy/corpus.rs"]
mod corpus;

/// The least share of attacks to be stopped and the greatest share of benign calls to be refused, in percent; `None`
/// where the corpus has none or no figure is promised.
const FIGURES: [(&str, Option<f64>, Option<f64>); 17] = [
    ("mgm", Some(97.0), None),
    ("blazehttp", Some(90.0), Some(0.5)),
    ("cve", Some(92.0), None),
    ("nemesida", Some(85.0), None),
    ("gotestwaf", Some(85.0), Some(5.0)),
    ("libinjection", None, Some(5.0)),
    ("api-datadog", None, Some(0.5)),
    ("api-github", None, Some(0.5)),
    ("api-reddit", None, Some(0.5)),
    ("api-llm", None, Some(0.5)),
    ("api-azure", None, Some(0.5)),
    ("api-graphql", None, Some(1.0)),
    ("api-cody", None, Some(1.0)),
    ("api-webhooks", None, Some(1.0)),
    ("api-elastic", None, Some(1.0)),
    ("api-soap", None, Some(1.0)),
    ("community-bypasses", None, None),
];

#[test]
fn stops_attacks_and_lets_real_traffic_through() {
    let Some(folder) = corpora() else { return };
    let inspector = Inspector::new(&Settings::default());
    let mut failures = Vec::new();
    for file in corpus::files(&folder).unwrap() {
        let name = corpus::name(&file);
        let figures = FIGURES.iter().find(|it| it.0 == name);
        let &(_, stopped_min, refused_max) = figures.unwrap_or_else(|| panic!("no figures for {name}"));
        let (mut attacks, mut stopped, mut benign, mut refused) = (0, 0, 0, 0);
        for case in corpus::read(&file).unwrap() {
            // A probe for a known hole is an ordinary call by its syntax.
            if name == "cve" && case.category == "probe" {
                continue;
            }
            let is_attack = case.judge(&inspector).is_attack;
            if case.is_attack {
                attacks += 1;
                stopped += u32::from(is_attack);
            } else {
                benign += 1;
                refused += u32::from(is_attack);
            }
        }
        let share = |part: u32, whole: u32| f64::from(part) * 100.0 / f64::from(whole.max(1));
        let (stopped, refused) = (share(stopped, attacks), share(refused, benign));
        println!(
            "{name}: {stopped:.2} % of {attacks} attacks stopped, {refused:.2} % of {benign} calls refused"
        );
        if stopped_min.is_some_and(|min| stopped < min) || refused_max.is_some_and(|max| refused > max) {
            failures.push(format!("{name}: stopped {stopped:.2} %, refused {refused:.2} %"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// The folder of corpora, unpacked once; `None` without the shared data.
fn corpora() -> Option<PathBuf> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let shared = std::env::var_os("PORTCULLIS_SHARED").map(PathBuf::from);
    let archive = shared.unwrap_or_else(|| workspace.join("../shared")).join("corpora/corpora-dev.tar.xz");
    if !archive.exists() {
        println!("skipped: no `{}`", archive.display());
        return None;
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("corpora");
    let done = folder.join("done");
    if !done.exists() {
        std::fs::create_dir_all(&folder).unwrap();
        let status = Command::new("tar").arg("-xJf").arg(&archive).arg("-C").arg(&folder).status().unwrap();
        assert!(status.success(), "cannot unpack {}", archive.display());
        std::fs::write(done, "").unwrap();
    }
    Some(folder.join("dev"))
}
