//! Real descriptions, as their owners publish them: they load whole, fast, and say what is wrong with them.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test says what it did and stops where it fails"
)]

use std::{
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use portcullis_spec::{
    model::{DiagnosticSeverity, Document},
    openapi::{self, LoadOptions, Source},
};

/// The directory of shared test data, where it is.
#[expect(clippy::disallowed_methods, reason = "tests are told where their data is by the environment")]
fn shared() -> PathBuf {
    let default = || concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared").to_owned();
    PathBuf::from(std::env::var("PORTCULLIS_SHARED").unwrap_or_else(|_| default()))
}

/// Where archives are unpacked.
#[expect(clippy::disallowed_methods, reason = "cargo tells where its target directory is by the environment")]
fn target() -> PathBuf {
    let default = || concat!(env!("CARGO_MANIFEST_DIR"), "/../../target").to_owned();
    PathBuf::from(std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| default()))
}

/// The unpacked corpora; `None` says so visibly.
fn corpora() -> Option<PathBuf> {
    let archive = shared().join("corpora/corpora-dev.tar.xz");
    if !archive.exists() {
        println!("skipped: no corpora at {}", archive.display());
        return None;
    }
    let unpacked = target().join("corpora");
    if !unpacked.is_dir() {
        // Another test may be unpacking at this moment: the first to finish wins.
        let partial = target().join(format!("corpora-documents.{}", std::process::id()));
        fs::create_dir_all(&partial).unwrap();
        let status = Command::new("tar").arg("-xJf").arg(&archive).arg("-C").arg(&partial).status().unwrap();
        assert!(status.success(), "tar failed on {}", archive.display());
        if fs::rename(&partial, &unpacked).is_err() {
            fs::remove_dir_all(&partial).unwrap();
        }
    }
    Some(unpacked)
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

#[expect(clippy::disallowed_methods, reason = "a stopwatch for the report, no decision hangs on it")]
fn timed(name: &str, source: &dyn Source) -> (Document, Duration) {
    let start = std::time::Instant::now();
    let document = openapi::load(name, source, &LoadOptions::default());
    (document.unwrap_or_else(|error| panic!("{name}: {error}")), start.elapsed())
}

fn specs(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(directory)
        .unwrap()
        .filter_map(|it| it.unwrap().file_name().to_str().unwrap().strip_suffix(".gz").map(str::to_owned))
        .collect();
    names.sort();
    names
}

fn definitions(document: &Document) -> usize {
    document.request_schemas["$defs"].as_object().unwrap().len()
}

#[test]
fn published_documents_load_whole() {
    let Some(corpora) = corpora() else { return };
    let directory = corpora.join("dev/specs");
    let names = specs(&directory);
    assert_eq!(names.len(), 38, "documents in the corpus");
    let mut report = String::new();
    let (mut whole, mut operations) = (0, 0);
    for name in &names {
        let (document, took) = timed(name, &Directory(directory.clone()));
        let errors: Vec<_> =
            document.diagnostics.iter().filter(|it| it.severity == DiagnosticSeverity::Error).collect();
        writeln!(
            report,
            "{name:<24} {:>4} operations {:>5} schemas {:>4} warnings {:>3} errors {:>5} ms",
            document.operations.len(),
            definitions(&document),
            document.diagnostics.len() - errors.len(),
            errors.len(),
            took.as_millis(),
        )
        .unwrap();
        for error in errors.iter().take(5) {
            writeln!(report, "    {error}").unwrap();
        }
        whole += usize::from(errors.is_empty());
        operations += document.operations.len();
        assert_sound(name, &document);
    }
    println!("{report}{whole} of {} whole, {operations} operations", names.len());
    // 6,408 are declared; 20 have a template that matches the same paths as another's.
    assert_eq!(operations, 6_388, "operations in all documents");
    assert!(whole >= 36, "only {whole} documents load whole:\n{report}");
}

#[test]
fn the_largest_yaml_loads() {
    let path = shared().join("corpora/datadog-v1.openapi.yaml");
    if !path.exists() {
        println!("skipped: no {}", path.display());
        return;
    }
    let (document, took) = timed("datadog-v1.openapi.yaml", &Directory(shared().join("corpora")));
    println!(
        "datadog-v1.openapi.yaml: {} operations, {} schemas, {} diagnostics, {} ms",
        document.operations.len(),
        definitions(&document),
        document.diagnostics.len(),
        took.as_millis()
    );
    for diagnostic in document.diagnostics.iter().take(20) {
        println!("    {diagnostic}");
    }
    assert_sound("datadog", &document);
    assert_eq!(document.operations.len(), 235);
    assert!(document.diagnostics.iter().all(|it| it.severity == DiagnosticSeverity::Warning));
}

/// Every reference leads somewhere, and every operation is usable.
fn assert_sound(name: &str, document: &Document) {
    for bundle in [&document.request_schemas, &document.response_schemas] {
        assert_references(name, bundle, bundle);
        if let Err(error) = jsonschema::draft202012::meta::validate(bundle) {
            panic!("{name}: no JSON Schema 2020-12 at {}: {error}", error.instance_path());
        }
    }
    let mut ids: Vec<&str> = document.operations.iter().map(|it| it.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), document.operations.len(), "{name}: operation ids are unique");
    for operation in &document.operations {
        assert!(!operation.base_paths.is_empty(), "{name}: {}", operation.id);
        let schemas = operation.parameters.iter().filter_map(|it| it.schema.as_ref()).chain(
            operation
                .body
                .iter()
                .flat_map(|it| &it.content)
                .chain(operation.responses.iter().flat_map(|it| &it.content))
                .filter_map(|it| it.schema.as_ref()),
        );
        for schema in schemas {
            assert!(document.request_schemas.pointer(schema.pointer()).is_some(), "{name}: {schema}");
            assert!(document.response_schemas.pointer(schema.pointer()).is_some(), "{name}: {schema}");
        }
    }
}

fn assert_references(name: &str, bundle: &serde_json::Value, at: &serde_json::Value) {
    match at {
        serde_json::Value::Object(members) => {
            if let Some(serde_json::Value::String(reference)) = members.get("$ref") {
                let pointer = reference.strip_prefix('#').unwrap_or_else(|| panic!("{name}: {reference}"));
                assert!(bundle.pointer(pointer).is_some(), "{name}: {reference}");
            }
            members.values().for_each(|it| assert_references(name, bundle, it));
        }
        serde_json::Value::Array(items) => items.iter().for_each(|it| assert_references(name, bundle, it)),
        _ => {}
    }
}
