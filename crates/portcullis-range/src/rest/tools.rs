//! Tools of the back office that call programs.

use serde_json::json;

use crate::{
    engines::shell,
    http::{
        call::Cx,
        reply::Reply,
        route::{Route, object, some_text},
    },
    weakness::Weakness as W,
};

pub(crate) fn routes() -> Vec<Route> {
    let host = || json!({"type": "string", "pattern": "^[A-Za-z0-9.-]{1,100}$"});
    vec![
        Route::post("/tools/ping", "pingHost", "See whether a host answers")
            .body(object(json!({"host": host()})), json!({"host": "printer.harbour.example"}))
            .answers(200, object(json!({"output": {"type": "string"}})))
            .lenient(&[W::CmdOutput])
            .heavy(|cx| Reply::ok(&json!({"output": shell::run(&format!("ping -c 1 {}", cx.text("host")))}))),
        Route::post("/tools/lookup", "lookUpHost", "Have a host looked up")
            .body(object(json!({"host": host()})), json!({"host": "printer.harbour.example"}))
            .answers(202, object(json!({"queued": {"type": "boolean"}})))
            .lenient(&[W::CmdBlind])
            .heavy(look_up),
        Route::get("/tools/label", "printLabel", "A label's text as it will be printed")
            .query("text", some_text(300), json!("Fragile"))
            .required()
            .answers_of(200, "text/plain", json!({"type": "string"}))
            .heavy(label),
    ]
}

fn look_up(cx: &Cx) -> Reply {
    // A careful service has a resolver of its own and asks it in its own time.
    if cx.on(W::CmdBlind) {
        shell::run(&format!("nslookup {}", cx.text("host")));
    }
    Reply::json(202, &json!({"queued": true}))
}

fn label(cx: &Cx) -> Reply {
    let text = cx.query("text").unwrap_or_default();
    if cx.on(W::CmdSubstitution) {
        return Reply::text(200, shell::run(&format!("echo \"{text}\"")));
    }
    Reply::text(200, format!("{text}\n"))
}
