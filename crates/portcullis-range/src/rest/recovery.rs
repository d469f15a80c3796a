//! What surrounds a login: recovery, challenge, one-time codes. Made to tell nothing about who is known.

use serde_json::{Value, json};

use crate::{
    http::{
        call::Cx,
        reply::Reply,
        route::{Route, object, some_text},
    },
    weakness::Weakness as W,
};

/// Codes that one address may try within a minute.
const CODES_MAX: u32 = 5;

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::post("/auth/recover", "recoverAccount", "Ask for a link that sets a new password")
            .body(
                object(json!({"email": {"type": "string", "format": "email", "maxLength": 120}})),
                json!({"email": "alice@harbour.example"}),
            )
            .answers(202, object(json!({"message": {"type": "string"}})))
            .now(recover),
        Route::post("/auth/challenge", "startChallenge", "Begin a login with a proof of knowledge")
            .body(object(json!({"username": some_text(100)})), json!({"username": "alice"}))
            .answers(200, object(json!({"challenge": {"type": "string"}})))
            .now(challenge),
        Route::post("/auth/otp/verify", "verifyCode", "Redeem a one-time code")
            .body(
                object(json!({
                    "username": some_text(100), "code": {"type": "string", "pattern": "^[0-9]{6}$"}
                })),
                json!({"username": "alice", "code": "000000"}),
            )
            .answers(200, object(json!({"verified": {"type": "boolean"}})))
            .answers(401, json!({"type": "object"}))
            .now(verify),
    ]
}

fn recover(cx: &Cx) -> Reply {
    let known = cx.app.state().table("users").find("email", cx.text("email")).is_some();
    let message = match known {
        false if cx.on(W::EnumerationBody) => "We know no account with this address.",
        _ => "If the address is known, a message is on its way.",
    };
    Reply::json(202, &json!({"message": message}))
}

fn challenge(cx: &Cx) -> Reply {
    let mut state = cx.app.state();
    let known = state.user_named(cx.text("username")).is_some();
    let digits = if known || !cx.on(W::EnumerationLength) { 64 } else { 24 };
    Reply::ok(&json!({"challenge": state.dice.hex(digits)}))
}

fn verify(cx: &Cx) -> Reply {
    let now = cx.app.now();
    let peer = cx.call.peer.to_string();
    let address = match cx.call.header("x-forwarded-for") {
        Some(told) if cx.on(W::RateForwardedFor) => told.to_owned(),
        _ => peer,
    };
    let mut state = cx.app.state();
    if !state.limits.take(&format!("otp {address}"), now, CODES_MAX, 60) {
        return Reply::problem(429, "too many codes").with("retry-after", "60");
    }
    // The code is new for every attempt, so that guessing is never right by chance for long.
    let code = format!("{:06}", state.dice.below(1_000_000));
    if cx.json.get("code").and_then(Value::as_str) == Some(code.as_str()) {
        return Reply::ok(&json!({"verified": true}));
    }
    Reply::problem(401, "the code is not right")
}
