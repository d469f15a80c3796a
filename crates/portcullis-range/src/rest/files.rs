//! Files by name: out of a directory, or out of anywhere.

use serde_json::json;

use crate::{
    engines::files::read,
    http::{
        call::Cx,
        reply::Reply,
        route::{Route, some_text},
    },
    weakness::Weakness as W,
};

const PUBLIC: &[&str] = &["terms.txt", "welcome.txt", "manual.txt"];

pub(crate) fn routes() -> Vec<Route> {
    let file = || json!({"type": "string"});
    let get = |path, id, summary| {
        Route::get(path, id, summary)
            .answers_of(200, "text/plain", file())
            .answers(404, json!({"type": "object"}))
    };
    vec![
        get("/files", "getFile", "A public file")
            .query("name", some_text(200), json!("terms.txt"))
            .required()
            .now(|cx| served(cx, W::TraversalQuery, cx.query("name").unwrap_or_default(), str::to_owned)),
        get("/attachments/{name}", "getAttachment", "An attachment")
            .param("path", "name", some_text(200), json!("welcome.txt"))
            .now(|cx| served(cx, W::TraversalPath, cx.path("name"), str::to_owned)),
        get("/themes", "getTheme", "A theme's description")
            .query("file", some_text(200), json!("manual.txt"))
            .required()
            .now(|cx| {
                served(cx, W::TraversalFilter, cx.query("file").unwrap_or_default(), |name| {
                    name.replace("../", "")
                })
            }),
        get("/papers", "getPaper", "A paper by its place")
            .query("path", some_text(200), json!("/srv/market/public/manual.txt"))
            .required()
            .now(paper),
    ]
}

fn served(cx: &Cx, weakness: W, name: &str, cleaned: fn(&str) -> String) -> Reply {
    let content = if cx.on(weakness) {
        read(&format!("/srv/market/public/{}", cleaned(name)))
    } else {
        PUBLIC.iter().find(|it| **it == name).and_then(|it| read(&format!("/srv/market/public/{it}")))
    };
    content.map_or_else(Reply::not_found, |it| Reply::text(200, it))
}

fn paper(cx: &Cx) -> Reply {
    let path = cx.query("path").unwrap_or_default();
    if cx.on(W::TraversalAbsolute) {
        return read(path).map_or_else(Reply::not_found, |it| Reply::text(200, it));
    }
    served(
        cx,
        W::TraversalAbsolute,
        path.strip_prefix("/srv/market/public/").unwrap_or_default(),
        str::to_owned,
    )
}
