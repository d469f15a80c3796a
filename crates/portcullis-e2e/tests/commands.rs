//! Commands that run to their end: demo, proxy, diff, schema, explain of a diagnostic, exit codes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failure here is a failed test"
)]

use std::path::Path;

use portcullis_e2e::{Caller, Gate, Upstream, portcullis};

const SPEC: &str = r##"
openapi: 3.1.0
info: { title: t, version: "1" }
security: [{ key: [] }]
paths:
  /notes:
    post:
      operationId: createNote
      requestBody:
        required: true
        content:
          application/json:
            schema: { type: object, required: [text], properties: { text: { type: string, maxLength: 10 } } }
      responses: { "201": { description: made } }
components:
  securitySchemes: { key: { type: apiKey, in: header, name: X-API-Key } }
"##;

const CONFIG: &str = "
listen: 127.0.0.1:0
tls: off
admin: { address: 127.0.0.1:0 }
identity: { providers: { key: { api_keys: {} }, jwt: { jwt: { jwks: keys.json, issuer: i, audience: a } } } }
apis:
  notes:
    spec: openapi.yaml
    upstream: http://127.0.0.1:9
    limit: 10/s per consumer
";

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "openapi.yaml", SPEC);
    write(folder.path(), "portcullis.yaml", CONFIG);
    write(
        folder.path(),
        "keys.json",
        r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#,
    );
    folder
}

fn write(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(name), text).unwrap();
}

/// What `diff` says of a change of configuration or specification.
fn diff(change: impl Fn(&Path)) -> (i32, String) {
    let (before, after) = (folder(), folder());
    change(after.path());
    let config = |folder: &tempfile::TempDir| folder.path().join("portcullis.yaml").display().to_string();
    let output = portcullis(before.path(), &["diff", &config(&before), &config(&after)]);
    (output.code, output.stdout + &output.stderr)
}

#[test]
fn the_demo_ends_by_itself_and_stops_every_attack() {
    let folder = tempfile::tempdir().unwrap();
    let output = portcullis(folder.path(), &["demo", "--for", "4s", "--listen", "127.0.0.1:0"]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    assert_eq!(output.stdout.matches("curl ").count(), 3, "{}", output.stdout);
    assert!(output.stdout.contains("schema/minimum at body `/items/0/quantity`"), "{}", output.stdout);
    let last = output.stdout.lines().last().unwrap();
    let numbers: Vec<u64> =
        last.split(|it: char| !it.is_ascii_digit()).filter_map(|it| it.parse().ok()).collect();
    let [stopped, attacks, served, ordinary] = numbers[..] else { panic!("{last}") };
    assert!(attacks > 20 && ordinary > 40, "{last}");
    assert_eq!((stopped, served), (attacks, ordinary), "{last}");
}

#[test]
fn the_demo_tells_json_each_second() {
    let folder = tempfile::tempdir().unwrap();
    let output = portcullis(folder.path(), &["demo", "--for", "2500ms", "--listen", "127.0.0.1:0", "--json"]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    let last: serde_json::Value = serde_json::from_str(output.stdout.lines().last().unwrap()).unwrap();
    assert!(last["refused"].as_u64() > Some(0) && last["served"].as_u64() > Some(0), "{last}");
}

#[tokio::test]
async fn a_proxy_reports_and_refuses_nothing() {
    let upstream = Upstream::agreeable().await;
    let folder = folder();
    let mut child = std::process::Command::new(portcullis_e2e::binary())
        .args(["proxy", &upstream.url(), "--listen", "127.0.0.1:0", "--spec", "openapi.yaml", "--for", "6s"])
        .current_dir(folder.path())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let output = child.stdout.take().unwrap();
    let (first_line, rest) = tokio::task::spawn_blocking(move || {
        use std::io::BufRead as _;
        let mut reader = std::io::BufReader::new(output);
        let mut first = String::new();
        reader.read_line(&mut first).unwrap();
        (first, reader)
    })
    .await
    .unwrap();
    let address = first_line.rsplit("http://").next().unwrap().trim().parse().unwrap();
    let mut caller = Caller::of(address);
    assert_eq!(
        caller.send(http::Method::POST, "/notes", r#"{"text":"far too long for this"}"#).await.status,
        200
    );
    assert_eq!(caller.get("/nowhere").await.status, 200);
    let (status, text) = tokio::task::spawn_blocking(move || {
        use std::io::Read as _;
        let mut text = String::new();
        let mut rest = rest;
        rest.read_to_string(&mut text).unwrap();
        (child.wait().unwrap(), text)
    })
    .await
    .unwrap();
    assert!(status.success());
    assert!(text.contains("would be refused: POST /notes  schema/maxLength"), "{text}");
    assert!(text.contains("would be refused: GET /nowhere  route/unknown_operation"), "{text}");
    assert!(text.contains("2 served, 0 refused, 2 would have been refused"), "{text}");
}

#[test]
fn diff_tells_weaker_from_stronger() {
    let config = |from: &'static str, to: &'static str| {
        move |folder: &Path| write(folder, "portcullis.yaml", &CONFIG.replacen(from, to, 1))
    };
    let spec = |from: &'static str, to: &'static str| {
        move |folder: &Path| write(folder, "openapi.yaml", &SPEC.replacen(from, to, 1))
    };
    assert_eq!(diff(|_| ()), (0, "both protect the same\n".to_owned()));
    for (changed, code, telling) in [
        (diff(config("10/s", "20/s")), 3, "limit: 10/s per consumer → 20/s per consumer"),
        (diff(config("10/s", "5/s")), 0, "limit: 10/s per consumer → 5/s per consumer"),
        (diff(config("limit:", "auth: anonymous\n    limit:")), 3, "auth: key → anonymous"),
        (diff(config("limit:", "auth: { all: [key, jwt] }\n    limit:")), 0, "auth: key → jwt and key"),
        (
            diff(config("limit:", "schema: { request: report }\n    limit:")),
            3,
            "schema.request: block → report",
        ),
        (diff(config("tls: off", "tls: auto")), 0, "tls: off → on"),
        (diff(config("tls: off", "tls: off\nrecord: { calls: refused }")), 3, "calls: all → refused"),
        (diff(config("tls: off", "tls: off\nrecord: { calls: all }")), 0, "both protect the same"),
        (
            diff(spec("maxLength: 10", "maxLength: 11")),
            3,
            "body application/json: schema → a schema that may admit more",
        ),
        (diff(spec("maxLength: 10", "maxLength: 9")), 0, "body application/json: schema → a tighter schema"),
        (diff(spec("required: [text], ", "")), 3, "may admit more"),
    ] {
        assert_eq!(changed.0, code, "{telling}: {}", changed.1);
        assert!(changed.1.contains(telling), "{telling}: {}", changed.1);
    }
}

#[test]
fn diff_tells_once_what_one_line_changed_everywhere() {
    let (before, after) = (folder(), folder());
    let paths: String = (0..6)
        .map(|n| {
            format!(
                "  /n{n}: {{ get: {{ operationId: n{n}, responses: {{ '200': {{ description: ok }} }} }} }}\n"
            )
        })
        .collect();
    let spec = SPEC.replace("paths:\n", &format!("paths:\n{paths}"));
    for folder in [&before, &after] {
        write(folder.path(), "openapi.yaml", &spec);
    }
    write(after.path(), "portcullis.yaml", &format!("{CONFIG}defaults: {{ mode: report }}\n"));
    let config = |folder: &tempfile::TempDir| folder.path().join("portcullis.yaml").display().to_string();
    let ask = |more: &[&str]| {
        let files = [config(&before), config(&after)];
        let arguments: Vec<&str> = ["diff"]
            .into_iter()
            .chain(files.iter().map(String::as_str))
            .chain(more.iter().copied())
            .collect();
        portcullis(before.path(), &arguments)
    };
    let text = ask(&[]);
    assert_eq!(text.code, 3, "{text:?}");
    let once = "WEAKER    7 operations of api notes: GET /n0, GET /n1, GET /n2 and 4 more\n          mode: block → report\n";
    assert!(text.stdout.contains(once), "{}", text.stdout);
    let json: serde_json::Value = serde_json::from_str(&ask(&["--json"]).stdout).unwrap();
    let modes = json["differences"].as_array().unwrap().iter().filter(|it| it["protection"] == "mode");
    assert_eq!(modes.count(), 7, "{json:#}");
}

#[test]
fn diff_of_a_broken_file_says_which() {
    let (code, text) = diff(|folder| write(folder, "portcullis.yaml", "listen: nonsense"));
    assert_eq!(code, 78, "{text}");
    assert!(text.contains("portcullis.yaml"), "{text}");
}

#[test]
fn without_a_gate_the_command_line_says_so() {
    let folder = folder();
    let output = portcullis(folder.path(), &["status"]);
    assert_eq!(output.code, 69, "{}", output.stderr);
    assert!(output.stderr.contains("no running gate answers"), "{}", output.stderr);
}

#[test]
fn a_newcomers_mistakes_are_named_for_what_they_are() {
    let folder = folder();
    write(folder.path(), "empty.yaml", "");
    write(folder.path(), "file.yaml", &format!("data: keys.json\n{CONFIG}"));
    std::fs::write(folder.path().join("binary.yaml"), [0xff, 0xfe]).unwrap();
    std::fs::create_dir(folder.path().join("folder")).unwrap();
    for (arguments, code, told) in [
        (&["check", "-c", "absent.yaml"][..], 78, "there is no such file"),
        (&["check", "-c", "folder"], 78, "it is a directory"),
        (&["check", "-c", "binary.yaml"], 78, "it is no text in UTF-8"),
        (&["check", "-c", "empty.yaml"], 78, "nothing listens"),
        (&["run", "-c", "empty.yaml"], 78, "nothing listens"),
        (&["run", "-c", "file.yaml"], 1, "`keys.json` is not a directory"),
        (&["status", "-c", "absent.yaml"], 1, "there is no file `absent.yaml`"),
        (&["audit", "verify"], 1, "there is no record in"),
        (&["events"], 1, "there is no record in"),
    ] {
        let output = portcullis(folder.path(), arguments);
        assert_eq!(output.code, code, "{arguments:?}: {output:?}");
        assert!(output.stderr.contains(told), "{arguments:?}: {output:?}");
        assert!(!output.stderr.contains("os error"), "{arguments:?}: {output:?}");
    }
}

#[test]
fn the_schema_is_json_and_diagnostics_are_explained() {
    let folder = folder();
    let schema: serde_json::Value =
        serde_json::from_str(&portcullis(folder.path(), &["schema"]).stdout).unwrap();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    let output = portcullis(folder.path(), &["explain", "pc3001"]);
    assert_eq!(output.code, 0);
    assert!(output.stdout.starts_with("PC3001 (warning)"), "{}", output.stdout);
    assert!(portcullis(folder.path(), &["--help"]).stdout.contains("Exit codes"));
}

#[tokio::test]
async fn explain_decides_as_the_gate_does() {
    let upstream = Upstream::agreeable().await;
    let gate = Gate::new(&CONFIG.replace("http://127.0.0.1:9", &upstream.url()))
        .file("openapi.yaml", SPEC)
        .file("keys.json", r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#)
        .file("good.json", r#"{"text":"short"}"#)
        .file("bad.json", r#"{"text":"far too long"}"#);
    let key = gate.key("acme", &[]);
    let gate = gate.start().await;
    let mut caller = Caller::of(gate.address()).with("x-api-key", &key);
    for (body, status, decision) in [("good.json", 200, "pass"), ("bad.json", 422, "invalid")] {
        let sent = std::fs::read_to_string(gate.folder().join(body)).unwrap();
        assert_eq!(caller.send(http::Method::POST, "/notes", &sent).await.status, status);
        let output = gate.command(&["explain", "POST /notes", "--as", "key:acme", "--body", body, "--json"]);
        let explained: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
        assert_eq!(explained["decision"], decision, "{}", output.stdout);
    }
    let text = gate.command(&["explain", "POST /notes", "--as", "key:acme", "--body", "bad.json"]).stdout;
    assert!(text.contains("refused with 422 (invalid)"), "{text}");
    assert!(text.contains("limit") && text.contains("portcullis.yaml:10"), "{text}");
}
