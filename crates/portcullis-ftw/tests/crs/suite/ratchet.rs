//! The list of cases that pass, which only grows.

use std::{collections::BTreeSet, fs, path::PathBuf};

use portcullis_ftw::{cases::CaseId, id_list};

pub fn file() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/crs/passing.txt"))
}

pub fn read() -> BTreeSet<CaseId> {
    id_list::parse(&fs::read_to_string(file()).unwrap_or_default()).unwrap()
}

/// Adds what passes now; nothing is ever taken away.
pub fn extend(passing: &BTreeSet<CaseId>) {
    let all: BTreeSet<CaseId> = read().union(passing).copied().collect();
    fs::write(file(), id_list::write(&all)).unwrap();
}
