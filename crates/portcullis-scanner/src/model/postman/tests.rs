//! Collections become operations.

use serde_json::json;

use super::*;
use crate::model::{Effect, Place};

fn model(collection: Value) -> Model {
    read(collection.to_string().as_bytes(), None).unwrap()
}

fn shop() -> Value {
    json!({
        "info": {"name": "Shop", "schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"},
        "auth": {"type": "bearer", "bearer": [{"key": "token", "value": "{{token}}"}]},
        "variable": [{"key": "base", "value": "https://{{host}}/api"}, {"key": "host", "value": "shop.example"}],
        "item": [
            {"name": "Users", "item": [
                {"name": "Get one", "request": {"method": "GET", "url": {
                    "raw": "{{base}}/users/:id?full=true&off=1", "variable": [{"key": "id", "value": "7"}],
                    "query": [{"key": "full", "value": "true"}, {"key": "off", "value": "1", "disabled": true}]}},
                 "response": [
                    {"code": 200, "header": [{"key": "Content-Type", "value": "application/json"}], "body": "{\"id\": 7}"},
                    {"code": 404, "body": "", "originalRequest": {"method": "GET", "url": "{{base}}/users/:id"}}]},
                {"name": "Add", "request": {"method": "POST", "auth": {"type": "noauth"}, "url": "{{base}}/users",
                    "header": [{"key": "X-Trace", "value": "{{$guid}}"}],
                    "body": {"mode": "raw", "raw": "{\"name\": \"{{name}}\", \"age\": {{age}}}"}}}]},
            {"name": "Log in", "request": {"method": "POST", "url": "{{base}}/login",
                "auth": {"type": "apikey", "apikey": [{"key": "key", "value": "X-K"}, {"key": "in", "value": "header"}]},
                "body": {"mode": "urlencoded", "urlencoded": [{"key": "user", "value": "ann"}, {"key": "no", "disabled": true}]}}},
            {"name": "Orders", "request": "{{base}}/orders/1001/lines/{{line}}"},
            {"name": "Ask", "request": {"method": "POST", "url": {"protocol": "https", "host": ["shop", "example"], "path": ["graphql"]},
                "body": {"mode": "graphql", "graphql": {"query": "{me}", "variables": "{\"a\": 1}"}}}},
            {"name": "odd"}
        ]
    })
}

#[test]
fn folders_variables_authentication_and_answers_are_read() {
    let model = model(shop());
    assert_eq!(model.title, "Shop");
    assert_eq!(model.servers, ["https://shop.example"]);
    let ids: Vec<_> = model.operations.iter().map(|it| &*it.id).collect();
    assert_eq!(
        ids,
        [
            "GET /api/users/{id}",
            "POST /api/users",
            "POST /api/login",
            "GET /api/orders/{order_id}/lines/{line}",
            "POST /graphql"
        ]
    );
    let [one, add, login, order, ask] = model.operations.as_slice() else { panic!() };
    assert_eq!(one.security.as_ref().unwrap()[0][0].scheme, "bearer");
    assert_eq!(one.examples[0].parameters[&Place::Path("id".into())], json!(7));
    assert_eq!(one.examples[0].answer, Some((200, json!({"id": 7}))));
    assert_eq!(one.answers.len(), 2);
    assert!(!one.parameters.iter().any(|it| it.place.name() == "off"));
    assert_eq!(add.security, Some(vec![vec![]]));
    assert_eq!(add.examples[0].body, Some(json!({"name": "name", "age": "age"})));
    assert_eq!(login.effect, Effect::Acts);
    assert_eq!(login.body.as_ref().unwrap().media, ["application/x-www-form-urlencoded"]);
    assert_eq!(model.schemes["header:x-k"], Scheme::Key(Place::Header("x-k".into())));
    assert_eq!(order.examples[0].parameters[&Place::Path("order_id".into())], json!(1001));
    assert_eq!(ask.examples[0].body, Some(json!({"query": "{me}", "variables": {"a": 1}})));
    assert_eq!(model.notes.len(), 1);
    assert_eq!(model.notes[0].place, "/item/4");
}

#[test]
fn version_2_0_and_wrapped_collections_are_read() {
    let inner = json!({"info": {"name": "n"}, "item": [{"request": {"url": "http://a.example/x", "method": "GET",
        "auth": {"type": "apikey", "apikey": {"key": "k", "in": "query"}}}}]});
    let model = model(json!({ "collection": inner }));
    assert_eq!(model.schemes["query:k"], Scheme::Key(Place::Query("k".into())));
}

#[test]
fn a_server_nobody_names_is_left_to_the_target() {
    let text = json!({"item": [{"request": "{{where}}/x"}]}).to_string();
    let model = read(text.as_bytes(), Some("http://127.0.0.1:8080/c.json")).unwrap();
    assert_eq!(model.servers, ["http://127.0.0.1:8080"]);
    assert_eq!(&*model.operations[0].id, "GET /x");
}

#[test]
fn variables_that_contain_themselves_end() {
    let model = model(
        json!({"variable": [{"key": "a", "value": "x{{a}}{{a}}"}], "item": [{"request": "http://h/{{a}}"}]}),
    );
    assert_eq!(model.operations.len(), 1);
}

#[test]
fn what_is_no_collection_is_refused() {
    for (text, error) in [
        ("{}", "`/item`: must be an array: this is no Postman collection of version 2"),
        (r#"{"item": []}"#, "none of its 0 entries is a call of an API"),
        ("[", "line 1, column 1: EOF while parsing a list"),
    ] {
        assert_eq!(read(text.as_bytes(), None).unwrap_err().to_string(), error, "{text}");
    }
    let deep = (0..60).fold(json!({"request": "http://h/x"}), |inner, _| json!({"item": [inner]}));
    assert!(read(deep.to_string().as_bytes(), None).is_err());
}
