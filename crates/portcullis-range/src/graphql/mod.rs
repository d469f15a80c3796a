//! The GraphQL side: `/graphql`, over POST, GET, and what else a careless service takes.

mod check;
mod execute;
mod parse;
mod schema;

use serde_json::{Value, json};

use self::{
    check::{Fault, Walk},
    execute::Run,
};
use crate::{
    http::{call::Cx, reply::Reply, route::Route},
    weakness::Weakness as W,
};

/// Operations of one batch that even the careless twin carries out.
const BATCH_MAX: usize = 200;

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::post("/graphql", "graphql", "GraphQL").hidden().heavy(post),
        Route::get("/graphql", "graphqlGet", "GraphQL").hidden().heavy(get),
        Route::get("/graphql/schema.graphql", "graphqlSchema", "The schema, for partners")
            .hidden()
            .now(|_| Reply::new(200, "application/graphql", schema::sdl())),
    ]
}

fn post(cx: &Cx) -> Reply {
    let media_type = cx.call.media_type();
    let form = media_type == "application/x-www-form-urlencoded";
    if media_type != "application/json" && !(form && cx.on(W::GraphqlForm)) {
        return Reply::problem(415, "the body must be JSON");
    }
    match &cx.json {
        Value::Array(operations) if cx.on(W::GraphqlBatch) => {
            Reply::ok(&operations.iter().take(BATCH_MAX).map(|it| carried_out(cx, it, true).1).collect())
        }
        Value::Object(_) => {
            let (status, value) = carried_out(cx, &cx.json, true);
            Reply::json(status, &value)
        }
        _ => Reply::json(400, &told("the body must be one operation")),
    }
}

fn get(cx: &Cx) -> Reply {
    let Some(query) = cx.query("query") else {
        let html = cx.call.header("accept").is_some_and(|it| it.contains("text/html"));
        if html && cx.on(W::GraphqlIde) {
            return Reply::html(
                200,
                "<!doctype html><title>GraphiQL</title><div id=\"graphiql\">Loading...</div>",
            );
        }
        return Reply::json(400, &told("a query is missing"));
    };
    let variables: Value =
        cx.query("variables").and_then(|it| serde_json::from_str(it).ok()).unwrap_or_default();
    let asked = json!({"query": query, "variables": variables, "operationName": cx.query("operationName")});
    let (status, value) = carried_out(cx, &asked, cx.on(W::GraphqlGetMutation));
    Reply::json(status, &value)
}

fn told(message: &str) -> Value {
    json!({"errors": [{"message": message}]})
}

/// Carries one operation out and gives status and answer.
fn carried_out(cx: &Cx, asked: &Value, mutations: bool) -> (u16, Value) {
    let text = asked.get("query").and_then(Value::as_str).unwrap_or_default();
    let variables = match asked.get("variables") {
        Some(Value::String(text)) => serde_json::from_str(text).unwrap_or_default(),
        other => other.cloned().unwrap_or_default(),
    };
    let Some(document) = parse::document(text, &variables) else {
        return (400, told("Syntax Error: this is no GraphQL document."));
    };
    let wanted = asked.get("operationName").and_then(Value::as_str).filter(|it| !it.is_empty());
    let operation = document.operations.iter().find(|it| wanted.is_none_or(|wanted| it.name == wanted));
    let Some(operation) = operation else { return (400, told("Unknown operation.")) };
    if operation.kind == "subscription" {
        return (400, told("Subscriptions are not served here."));
    }
    if operation.kind == "mutation" && !mutations {
        return (405, told("A mutation must be sent by POST."));
    }
    match Walk::new(cx, &document).fault(&operation.kind, &operation.selections) {
        Some(Fault::Told(message)) => return (400, told(&message)),
        Some(Fault::Fatal) => return (500, told("Maximum call stack size exceeded")),
        None => {}
    }
    let root = if operation.kind == "mutation" { "Mutation" } else { "Query" };
    let mut run = Run::new(cx, &document);
    let data = run.object(root, &Value::Null, &operation.selections);
    let mut answer = json!({"data": data});
    if !run.errors.is_empty() {
        crate::state::table::set(&mut answer, "errors", run.errors);
    }
    (200, answer)
}
