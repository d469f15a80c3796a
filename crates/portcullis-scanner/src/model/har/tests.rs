//! Recorded calls become operations.

use serde_json::json;

use super::*;
use crate::model::{Effect, Kind, Place, Scheme};

fn entry(method: &str, url: &str, more: Value, status: u16, answer: &str) -> Value {
    let mut request = json!({"method": method, "url": url, "headers": []});
    for (key, value) in more.as_object().unwrap() {
        request[key] = value.clone();
    }
    json!({"request": request, "response": {"status": status, "content": {"mimeType": "application/json", "text": answer}}})
}

fn file(entries: Vec<Value>) -> Vec<u8> {
    json!({"log": {"version": "1.2", "entries": entries}}).to_string().into_bytes()
}

fn header(name: &str, value: &str) -> Value {
    json!([{"name": name, "value": value}])
}

#[test]
fn calls_become_operations_with_types_and_examples() {
    let body = |text: &str| json!({"headers": header("Authorization", "Bearer tok-1"), "postData": {"mimeType": "application/json; charset=utf-8", "text": text}});
    let bytes = file(vec![
        entry("GET", "https://api.example.com/users/1?limit=5&q=a%20b", json!({}), 200, r#"{"id": 1}"#),
        entry("GET", "https://api.example.com/users/2?limit=9", json!({}), 404, "{}"),
        entry(
            "POST",
            "https://api.example.com/users",
            body(r#"{"name": "ann", "age": 30}"#),
            201,
            r#"{"id": 3}"#,
        ),
        entry("POST", "https://api.example.com/users", body(r#"{"name": "bob"}"#), 201, r#"{"id": 4}"#),
        entry("GET", "https://cdn.example.com/x", json!({}), 200, "{}"),
        json!({"request": {"method": "GET", "url": "https://api.example.com/a.css"}, "response": {"content": {"mimeType": "text/css"}}}),
        json!({"request": {"method": "OPTIONS", "url": "https://api.example.com/users", "headers": header("Access-Control-Request-Method", "POST")}}),
    ]);
    let model = read(&bytes, None).unwrap();
    assert_eq!(model.servers, ["https://api.example.com"]);
    let [one, add] = model.operations.as_slice() else { panic!("{:#?}", model.operations) };
    assert_eq!((&*one.id, one.effect), ("GET /users/{user_id}", Effect::Reads));
    let slots: Vec<_> =
        one.parameters.iter().map(|it| (it.place.to_string(), it.kind, it.required)).collect();
    assert_eq!(
        slots,
        [
            ("path:user_id".to_owned(), Kind::Integer, true),
            ("query:limit".to_owned(), Kind::Integer, true),
            ("query:q".to_owned(), Kind::Text, false)
        ]
    );
    assert_eq!(one.examples[0].parameters[&Place::Query("q".into())], json!("a b"));
    assert_eq!(one.examples[0].answer, Some((200, json!({"id": 1}))));
    assert_eq!(one.security, Some(vec![vec![]]));
    let body = add.body.as_ref().unwrap();
    assert_eq!(body.media, ["application/json"]);
    assert_eq!(
        body.schema,
        json!({"type": "object", "required": ["name"], "properties": {
            "name": {"type": "string"}, "age": {"type": "integer"}}})
    );
    assert_eq!(add.security.as_ref().unwrap()[0][0].scheme, "bearer");
    assert_eq!(model.schemes["bearer"], Scheme::Bearer);
    let notes: Vec<_> = model.notes.iter().map(|it| it.text.as_str()).collect();
    assert_eq!(notes, ["1 entries go to other servers", "2 entries are no calls of an API"]);
}

#[test]
fn credentials_are_kept_apart_from_the_model() {
    let more = json!({"headers": [
        {"name": "Cookie", "value": "theme=dark; PHPSESSID=s3cret; csrftoken=x"},
        {"name": "X-Api-Key", "value": "k3y"}, {"name": "X-Tenant", "value": "7"},
        {"name": "User-Agent", "value": "ua"}]});
    let bytes = file(vec![entry("GET", "http://a.example/x?access_token=t0k", more, 200, "{}")]);
    let model = read(&bytes, None).unwrap();
    let shown = format!("{:?}", model.operations);
    for secret in ["s3cret", "k3y", "t0k"] {
        assert!(!shown.contains(secret), "{secret}");
    }
    let places: Vec<_> = model.operations[0].parameters.iter().map(|it| it.place.to_string()).collect();
    assert_eq!(places, ["header:x-tenant", "cookie:theme", "cookie:csrftoken"]);
    assert_eq!(model.operations[0].security.as_ref().unwrap()[0].len(), 3);
    let sessions = sessions(&bytes, None).unwrap();
    assert_eq!(sessions.len(), 1);
    assert_eq!(sessions[0].cookies, [("PHPSESSID".to_owned(), "s3cret".to_owned())]);
    assert_eq!(sessions[0].headers, [("x-api-key".to_owned(), "k3y".to_owned())]);
    assert_eq!(sessions[0].query, [("access_token".to_owned(), "t0k".to_owned())]);
}

#[test]
fn forms_and_encoded_answers_are_read() {
    let more =
        json!({"postData": {"mimeType": "application/x-www-form-urlencoded", "text": "a=1&b=x+y&b=z%26"}});
    let mut form = entry("POST", "http://a.example/login", more, 200, "eyJvayI6IDF9");
    form["response"]["content"]["encoding"] = json!("base64");
    let model = read(&file(vec![form]), None).unwrap();
    let operation = &model.operations[0];
    assert_eq!(operation.effect, Effect::Acts);
    assert_eq!(operation.examples[0].body, Some(json!({"a": 1, "b": ["x y", "z&"]})));
    assert_eq!(operation.examples[0].answer, Some((200, json!({"ok": 1}))));
}

#[test]
fn the_server_named_is_the_one_read() {
    let bytes = file(vec![
        entry("GET", "http://a.example/x", json!({}), 200, "{}"),
        entry("GET", "http://a.example/y", json!({}), 200, "{}"),
        entry("GET", "http://b.example:81/z", json!({}), 200, "{}"),
    ]);
    assert_eq!(read(&bytes, Some("http://B.example:81/api")).unwrap().operations[0].id.as_ref(), "GET /z");
    assert_eq!(read(&bytes, Some("http://c.example")).unwrap().operations.len(), 2);
}

#[test]
fn what_is_no_recording_is_refused_with_its_place() {
    for (text, error) in [
        ("{\n x}", "line 2, column 2: key must be a string"),
        ("{}", "`/log`: is missing: this is no HAR file"),
        (r#"{"log": {"entries": {}}}"#, "`/log/entries`: must be an array"),
        (
            r#"{"log": {"entries": [7, {"request": {"method": "GET", "url": "wss://x/y"}}]}}"#,
            "none of its 2 entries is a call of an API",
        ),
    ] {
        assert_eq!(read(text.as_bytes(), None).unwrap_err().to_string(), error, "{text}");
    }
}
