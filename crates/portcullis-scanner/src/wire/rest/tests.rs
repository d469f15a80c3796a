//! Calls of plain HTTP, byte by byte.

use bytes::Bytes;
use portcullis_spec::openapi::{LoadOptions, MemorySource};
use serde_json::json;

use super::*;
use crate::{
    call::ANONYMOUS,
    model::{OperationIndex, openapi},
};

fn model(text: &str) -> Model {
    let source = MemorySource::default().with("o.yaml", text);
    openapi::read("o.yaml", &source, &LoadOptions::default(), None).unwrap()
}

/// One operation whose parts are given in YAML's flow notation.
fn one(method: &str, path: &str, rest: &str) -> Model {
    model(&format!("openapi: 3.0.0\npaths:\n  {path}:\n    {method}: {{responses: {{}}, {rest}}}\n"))
}

fn call() -> Call {
    Call::of(OperationIndex(0), ANONYMOUS)
}

fn sent(model: &Model, call: &Call) -> Request {
    compose(model, call, &Session::default()).unwrap()
}

#[test]
fn path_values_are_encoded_and_styled() {
    for (style, value, target) in [
        ("style: simple", json!("a/b ?%"), "/x/a%2Fb%20%3F%25.json"),
        ("style: simple", json!([1, "a,b"]), "/x/1,a%2Cb.json"),
        ("style: simple, explode: true", json!({"a": 1, "b": 2}), "/x/a=1,b=2.json"),
        ("style: simple", json!({"a": 1, "b": 2}), "/x/a,1,b,2.json"),
        ("style: label", json!([1, 2]), "/x/.1,2.json"),
        ("style: label, explode: true", json!([1, 2]), "/x/.1.2.json"),
        ("style: matrix", json!(5), "/x/;id=5.json"),
        ("style: matrix", json!([1, 2]), "/x/;id=1,2.json"),
        ("style: matrix, explode: true", json!([1, 2]), "/x/;id=1;id=2.json"),
        ("style: matrix, explode: true", json!({"a": 1}), "/x/;a=1.json"),
    ] {
        let parameters =
            format!("parameters: [{{name: id, in: path, required: true, schema: {{}}, {style}}}]");
        let model = one("get", "/x/{id}.json", &parameters);
        let call = call().with(&Place::Path("id".into()), value);
        assert_eq!(sent(&model, &call).target, target, "{style}");
    }
}

#[test]
fn a_path_value_must_be_there() {
    let model = one("get", "/x/{id}", "parameters: []");
    assert_eq!(
        compose(&model, &call(), &Session::default()),
        Err(Uncomposable::MissingPathValue("id".to_owned()))
    );
}

#[test]
fn query_values_are_encoded_and_styled() {
    for (style, value, target) in [
        ("style: form", json!("a&b=c +é"), "/x?q=a%26b%3Dc%20%2B%C3%A9"),
        ("style: form", json!([1, 2]), "/x?q=1&q=2"),
        ("style: form, explode: false", json!([1, "2,3"]), "/x?q=1,2%2C3"),
        ("style: form", json!({"a": 1, "b": "x y"}), "/x?a=1&b=x%20y"),
        ("style: form, explode: false", json!({"a": 1}), "/x?q=a,1"),
        ("style: spaceDelimited, explode: false", json!([1, 2]), "/x?q=1%202"),
        ("style: pipeDelimited, explode: false", json!([1, 2]), "/x?q=1%7C2"),
        (
            "style: deepObject, explode: true",
            json!({"a": {"b": 1}, "c": [1, 2]}),
            "/x?q%5Ba%5D%5Bb%5D=1&q%5Bc%5D=1&q%5Bc%5D=2",
        ),
        ("style: form", json!([]), "/x"),
        ("style: form", json!(null), "/x?q="),
    ] {
        let model = one("get", "/x", &format!("parameters: [{{name: q, in: query, schema: {{}}, {style}}}]"));
        let call = call().with(&Place::Query("q".into()), value);
        assert_eq!(sent(&model, &call).target, target, "{style}");
    }
    let content = "parameters: [{name: q, in: query, content: {application/json: {schema: {}}}}]";
    let call = call().with(&Place::Query("q".into()), json!({"a": [1]}));
    assert_eq!(sent(&one("get", "/x", content), &call).target, "/x?q=%7B%22a%22%3A%5B1%5D%7D");
}

#[test]
fn headers_and_cookies_are_written_and_cannot_split_the_head() {
    let model = one("get", "/x", "parameters: []");
    let call = call()
        .with(&Place::Header("x-list".into()), json!([1, "b"]))
        .with(&Place::Cookie("c".into()), json!("a; b"));
    let request = sent(&model, &call);
    assert!(request.headers.contains(&("x-list".to_owned(), "1,b".to_owned())));
    assert!(request.headers.contains(&("cookie".to_owned(), "c=a%3B%20b".to_owned())));
    let call = call.with(&Place::Header("x-list".into()), json!("a\r\nb: c"));
    assert!(compose(&model, &call, &Session::default()).is_err());
}

fn body(media: &str, schema: &str, value: Value) -> (String, String) {
    let rest = format!("requestBody: {{content: {{{media}: {{schema: {schema}}}}}}}");
    let call = call().with(&Place::Body(String::new().into()), value);
    let request = sent(&one("post", "/x", &rest), &call);
    let media = request.headers.iter().find(|(name, _)| name == "content-type").unwrap().1.clone();
    (media, String::from_utf8(request.body.to_vec()).unwrap())
}

#[test]
fn bodies_are_written_in_their_media_type() {
    let value = json!({"a": "x&y", "list": [1, 2], "inner": {"b": true}});
    let json = r#"{"a":"x&y","list":[1,2],"inner":{"b":true}}"#;
    for (media, written, text) in [
        ("application/json", "application/json", json),
        ("application/vnd.x+json", "application/vnd.x+json", json),
        ("'*/*'", "application/json", json),
        (
            "application/x-www-form-urlencoded",
            "application/x-www-form-urlencoded",
            "a=x%26y&list=1&list=2&inner=%7B%22b%22%3Atrue%7D",
        ),
        (
            "application/xml",
            "application/xml",
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><root><a>x&amp;y</a><list>1</list><list>2</list><inner><b>true</b></inner></root>",
        ),
    ] {
        assert_eq!(body(media, "{}", value.clone()), (written.to_owned(), text.to_owned()), "{media}");
    }
    assert_eq!(body("text/plain", "{}", json!("hi")), ("text/plain".to_owned(), "hi".to_owned()));
    assert_eq!(body("image/*", "{}", json!("hi")), ("image/octet-stream".to_owned(), "hi".to_owned()));
}

#[test]
fn multipart_names_files_and_types_what_is_inside() {
    let schema = "{type: object, properties: {file: {type: string, format: binary}, meta: {type: object}}}";
    let value = json!({"file": "x--portcullis-boundary-0", "meta": {"a": 1}, "q\"": "v"});
    let (media, text) = body("multipart/form-data", schema, value);
    assert_eq!(media, "multipart/form-data; boundary=portcullis-boundary-1");
    assert_eq!(
        text,
        "--portcullis-boundary-1\r\n\
         Content-Disposition: form-data; name=\"file\"; filename=\"file.bin\"\r\n\
         Content-Type: application/octet-stream\r\n\r\nx--portcullis-boundary-0\r\n\
         --portcullis-boundary-1\r\n\
         Content-Disposition: form-data; name=\"meta\"\r\nContent-Type: application/json\r\n\r\n{\"a\":1}\r\n\
         --portcullis-boundary-1\r\n\
         Content-Disposition: form-data; name=\"q%22\"\r\n\r\nv\r\n\
         --portcullis-boundary-1--\r\n"
    );
}

#[test]
fn xml_follows_the_xml_objects_of_the_schema() {
    let schema = "{type: object, xml: {name: pet, namespace: 'urn:p', prefix: p}, properties: {\
        id: {type: integer, xml: {attribute: true}}, \
        tags: {type: array, xml: {name: labels, wrapped: true}, items: {type: string, xml: {name: label}}}}}";
    let (_, text) = body("application/xml", schema, json!({"id": 7, "tags": ["<a>"], "9 x": null}));
    assert_eq!(
        text,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><p:pet xmlns:p=\"urn:p\" id=\"7\">\
         <labels><label>&lt;a&gt;</label></labels><_9_x></_9_x></p:pet>"
    );
}

#[test]
fn a_bare_call_is_made_of_its_edits_and_carries_the_session() {
    let session = Session {
        secret: "k".to_owned(),
        query: vec![("key".to_owned(), "k".to_owned())],
        ..Session::default()
    };
    let call =
        Call::bare("TRACE", "/a?b", ANONYMOUS).edited(Edit::SetHeader("X-A".to_owned(), "1".to_owned()));
    let request = compose(&Model::default(), &call, &session).unwrap();
    assert_eq!((request.method.as_str(), request.target.as_str()), ("TRACE", "/a?b&key=k"));
    assert!(request.headers.contains(&("x-a".to_owned(), "1".to_owned())));
    // A second target is sent as it stands.
    let request = compose(&Model::default(), &call.edited(Edit::Target("/c".to_owned())), &session).unwrap();
    assert_eq!(request.target, "/c");
}

#[test]
fn raw_bytes_take_the_place_of_the_body_in_its_type() {
    let rest = "requestBody: {content: {application/json: {schema: {}}}}";
    let mut call =
        call().with(&Place::Body("/a".into()), json!(1)).edited(Edit::RawBody(b"{\"a\":1,".to_vec()));
    let request = sent(&one("post", "/x", rest), &call);
    assert_eq!(&request.body[..], b"{\"a\":1,");
    assert!(request.headers.contains(&("content-type".to_owned(), "application/json".to_owned())));
    call.body = None;
    call.media = Some("application/xml".into());
    let request = sent(&one("post", "/x", rest), &call);
    assert!(request.headers.contains(&("content-type".to_owned(), "application/xml".to_owned())));
}

fn answer(status: u16, body: &'static str) -> Answer {
    let request = Arc::new(sent(&one("get", "/x", "parameters: []"), &call()));
    let received = Received { status, body: Bytes::from_static(body.as_bytes()), ..Received::default() };
    read(&Model::default(), &call(), request, received)
}

#[test]
fn an_envelope_that_says_no_is_no_success() {
    for (status, body, outcome) in [
        (200, r#"{"status": "fail", "message": "wrong password"}"#, Outcome::Refused),
        (200, r#"{"success": false}"#, Outcome::Refused),
        (200, r#"{"ok": false, "error": "not_authed"}"#, Outcome::Refused),
        (200, r#"{"id": 7, "status": "failed", "message": "m"}"#, Outcome::Done),
        (200, r#"{"status": "success", "message": "ok"}"#, Outcome::Done),
        (200, r#"{"status": "error"}"#, Outcome::Done),
        (200, "<html>", Outcome::Done),
        (500, r#"{"success": false}"#, Outcome::Broken),
        (401, "", Outcome::Unauthenticated),
        (0, "", Outcome::Unreached),
    ] {
        assert_eq!(answer(status, body).outcome, outcome, "{status} {body}");
    }
    assert_eq!(answer(200, "\u{feff}[1]").json, Some(json!([1])));
    assert_eq!(answer(200, "[1").json, None);
}
