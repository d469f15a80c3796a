//! Conformance: the cases of JSONTestSuite, as a ratchet. `json_parsing.passing` names the cases that pass; it only grows.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test stops where it fails, and says so"
)]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use portcullis_leaves::{Limits, json};

/// Cases that the grammar accepts and a gateway must not.
const DELIBERATE_REFUSALS: &[(&str, &str)] = &[
    ("y_object_duplicated_key.json", "parsers differ in which of two members they take"),
    ("y_object_duplicated_key_and_value.json", "the same, whether or not the values differ"),
];

/// Cases that the suite leaves open and we accept: a double holds them, if not exactly. All others are refused: lone
/// surrogates, invalid UTF-8, byte order marks, numbers beyond a double, and depth.
const OPEN_CASES_ACCEPTED: &[&str] = &[
    "i_number_real_underflow.json",
    "i_number_double_huge_neg_exp.json",
    "i_number_too_big_neg_int.json",
    "i_number_too_big_pos_int.json",
    "i_number_very_big_negative_int.json",
];

#[derive(Debug, PartialEq)]
enum Expected {
    Accept,
    Reject,
    Either,
}

struct Case {
    id: String,
    expected: Expected,
    body: Vec<u8>,
}

#[test]
fn passes_the_suite() {
    let Some(corpora) = corpora() else { return };
    let lines = fs::read_to_string(corpora.join("dev/conf-json-parsing.jsonl")).unwrap();
    let listed_at = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/json_parsing.passing");
    let listed = fs::read_to_string(&listed_at).unwrap();
    let listed: BTreeSet<_> = listed.lines().map(str::to_owned).collect();
    let mut passing = BTreeSet::new();
    let mut failures = Vec::new();
    for case in lines.lines().map(case) {
        let accepted = json::parse(Bytes::from(case.body), &Limits::default()).is_ok();
        let wanted = match case.expected {
            Expected::Accept => !DELIBERATE_REFUSALS.iter().any(|(id, _)| *id == case.id),
            Expected::Reject => false,
            Expected::Either => OPEN_CASES_ACCEPTED.contains(&case.id.as_str()),
        };
        if accepted == wanted {
            passing.insert(case.id);
        } else {
            failures.push(format!("{} {}", case.id, if accepted { "accepted" } else { "refused" }));
        }
    }
    for id in passing.difference(&listed) {
        println!("passes and is not listed yet: {id}");
    }
    let lost: Vec<_> = listed.difference(&passing).collect();
    assert!(lost.is_empty(), "listed cases no longer pass: {lost:?}");
    assert!(failures.is_empty(), "{failures:?}");
    println!("{} cases pass", passing.len());
}

fn case(line: &str) -> Case {
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    let text = |name: &str| line[name].as_str().unwrap().to_owned();
    let expected = match text("expect").as_str() {
        "accept" => Expected::Accept,
        "reject" => Expected::Reject,
        "either" => Expected::Either,
        other => panic!("unknown expectation `{other}`"),
    };
    Case { id: text("id"), expected, body: BASE64_STANDARD.decode(text("body_b64")).unwrap() }
}

/// The unpacked corpora in the target directory, which all crates' tests share; `None` when there is no archive.
#[expect(clippy::disallowed_methods, reason = "tests learn from the environment where shared data lies")]
fn corpora() -> Option<PathBuf> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let unpacked = target.join("corpora");
    if unpacked.join("dev").is_dir() {
        return Some(unpacked);
    }
    let shared = match std::env::var("PORTCULLIS_SHARED") {
        Ok(folder) => PathBuf::from(folder),
        Err(_) => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
    };
    let archive = shared.join("corpora/corpora-dev.tar.xz");
    if !archive.is_file() {
        println!("skipped: no `{}`", archive.display());
        return None;
    }
    // Renamed once complete, so that a test that runs at the same time never sees half of it.
    let partial = target.join(format!("corpora-{}.partial", std::process::id()));
    fs::create_dir_all(&partial).unwrap();
    let status = Command::new("tar").arg("-xJf").arg(&archive).arg("-C").arg(&partial).status().unwrap();
    assert!(status.success(), "cannot unpack `{}`", archive.display());
    if fs::rename(&partial, &unpacked).is_err() {
        fs::remove_dir_all(&partial).unwrap();
    }
    assert!(unpacked.join("dev").is_dir());
    Some(unpacked)
}
