//! Answers that are not what the specification says: held back in `block`, served and recorded in `report`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failure here is a failed test"
)]

use http::Response;
use portcullis_e2e::{Caller, Gate, Upstream, rules, text};
use serde_json::Value;

const USERS: &str = r#"
openapi: 3.1.0
info: { title: Users, version: "1" }
paths:
  /users/{id}:
    get:
      operationId: getUser
      parameters: [{ name: id, in: path, required: true, schema: { type: string } }]
      responses:
        "200":
          description: a user
          headers: { X-Total: { required: false, schema: { type: integer } } }
          content:
            application/json:
              schema:
                type: object
                required: [name]
                additionalProperties: false
                properties: { name: { type: string }, age: { type: integer } }
        "404": { description: nobody }
"#;

/// Answers what the id asks for.
async fn upstream() -> Upstream {
    Upstream::answering(|request| match request.target.as_str() {
        "/users/fine" => text(200, "application/json", r#"{"name":"Ada","age":36}"#),
        "/users/leak" => {
            text(200, "application/json", r#"{"name":"Ada","password_hash":"$argon2id$secret-of-ada"}"#)
        }
        "/users/type" => text(200, "application/json", r#"{"name":7}"#),
        "/users/cut" => text(200, "application/json", r#"{"name":"Ad"#),
        "/users/html" => text(200, "text/html", "<h1>hello</h1>"),
        "/users/header" => {
            let mut answer = text(200, "application/json", r#"{"name":"Ada"}"#);
            answer.headers_mut().insert("x-total", "many".parse().unwrap());
            answer
        }
        "/users/none" => text(404, "application/json", r#"{"anything":"goes"}"#),
        "/users/big" => {
            text(200, "application/json", format!(r#"{{"name":"{}","extra":1}}"#, "x".repeat(200_000)))
        }
        _ => Response::builder().status(204).body(Default::default()).unwrap(),
    })
    .await
}

async fn gate(upstream: &Upstream, mode: &str) -> Gate {
    let config = format!(
        "
admin: {{ address: 127.0.0.1:0 }}
listen: 127.0.0.1:0
tls: off
apis:
  users:
    spec: users.yaml
    upstream: {}
    auth: anonymous
    schema: {{ response: {mode} }}
    size: {{ response_body: 100KiB }}
",
        upstream.url()
    );
    Gate::new(&config).file("users.yaml", USERS).start().await
}

fn reported(event: &Value) -> Vec<&str> {
    let reasons = event["reasons"].as_array().map(Vec::as_slice).unwrap_or_default();
    let only = reasons.iter().filter(|reason| reason["reported_only"] == true);
    only.filter_map(|reason| reason["rule"].as_str()).collect()
}

#[tokio::test]
async fn block_lets_no_wrong_answer_out() {
    let upstream = upstream().await;
    let gate = gate(&upstream, "block").await;
    let mut caller = Caller::of(gate.address());
    for (id, rule) in [
        ("leak", "schema/additionalProperties"),
        ("type", "schema/type"),
        ("cut", "schema/unparsable"),
        ("header", "schema/type"),
    ] {
        let answer = caller.get(&format!("/users/{id}")).await;
        assert_eq!(answer.status, 502, "{id}: {}\n{:#?}", answer.text(), gate.events(1).await.last());
        let event = gate.only_event_of(&answer.reference()).await;
        assert!(rules(&event).contains(&rule), "{id}: {:?}", rules(&event));
        gate.assert_refused(&answer, 502, rule).await;
        assert!(!answer.text().contains("Ada"), "{}", answer.text());
        assert!(!answer.headers.contains_key("x-total"), "{:?}", answer.headers);
    }
    gate.assert_nowhere("secret-of-ada");
    assert_eq!(caller.get("/users/fine").await.text(), r#"{"name":"Ada","age":36}"#);
    assert_eq!(caller.get("/users/none").await.status, 404, "content that is not declared is not judged");
}

#[tokio::test]
async fn report_serves_it_and_says_so() {
    let upstream = upstream().await;
    let gate = gate(&upstream, "report").await;
    let mut caller = Caller::of(gate.address());
    for (id, rule) in
        [("leak", "schema/additionalProperties"), ("type", "schema/type"), ("cut", "schema/unparsable")]
    {
        let answer = caller.get(&format!("/users/{id}")).await;
        assert_eq!(answer.status, 200, "{id}");
        let event = gate.only_event_of(answer.header("x-request-id")).await;
        assert_eq!(event["outcome"], "served", "{id}");
        assert_eq!(reported(&event), [rule], "{id}: {event:#}");
    }
    let fine = caller.get("/users/fine").await;
    let event = gate.only_event_of(fine.header("x-request-id")).await;
    assert!(rules(&event).is_empty(), "{event:#}");
}

#[tokio::test]
async fn off_judges_nothing() {
    let upstream = upstream().await;
    let gate = gate(&upstream, "off").await;
    let answer = Caller::of(gate.address()).get("/users/leak").await;
    assert_eq!(answer.status, 200);
    let event = gate.only_event_of(answer.header("x-request-id")).await;
    assert!(rules(&event).is_empty(), "{event:#}");
}

#[tokio::test]
async fn an_answer_too_large_to_hold_passes_where_answers_are_reported_and_not_where_they_are_blocked() {
    let upstream = upstream().await;
    for (mode, status, bytes) in [("report", 200, Some(200_021)), ("block", 502, None)] {
        let gate = gate(&upstream, mode).await;
        let answer = Caller::of(gate.address()).get("/users/big").await;
        assert_eq!(answer.status, status, "{mode}");
        assert!(bytes.is_none_or(|bytes| answer.body.len() == bytes), "{}", answer.body.len());
        let event = gate.only_event_of(answer.header("x-request-id")).await;
        assert!(rules(&event).contains(&"response/not_inspected"), "{mode}: {event:#}");
    }
}
