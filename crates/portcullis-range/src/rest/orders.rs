//! Orders and messages: objects with a number, each with an owner.

use serde_json::{Value, json};

use crate::{
    engines::fetch,
    http::{
        call::Cx,
        reply::Reply,
        route::{Route, count, list, object, object_with, some_text},
    },
    state::seed::add_order,
    weakness::Weakness as W,
};

/// What everybody pays who is not asked for a price.
const PRICE: f64 = 12.5;

fn schema() -> Value {
    object(json!({
        "id": {"type": "integer", "readOnly": true}, "owner_id": {"type": "integer", "readOnly": true},
        "product_id": {"type": "integer"}, "quantity": {"type": "integer"},
        "shipping_address": {"type": "string"},
        "unit_price": {"type": "number", "readOnly": true}, "status": {"type": "string", "readOnly": true}
    }))
}

pub(crate) fn routes() -> Vec<Route> {
    let id = || count();
    let order = object(json!({
        "product_id": count(), "quantity": {"type": "integer", "minimum": 1, "maximum": 100},
        "shipping_address": some_text(200)
    }));
    vec![
        Route::post("/orders", "createOrder", "Order something")
            .user()
            .body(order, json!({"product_id": 1, "quantity": 2, "shipping_address": "3 Pier Road"}))
            .answers(201, schema())
            .later(|cx| Box::pin(create(cx))),
        Route::get("/orders", "listOrders", "One's own orders")
            .user()
            .query("customer_id", id(), json!(1))
            .answers(200, list(schema()))
            .now(all),
        Route::get("/orders/{order_id}", "getOrder", "One order")
            .user()
            .param("path", "order_id", id(), json!(1))
            .answers(200, schema())
            .now(show),
        Route::new("PATCH", "/orders/{order_id}", "updateOrder", "Change where an order goes")
            .user()
            .param("path", "order_id", id(), json!(1))
            .body(
                object_with(&["shipping_address"], json!({"shipping_address": some_text(200)})),
                json!({"shipping_address": "5 Pier Road"}),
            )
            .answers(200, schema())
            .now(change),
        Route::get("/messages", "listMessages", "One's own messages")
            .user()
            .answers(200, list(json!({"type": "object"})))
            .now(|cx| Reply::ok(&cx.app.state().table("messages").owned_by(cx.me()).into())),
        Route::post("/messages", "writeMessage", "Write oneself a message")
            .user()
            .body(
                object(json!({"subject": some_text(100), "text": some_text(1000)})),
                json!({"subject": "Remember", "text": "the oilskin"}),
            )
            .answers(201, json!({"type": "object"}))
            .now(write),
        Route::post("/messages/open", "openMessage", "Open a message")
            .user()
            .body(object(json!({"message_id": count()})), json!({"message_id": 1}))
            .answers(200, json!({"type": "object"}))
            .answers(404, json!({"type": "object"}))
            .now(open),
    ]
}

/// Whether the row is the caller's.
pub(crate) fn is_mine(cx: &Cx, row: &Value) -> bool {
    row.get("owner_id").and_then(Value::as_u64) == Some(cx.me())
}

async fn create(cx: Cx) -> Reply {
    let number = |name| cx.field(name).as_u64().unwrap_or(1);
    let sent = cx.field("unit_price").as_f64().filter(|_| cx.on(W::MassAssignmentPrice));
    let (order, hooks) = {
        let mut state = cx.app.state();
        let order = add_order(
            &mut state,
            cx.me(),
            number("product_id"),
            number("quantity"),
            cx.text("shipping_address"),
            sent.unwrap_or(PRICE),
        );
        (order, state.table("webhooks").owned_by(cx.me()))
    };
    for hook in hooks.iter().rev().take(3) {
        if let Some(url) = hook.get("callback_url").and_then(Value::as_str) {
            // Whether the other side is there is not the buyer's concern.
            let _ = fetch::get(url, 0).await;
        }
    }
    let id = order.get("id").and_then(Value::as_u64).unwrap_or_default();
    Reply::json(201, &order).with("location", format!("/orders/{id}"))
}

fn all(cx: &Cx) -> Reply {
    let asked = cx.query("customer_id").and_then(|it| it.parse::<u64>().ok());
    let owner = match asked {
        Some(asked) if cx.on(W::BolaReadFilter) => asked,
        Some(asked) if asked != cx.me() => return Reply::ok(&json!([])),
        _ => cx.me(),
    };
    Reply::ok(&cx.app.state().table("orders").owned_by(owner).into())
}

fn show(cx: &Cx) -> Reply {
    let state = &mut cx.app.state();
    match state.table("orders").get(cx.path("order_id")) {
        Some(order) if is_mine(cx, order) || cx.on(W::BolaReadInteger) => Reply::ok(order),
        _ => Reply::not_found(),
    }
}

fn change(cx: &Cx) -> Reply {
    let state = &mut cx.app.state();
    match state.table("orders").get_mut(cx.path("order_id")) {
        Some(order) if is_mine(cx, order) || cx.on(W::BolaWriteInteger) => {
            order["shipping_address"] = cx.field("shipping_address").clone();
            Reply::ok(order)
        }
        _ => Reply::not_found(),
    }
}

fn write(cx: &Cx) -> Reply {
    let row = json!({"owner_id": cx.me(), "subject": cx.field("subject"), "text": cx.field("text")});
    Reply::json(201, &cx.app.state().table("messages").add(row))
}

fn open(cx: &Cx) -> Reply {
    let id = cx.field("message_id").as_u64().unwrap_or_default();
    let state = &mut cx.app.state();
    match state.table("messages").get(&id.to_string()) {
        Some(message) if is_mine(cx, message) || cx.on(W::BolaReadBody) => Reply::ok(message),
        _ => Reply::not_found(),
    }
}
