//! `portcullis scan` against the range: it finds what is there, keeps silent about what is not, and says what it could
//! not do.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failure here is a failed test"
)]

use std::path::Path;

use portcullis_e2e::{Output, portcullis};
use portcullis_range::{Options, Running, Weaknesses};
use serde_json::Value;

/// Checks that are quick, of each kind: by two users, by a token, by an injection, by a listener, by a look.
const QUICK: &[&str] = &[
    "object_read_by_stranger",
    "object_written_by_stranger",
    "credential_not_required",
    "forged_token_accepted",
    "sql_injected",
    "template_injected",
    "address_fetched",
    "secret_in_answer",
];

async fn range(weaknesses: Weaknesses) -> (Running, tempfile::TempDir) {
    let range = portcullis_range::start(Options { weaknesses, seed: 7, ..Options::default() }).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    (range, folder)
}

/// Runs a scan beside the range, which is served by this runtime meanwhile.
async fn scan(folder: &Path, arguments: &[&str]) -> Output {
    let folder = folder.to_owned();
    let arguments: Vec<String> =
        std::iter::once("scan").chain(arguments.iter().copied()).map(str::to_owned).collect();
    tokio::task::spawn_blocking(move || {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        portcullis(&folder, &arguments)
    })
    .await
    .unwrap()
}

fn confirmed(report: &Value) -> Vec<String> {
    let all = report["findings"].as_array().unwrap().iter();
    let all = all.filter(|it| {
        it["certainty"] == "confirmed" && it["section"] == "security" && it["severity"] != "info"
    });
    all.map(|it| format!("{} {} {}", it["check"], it["operation"], it["slot"]).replace('"', "")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn finds_what_is_there_and_leaves_every_report() {
    let (range, folder) = range(Weaknesses::all()).await;
    let specification = range.url("/openapi.json");
    let mut arguments =
        vec![specification.as_str(), "--seed", "1", "--coverage", "0", "--report", "scan.json"];
    arguments.extend([
        "--sarif",
        "scan.sarif",
        "--junit",
        "scan.xml",
        "--html",
        "scan.html",
        "--markdown",
        "scan.md",
    ]);
    arguments.extend(QUICK.iter().flat_map(|check| ["--only", *check]));
    let output = scan(folder.path(), &arguments).await;
    assert_eq!(output.code, 5, "{}{}", output.stdout, output.stderr);
    let report: Value =
        serde_json::from_slice(&std::fs::read(folder.path().join("scan.json")).unwrap()).unwrap();
    let found = confirmed(&report);
    for wanted in [
        "object_read_by_stranger GET /orders/{order_id} path:order_id",
        "object_written_by_stranger PATCH /orders/{order_id} path:order_id",
        "credential_not_required GET /warehouse/stock ",
        "sql_injected GET /products/search query:q",
    ] {
        assert!(found.iter().any(|it| it == wanted), "{wanted} is not among {found:#?}");
    }
    for (name, word) in [
        ("scan.sarif", "object_read_by_stranger"),
        ("scan.xml", "object_read_by_stranger"),
        ("scan.html", "object_read_by_stranger"),
        // For a pull request only the worst are told one by one.
        ("scan.md", "A value becomes a part of an SQL statement"),
    ] {
        let text = std::fs::read_to_string(folder.path().join(name)).unwrap();
        assert!(text.contains(word), "{name}");
    }
    // The same again, held against the first: nothing is new, so nothing fails.
    arguments.extend(["--baseline", "scan.json"]);
    let report_at = arguments.iter().position(|it| *it == "scan.json").unwrap();
    arguments[report_at] = "again.json";
    let output = scan(folder.path(), &arguments).await;
    assert_eq!(output.code, 0, "{}{}", output.stdout, output.stderr);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keeps_silent_where_nothing_is_wrong() {
    let (range, folder) = range(Weaknesses::none()).await;
    let specification = range.url("/openapi.json");
    let mut arguments = vec![specification.as_str(), "--seed", "1", "--coverage", "0", "--json"];
    arguments.extend(QUICK.iter().flat_map(|check| ["--only", *check]));
    let output = scan(folder.path(), &arguments).await;
    let report: Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(confirmed(&report), Vec::<String>::new());
    assert_eq!(output.code, 0, "{}", output.stderr);
    assert!(report["requests"].as_u64().unwrap() > 200, "too little was tried");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sends_nothing_where_it_may_not() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("api.json"),
        r#"{"openapi": "3.1.0", "info": {"title": "x", "version": "1"}, "paths": {}}"#,
    )
    .unwrap();
    let output = scan(folder.path(), &["api.json", "--target", "https://api.example.com"]).await;
    assert_eq!(output.code, 1);
    assert!(output.stderr.contains("--allow api.example.com"), "{}", output.stderr);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn says_what_is_wrong_with_its_input() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("not.yaml"), "just: [some, yaml").unwrap();
    for (arguments, word) in [
        (vec!["not.yaml", "--target", "http://127.0.0.1:9"], "not.yaml"),
        (vec!["gone.yaml", "--target", "http://127.0.0.1:9"], "cannot read `gone.yaml`"),
        (vec!["not.yaml", "--target", "ftp://127.0.0.1"], ""),
        (vec!["not.yaml", "--only", "no_such_check", "--target", "http://127.0.0.1:9"], ""),
    ] {
        let output = scan(folder.path(), &arguments).await;
        assert_eq!(output.code, 1, "{arguments:?}: {}", output.stderr);
        assert!(output.stderr.contains(word), "{arguments:?}: {}", output.stderr);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fails_where_too_little_was_reached() {
    let folder = tempfile::tempdir().unwrap();
    let document = r#"{"openapi": "3.1.0", "info": {"title": "x", "version": "1"},
        "paths": {"/a": {"get": {"responses": {"200": {"description": "ok"}}}}}}"#;
    std::fs::write(folder.path().join("api.json"), document).unwrap();
    // Nobody listens there.
    let output = scan(folder.path(), &["api.json", "--target", "http://127.0.0.1:1", "--json"]).await;
    assert_eq!(output.code, 6, "{}", output.stderr);
    let report: Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(report["status"], "incomplete");
}
