//! Sequences whose steps belong together, and things that are good for once.

use serde_json::{Value, json};

use super::orders::is_mine;
use crate::{
    http::{
        call::Cx,
        reply::Reply,
        route::{Route, count, object, some_text},
    },
    state::table::set,
    weakness::Weakness as W,
};

/// What a gift card is worth.
const WORTH: f64 = 10.0;

/// How long a careless claim looks away between looking and acting, in milliseconds.
const GAP_MILLIS: u64 = 15;

pub(crate) fn routes() -> Vec<Route> {
    let code = || object(json!({"code": some_text(60)}));
    let example = || json!({"code": "0123456789abcdef"});
    let checkout = || object(json!({"id": {"type": "integer"}, "status": {"type": "string"}}));
    let balance = || object(json!({"balance": {"type": "number"}}));
    let step = |path, id, summary| {
        Route::post(path, id, summary)
            .user()
            .param("path", "checkout_id", count(), json!(1))
            .answers(200, checkout())
            .answers(409, json!({"type": "object"}))
    };
    vec![
        Route::post("/gift-cards", "buyGiftCard", "Get a gift card that is good for once")
            .user()
            .answers(201, code())
            .now(|cx| issue(cx, "gift_cards")),
        Route::post("/gift-cards/redeem", "redeemGiftCard", "Put a gift card's worth into the wallet")
            .user()
            .body(code(), example())
            .answers(200, balance())
            .answers(409, json!({"type": "object"}))
            .now(redeem),
        Route::post("/vouchers", "getVoucher", "Get a voucher that is good for once")
            .user()
            .answers(201, code())
            .now(|cx| issue(cx, "vouchers")),
        Route::post("/vouchers/claim", "claimVoucher", "Put a voucher's worth into the wallet")
            .user()
            .body(code(), example())
            .answers(200, balance())
            .answers(409, json!({"type": "object"}))
            .later(|cx| Box::pin(claim(cx))),
        Route::post("/checkouts", "startCheckout", "Begin to buy: then pay, then ship")
            .user()
            .answers(201, checkout())
            .now(|cx| {
                Reply::json(
                    201,
                    &cx.app.state().table("checkouts").add(json!({"owner_id": cx.me(), "status": "created"})),
                )
            }),
        Route::get("/checkouts/{checkout_id}", "getCheckout", "How far it is")
            .user()
            .param("path", "checkout_id", count(), json!(1))
            .answers(200, checkout())
            .now(|cx| {
                let state = &mut cx.app.state();
                match state.table("checkouts").get(cx.path("checkout_id")) {
                    Some(row) if is_mine(cx, row) => Reply::ok(row),
                    _ => Reply::not_found(),
                }
            }),
        step("/checkouts/{checkout_id}/pay", "payCheckout", "Pay")
            .now(|cx| advance(cx, "created", "paid", false)),
        step("/checkouts/{checkout_id}/ship", "shipCheckout", "Have it shipped")
            .now(|cx| advance(cx, "paid", "shipped", cx.on(W::FlowSkipped))),
        Route::post("/downloads", "getDownloadTicket", "Get a ticket that opens a file once")
            .user()
            .answers(201, object(json!({"ticket": {"type": "string"}})))
            .now(ticket),
        Route::get("/downloads/file", "download", "The file for a ticket")
            .query("ticket", some_text(60), json!("0123456789abcdef"))
            .required()
            .answers_of(200, "text/plain", json!({"type": "string"}))
            .answers(410, json!({"type": "object"}))
            .now(download),
        Route::post("/transfers", "transfer", "Give from one's wallet to another's")
            .user()
            .body(
                object(json!({
                    "to": some_text(60),
                    "amount": {"type": "number", "exclusiveMinimum": 0, "maximum": 1000}
                })),
                json!({"to": "bob", "amount": 1}),
            )
            .answers(200, balance())
            .answers(409, json!({"type": "object"}))
            .lenient(&[W::FlowNegative])
            .now(transfer),
    ]
}

fn issue(cx: &Cx, table: &'static str) -> Reply {
    let mut state = cx.app.state();
    let code = state.dice.hex(16);
    state.table(table).put(code.clone(), json!({"owner_id": cx.me(), "used": false}));
    Reply::json(201, &json!({"code": code}))
}

/// Adds to a wallet and gives what is then in it.
fn pay_in(cx: &Cx, user: u64, amount: f64) -> Option<f64> {
    let mut state = cx.app.state();
    let user = state.table("users").get_mut(&user.to_string())?;
    let balance = user.pointer("/wallet/balance").and_then(Value::as_f64).unwrap_or_default() + amount;
    set(user, "wallet", json!({"balance": balance}));
    Some(balance)
}

fn wallet(balance: Option<f64>) -> Reply {
    balance.map_or_else(Reply::not_found, |balance| Reply::ok(&json!({"balance": balance})))
}

/// Whether a code is there, and unused.
fn is_good(cx: &Cx, table: &'static str) -> bool {
    let state = &mut cx.app.state();
    let row = state.table(table).get(cx.text("code"));
    row.is_some_and(|row| row.get("used") == Some(&json!(false)))
}

/// Uses a code up; false if it was not good any more.
fn use_up(cx: &Cx, table: &'static str) -> bool {
    let state = &mut cx.app.state();
    match state.table(table).get_mut(cx.text("code")) {
        Some(row) if row.get("used") == Some(&json!(false)) => {
            set(row, "used", true);
            true
        }
        _ => false,
    }
}

fn redeem(cx: &Cx) -> Reply {
    let good = if cx.on(W::FlowTwice) { is_good(cx, "gift_cards") } else { use_up(cx, "gift_cards") };
    if good {
        wallet(pay_in(cx, cx.me(), WORTH))
    } else {
        Reply::problem(409, "this card is not good any more")
    }
}

async fn claim(cx: Cx) -> Reply {
    let good = if cx.on(W::FlowRace) {
        let good = is_good(&cx, "vouchers");
        tokio::time::sleep(std::time::Duration::from_millis(GAP_MILLIS)).await;
        use_up(&cx, "vouchers");
        good
    } else {
        use_up(&cx, "vouchers")
    };
    if good {
        wallet(pay_in(&cx, cx.me(), WORTH))
    } else {
        Reply::problem(409, "this voucher is not good any more")
    }
}

fn advance(cx: &Cx, from: &str, to: &str, skips: bool) -> Reply {
    let state = &mut cx.app.state();
    match state.table("checkouts").get_mut(cx.path("checkout_id")) {
        Some(row) if !is_mine(cx, row) => Reply::not_found(),
        Some(row) if skips || row.get("status") == Some(&json!(from)) => {
            set(row, "status", to);
            Reply::ok(row)
        }
        Some(_) => Reply::problem(409, "this step is not the next"),
        None => Reply::not_found(),
    }
}

fn ticket(cx: &Cx) -> Reply {
    let mut state = cx.app.state();
    let ticket = state.dice.hex(32);
    state.table("tickets").put(ticket.clone(), Value::Null);
    Reply::json(201, &json!({"ticket": ticket}))
}

fn download(cx: &Cx) -> Reply {
    let ticket = cx.query("ticket").unwrap_or_default();
    let mut state = cx.app.state();
    let good = if cx.on(W::FlowReplay) {
        state.table("tickets").get(ticket).is_some()
    } else {
        state.table("tickets").remove(ticket)
    };
    if good {
        Reply::text(200, "the harbour's chart")
    } else {
        Reply::problem(410, "this ticket is not good any more")
    }
}

fn transfer(cx: &Cx) -> Reply {
    let amount = cx.field("amount").as_f64().unwrap_or_default();
    let (other, balance) = {
        let mut state = cx.app.state();
        let other = state.user_named(cx.text("to")).and_then(|it| it.get("id").and_then(Value::as_u64));
        let own = state.user(cx.me()).unwrap_or_default();
        (other, own.pointer("/wallet/balance").and_then(Value::as_f64).unwrap_or_default())
    };
    let Some(other) = other.filter(|_| balance >= amount) else {
        return Reply::problem(409, "this cannot be transferred");
    };
    pay_in(cx, other, amount);
    wallet(pay_in(cx, cx.me(), -amount))
}
