//! From a refusal's reference to its reason, and from its reason to the narrowest exception that lets the call pass.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failure here is a failed test"
)]

use http::Method;
use portcullis_e2e::{Answer, Caller, Gate, Upstream};

const NOTES: &str = r#"
openapi: 3.1.0
info: { title: Notes, version: "1" }
paths:
  /notes:
    get:
      operationId: listNotes
      parameters: [{ name: limit, in: query, schema: { type: integer, maximum: 100 } }]
      responses: { "200": { description: notes } }
    post:
      operationId: createNote
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              required: [note]
              properties:
                note: { type: string, maxLength: 10 }
                title: { type: string, maxLength: 10 }
                tags: { type: array, items: { type: string, maxLength: 3 } }
      responses: { "200": { description: a note } }
"#;

fn config(upstream: &Upstream, exceptions: &str) -> String {
    format!(
        "
admin: {{ address: 127.0.0.1:0 }}
listen: 127.0.0.1:0
tls: off
apis:
  notes:
    spec: notes.yaml
    upstream: \"{}\"
    auth: anonymous
{exceptions}",
        upstream.url()
    )
}

/// The exceptions that `explain` proposes for a refusal, as they are written below an API.
fn proposed(gate: &Gate, refused: &Answer) -> String {
    let explained = gate.command(&["explain", &refused.reference()]);
    assert_eq!(explained.code, 0, "{}", explained.stderr);
    let lines = explained.stdout.lines().skip_while(|line| line.trim() != "except:");
    let lines: Vec<_> = lines.map(|line| format!("  {line}")).collect();
    assert!(lines.len() > 1, "no exception in\n{}", explained.stdout);
    lines.join("\n").replace("…", "agreed with the editors").replace("YYYY-MM-DD", "2099-12-31")
}

#[tokio::test]
async fn the_proposed_exception_lets_exactly_that_call_pass() {
    let upstream = Upstream::agreeable().await;
    let gate = Gate::new(&config(&upstream, "")).file("notes.yaml", NOTES).start().await;
    let mut caller = Caller::of(gate.address());
    let long_note = r#"{"note":"much longer than ten characters"}"#;
    for (method, target, body, rule) in [
        (Method::POST, "/notes", long_note, "schema/maxLength"),
        (Method::POST, "/notes", r#"{"note":"a","tags":["b","cdef"]}"#, "schema/maxLength"),
        (Method::GET, "/notes?limit=1000", "", "schema/maximum"),
        (Method::POST, "/notes", r#"{"title":"x"}"#, "schema/required"),
    ] {
        gate.write("portcullis.yaml", config(&upstream, ""));
        gate.reload_well();
        let before = upstream.seen().len();
        let refused = caller.send(method.clone(), target, body).await;
        gate.assert_refused(&refused, 422, rule).await;
        assert_eq!(upstream.seen().len(), before);

        let exceptions = proposed(&gate, &refused);
        gate.write("portcullis.yaml", config(&upstream, &exceptions));
        gate.reload_well();
        let passed = caller.send(method.clone(), target, body).await;
        assert_eq!(passed.status, 200, "{method} {target} {body} with\n{exceptions}");
        assert_eq!(upstream.seen().len(), before + 1);

        // The neighbours stay guarded: another rule at the same place, the same rule at another.
        let other = caller.send(Method::POST, "/notes", r#"{"note":7}"#).await;
        assert_eq!(other.status, 422, "the type of the note is still held with\n{exceptions}");
        let other =
            caller.send(Method::POST, "/notes", r#"{"note":"a","title":"much too long a title"}"#).await;
        assert_eq!(other.status, 422, "the title is still held with\n{exceptions}");
    }
}

#[tokio::test]
async fn an_exception_that_has_ended_fails_the_check_and_is_warned_of() {
    let upstream = Upstream::agreeable().await;
    let ended = "    except:\n      - { rule: schema/maxLength, why: \"trial\", until: 2020-01-31 }\n";
    let gate = Gate::new(&config(&upstream, "")).file("notes.yaml", NOTES);
    std::fs::write(gate.folder().join("portcullis.yaml"), config(&upstream, ended)).unwrap();
    let checked = gate.command(&["check"]);
    assert_eq!(checked.code, 78, "{}{}", checked.stdout, checked.stderr);
    let said = format!("{}{}", checked.stdout, checked.stderr);
    assert!(said.contains("2020-01-31") && said.contains("portcullis.yaml:"), "{said}");
}

#[tokio::test]
async fn what_is_not_on_record_is_said_to_be_so() {
    let upstream = Upstream::agreeable().await;
    let gate = Gate::new(&config(&upstream, "")).file("notes.yaml", NOTES).start().await;
    let unknown = gate.command(&["explain", "018bcfe5-6800-7000-8000-000000000000"]);
    assert_eq!(unknown.code, 1, "{}{}", unknown.stdout, unknown.stderr);
    assert!(unknown.stderr.contains("no exchange"), "{}", unknown.stderr);
    assert_eq!(gate.command(&["explain", "gibberish"]).code, 1);
}
