//! State that clients keep and send back: opaque and checked, or objects that are made as they are read.

use serde_json::json;

use crate::{
    engines::serialized::{Outcome, dotnet, java, php, python},
    http::{
        call::Cx,
        reply::Reply,
        route::{Route, object, some_text},
    },
    weakness::Weakness as W,
};

pub(crate) fn routes() -> Vec<Route> {
    let restore = |path, id, summary, field: &'static str| {
        Route::post(path, id, summary)
            .body(object(json!({field: some_text(8_000)})), json!({field: "none"}))
            .answers(200, object(json!({"restored": {"type": "boolean"}})))
            .answers(400, json!({"type": "object"}))
    };
    vec![
        restore("/sessions/restore", "restoreSession", "Go on with a session", "state")
            .heavy(|cx| restored(cx, W::DeserializationJava, "state", java)),
        restore("/carts/restore", "restoreCart", "Go on with a cart", "cart")
            .heavy(|cx| restored(cx, W::DeserializationPhp, "cart", php)),
        restore("/jobs/resume", "resumeJob", "Go on with a job", "job")
            .heavy(|cx| restored(cx, W::DeserializationPython, "job", python)),
        restore("/layouts", "applyLayout", "Use a layout", "layout")
            .heavy(|cx| restored(cx, W::DeserializationDotnet, "layout", dotnet)),
    ]
}

fn restored(cx: &Cx, weakness: W, field: &str, read: fn(&str) -> Outcome) -> Reply {
    let text = cx.text(field);
    if cx.on(weakness)
        && let Outcome::Complaint(complaint) = read(text)
    {
        return Reply::problem(500, &complaint);
    }
    // What the market keeps at clients is a number of its own making, or nothing.
    if text == "none" {
        return Reply::ok(&json!({"restored": false}));
    }
    Reply::invalid("this state is not known here")
}
