//! A document store: filters that are values, or whatever the caller sends.

use serde_json::{Map, Value, json};

use crate::{
    engines::{
        documents::{matches, passes},
        expression::Scope,
    },
    http::{
        call::Cx,
        reply::Reply,
        route::{Route, list, object, object_with, some_text, text},
    },
    weakness::Weakness as W,
};

fn events() -> Vec<Value> {
    vec![
        json!({"name": "Herring fair", "type": "fair", "place": "Bergen", "open": true}),
        json!({"name": "Lantern fair", "type": "fair", "place": "Ghent", "open": true}),
        json!({"name": "Rowing race", "type": "race", "place": "Bergen", "open": true}),
        json!({"name": "Board dinner", "type": "internal", "place": "Bergen", "open": false}),
    ]
}

pub(crate) fn routes() -> Vec<Route> {
    let event = || {
        list(object(
            json!({"name": {"type": "string"}, "type": {"type": "string"}, "place": {"type": "string"}}),
        ))
    };
    vec![
        Route::get("/events", "listEvents", "Open events of a type")
            .query("type", text(60), json!("fair"))
            .answers(200, event())
            .lenient(&[W::NosqlBrackets])
            .now(all),
        Route::post("/events/search", "searchEvents", "Open events by a filter")
            .body(
                object(json!({"filter": object_with(&[], json!({"type": some_text(60), "place": some_text(60)}))})),
                json!({"filter": {"type": "fair"}}),
            )
            .answers(200, event())
            .lenient(&[W::NosqlSearch])
            .heavy(search),
        Route::get("/events/nearby", "listEventsNearby", "Open events at a place")
            .query("place", text(200), json!("Bergen"))
            .required()
            .answers(200, event())
            .lenient(&[W::NosqlWhere])
            .heavy(nearby),
        Route::post("/keeper/login", "keeperLogin", "Sign in as the keeper of the lighthouse")
            .body(
                object(json!({"name": some_text(60), "password": some_text(60)})),
                json!({"name": "keeper", "password": "lamp-oil-1911"}),
            )
            .answers(200, object(json!({"welcome": {"type": "string"}})))
            .answers(401, json!({"type": "object"}))
            .lenient(&[W::NosqlLogin])
            .heavy(login),
    ]
}

/// What of a filter a careful service takes: fields that are text, under the names it knows.
fn plain(filter: &Value) -> Value {
    let known = ["type", "place", "name", "password"];
    let fields = filter.as_object().into_iter().flatten();
    fields
        .filter(|(name, value)| known.contains(&name.as_str()) && value.is_string())
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

fn found(filter: &Value, careless: bool) -> Reply {
    let scope = Scope::new(&|_| Value::Null);
    let mut whole = Map::new();
    whole.insert("$and".to_owned(), json!([filter, {"open": true}]));
    let whole = if careless && filter.get("open").is_some() { filter.clone() } else { Value::Object(whole) };
    let rows = events().into_iter().filter(|it| matches(it, &whole, &scope));
    Reply::ok(
        &rows
            .map(|it| json!({"name": it.get("name"), "type": it.get("type"), "place": it.get("place")}))
            .collect(),
    )
}

fn all(cx: &Cx) -> Reply {
    let careless = cx.on(W::NosqlBrackets);
    let mut filter = Map::new();
    for (name, value) in &cx.call.query {
        let operator = name.strip_prefix("type[").and_then(|it| it.strip_suffix(']'));
        match operator {
            Some(operator) if careless => {
                filter.insert("type".to_owned(), json!({operator: value}));
            }
            None if name == "type" => {
                filter.insert("type".to_owned(), json!(value));
            }
            _ => {}
        }
    }
    found(&Value::Object(filter), careless)
}

fn search(cx: &Cx) -> Reply {
    let filter = cx.field("filter");
    if cx.on(W::NosqlSearch) { found(filter, true) } else { found(&plain(filter), false) }
}

fn nearby(cx: &Cx) -> Reply {
    let place = cx.query("place").unwrap_or_default();
    if !cx.on(W::NosqlWhere) {
        return found(&json!({"place": place}), false);
    }
    let scope = Scope::new(&|_| Value::Null);
    let expression = format!("this.open && this.place == '{place}'");
    let rows = events().into_iter().filter(|it| passes(it, &expression, &scope));
    Reply::ok(
        &rows
            .map(|it| json!({"name": it.get("name"), "type": it.get("type"), "place": it.get("place")}))
            .collect(),
    )
}

fn login(cx: &Cx) -> Reply {
    let keeper = json!({"name": "keeper", "password": "lamp-oil-1911"});
    let sent = json!({"name": cx.field("name"), "password": cx.field("password")});
    let sent = if cx.on(W::NosqlLogin) { sent } else { plain(&sent) };
    let whole = sent.get("name").is_some() && sent.get("password").is_some();
    if whole && matches(&keeper, &sent, &Scope::new(&|_| Value::Null)) {
        return Reply::ok(&json!({"welcome": "keeper"}));
    }
    Reply::problem(401, "the credentials are not right")
}
