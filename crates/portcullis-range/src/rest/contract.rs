//! Promises of the specification that are kept, or not.

use serde_json::{Value, json};

use super::orders::is_mine;
use crate::{
    http::{
        call::Cx,
        reply::Reply,
        route::{Route, count, list, object, some_text},
    },
    weakness::Weakness as W,
};

pub(crate) fn routes() -> Vec<Route> {
    let bookmark = || object(json!({"id": {"type": "integer"}, "page": {"type": "string"}}));
    vec![
        Route::get("/calendar", "getCalendar", "How many days a month has")
            .query("month", json!({"type": "integer", "minimum": 1, "maximum": 12}), json!(3))
            .required()
            .answers(200, object(json!({"days": {"type": "integer"}})))
            .now(calendar),
        Route::get("/stock-levels/{sku}", "getStockLevel", "How many are there")
            .param(
                "path",
                "sku",
                json!({"type": "string", "pattern": "^[A-Z]{4}-[0-9]{3}$"}),
                json!("LAMP-100"),
            )
            .answers(200, object(json!({"sku": {"type": "string"}, "count": {"type": "integer"}})))
            .now(|cx| {
                let sku = cx.path("sku");
                Reply::ok(&if cx.on(W::ContractOffSchema) {
                    json!({"sku": sku, "count": "seventeen"})
                } else {
                    json!({"sku": sku, "count": 17})
                })
            }),
        Route::post("/bookings", "book", "Book seats on the ferry")
            .body(
                object(
                    json!({"seats": {"type": "integer", "minimum": 1, "maximum": 8}, "name": some_text(60)}),
                ),
                json!({"seats": 2, "name": "Ida"}),
            )
            .answers(201, object(json!({"booked": {"type": "boolean"}})))
            .lenient(&[W::ContractAcceptsInvalid])
            .now(|_| Reply::json(201, &json!({"booked": true}))),
        Route::get("/lockers/{number}", "getLocker", "Whether a locker is free")
            .param("path", "number", json!({"type": "integer", "minimum": 1, "maximum": 200}), json!(7))
            .answers(200, object(json!({"free": {"type": "boolean"}})))
            .now(|cx| Reply::json(if cx.on(W::ContractStatus) { 203 } else { 200 }, &json!({"free": true}))),
        Route::get("/bulletin", "getBulletin", "What is new, as JSON")
            .answers(200, object(json!({"text": {"type": "string"}})))
            .now(|cx| {
                if cx.on(W::ContractMediaType) {
                    return Reply::text(200, "Nothing is new.");
                }
                Reply::ok(&json!({"text": "Nothing is new."}))
            }),
        Route::get("/bookmarks", "listBookmarks", "One's own bookmarks")
            .user()
            .answers(200, list(bookmark()))
            .now(|cx| Reply::ok(&cx.app.state().table("bookmarks").owned_by(cx.me()).into())),
        Route::post("/bookmarks", "createBookmark", "Put a bookmark")
            .user()
            .body(object(json!({"page": some_text(200)})), json!({"page": "/products"}))
            .answers(201, bookmark())
            .now(|cx| {
                let row = json!({"owner_id": cx.me(), "page": cx.text("page")});
                let row = cx.app.state().table("bookmarks").add(row);
                let id = row.get("id").and_then(Value::as_u64).unwrap_or_default();
                Reply::json(201, &row).with("location", format!("/bookmarks/{id}"))
            }),
        Route::get("/bookmarks/{bookmark_id}", "getBookmark", "A bookmark")
            .user()
            .param("path", "bookmark_id", count(), json!(1))
            .answers(200, bookmark())
            .now(|cx| {
                let state = &mut cx.app.state();
                match state.table("bookmarks").get(cx.path("bookmark_id")) {
                    Some(row) if is_mine(cx, row) => Reply::ok(row),
                    _ => Reply::not_found(),
                }
            }),
        Route::new("DELETE", "/bookmarks/{bookmark_id}", "deleteBookmark", "Take a bookmark away")
            .user()
            .param("path", "bookmark_id", count(), json!(1))
            .answers_of(204, "", Value::Null)
            .now(unmark),
    ]
}

fn calendar(cx: &Cx) -> Reply {
    let month = cx.query("month").and_then(|it| it.parse::<u32>().ok()).unwrap_or(1);
    let days = match month {
        2 if cx.on(W::ContractServerError) => return Reply::problem(500, "an error occurred"),
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    Reply::ok(&json!({"days": days}))
}

fn unmark(cx: &Cx) -> Reply {
    let mut state = cx.app.state();
    let key = cx.path("bookmark_id");
    if !state.table("bookmarks").get(key).is_some_and(|row| is_mine(cx, row)) {
        return Reply::not_found();
    }
    if !cx.on(W::ContractDelete) {
        state.table("bookmarks").remove(key);
    }
    Reply::empty(204)
}
