//! Documents in, messages in, verdicts out as text.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops where it fails")]

mod evasion;
mod ranges;
mod variants;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Version};
use portcullis_core::{context::Request, verdict::Place};

use super::*;
use crate::openapi::{self, LoadOptions, MemorySource};

fn compile(document: &str, options: CompileOptions) -> CompiledDocument {
    let source = MemorySource::default().with("api.yaml", document);
    let document = openapi::load("api.yaml", &source, &LoadOptions::default()).unwrap();
    CompiledDocument::compile(document, options)
}

/// A document of one path from what stands under it.
fn operation(path: &str, body: &str, options: CompileOptions) -> Arc<CompiledOperation> {
    let document = format!("openapi: 3.1.0\ninfo: {{title: t, version: '1'}}\npaths:\n  {path}:\n{body}");
    let compiled = compile(&document, options);
    assert_eq!(compiled.diagnostics, [], "{document}");
    Arc::clone(&compiled.operations[0])
}

fn headers(fields: &[(&str, &str)]) -> HeaderMap {
    fields
        .iter()
        .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap()))
        .collect()
}

fn show(violations: &[Violation]) -> String {
    let show = |violation: &Violation| {
        let place = match &violation.place {
            Place::Query(name) => format!("query {name}"),
            Place::PathParameter(name) => format!("path {name}"),
            Place::Header(name) => format!("header {name}"),
            Place::Cookie(name) => format!("cookie {name}"),
            Place::Body(pointer) => format!("body {pointer}"),
            Place::ResponseBody(pointer) => format!("answer {pointer}"),
            Place::ResponseHeader(name) => format!("answer header {name}"),
            other => format!("{other:?}"),
        };
        format!("{place}: {}: {} [{}]", violation.keyword, violation.message, violation.excerpt)
    };
    violations.iter().map(show).collect::<Vec<_>>().join("\n")
}

/// Checks the parameters of `GET path?query` with header fields; path parameters stand as `name=value`.
fn parameters(
    operation: &CompiledOperation,
    target: &str,
    path: &[(&str, &str)],
    fields: &[(&str, &str)],
) -> String {
    let query = target.strip_prefix('?');
    let mut raw = String::from("/");
    let mut ranges = smallvec::SmallVec::new();
    for (name, value) in path {
        let start = raw.len();
        raw.push_str(value);
        ranges.push((Arc::from(*name), start..raw.len()));
        raw.push('/');
    }
    let request = Request {
        method: Method::GET,
        version: Version::HTTP_11,
        host: "localhost".into(),
        path: raw.into(),
        query: query.map(Into::into),
        headers: headers(fields),
        path_parameters: ranges,
        body: None,
        parsed: None,
    };
    match operation.check_parameters(&request) {
        Ok(()) => "passes".to_owned(),
        Err(violations) => show(&violations),
    }
}

fn body(operation: &CompiledOperation, media: &str, body: &str) -> String {
    let fields = if media.is_empty() { HeaderMap::new() } else { headers(&[("content-type", media)]) };
    match operation.check_request_body(&fields, &Bytes::copy_from_slice(body.as_bytes())) {
        Ok(BodyTree::Tree(tree)) => format!("{:?}", tree.root()),
        Ok(other) => format!("{other:?}"),
        Err(Refusal::UnsupportedMediaType(violation)) => format!("415 {}", show(&[*violation])),
        Err(Refusal::Malformed(violation)) => format!("400 {}", show(&[*violation])),
        Err(Refusal::Invalid(violations)) => format!("422 {}", show(&violations)),
    }
}

const PARAMETERS: &str = "
    get:
      parameters:
        - {name: limit, in: query, schema: {type: integer, format: int32, minimum: 1, maximum: 100}}
        - {name: state, in: query, schema: {type: string, enum: [open, closed]}}
        - {name: ids, in: query, schema: {type: array, items: {type: integer}}}
        - {name: tags, in: query, explode: false, schema: {type: array, items: {type: string, minLength: 2}}}
        - {name: pipes, in: query, style: pipeDelimited, explode: false, schema: {type: array, items: {type: boolean}}}
        - {name: spaces, in: query, style: spaceDelimited, explode: false, schema: {type: array, items: {type: integer}}}
        - {name: filter, in: query, style: deepObject, schema: {type: object, additionalProperties: false,
            properties: {from: {type: integer}, to: {type: integer}, in: {type: array, items: {type: string}}}}}
        - {name: range, in: query, schema: {type: object, properties: {low: {type: integer}, high: {type: integer}}}}
        - {name: packed, in: query, explode: false, schema: {type: object, properties: {r: {type: integer}}, required: [r]}}
        - {name: json, in: query, content: {application/json: {schema: {type: object, required: [a]}}}}
        - {name: maybe, in: query, allowEmptyValue: true, schema: {type: integer}}
        - {name: either, in: query, schema: {type: [integer, string], maxLength: 3, maximum: 9}}
        - {name: when, in: query, schema: {type: string, format: date-time}}
        - {name: code, in: query, schema: {type: string, pattern: '^[A-Z]{3}$'}}
        - {name: X-Trace, in: header, schema: {type: string, format: uuid}}
        - {name: X-Ids, in: header, schema: {type: array, items: {type: integer}}}
        - {name: session_size, in: cookie, schema: {type: integer}}
      responses: {'200': {description: ok}}
";

#[test]
fn parameters_are_read_by_their_style() {
    let operation = operation("/x", PARAMETERS, CompileOptions::default());
    for target in [
        "?limit=7&state=open",
        "?ids=1&ids=2",
        "?ids=1",
        "?tags=ab,cd%2Cef",
        "?pipes=true%7Cfalse",
        "?pipes=true|false",
        "?spaces=1%202",
        "?spaces=1+2",
        "?filter%5Bfrom%5D=1&filter[to]=2",
        "?filter[in][]=a&filter[in][]=b",
        "?low=1&high=2",
        "?packed=r,1",
        "?json=%7B%22a%22%3A1%7D",
        "?maybe=",
        "?maybe=3",
        "?either=9",
        "?either=abc",
        "?when=2026-11-21T22%3A58%3A40Z",
        "?code=ABC",
        "",
        "?",
        "?&&limit=1",
    ] {
        assert_eq!(parameters(&operation, target, &[], &[]), "passes", "{target}");
    }
    let fields = [
        ("x-trace", "6ba7b810-9dad-11d1-80b4-00c04fd430c8"),
        ("x-ids", "1, 2"),
        ("cookie", "a=b; session_size=3"),
    ];
    assert_eq!(parameters(&operation, "", &[], &fields[..1]), "passes");
    assert_eq!(parameters(&operation, "", &[], &fields[2..]), "passes");
}

#[test]
fn wrong_parameters_are_named() {
    let operation = operation("/x", PARAMETERS, CompileOptions::default());
    let mut told = String::new();
    for target in [
        "?limit=0",
        "?limit=07",
        "?limit=1&limit=2",
        "?limit=%zz",
        "?limit=3000000000",
        "?state=new",
        "?ids=a",
        "?ids=1,2",
        "?tags=a,bc",
        "?filter[from]=x",
        "?filter[other]=1",
        "?filter=1",
        "?packed=r",
        "?packed=g,1",
        "?json=%7B%7D",
        "?json=%7B",
        "?either=abcd",
        "?when=yesterday",
        "?code=abc",
        "?debug=1&token=s3cret",
    ] {
        told.push_str(&format!("{target} -> {}\n", parameters(&operation, target, &[], &[])));
    }
    let fields = [("x-trace", "1"), ("cookie", "session_size=x; session_size=1")];
    told.push_str(&parameters(&operation, "", &[], &fields));
    insta::assert_snapshot!(told);
}

#[test]
fn path_parameters_are_checked_decoded() {
    let yaml = "
    get:
      parameters:
        - {name: id, in: path, required: true, schema: {type: integer}}
        - {name: kind, in: path, required: true, style: label, explode: true, schema: {type: array, items: {enum: [a, b c]}}}
        - {name: at, in: path, required: true, style: matrix, schema: {type: integer}}
      responses: {'200': {description: ok}}
";
    let operation = operation("/x/{id}/{kind}/{at}", yaml, CompileOptions::default());
    let check = |id, kind, at| parameters(&operation, "", &[("id", id), ("kind", kind), ("at", at)], &[]);
    assert_eq!(check("1", ".a.b%20c", ";at=2"), "passes");
    assert_eq!(check("1", ".a", ";at=x"), "path at: type: must be an integer [;at=x]");
    assert_eq!(
        check("1%27", ".c", "2"),
        "path id: type: must be an integer [1%27]\npath kind: enum: at `/0`: is none of the values allowed: `a`, `b c` [c]\npath at: style: does not begin with `;` as its style does [2]"
    );
}

const ORDERS: &str = "
    post:
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              required: [item, quantity]
              properties:
                id: {type: string, readOnly: true}
                item: {type: string, minLength: 1}
                quantity: {type: integer, format: int32, minimum: 1}
                note: {type: [string, 'null']}
                card: {type: string, pattern: '^[0-9]{4}$'}
                lines: {type: array, items: {type: object, properties: {sku: {type: string}}}}
      responses: {'200': {description: ok}}
";

#[test]
fn json_bodies_are_judged() {
    let operation = operation("/orders", ORDERS, CompileOptions::default());
    let check = |text| body(&operation, "application/json; charset=utf-8", text);
    assert_eq!(
        check(r#"{"item":"a","quantity":1,"note":null}"#),
        r#"{"item": "a", "quantity": 1, "note": null}"#
    );
    insta::assert_snapshot!(
        [
            check(r#"{"quantity":1}"#),
            check(r#"{"item":"a","quantity":1.5}"#),
            check(r#"{"item":"a","quantity":3000000000}"#),
            check(r#"{"item":"","quantity":"1","card":"4111111111111111"}"#),
            check(r#"{"item":"a","quantity":1,"lines":[{"sku":1}]}"#),
            check(r#"{"item":"a","item":"b","quantity":1}"#),
            check("[]"),
            check("{"),
            check(""),
            body(&operation, "text/plain", "{}"),
            body(&operation, "", "{}"),
            body(&operation, "application/json; charset=utf-16", "{}"),
        ]
        .join("\n")
    );
}

#[test]
fn unknown_fields_are_refused_by_choice() {
    let yaml = "
    post:
      requestBody:
        content:
          application/json:
            schema:
              allOf:
                - {type: object, properties: {a: {type: integer}}}
                - {type: object, properties: {b: {$ref: '#/components/schemas/Inner'}}}
      responses: {'200': {description: ok}}
components:
  schemas:
    Inner: {type: object, properties: {c: {type: integer}, free: {type: object}}}
";
    let open = operation("/x", yaml, CompileOptions::default());
    let closed = CompileOptions { unknown_fields: UnknownFields::Refuse, ..CompileOptions::default() };
    let closed = operation("/x", yaml, closed);
    let json = "application/json";
    let known = r#"{"a": 1, "b": {"c": 2, "free": {"any": 1}}}"#;
    assert_eq!(body(&closed, json, known), known);
    for unknown in [r#"{"a": 1, "z": 1}"#, r#"{"b": {"c": 2, "z": 1}}"#] {
        assert_eq!(body(&open, json, unknown), unknown);
        assert!(body(&closed, json, unknown).starts_with("422"), "{unknown}");
    }
    assert_eq!(
        body(&closed, json, r#"{"b": {"z": 1}}"#),
        "422 body /b: additionalProperties: has a field the schema does not know: `z` [object of 1 members]"
    );
}

#[test]
fn a_tag_decides_between_alternatives() {
    let yaml = "
    post:
      requestBody:
        content:
          application/json:
            schema:
              oneOf:
                - {$ref: '#/components/schemas/Cat'}
                - {$ref: '#/components/schemas/Dog'}
              discriminator: {propertyName: kind, mapping: {cat: '#/components/schemas/Cat', hound: '#/components/schemas/Dog'}}
      responses: {'200': {description: ok}}
components:
  schemas:
    Cat: {type: object, required: [kind], properties: {kind: {type: string}, lives: {type: integer}}}
    Dog: {type: object, required: [kind], properties: {kind: {type: string}, barks: {type: boolean}}}
";
    let operation = operation("/pets", yaml, CompileOptions::default());
    let check = |text| body(&operation, "application/json", text);
    // Without the tag both alternatives would hold, and `oneOf` refuse.
    assert_eq!(check(r#"{"kind": "cat", "lives": 9}"#), r#"{"kind": "cat", "lives": 9}"#);
    assert_eq!(check(r#"{"kind": "hound", "lives": "none"}"#), r#"{"kind": "hound", "lives": "none"}"#);
    assert!(check(r#"{"kind": "cat", "lives": "nine"}"#).starts_with("422"));
    assert!(check(r#"{"kind": "cow"}"#).starts_with("422"));
    assert!(check(r#"{"lives": 9}"#).starts_with("422"));
}

#[test]
fn forms_become_objects_of_their_types() {
    let yaml = "
    post:
      requestBody:
        content:
          application/x-www-form-urlencoded:
            schema: &form
              type: object
              required: [name]
              additionalProperties: false
              properties:
                name: {type: string}
                age: {type: integer}
                tags: {type: array, items: {type: string}}
                address: {type: object, properties: {zip: {type: integer}}}
                raw: {type: string, format: binary}
          multipart/form-data:
            schema: *form
            encoding: {raw: {contentType: image/png}}
      responses: {'200': {description: ok}}
";
    let operation = operation("/x", yaml, CompileOptions::default());
    let form = |text| body(&operation, "application/x-www-form-urlencoded", text);
    assert_eq!(
        form("name=a+b&age=3&tags=x&tags=y&address%5Bzip%5D=1"),
        r#"{"name": "a b", "age": 3, "tags": ["x", "y"], "address": {"zip": 1}}"#
    );
    assert_eq!(form("name=12&address=%7B%22zip%22:5%7D"), r#"{"name": "12", "address": {"zip": 5}}"#);
    assert_eq!(form("name=a&age=x"), "422 body /age: type: must be an integer [x]");
    assert_eq!(
        form("name=a&name=b"),
        "422 body /name: repeated_parameter: comes more than once and is no array []"
    );
    assert!(
        form("name=a&admin=1").starts_with("422 body : additionalProperties"),
        "{}",
        form("name=a&admin=1")
    );
    assert!(form("name=%f").starts_with("400"));
    let part = |head: &str, content: &str| {
        format!("--b\r\nContent-Disposition: form-data; {head}\r\n\r\n{content}\r\n")
    };
    let multi =
        |parts: &str| body(&operation, "multipart/form-data; boundary=b", &format!("{parts}--b--\r\n"));
    let parts =
        part("name=name", "n") + &part("name=age", "4") + &part("name=tags", "x") + &part("name=tags", "y");
    assert_eq!(multi(&parts), r#"{"name": "n", "age": 4, "tags": ["x", "y"]}"#);
    let png = part("name=\"raw\"; filename=\"a.png\"\r\nContent-Type: image/png", "\u{1}PNG");
    assert_eq!(multi(&(part("name=name", "n") + &png)), r#"{"name": "n", "raw": ""}"#);
    let html = part("name=\"raw\"; filename=\"a.html\"\r\nContent-Type: text/html", "<b>");
    assert!(multi(&(part("name=name", "n") + &html)).starts_with("422 body /raw: media_type"));
    assert!(body(&operation, "multipart/form-data", "x").starts_with("400"));
}

#[test]
fn a_body_nobody_declared_is_refused() {
    let yaml = "\n    get:\n      responses: {'200': {description: ok}}\n";
    let operation = operation("/x", yaml, CompileOptions::default());
    assert_eq!(body(&operation, "application/json", ""), "Absent");
    assert!(body(&operation, "application/json", "{}").starts_with("422 body : undeclared_body"));
}

#[test]
fn coded_bodies_are_refused_where_they_must_be_read() {
    let operation = operation("/orders", ORDERS, CompileOptions::default());
    let coded = headers(&[("content-type", "application/json"), ("content-encoding", "gzip")]);
    let checked = operation.check_request_body(&coded, &Bytes::from_static(b"\x1f\x8b"));
    assert!(matches!(checked, Err(Refusal::UnsupportedMediaType(it)) if it.keyword == "content_coding"));
}

#[test]
fn answers_are_judged_where_declared() {
    let yaml = "
    get:
      responses:
        '200':
          description: ok
          headers: {X-Left: {required: true, schema: {type: integer}}}
          content: {application/json: {schema: {type: object, required: [id], properties: {id: {type: integer}, password: {type: string, writeOnly: true}}}}}
        4XX: {description: no, content: {application/problem+json: {schema: {type: object, required: [title]}}}}
";
    let operation = operation("/x", yaml, CompileOptions::default());
    let check = |status, media: &str, left: &str, body: &str| {
        let fields = headers(&[("content-type", media), ("x-left", left)]);
        match operation.check_response(status, &fields, Some(&Bytes::copy_from_slice(body.as_bytes()))) {
            ResponseVerdict::Violations(violations) => show(&violations),
            other => format!("{other:?}"),
        }
    };
    let json = "application/json";
    assert_eq!(check(200, json, "3", r#"{"id": 1}"#), "Conforms");
    assert_eq!(check(200, json, "x", r#"{"id": 1}"#), "answer header x-left: type: must be an integer [x]");
    assert_eq!(check(200, json, "3", r#"{"id": "1"}"#), "answer /id: type: must be an integer [1]");
    assert_eq!(check(200, "text/html", "3", "<p>"), "NotJudged(MediaType)");
    assert_eq!(check(500, json, "3", "{}"), "NotJudged(Status)");
    assert_eq!(
        check(404, "application/problem+json", "3", "{}"),
        "answer : required: lacks the required field `title` [object of 0 members]"
    );
    assert!(operation.wants_response_body(200, &headers(&[("content-type", json)])));
    assert!(!operation.wants_response_body(200, &headers(&[("content-type", "text/event-stream")])));
    assert!(!operation.wants_response_body(204, &headers(&[("content-type", json)])));
}

#[test]
fn a_broken_schema_costs_its_own_operation() {
    let text = format!(
        "openapi: 3.1.0\ninfo: {{title: t, version: '1'}}\npaths:\n  /a:\n{ORDERS}  /b:\n    get: {{responses: {{'200': {{description: ok}}}}}}\n"
    );
    let source = MemorySource::default().with("api.yaml", text);
    for broken in [
        serde_json::json!({"type": "objekt"}),
        serde_json::json!({"items": {"pattern": "(?=a)b"}}),
        serde_json::json!({"items": {"$ref": "#/$defs/nowhere"}}),
    ] {
        let mut document = openapi::load("api.yaml", &source, &LoadOptions::default()).unwrap();
        let schema = document.operations[0].body.as_ref().unwrap().content[0].schema.clone().unwrap();
        document.request_schemas["$defs"][schema.name()] = broken.clone();
        let compiled = CompiledDocument::compile(document, CompileOptions::default());
        let paths: Vec<_> = compiled.operations.iter().map(|it| it.path.as_str()).collect();
        assert_eq!(paths, ["/b"], "{broken}");
        assert_eq!(compiled.diagnostics.len(), 1, "{broken}");
        assert_eq!(compiled.diagnostics[0].severity, DiagnosticSeverity::Error);
        assert_eq!(compiled.diagnostics[0].operation.as_deref(), Some("POST /a"));
        assert!(
            compiled.diagnostics[0].message.contains(schema.pointer()),
            "{}",
            compiled.diagnostics[0].message
        );
    }
}

#[test]
fn a_large_body_wrong_everywhere_is_explained_briefly() {
    let operation = operation("/orders", ORDERS, CompileOptions::default());
    let lines = vec![r#"{"sku":1}"#; 5_000].join(",");
    let told =
        body(&operation, "application/json", &format!(r#"{{"item":"a","quantity":1,"lines":[{lines}]}}"#));
    assert_eq!(told, "422 body /lines/0/sku: type: must be a string [1]");
}
