//! The specification is true: what it says is served, in both modes, and the secure twins keep to it.

use portcullis_range::Weaknesses;
use serde_json::{Value, json};

use crate::client::Client;

#[tokio::test]
async fn is_the_same_in_both_modes() {
    let without_server = async |weaknesses| {
        let client = Client::start(weaknesses, Vec::new()).await;
        let mut document = client.get("/openapi.json").await.json();
        document["servers"] = Value::Null;
        document
    };
    let secure = without_server(Weaknesses::none()).await;
    assert_eq!(secure["openapi"], "3.1.0");
    assert_eq!(secure, without_server(Weaknesses::all()).await);
}

/// Every operation, called with its own examples by an administrator, answers as declared: status, media type, schema.
#[tokio::test]
async fn examples_are_answered_as_declared() {
    let client = Client::start(Weaknesses::none(), Vec::new()).await;
    let document = client.get("/openapi.json").await.json();
    let admin = client.login("admin").await;
    let key = client.call(&admin, "POST", "/me/api-keys", Value::Null).await.json()["api_key"].clone();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            let id = operation["operationId"].as_str().expect("an id");
            if ["logout", "changePassword"].contains(&id) {
                continue;
            }
            let mut target = path.clone();
            let mut query = Vec::new();
            let bearer = format!("Bearer {admin}");
            let mut fields = vec![("authorization".to_owned(), bearer)];
            fields.push(("x-api-key".to_owned(), key.as_str().expect("a key").to_owned()));
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let name = parameter["name"].as_str().expect("a name");
                let example = match &parameter["example"] {
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                };
                match parameter["in"].as_str() {
                    Some("path") => target = target.replace(&format!("{{{name}}}"), &example),
                    Some("query") => query.push(format!("{name}={}", example.replace(' ', "+"))),
                    _ => fields.push((name.to_owned(), example)),
                }
            }
            if !query.is_empty() {
                target = format!("{target}?{}", query.join("&"));
            }
            let mut body = String::new();
            if let Some((media_type, content)) =
                operation["requestBody"]["content"].as_object().and_then(|it| it.iter().next())
            {
                fields.push(("content-type".to_owned(), media_type.clone()));
                body = match &content["example"] {
                    Value::String(text) if !media_type.ends_with("json") => text.clone(),
                    other => other.to_string(),
                };
            }
            let fields: Vec<(&str, &str)> =
                fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let answer = client.send(&method.to_uppercase(), &target, &fields, body.as_bytes()).await;
            let declared = &operation["responses"][answer.status.to_string()];
            assert!(declared.is_object(), "{id}: {} is not declared: {}", answer.status, answer.text());
            if id != "getTides" {
                assert!(answer.status < 500, "{id}: {}", answer.text());
            }
            if let Some(content) = declared["content"].as_object().filter(|it| !it.is_empty()) {
                let sent = answer.header("content-type").unwrap_or_default();
                let media_type = sent.split(';').next().unwrap_or_default();
                let problem = media_type == "application/problem+json";
                assert!(content.contains_key(media_type) || problem, "{id}: {media_type}");
                if let Some(schema) = content.get(media_type).map(|it| &it["schema"]).filter(|_| !problem)
                    && media_type.ends_with("json")
                {
                    let errors: Vec<String> = jsonschema::validator_for(schema)
                        .expect("a schema")
                        .iter_errors(&answer.json())
                        .map(|it| it.to_string())
                        .collect();
                    assert!(errors.is_empty(), "{id}: {errors:?}");
                }
            }
        }
    }
}

#[tokio::test]
async fn what_is_not_as_specified_is_refused() {
    let client = Client::start(Weaknesses::none(), Vec::new()).await;
    let token = client.login("alice").await;
    for (method, target, body, status) in [
        ("GET", "/orders/abc", Value::Null, 400),
        ("GET", "/orders/-1", Value::Null, 400),
        ("GET", "/orders/99999", Value::Null, 404),
        ("GET", "/products?limit=0", Value::Null, 400),
        ("GET", "/products?limit=1&limit=2", Value::Null, 400),
        ("GET", "/nowhere", Value::Null, 404),
        ("DELETE", "/orders", Value::Null, 405),
        ("FOO", "/orders", Value::Null, 405),
        ("OPTIONS", "/orders", Value::Null, 204),
        ("POST", "/orders", json!({"product_id": "1"}), 400),
        ("POST", "/orders", json!([]), 400),
    ] {
        let answer = client.call(&token, method, target, body).await;
        assert_eq!(answer.status, status, "{method} {target}");
    }
    let fields = [("content-type", "text/plain")];
    assert_eq!(client.send("POST", "/auth/login", &fields, b"{}").await.status, 415);
    let fields = [("content-type", "application/json")];
    assert_eq!(client.send("POST", "/auth/login", &fields, b"{").await.status, 400);
}

#[tokio::test]
async fn one_seed_gives_one_range() {
    let answers = async || {
        let client = Client::start(Weaknesses::none(), Vec::new()).await;
        let token = client.login("alice").await;
        let mut all = client.call(&token, "GET", "/documents", Value::Null).await.text();
        all += &client.call(&token, "POST", "/me/api-keys", Value::Null).await.text();
        all
    };
    assert_eq!(answers().await, answers().await);
}
