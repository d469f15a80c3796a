//! Real descriptions, as their owners publish them: each becomes a model with every operation in it.

#![expect(clippy::panic, reason = "a test says what it did and stops where it fails")]

use std::{fs, io, path::PathBuf, process::Command};

use portcullis_scanner::model::{Kind, Model, Place, openapi, slots::leaf_slots};
use portcullis_spec::openapi::{LoadOptions, Source};

/// The directory of shared test data, where it is.
#[expect(clippy::disallowed_methods, reason = "tests are told where their data is by the environment")]
fn shared() -> PathBuf {
    let default = || concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared").to_owned();
    PathBuf::from(std::env::var("PORTCULLIS_SHARED").unwrap_or_else(|_| default()))
}

/// Reads files as they are, and `.json.gz` for `.json`.
struct Directory(PathBuf);

impl Source for Directory {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        let packed = self.0.join(format!("{path}.gz"));
        if !packed.exists() {
            return fs::read(self.0.join(path));
        }
        let output = Command::new("gzip").arg("-dc").arg(packed).output()?;
        if output.status.success() { Ok(output.stdout) } else { Err(io::Error::other("gzip failed")) }
    }
}

#[test]
fn published_documents_become_models_whole() {
    let archive = shared().join("corpora/corpora-dev.tar.xz");
    if !archive.exists() {
        println!("skipped: no corpora at {}", archive.display());
        return;
    }
    let unpacked = tempfile::tempdir().unwrap();
    let status = Command::new("tar")
        .args(["-xJf"])
        .arg(&archive)
        .arg("-C")
        .arg(unpacked.path())
        .arg("dev/specs")
        .status()
        .unwrap();
    assert!(status.success(), "tar failed on {}", archive.display());
    let directory = unpacked.path().join("dev/specs");
    let mut names: Vec<String> = fs::read_dir(&directory)
        .unwrap()
        .filter_map(|it| it.unwrap().file_name().to_str().unwrap().strip_suffix(".gz").map(str::to_owned))
        .collect();
    names.sort();
    assert_eq!(names.len(), 38, "documents in the corpus");
    let (mut operations, mut slots, mut shown) = (0, 0, 0);
    for name in &names {
        let source = Directory(directory.clone());
        let model = openapi::read(name, &source, &LoadOptions::default(), None)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let (own_slots, own_shown) = check(name, &model);
        println!(
            "{name:<28} {:>4} operations {own_slots:>6} slots {own_shown:>4} with a whole call shown {:>4} notes",
            model.operations.len(),
            model.notes.len()
        );
        operations += model.operations.len();
        slots += own_slots;
        shown += own_shown;
    }
    println!("{operations} operations, {slots} slots, {shown} with a whole call shown");
    // What portcullis-spec reads of the same documents.
    assert_eq!(operations, 6_388, "operations in all documents");
    assert!(shown > 1_000, "{shown} operations with a whole call shown");
}

/// What must hold of every model; gives its slots and the operations that show a call.
fn check(name: &str, model: &Model) -> (usize, usize) {
    let mut ids: Vec<&str> = model.operations.iter().map(|it| &*it.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), model.operations.len(), "{name}: ids are unique");
    references(name, model, &model.schemas);
    let (mut slots, mut shown) = (0, 0);
    for operation in &model.operations {
        let (_, path) = operation.rest().unwrap_or_else(|| panic!("{name}: {}", operation.id));
        let leaves = leaf_slots(model, operation);
        assert!(leaves.len() <= 300, "{name}: {}", operation.id);
        for slot in &leaves {
            if let Place::Path(own) = &slot.place {
                assert!(path.contains(&format!("{{{own}}}")), "{name}: {} lacks {own}", operation.id);
            }
        }
        let known = leaves.iter().filter(|it| it.kind != Kind::Any).count();
        assert!(
            known * 10 >= leaves.len() || leaves.len() < 10,
            "{name}: {} is of unknown kinds",
            operation.id
        );
        assert!(model.lines.contains_key(&operation.id), "{name}: {} has no line", operation.id);
        slots += leaves.len();
        shown += usize::from(!operation.examples.is_empty());
    }
    (slots, shown)
}

/// Every reference leads somewhere.
fn references(name: &str, model: &Model, at: &serde_json::Value) {
    match at {
        serde_json::Value::Object(members) => {
            for (key, value) in members {
                match (key.as_str(), value) {
                    ("examples" | "default" | "enum" | "const", _) => {}
                    ("$ref", serde_json::Value::String(text)) => {
                        let pointer = text.strip_prefix('#').unwrap_or_else(|| panic!("{name}: {text}"));
                        assert!(model.schemas.pointer(pointer).is_some(), "{name}: {text}");
                    }
                    (_, value) => references(name, model, value),
                }
            }
        }
        serde_json::Value::Array(items) => items.iter().for_each(|it| references(name, model, it)),
        _ => {}
    }
}
