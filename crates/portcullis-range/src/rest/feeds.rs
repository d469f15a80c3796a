//! What partners answer: checked like any other input, or trusted.

use serde_json::{Value, json};

use super::{fetching::is_partner, pages::framed};
use crate::{
    engines::fetch,
    http::{
        call::Cx,
        reply::{Reply, escape_html},
        route::{Route, list, object},
    },
    weakness::Weakness as W,
};

/// What is kept of an answer, in characters.
const KEPT_MAX: usize = 4_000;

pub(crate) fn routes() -> Vec<Route> {
    let url = || json!({"type": "string", "format": "uri", "maxLength": 500});
    let example = || json!("https://images.harbour.example/feed");
    let get = |path, id, summary| {
        Route::get(path, id, summary)
            .query("url", url(), example())
            .required()
            .answers(422, json!({"type": "object"}))
            .answers(502, json!({"type": "object"}))
    };
    let post = |path, id, summary| {
        Route::post(path, id, summary)
            .body(object(json!({"url": url()})), json!({"url": example()}))
            .answers(422, json!({"type": "object"}))
            .answers(502, json!({"type": "object"}))
    };
    let page = || json!({"type": "string"});
    vec![
        get("/feeds/render", "renderFeed", "A partner's feed as a page")
            .answers_of(200, "text/html", page())
            .later(|cx| Box::pin(render(cx))),
        get("/feeds/follow", "followFeed", "A partner's feed, wherever it has moved to")
            .answers_of(200, "text/plain", page())
            .later(|cx| Box::pin(follow(cx))),
        post("/feeds", "createFeed", "Take a partner's feed over")
            .user()
            .answers(201, json!({"type": "object"}))
            .later(|cx| Box::pin(create(cx))),
        post("/feeds/sync", "syncFeed", "Products of the category that a partner names")
            .user()
            .answers(200, list(json!({"type": "object"})))
            .later(|cx| Box::pin(sync(cx))),
        Route::get("/pages/feeds", "feedsPage", "Feeds that were taken over, as a page")
            .answers_of(200, "text/html", page())
            .now(taken_over),
    ]
}

async fn fetched(cx: &Cx, weakness: W, url: &str, redirects_max: u8) -> Result<String, Reply> {
    if !cx.on(weakness) && !is_partner(cx, url) {
        return Err(Reply::problem(422, "addresses of this host are not accepted"));
    }
    let fetched = fetch::get(url, redirects_max).await;
    let fetched = fetched.map_err(|_| Reply::problem(502, "the address could not be fetched"))?;
    Ok(fetched.text().chars().take(KEPT_MAX).collect())
}

async fn render(cx: Cx) -> Reply {
    match fetched(&cx, W::UnsafeRendered, cx.query("url").unwrap_or_default(), 0).await {
        Ok(text) => {
            let shown = if cx.on(W::UnsafeRendered) { text } else { escape_html(&text) };
            framed(&cx, W::UnsafeRendered, &format!("<article>{shown}</article>"))
        }
        Err(reply) => reply,
    }
}

async fn follow(cx: Cx) -> Reply {
    let redirects_max = if cx.on(W::UnsafeFollowed) { 3 } else { 0 };
    match fetched(&cx, W::UnsafeFollowed, cx.query("url").unwrap_or_default(), redirects_max).await {
        Ok(text) => Reply::text(200, text),
        Err(reply) => reply,
    }
}

async fn create(cx: Cx) -> Reply {
    match fetched(&cx, W::UnsafeStored, cx.text("url"), 0).await {
        Ok(text) => {
            let row = json!({"owner_id": cx.me(), "text": text});
            let row = cx.app.state().table("feeds").add(row);
            Reply::json(201, &json!({"id": row.get("id")}))
        }
        Err(reply) => reply,
    }
}

fn taken_over(cx: &Cx) -> Reply {
    let mut items = String::new();
    for row in cx.app.state().table("feeds").rows().rev().take(20) {
        let text = row.get("text").and_then(Value::as_str).unwrap_or_default();
        let shown = if cx.on(W::UnsafeStored) { text.to_owned() } else { escape_html(text) };
        items += &format!("<li>{shown}</li>");
    }
    framed(cx, W::UnsafeStored, &format!("<ul>{items}</ul>"))
}

async fn sync(cx: Cx) -> Reply {
    let text = match fetched(&cx, W::UnsafeQuery, cx.text("url"), 0).await {
        Ok(text) => text,
        Err(reply) => return reply,
    };
    let answer: Value = serde_json::from_str(&text).unwrap_or_default();
    let category = answer.get("category").and_then(Value::as_str).unwrap_or("lamps");
    let from = "SELECT name FROM products WHERE released = 1 AND category =";
    let rows = if cx.on(W::UnsafeQuery) {
        cx.app.sql.select(&format!("{from} '{category}'"), &[])
    } else {
        cx.app.sql.select(&format!("{from} ?1"), &[&category])
    };
    rows.map_or_else(|_| Reply::problem(500, "an error occurred"), |rows| Reply::ok(&rows.into()))
}
