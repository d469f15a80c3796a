//! Texts that are data in a template, or templates themselves.

use serde_json::json;

use crate::{
    engines::template::{Manner, render},
    http::{
        call::Cx,
        reply::Reply,
        route::{Route, object, some_text},
    },
    weakness::Weakness as W,
};

pub(crate) fn routes() -> Vec<Route> {
    let page = || json!({"type": "string"});
    vec![
        Route::post("/mail/preview", "previewMail", "A mail as it will be sent")
            .body(object(json!({"greeting": some_text(500)})), json!({"greeting": "Dear friends"}))
            .answers_of(200, "text/plain", page())
            .now(|cx| rendered(cx, cx.text("greeting"), W::SstiCurly, Manner::Curly)),
        Route::get("/banners", "showBanner", "A banner as it will be shown")
            .query("text", some_text(500), json!("Welcome"))
            .required()
            .answers_of(200, "text/plain", page())
            .now(|cx| rendered(cx, cx.query("text").unwrap_or_default(), W::SstiDollar, Manner::Dollar)),
        Route::post("/labels/print", "printLabels", "A label as it will be printed")
            .body(object(json!({"text": some_text(500)})), json!({"text": "Handle with care"}))
            .answers_of(200, "text/plain", page())
            .now(|cx| rendered(cx, cx.text("text"), W::SstiPercent, Manner::Percent)),
    ]
}

fn rendered(cx: &Cx, text: &str, weakness: W, manner: Manner) -> Reply {
    if !cx.on(weakness) {
        return Reply::text(200, format!("{text}\n-- Harbour Market\n"));
    }
    match render(&format!("{text}\n-- Harbour Market\n"), manner) {
        Ok(text) => Reply::text(200, text),
        Err(_) => Reply::problem(500, "an error occurred"),
    }
}
