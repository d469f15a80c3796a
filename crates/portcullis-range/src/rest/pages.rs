//! Pages that repeat what they are told: escaped for where it stands, or as it came.

use serde_json::{Value, json};

use crate::{
    http::{
        call::Cx,
        reply::{Reply, escape_html},
        route::{Route, object, some_text, text},
    },
    weakness::Weakness as W,
};

pub(crate) fn routes() -> Vec<Route> {
    let page = || json!({"type": "string"});
    let html = |path, id, summary, name, example: &str| {
        Route::get(path, id, summary).query(name, text(500), json!(example)).answers_of(
            200,
            "text/html",
            page(),
        )
    };
    vec![
        html("/pages/search", "searchPage", "Search results as a page", "q", "lamp").now(|cx| {
            let q = cx.query("q").unwrap_or_default();
            let shown = if cx.on(W::XssReflected) { q.to_owned() } else { escape_html(q) };
            framed(cx, W::XssReflected, &format!("<p>Nothing was found for {shown}</p>"))
        }),
        html("/pages/profile", "profilePage", "A form with a name in it", "name", "Ida").now(|cx| {
            let name = cx.query("name").unwrap_or_default();
            // The careless twin knows of `<` and `>` and forgets the quotes.
            let shown = if cx.on(W::XssAttribute) {
                name.replace('<', "&lt;").replace('>', "&gt;")
            } else {
                escape_html(name)
            };
            framed(cx, W::XssAttribute, &format!("<input name=\"who\" value=\"{shown}\">"))
        }),
        html("/pages/track", "trackPage", "A page that counts its visits", "ref", "mail").now(|cx| {
            let reference = cx.query("ref").unwrap_or_default();
            let quoted = if cx.on(W::XssScript) {
                format!("\"{reference}\"")
            } else {
                // JSON, in which nothing can end the string or the script.
                json!(reference)
                    .to_string()
                    .replace('<', "\\u003c")
                    .replace('>', "\\u003e")
                    .replace('&', "\\u0026")
            };
            framed(cx, W::XssScript, &format!("<script>var ref = {quoted};</script>"))
        }),
        Route::get("/pages/lookup", "lookUpTerm", "What a term means, as JSON")
            .query("term", text(500), json!("aft"))
            .answers(200, object(json!({"term": {"type": "string"}})))
            .now(|cx| {
                let value = json!({"term": cx.query("term").unwrap_or_default(), "meaning": Value::Null});
                if cx.on(W::XssContentType) {
                    return loose(Reply::html(200, value.to_string()));
                }
                Reply::ok(&value)
            }),
        Route::post("/comments", "writeComment", "Leave a comment")
            .user()
            .body(object(json!({"text": some_text(500)})), json!({"text": "Fine lamps"}))
            .answers(201, json!({"type": "object"}))
            .now(|cx| {
                let row = json!({"owner_id": cx.me(), "text": cx.text("text")});
                Reply::json(201, &cx.app.state().table("comments").add(row))
            }),
        Route::get("/pages/comments", "commentsPage", "The last comments as a page")
            .answers_of(200, "text/html", page())
            .now(comments),
    ]
}

fn comments(cx: &Cx) -> Reply {
    let mut items = String::new();
    for row in cx.app.state().table("comments").rows().rev().take(50) {
        let text = row.get("text").and_then(Value::as_str).unwrap_or_default();
        let shown = if cx.on(W::XssStored) { text.to_owned() } else { escape_html(text) };
        items += &format!("<li>{shown}</li>");
    }
    framed(cx, W::XssStored, &format!("<ul>{items}</ul>"))
}

/// A page. The careless twin forbids no script either, so that what is injected runs.
pub(crate) fn framed(cx: &Cx, weakness: W, content: &str) -> Reply {
    let page = Reply::html(200, format!("<!doctype html><title>Harbour Market</title>{content}"));
    if cx.on(weakness) { loose(page) } else { page }
}

fn loose(page: Reply) -> Reply {
    page.with("content-security-policy", "default-src 'self' 'unsafe-inline'")
}
