//! Writes the table of routes as an OpenAPI 3.1 document.

use serde_json::{Map, Value, json};

use super::route::{Access, Route};
use crate::state::table::set;

/// The document, with the range's own address as its server.
pub(crate) fn document(routes: &[Route], server: &str) -> Value {
    let mut paths = Map::new();
    for route in routes.iter().filter(|it| it.documented) {
        let path = route.path.replace("...}", "}");
        if let Some(item) = paths.entry(path).or_insert_with(|| json!({})).as_object_mut() {
            item.insert(route.method.to_ascii_lowercase(), operation(route));
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Harbour Market",
            "version": "2.4.0",
            "description": "A small market place: accounts, orders, documents, and the back office behind them."
        },
        "servers": [{"url": server}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "bearerAuth": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "apiKeyAuth": {"type": "apiKey", "in": "header", "name": "X-API-Key"}
            },
            "schemas": {"Problem": {
                "type": "object",
                "required": ["title", "status"],
                "properties": {
                    "type": {"type": "string"},
                    "title": {"type": "string"},
                    "status": {"type": "integer"},
                    "detail": {"type": "string"}
                }
            }}
        }
    })
}

fn operation(route: &Route) -> Value {
    let mut answers = Map::new();
    for (status, media_type, schema) in &route.answers {
        let text = http::StatusCode::from_u16(*status).ok().and_then(|it| it.canonical_reason());
        let mut answer = json!({"description": text.unwrap_or("Answer")});
        if !media_type.is_empty() {
            set(&mut answer, "content", json!({*media_type: {"schema": schema}}));
        }
        answers.insert(status.to_string(), answer);
    }
    for (status, text) in usual_errors(route) {
        if !answers.contains_key(status) {
            answers.insert(status.to_owned(), problem(text));
        }
    }
    let mut operation = json!({
        "operationId": route.id,
        "summary": route.summary,
        "tags": [route.path.split('/').nth(1).unwrap_or_default()],
        "responses": answers
    });
    if !route.params.is_empty() {
        let parameters: Value = route
            .params
            .iter()
            .map(|it| {
                json!({
                    "name": it.name, "in": it.place, "required": it.required,
                    "schema": it.schema, "example": it.example
                })
            })
            .collect();
        set(&mut operation, "parameters", parameters);
    }
    if let Some(body) = &route.body {
        set(
            &mut operation,
            "requestBody",
            json!({
                "required": true,
                "content": {body.media_type: {"schema": body.schema, "example": body.example}}
            }),
        );
    }
    match route.access {
        Access::Public => {}
        Access::User | Access::Admin => set(&mut operation, "security", json!([{"bearerAuth": []}])),
        Access::ApiKey => set(&mut operation, "security", json!([{"apiKeyAuth": []}])),
    }
    operation
}

fn problem(text: &str) -> Value {
    json!({
        "description": text,
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    })
}

fn usual_errors(route: &Route) -> Vec<(&'static str, &'static str)> {
    let mut errors = Vec::new();
    if !route.params.is_empty() || route.body.is_some() {
        errors.push(("400", "The call is not as specified"));
    }
    if route.access != Access::Public {
        errors.push(("401", "Who calls is not known"));
    }
    if route.access == Access::Admin {
        errors.push(("403", "Not for this caller"));
    }
    if route.path.contains('{') {
        errors.push(("404", "No such resource"));
    }
    if route.body.is_some() {
        errors.push(("413", "The body is too large"));
        errors.push(("415", "The body is of another kind"));
    }
    errors.push(("429", "Too many calls"));
    errors
}
