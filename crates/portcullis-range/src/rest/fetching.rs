//! Operations that call other services at the caller's word, and costly ones.

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::{
    engines::fetch,
    http::{
        call::Cx,
        reply::Reply,
        route::{Route, list, object},
    },
    weakness::Weakness as W,
};

/// Exports that one user may start within a minute.
const EXPORTS_MAX: u32 = 5;

pub(crate) fn routes() -> Vec<Route> {
    let url = || json!({"type": "string", "format": "uri", "maxLength": 500});
    let example = || json!("https://images.harbour.example/lantern.png");
    vec![
        Route::get("/preview", "previewLink", "What is behind a link")
            .query("url", url(), example())
            .required()
            .answers_of(200, "text/plain", json!({"type": "string"}))
            .answers(422, json!({"type": "object"}))
            .answers(502, json!({"type": "object"}))
            .later(|cx| Box::pin(preview(cx))),
        Route::post("/webhooks/test", "testWebhook", "Try an address")
            .user()
            .body(object(json!({"url": url()})), json!({"url": "https://hooks.harbour.example/orders"}))
            .answers(200, object(json!({"delivered": {"type": "boolean"}})))
            .answers(422, json!({"type": "object"}))
            .later(|cx| Box::pin(test_hook(cx))),
        Route::post("/webhooks", "createWebhook", "Be told of orders")
            .user()
            .body(
                object(json!({"callback_url": url()})),
                json!({"callback_url": "https://hooks.harbour.example/orders"}),
            )
            .answers(201, object(json!({"id": {"type": "integer"}, "callback_url": {"type": "string"}})))
            .answers(422, json!({"type": "object"}))
            .now(create_hook),
        Route::get("/webhooks", "listWebhooks", "Addresses that are told of orders")
            .user()
            .answers(200, list(json!({"type": "object"})))
            .now(|cx| Reply::ok(&cx.app.state().table("webhooks").owned_by(cx.me()).into())),
        Route::new("PUT", "/me/avatar", "setAvatar", "Take a picture from an address")
            .user()
            .body(object(json!({"avatar_url": url()})), json!({"avatar_url": example()}))
            .answers(200, object(json!({"bytes": {"type": "integer"}})))
            .answers(422, json!({"type": "object"}))
            .later(|cx| Box::pin(avatar(cx))),
        Route::get("/analytics/visit", "countVisit", "Count a visit")
            .param("header", "Referer", json!({"type": "string"}), json!("https://market.harbour.example/"))
            .answers_of(204, "", Value::Null)
            .later(|cx| Box::pin(visit(cx))),
        Route::post("/exports", "startExport", "Put all one's data into a file")
            .user()
            .answers(202, object(json!({"export": {"type": "string"}})))
            .later(|cx| Box::pin(export(cx))),
    ]
}

/// Whether a careful service would call this address: hosts that the operator named, and no others.
pub(crate) fn is_partner(cx: &Cx, url: &str) -> bool {
    let named = |address: SocketAddr| cx.app.partners.contains(&address);
    fetch::PARTNERS.iter().any(|it| url.starts_with(it))
        || fetch::loopback(url).is_ok_and(|(address, _)| named(address))
}

/// Fetches if the weakness is on or the host is a partner.
async fn fetch_as(cx: &Cx, weakness: W, url: &str) -> Result<fetch::Fetched, Reply> {
    if !cx.on(weakness) && !is_partner(cx, url) {
        return Err(Reply::problem(422, "addresses of this host are not accepted"));
    }
    fetch::get(url, 0).await.map_err(|_| Reply::problem(502, "the address could not be fetched"))
}

async fn preview(cx: Cx) -> Reply {
    match fetch_as(&cx, W::SsrfReflected, cx.query("url").unwrap_or_default()).await {
        Ok(fetched) => Reply::text(200, fetched.text()),
        Err(reply) => reply,
    }
}

async fn test_hook(cx: Cx) -> Reply {
    match fetch_as(&cx, W::SsrfStatus, cx.text("url")).await {
        Ok(fetched) => Reply::ok(&json!({"delivered": fetched.status < 400})),
        Err(reply) if reply.status == 502 => Reply::ok(&json!({"delivered": false})),
        Err(reply) => reply,
    }
}

fn create_hook(cx: &Cx) -> Reply {
    let url = cx.text("callback_url");
    if !cx.on(W::SsrfStored) && !is_partner(cx, url) {
        return Reply::problem(422, "addresses of this host are not accepted");
    }
    let row = json!({"owner_id": cx.me(), "callback_url": url});
    Reply::json(201, &cx.app.state().table("webhooks").add(row))
}

async fn avatar(cx: Cx) -> Reply {
    match fetch_as(&cx, W::SsrfImport, cx.text("avatar_url")).await {
        Ok(fetched) => Reply::ok(&json!({"bytes": fetched.body.len()})),
        Err(reply) if reply.status == 502 => Reply::ok(&json!({"bytes": 0})),
        Err(reply) => reply,
    }
}

async fn visit(cx: Cx) -> Reply {
    if cx.on(W::SsrfHeader)
        && let Some(url) = cx.call.header("referer")
    {
        let _ = fetch::get(url, 0).await;
    }
    Reply::empty(204)
}

async fn export(cx: Cx) -> Reply {
    let now = cx.app.now();
    let within = cx.app.state().limits.take(&format!("export {}", cx.me()), now, EXPORTS_MAX, 60);
    if !within && !cx.on(W::RateCostly) {
        return Reply::problem(429, "too many exports").with("retry-after", "60");
    }
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    let id = cx.app.state().dice.uuid();
    Reply::json(202, &json!({"export": id}))
}
