//! The regression suite of the OWASP Core Rule Set, run against this engine in process: the rules as their authors set them
//! up ([`rules`]), the cases that differ ([`overrides`]), the run ([`run`]), and what must pass ([`ratchet`]).

pub mod overrides;
pub mod ratchet;
// The measurements of the engine set the rules up in the same way.
#[path = "../../../../portcullis-seclang/tests/crs_rules/mod.rs"]
pub mod rules;
pub mod run;

use std::path::{Path, PathBuf};

use portcullis_ftw::{cases::Case, files};

/// The folder of the rule set and its suite (`PORTCULLIS_SHARED`, or `../shared` beside the checkout); `None`, said
/// visibly, where there is none.
pub fn folder() -> Option<PathBuf> {
    let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let shared = std::env::var_os("PORTCULLIS_SHARED").map_or_else(|| root.join("../shared"), PathBuf::from);
    let folder = shared.join("crs");
    if folder.join("regression/tests").is_dir() {
        return Some(folder);
    }
    println!("skipped: no rule set at {} (set PORTCULLIS_SHARED)", folder.display());
    None
}

/// All cases below the folder of the rule set. Its authors run what ends in `.yaml`; one file with another ending is none
/// of the suite's 5,045 cases.
pub fn cases(folder: &Path) -> Vec<Case> {
    let mut cases =
        files::load(&[folder.join("regression/tests")]).unwrap_or_else(|errors| panic!("{errors:#?}"));
    cases.retain(|case| case.file.ends_with(".yaml"));
    cases
}
