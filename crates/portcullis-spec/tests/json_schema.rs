//! Conformance: the groups of JSON-Schema-Test-Suite over the parse tape, as a ratchet. `json_schema.passing` names
//! the groups of which every case passes; it only grows.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test stops where it fails, and says so"
)]

use std::{
    collections::{BTreeSet, HashMap},
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use portcullis_leaves::{Limits, Tree};
use portcullis_spec::schema::lone::{Formats, Lone};
use serde_json::Value;

#[test]
fn passes_the_suite() {
    let Some(corpora) = corpora() else { return };
    let remotes = fs::read_to_string(corpora.join("dev/conf-json-schema.remotes.json")).unwrap();
    let remotes: Arc<HashMap<String, Value>> = Arc::new(serde_json::from_str(&remotes).unwrap());
    let groups = fs::read_to_string(corpora.join("dev/conf-json-schema.jsonl")).unwrap();
    let listed = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/json_schema.passing");
    let listed = fs::read_to_string(listed).unwrap();
    let listed: BTreeSet<&str> = listed.lines().collect();
    let mut passing = BTreeSet::new();
    let (mut required, mut required_passing) = (0, 0);
    for line in groups.lines() {
        let group: Value = serde_json::from_str(line).unwrap();
        let id = group["id"].as_str().unwrap().to_owned();
        let failed = run(&group, &remotes);
        let optional = group["optional"].as_bool().unwrap();
        if !optional {
            let cases = group["tests"].as_array().unwrap().len();
            required += cases;
            required_passing += cases - failed.len();
        }
        for case in &failed {
            println!("{}fails: {id}: {case}", if optional { "optional, " } else { "" });
        }
        if failed.is_empty() {
            passing.insert(id);
        }
    }
    for id in &passing {
        if !listed.contains(id.as_str()) {
            println!("passes and is not listed: {id}");
        }
    }
    println!("{required_passing} of {required} required cases pass, {} groups whole", passing.len());
    let lost: Vec<_> = listed.iter().filter(|id| !passing.contains(**id)).collect();
    assert!(lost.is_empty(), "listed groups no longer pass: {lost:?}");
    assert!(required_passing * 100 >= required * 99, "{required_passing} of {required} required cases pass");
}

/// The cases of a group that fail.
fn run(group: &Value, remotes: &Arc<HashMap<String, Value>>) -> Vec<String> {
    let formats = if group["file"].as_str().unwrap().starts_with("optional/format/") {
        Formats::Asserted
    } else {
        Formats::ByDraft
    };
    let schema =
        Lone::compile(&group["schema"], group["draft"].as_str().unwrap(), Arc::clone(remotes), formats);
    let mut failed = Vec::new();
    for case in group["tests"].as_array().unwrap() {
        let limits = Limits { number_bytes_max: 1_000, ..Limits::default() };
        let verdict = match (&schema, Tree::from_json(case["data"].to_string(), &limits)) {
            (Err(error), _) => Err(error.clone()),
            (_, Err(error)) => Err(error.to_string()),
            (Ok(schema), Ok(tree)) => Ok(schema.is_valid(&tree)),
        };
        if verdict != Ok(case["valid"].as_bool().unwrap()) {
            failed.push(format!("{}: {verdict:?}", case["description"]));
        }
    }
    failed
}

/// The shared corpora, unpacked once under the target directory; `None`, said aloud, where there are none.
fn corpora() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let shared = variable("PORTCULLIS_SHARED").map_or_else(|| root.join("../shared"), PathBuf::from);
    let archive = shared.join("corpora/corpora-dev.tar.xz");
    if !archive.is_file() {
        println!("skipped: no shared corpora at {}", archive.display());
        return None;
    }
    let target = variable("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let corpora = target.join("corpora");
    if !corpora.is_dir() {
        // Unpacked beside and renamed: several tests may come here at once.
        let unpacking = target.join(format!("corpora.{}", std::process::id()));
        fs::create_dir_all(&unpacking).unwrap();
        let status =
            Command::new("tar").arg("-xJf").arg(&archive).arg("-C").arg(&unpacking).status().unwrap();
        assert!(status.success(), "`tar` cannot unpack {}", archive.display());
        if fs::rename(&unpacking, &corpora).is_err() {
            fs::remove_dir_all(&unpacking).unwrap();
        }
    }
    Some(corpora)
}

#[expect(clippy::disallowed_methods, reason = "tests are told by the environment where their data is")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
