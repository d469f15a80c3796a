//! Endpoints with odd but honest manners: slow, limited, moody, redirecting, wanting a token.

use std::time::Duration;

use serde_json::{Value, json};

use crate::http::{
    call::Cx,
    reply::Reply,
    route::{Route, object, some_text, text},
};

/// What `/archive` always takes, in milliseconds.
const ARCHIVE_MILLIS: u64 = 700;

/// What `/weather` takes at most, in milliseconds.
const WEATHER_MILLIS_MAX: u64 = 900;

pub(crate) fn routes() -> Vec<Route> {
    let place = || text(60);
    vec![
        Route::get("/weather", "getWeather", "The weather at a place")
            .query("place", place(), json!("Bergen"))
            .answers(200, object(json!({"sky": {"type": "string"}})))
            .later(|cx| Box::pin(weather(cx))),
        Route::get("/archive", "searchArchive", "Search old papers")
            .query("year", place(), json!("1911"))
            .answers(200, object(json!({"found": {"type": "integer"}})))
            .later(|_| {
                Box::pin(async {
                    tokio::time::sleep(Duration::from_millis(ARCHIVE_MILLIS)).await;
                    Reply::ok(&json!({"found": 0}))
                })
            }),
        Route::get("/quota", "getQuota", "A closely limited answer")
            .answers(200, object(json!({"left": {"type": "string"}})))
            .now(quota),
        Route::get("/tides", "getTides", "The tides, from a moody sensor")
            .query("place", place(), json!("Bergen"))
            .answers(200, object(json!({"high": {"type": "string"}})))
            .now(tides),
        Route::get("/old-shop", "getOldShop", "Where the shop was")
            .query("item", place(), json!("lamp"))
            .answers_of(302, "", Value::Null)
            .now(|_| Reply::empty(302).with("location", "/products")),
        Route::get("/contact", "getContactForm", "The token that the contact form wants")
            .answers(200, object(json!({"csrf_token": {"type": "string"}})))
            .now(form),
        Route::post("/contact", "sendContactForm", "Write to the harbour master")
            .body(
                object(json!({"csrf_token": some_text(100), "message": some_text(1000)})),
                json!({"csrf_token": "get it from GET /contact", "message": "Ahoy"}),
            )
            .answers(202, object(json!({"message": {"type": "string"}})))
            .answers(403, json!({"type": "object"}))
            .now(send),
    ]
}

async fn weather(cx: Cx) -> Reply {
    let millis = cx.app.state().dice.below(WEATHER_MILLIS_MAX);
    tokio::time::sleep(Duration::from_millis(millis)).await;
    Reply::ok(&json!({"sky": "grey"}))
}

fn quota(cx: &Cx) -> Reply {
    let now = cx.app.now();
    if cx.app.state().limits.take(&format!("quota {}", cx.call.peer), now, 5, 10) {
        return Reply::ok(&json!({"left": "some"}));
    }
    Reply::problem(429, "too many calls").with("retry-after", "10")
}

fn tides(cx: &Cx) -> Reply {
    if cx.app.state().dice.below(7) == 0 {
        return Reply::problem(500, "the sensor did not answer");
    }
    Reply::ok(&json!({"high": "06:12"}))
}

fn form(cx: &Cx) -> Reply {
    let mut state = cx.app.state();
    let token = state.dice.hex(32);
    state.table("forms").put(token.clone(), Value::Null);
    Reply::ok(&json!({"csrf_token": token}))
}

fn send(cx: &Cx) -> Reply {
    if !cx.app.state().table("forms").remove(cx.text("csrf_token")) {
        return Reply::problem(403, "the form has expired");
    }
    Reply::json(202, &json!({"message": "Thank you."}))
}
