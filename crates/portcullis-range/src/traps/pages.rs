//! Pages that change by themselves or repeat what they are told, safely.

use serde_json::{Value, json};

use crate::http::{
    call::Cx,
    reply::{Reply, escape_html},
    route::{Route, list, object, text},
};

const ADVERTISEMENTS: &[&str] =
    &["Ropes for every knot", "Lamps that never blink", "Coats for every weather", "Boots, boots, boots"];

pub(crate) fn routes() -> Vec<Route> {
    let page = || json!({"type": "string"});
    vec![
        Route::get("/news", "getNews", "News of the day")
            .query("topic", text(60), json!("weather"))
            .answers_of(200, "text/html", page())
            .now(news),
        Route::get("/wiki/{page...}", "getWikiPage", "A page of the wiki")
            .param("path", "page", text(500), json!("start"))
            .answers_of(200, "text/html", page())
            .now(|_| Reply::html(200, "<!doctype html><title>Wiki</title><p>This page is still to be written.</p>")),
        Route::get("/help/search", "searchHelp", "Search the help pages")
            .query("q", text(400), json!("lamp"))
            .required()
            .answers(404, json!({"type": "object"}))
            .answers(200, json!({"type": "object"}))
            .now(help),
        Route::get("/greeting", "getGreeting", "A greeting in a page")
            .query("name", text(400), json!("Ida"))
            .answers_of(200, "text/html", page())
            .now(greeting),
        Route::get("/manual", "getManual", "The database manual")
            .query("chapter", text(60), json!("1"))
            .answers_of(200, "text/plain", page())
            .now(|_| {
                Reply::text(
                    200,
                    "Chapter 4. You have an error in your SQL syntax: what the message means and what to do about it.\n\
                     ORA-00933, near \"SELECT\": SQL syntax error, unterminated string, and others of its kind.\n",
                )
            }),
        Route::get("/quiz", "getQuizAnswer", "The answer to everything")
            .query("question", text(400), json!("seven times seven"))
            .answers(200, object(json!({"answer": {"type": "integer"}})))
            .now(|_| Reply::ok(&json!({"answer": 49}))),
        Route::get("/visits", "listVisits", "The last visits, this one too")
            .answers(200, list(object(json!({"at": {"type": "integer"}, "visit": {"type": "integer"}}))))
            .now(visits),
    ]
}

fn news(cx: &Cx) -> Reply {
    let mut state = cx.app.state();
    let at = state.dice.below(4);
    let advertisement = ADVERTISEMENTS.get(usize::try_from(at).unwrap_or_default()).unwrap_or(&"");
    let (request, nonce) = (state.dice.uuid(), state.dice.hex(12));
    Reply::html(
        200,
        format!(
            "<!doctype html><title>News</title><p id=\"r{nonce}\">Calm seas.</p><aside>{advertisement}</aside>\
             <footer>served at {} for {request}</footer>",
            cx.app.now()
        ),
    )
}

fn help(cx: &Cx) -> Reply {
    let q = cx.query("q").unwrap_or_default();
    Reply::problem(404, &format!("nothing was found for `{q}`"))
}

fn greeting(cx: &Cx) -> Reply {
    let name = escape_html(cx.query("name").unwrap_or("stranger"));
    Reply::html(200, format!("<!doctype html><title>Hello</title><input name=\"who\" value=\"{name}\">"))
}

fn visits(cx: &Cx) -> Reply {
    let now = cx.app.now();
    let mut state = cx.app.state();
    let visit = state.table("visits").next_id();
    state.table("visits").add(json!({"at": now, "visit": visit}));
    let shown: Value = state.table("visits").rows().rev().take(200).cloned().collect();
    Reply::ok(&shown)
}
