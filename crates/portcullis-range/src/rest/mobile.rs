//! The mobile service: a second family of tokens, with a shared secret.

use serde_json::{Value, json};

use super::accounts::token_schema;
use crate::{
    http::{
        call::Cx,
        reply::Reply,
        route::{Route, list, object, some_text},
    },
    identity::{password_fits, token},
    weakness::Weakness as W,
};

/// What a careless password check costs where there is a user to check, in milliseconds.
const CHECK_MILLIS: u64 = 60;

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::post("/auth/mobile/login", "mobileLogin", "Sign in on a telephone")
            .body(
                object(json!({"username": some_text(100), "password": some_text(100)})),
                json!({"username": "alice", "password": "Harbour-Gate-17"}),
            )
            .answers(200, token_schema())
            .answers(401, json!({"type": "object"}))
            .later(|cx| Box::pin(login(cx))),
        Route::get("/mobile/inbox", "mobileInbox", "One's own messages on a telephone")
            .user()
            .answers(200, list(object(json!({"id": {"type": "integer"}, "text": {"type": "string"}}))))
            .now(inbox),
    ]
}

async fn login(cx: Cx) -> Reply {
    let user = cx.app.state().user_named(cx.text("username"));
    let hasty = cx.on(W::EnumerationTime);
    if hasty && user.is_some() {
        tokio::time::sleep(std::time::Duration::from_millis(CHECK_MILLIS)).await;
    }
    if !password_fits(user.as_ref(), cx.text("password"), hasty) {
        return Reply::problem(401, "the credentials are not right");
    }
    let token = token::issue(&cx.app, &user.unwrap_or_default(), 900, token::Family::Mobile);
    Reply::ok(&json!({"access_token": token, "token_type": "Bearer", "expires_in": 900}))
}

fn inbox(cx: &Cx) -> Reply {
    let messages = cx.app.state().table("messages").owned_by(cx.me());
    let shown: Value =
        messages.iter().map(|it| json!({"id": it.get("id"), "text": it.get("text")})).collect();
    Reply::ok(&shown)
}
