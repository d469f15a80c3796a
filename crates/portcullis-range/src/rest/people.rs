//! What is shown about people and goods, and what should not be.

use serde_json::{Value, json};

use crate::{
    http::{
        call::Cx,
        reply::Reply,
        route::{Route, count, list, object},
    },
    weakness::Weakness as W,
};

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::get("/people", "listPeople", "Who trades here")
            .user()
            .answers(200, list(object(json!({"username": {"type": "string"}, "display_name": {"type": "string"}}))))
            .now(people),
        Route::get("/sellers/{seller_id}", "getSeller", "A seller's page")
            .param("path", "seller_id", count(), json!(1))
            .answers(
                200,
                object(json!({
                    "id": {"type": "integer"}, "name": {"type": "string"}, "city": {"type": "string"},
                    "rating": {"type": "number"}
                })),
            )
            .now(seller),
        Route::get("/goods/{goods_id}", "getGoods", "One of the goods")
            .param("path", "goods_id", count(), json!(1))
            .answers(
                200,
                object(json!({"id": {"type": "integer"}, "name": {"type": "string"}, "price": {"type": "number"}})),
            )
            .now(goods),
        Route::get("/reviews", "listReviews", "What buyers say")
            .answers(
                200,
                list(object(json!({
                    "id": {"type": "integer"}, "stars": {"type": "integer"}, "text": {"type": "string"}
                }))),
            )
            .now(reviews),
    ]
}

/// A row with these fields alone.
fn only(row: &Value, names: &[&str]) -> Value {
    names.iter().filter_map(|name| row.get(*name).map(|it| ((*name).to_owned(), it.clone()))).collect()
}

fn people(cx: &Cx) -> Reply {
    let mut names = vec!["username", "display_name"];
    if cx.on(W::ExcessPasswordHash) {
        names.push("password_hash");
    }
    let state = &mut cx.app.state();
    Reply::ok(&state.table("users").rows().take(100).map(|row| only(row, &names)).collect())
}

fn seller(cx: &Cx) -> Reply {
    let mut names = vec!["id", "name", "city", "rating"];
    if cx.on(W::ExcessCardNumber) {
        names.push("payout_card");
    }
    let state = &mut cx.app.state();
    let row = state.table("sellers").get(cx.path("seller_id")).map(|row| only(row, &names));
    row.map_or_else(Reply::not_found, |row| Reply::ok(&row))
}

fn goods(cx: &Cx) -> Reply {
    let mut names = vec!["id", "name", "price"];
    if cx.on(W::ExcessSecretToken) {
        names.push("internal_api_token");
    }
    if cx.on(W::UndeclaredParameter) && cx.query("debug").is_some_and(|it| matches!(it, "1" | "true")) {
        names.extend(["supplier", "purchase_price"]);
    }
    let state = &mut cx.app.state();
    let row = state.table("goods").get(cx.path("goods_id")).map(|row| only(row, &names));
    row.map_or_else(Reply::not_found, |row| Reply::ok(&row))
}

fn reviews(cx: &Cx) -> Reply {
    let mut names = vec!["id", "stars", "text"];
    if cx.on(W::ExcessPersonalData) {
        names.extend(["author_email", "author_phone"]);
    }
    let state = &mut cx.app.state();
    Reply::ok(&state.table("reviews").rows().map(|row| only(row, &names)).collect())
}
