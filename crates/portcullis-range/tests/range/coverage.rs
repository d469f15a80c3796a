//! No weakness without its test.

use portcullis_range::Weakness;

#[test]
fn every_weakness_is_tested_both_ways() {
    let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/range");
    let mut sources = String::new();
    for entry in std::fs::read_dir(directory).expect("the tests are there") {
        sources += &std::fs::read_to_string(entry.expect("an entry").path()).expect("a file");
    }
    let missing: Vec<&str> =
        Weakness::ALL.iter().map(|it| it.id()).filter(|id| !sources.contains(&format!("\"{id}\""))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
