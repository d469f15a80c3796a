//! Operations whose guard at the door is what is tested.

use serde_json::json;

use super::orders::is_mine;
use crate::{
    http::{
        call::Cx,
        reply::Reply,
        route::{Route, count, list, object},
    },
    weakness::Weakness as W,
};

pub(crate) fn routes() -> Vec<Route> {
    let invoice = || {
        object(json!({
            "id": {"type": "integer"}, "owner_id": {"type": "integer"}, "order_id": {"type": "integer"},
            "reference": {"type": "string"}, "billing_address": {"type": "string"}
        }))
    };
    let rate = || object(json!({"zone": {"type": "string"}, "price": {"type": "number"}}));
    let stock = || list(object(json!({"sku": {"type": "string"}, "count": {"type": "integer"}})));
    vec![
        Route::get("/invoices", "listInvoices", "One's own invoices")
            .user()
            .answers(200, list(invoice()))
            .now(|cx| Reply::ok(&cx.app.state().table("invoices").owned_by(cx.me()).into())),
        Route::get("/invoices/{invoice_id}", "getInvoice", "One invoice")
            .user()
            .open_to_all(W::AuthMissingRead)
            .param("path", "invoice_id", count(), json!(1))
            .answers(200, invoice())
            .now(invoice_of),
        Route::get("/shipping-rates", "listRates", "What shipping costs")
            .answers(200, list(rate()))
            .now(|cx| Reply::ok(&cx.app.state().table("rates").rows().cloned().collect())),
        Route::new("PUT", "/shipping-rates/{zone}", "setRate", "Set what shipping costs")
            .user()
            .open_to_all(W::AuthMissingWrite)
            .param("path", "zone", json!({"type": "string", "enum": ["north", "south"]}), json!("north"))
            .body(
                object(json!({"price": {"type": "number", "minimum": 0, "maximum": 1000}})),
                json!({"price": 8.5}),
            )
            .answers(200, rate())
            .now(set_rate),
        Route::get("/warehouse/stock", "listStock", "What is in the warehouse")
            .user()
            .answers(200, stock())
            .now(|_| stocked()),
        Route::get("/warehouse/pickings", "listPickings", "What is being picked")
            .user()
            .answers(200, stock())
            .now(|_| stocked()),
        Route::get("/partner/stock", "partnerStock", "What partners may sell")
            .api_key()
            .answers(200, stock())
            .now(|_| stocked()),
    ]
}

fn stocked() -> Reply {
    Reply::ok(&json!([{"sku": "LAMP-100", "count": 17}, {"sku": "ROPE-010", "count": 230}]))
}

fn invoice_of(cx: &Cx) -> Reply {
    let state = &mut cx.app.state();
    match state.table("invoices").get(cx.path("invoice_id")) {
        Some(row) if is_mine(cx, row) || (cx.who.is_none() && cx.on(W::AuthMissingRead)) => Reply::ok(row),
        _ => Reply::not_found(),
    }
}

fn set_rate(cx: &Cx) -> Reply {
    let state = &mut cx.app.state();
    let Some(rate) = state.table("rates").get_mut(cx.path("zone")) else { return Reply::not_found() };
    rate["price"] = cx.field("price").clone();
    Reply::ok(rate)
}
