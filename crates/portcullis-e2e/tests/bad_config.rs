//! Broken configurations: every mistake at once, each with its place and a way out, and no gate in front of nothing.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failure here is a failed test"
)]

use std::path::Path;

use portcullis_e2e::{Gate, Output, SHOP, portcullis};
use serde_json::Value;
use tempfile::TempDir;

const HEAD: &str = "admin: { address: 127.0.0.1:0 }\nlisten: 127.0.0.1:0\ntls: off\n";
const API: &str = "apis: { shop: { spec: shop.yaml, upstream: \"http://127.0.0.1:1\", auth: anonymous } }\n";

/// A folder with a configuration, the shop's specification, and these files.
fn folder(config: &str, files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &str| std::fs::write(folder.path().join(name), content).unwrap();
    write("portcullis.yaml", config);
    write("shop.yaml", SHOP);
    for (name, content) in files {
        write(name, content);
    }
    folder
}

/// What `check --json` finds, as `file:line:column code message`.
fn found(folder: &Path) -> Vec<String> {
    let output = portcullis(folder, &["check", "--json"]);
    let report: Value = serde_json::from_str(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    assert_eq!(report["ok"], output.code == 0, "{report:#}");
    let diagnostics = report["diagnostics"].as_array().unwrap();
    let line = |it: &Value| {
        let text = |key: &str| it[key].as_str().unwrap_or_default().to_owned();
        format!("{}:{}:{} {} {}", text("file"), it["line"], it["column"], text("code"), text("message"))
    };
    diagnostics.iter().map(line).collect()
}

/// Fails unless both `check` and `run` refuse with 78 and say this.
fn refused(folder: &Path, said: &str) -> Output {
    for command in ["check", "run"] {
        let output = portcullis(folder, &[command]);
        assert_eq!(output.code, 78, "{command}: {output:?}");
        let text = format!("{}{}", output.stdout, output.stderr);
        assert!(text.contains(said), "{command} does not say `{said}`:\n{text}");
        assert!(!text.contains("panicked"), "{command}: {text}");
    }
    portcullis(folder, &["check"])
}

#[test]
fn all_mistakes_are_shown_at_once_with_place_snippet_and_hint() {
    let config = "\
listen: 127.0.0.1:0
tls: off
colour: red
upstreams:
  shop: { servers: [], timeout: { connect: 5 parsecs } }
apis:
  shop:
    spec: shop.yaml
    upstream: shopp
    auth: nobody
    size: { body: 1XB }
    schema: { request: blok }
    limit: [10/fortnight per ip]
    roles: { not: a list }
";
    let folder = folder(config, &[]);
    let found = found(folder.path());
    let places: Vec<_> = found.iter().map(|it| it.split_once(" PC").unwrap().0).collect();
    for place in ["3:1", "5:20", "5:44", "9:15", "10:11", "11:19", "12:24", "13:13", "14:12"] {
        assert!(
            places.contains(&format!("portcullis.yaml:{place}").as_str()),
            "nothing at {place}: {found:#?}"
        );
    }
    assert_eq!(found.len(), 9, "{found:#?}");
    let output = refused(folder.path(), "`colour` is not known here");
    assert!(output.stderr.contains("9 errors"), "{}", output.stderr);
    for part in
        ["colour: red", "^^^^^^", "--> portcullis.yaml:3:1", "did you mean `shop`?", "did you mean `block`?"]
    {
        assert!(output.stderr.contains(part), "no {part} in\n{}", output.stderr);
    }
}

#[test]
fn what_is_no_yaml_is_placed() {
    for (config, said) in [
        ("apis: [", "portcullis.yaml:1:"),
        ("apis:\n\tshop: 1\n", "portcullis.yaml:2:"),
        ("apis: &a { shop: *b }\n", "portcullis.yaml:1:"),
        ("listen: a\nlisten: b\n", "given twice"),
        ("- a\n- list\n", "portcullis.yaml:1:1"),
        ("apis: \"unended\n", "portcullis.yaml:"),
    ] {
        let folder = folder(config, &[]);
        refused(folder.path(), said);
    }
    let binary = folder(API, &[]);
    std::fs::write(binary.path().join("portcullis.yaml"), b"apis: \xff\xfe\n").unwrap();
    refused(binary.path(), "portcullis.yaml");
    let bomb = (1..30).fold("a0: &a0 [x]\n".to_owned(), |text, n| {
        format!("{text}a{n}: &a{n} [*a{0}, *a{0}, *a{0}, *a{0}, *a{0}, *a{0}, *a{0}, *a{0}]\n", n - 1)
    });
    refused(folder(&bomb, &[]).path(), "portcullis.yaml");
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let none = tempfile::tempdir().unwrap();
    refused(none.path(), "portcullis.yaml");
    let include = folder(&format!("include: [nope.yaml]\n{HEAD}{API}"), &[]);
    refused(include.path(), "nope.yaml");
    let spec = folder(&format!("{HEAD}{}", API.replace("shop.yaml", "none.yaml")), &[]);
    refused(spec.path(), "none.yaml");
    let a_folder = folder(&format!("{HEAD}{}", API.replace("shop.yaml", "specs")), &[]);
    std::fs::create_dir(a_folder.path().join("specs")).unwrap();
    refused(a_folder.path(), "specs");
    let key = folder(
        &format!(
            "{}tls: {{ certificates: [{{ certificate: none.pem, key: file:none.key }}] }}\n{API}",
            HEAD.replace("tls: off\n", "")
        ),
        &[],
    );
    refused(key.path(), "none.");
}

#[test]
fn a_name_twice_over_includes_names_both_places() {
    let config = format!("include: [more.yaml]\n{HEAD}{API}");
    let folder = folder(&config, &[("more.yaml", API)]);
    let found = found(folder.path());
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("PC1005") && found[0].contains("`apis.shop`"), "{found:?}");
    let output = refused(folder.path(), "first defined here");
    assert!(
        output.stderr.contains("more.yaml:1:9") && output.stderr.contains("portcullis.yaml:5:9"),
        "{}",
        output.stderr
    );
}

#[test]
fn a_broken_specification_is_refused_with_its_line() {
    for (spec, said) in [
        ("openapi: 3.1.0\npaths:\n  /x: { get: [\n", "line 3"),
        ("{ \"openapi\": \"3.1.0\",\n \"paths\": {,} }", "line 2"),
        ("hello: world\n", "shop.yaml"),
        ("openapi: 9.9.9\ninfo: { title: x, version: \"1\" }\npaths: {}\n", "9.9.9"),
        ("", "shop.yaml"),
        ("openapi: 3.1.0\nopenapi: 3.1.0\npaths: {}\n", "shop.yaml"),
    ] {
        let folder = folder(&format!("{HEAD}{API}"), &[("shop.yaml", spec)]);
        refused(folder.path(), said);
    }
}

#[test]
fn one_bad_operation_costs_that_operation() {
    let spec = SHOP.replace("name: limit, in: query", "name: limit, in: nowhere");
    let folder = folder(&format!("{HEAD}{API}"), &[("shop.yaml", &spec)]);
    let checked = portcullis(folder.path(), &["check"]);
    assert_eq!(checked.code, 0, "{checked:?}");
    assert!(checked.stdout.contains("4 operations guarded"), "{checked:?}");
    for part in ["GET /orders", "not served", "shop.yaml:9:"] {
        assert!(checked.stderr.contains(part), "no {part} in {}", checked.stderr);
    }
    assert_eq!(portcullis(folder.path(), &["check", "--strict"]).code, 78);
}

#[test]
fn literal_secrets_are_warned_of_and_never_printed() {
    const SECRET: &str = "hunter2-in-plain-sight";
    let config =
        format!("admin: {{ address: 127.0.0.1:0, token: {SECRET} }}\nlisten: 127.0.0.1:0\ntls: off\n{API}");
    let folder = folder(&config, &[]);
    assert!(found(folder.path()).iter().any(|it| it.contains("PC3001")), "{:?}", found(folder.path()));
    // Beside a mistake on the same line, whose snippet would show it.
    let mistaken = config.replace("127.0.0.1:0, token", "127.0.0.1:99999, tokn: 1, token");
    let mistaken = self::folder(&mistaken, &[]);
    for folder in [&folder, &mistaken] {
        for arguments in [&["check"][..], &["check", "--json"], &["explain", "GET /orders"]] {
            let output = portcullis(folder.path(), arguments);
            assert!(!format!("{output:?}").contains(SECRET), "{arguments:?}: {output:?}");
        }
    }
}

#[test]
fn a_secret_that_is_not_there_is_an_error() {
    let config = format!(
        "admin: {{ address: 127.0.0.1:0, token: env:CHAOS_NEVER_SET }}\nlisten: 127.0.0.1:0\ntls: off\n{API}"
    );
    refused(folder(&config, &[]).path(), "CHAOS_NEVER_SET");
    let header =
        API.replace("auth:", "headers: { request: { set: { X-Inner: env:CHAOS_NEVER_SET } } }, auth:");
    refused(folder(&format!("{HEAD}{header}"), &[]).path(), "CHAOS_NEVER_SET");
}

#[test]
fn admin_in_public_without_a_token_is_refused() {
    let config = format!("admin: {{ address: 0.0.0.0:0 }}\nlisten: 127.0.0.1:0\ntls: off\n{API}");
    let output = refused(folder(&config, &[]).path(), "needs a token");
    assert!(output.stderr.contains("portcullis.yaml:1:"), "{output:?}");
}

#[test]
fn addresses_that_cannot_be_had_end_the_start() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for config in [
        format!("{}{API}", HEAD.replacen("listen: 127.0.0.1:0", &format!("listen: {address}"), 1)),
        format!(
            "{}{API}",
            HEAD.replacen("admin: { address: 127.0.0.1:0", &format!("admin: {{ address: {address}"), 1)
        ),
        format!("{}{API}", HEAD.replacen("listen: 127.0.0.1:0", "listen: 192.0.2.77:80", 1)),
    ] {
        let folder = folder(&config, &[]);
        assert_eq!(portcullis(folder.path(), &["check"]).code, 0, "an address is looked at when it is taken");
        let run = portcullis(folder.path(), &["run"]);
        assert_eq!(run.code, 1, "{run:?}");
        assert!(run.stderr.contains("cannot listen") || run.stderr.contains("in use"), "{run:?}");
    }
}

#[tokio::test]
async fn a_data_directory_is_for_one_gate() {
    let gate = Gate::new(&format!("{HEAD}{API}")).file("shop.yaml", SHOP).start().await;
    let second = gate.command(&["run"]);
    assert_eq!(second.code, 1, "{second:?}");
    assert!(second.stderr.contains("portcullis-data"), "{second:?}");
    assert_eq!(gate.status()["generation"], 1, "the first goes on");
    let file = folder(&format!("{HEAD}data: taken\n{API}"), &[("taken", "a file")]);
    let run = portcullis(file.path(), &["run"]);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.stderr.contains("taken"), "{run:?}");
}

#[test]
fn commands_without_a_gate_say_so() {
    let folder = folder(&format!("{HEAD}{API}"), &[]);
    for command in ["status", "reload"] {
        assert_eq!(portcullis(folder.path(), &[command]).code, 69, "{command}");
    }
    assert_eq!(portcullis(folder.path(), &["frobnicate"]).code, 2);
    let events = portcullis(folder.path(), &["events"]);
    assert_eq!(events.code, 1, "{events:?}");
    // A key that cannot be kept is not handed out.
    std::fs::write(folder.path().join("portcullis-data"), "in the way").unwrap();
    let key = portcullis(folder.path(), &["keys", "create", "x"]);
    assert_eq!((key.code, key.stdout.as_str()), (1, ""), "{key:?}");
}
