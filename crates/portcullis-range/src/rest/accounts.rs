//! Registration, login, logout, revocation.

use serde_json::{Value, json};

use crate::{
    http::{
        call::Cx,
        reply::Reply,
        route::{Route, object, object_with, some_text},
    },
    identity::{password_fits, token},
    state::seed::new_user,
    weakness::Weakness as W,
};

/// Failed logins that one address may have for one name within a minute.
const FAILURES_MAX: u32 = 12;

/// What a login answers.
pub(crate) fn token_schema() -> Value {
    object(json!({
        "access_token": {"type": "string"}, "token_type": {"type": "string"}, "expires_in": {"type": "integer"}
    }))
}

pub(crate) fn routes() -> Vec<Route> {
    let name = json!({"type": "string", "pattern": "^[a-z0-9_-]{3,40}$"});
    let password = json!({"type": "string", "minLength": 8, "maxLength": 100});
    vec![
        Route::post("/auth/register", "register", "Open an account")
            .body(
                object(json!({
                    "username": name, "email": {"type": "string", "format": "email", "maxLength": 120},
                    "password": password
                })),
                json!({"username": "dora", "email": "dora@harbour.example", "password": "Velvet-Anchor-55"}),
            )
            .answers(201, object(json!({"message": {"type": "string"}})))
            .answers(409, json!({"type": "object"}))
            .now(register),
        Route::post("/auth/login", "login", "Sign in and get a bearer token")
            .body(
                object_with(
                    &["username", "password"],
                    json!({
                        "username": some_text(100), "password": some_text(100),
                        "expires_in": {"type": "integer", "minimum": 1, "maximum": 3600}
                    }),
                ),
                json!({"username": "alice", "password": "Harbour-Gate-17"}),
            )
            .answers(200, token_schema())
            .answers(401, json!({"type": "object"}))
            .answers(404, json!({"type": "object"}))
            .heavy(login),
        Route::post("/auth/logout", "logout", "End this session")
            .user()
            .answers_of(204, "", Value::Null)
            .now(logout),
        Route::post("/auth/revoke", "revokeToken", "Make a token of one's own invalid (RFC 7009)")
            .user()
            .body(
                object(json!({"token": some_text(4096)})),
                json!({"token": "eyJhbGciOiJSUzI1NiJ9.e30.c2ln"}),
            )
            .answers_of(204, "", Value::Null)
            .later(|cx| Box::pin(revoke(cx))),
    ]
}

fn register(cx: &Cx) -> Reply {
    let mut state = cx.app.state();
    let created = json!({"message": "Thank you. Sign in to continue."});
    let name = cx.text("username");
    if state.user_named(name).is_some() {
        if cx.on(W::EnumerationRegistration) {
            return Reply::problem(409, "this username is already taken");
        }
        // The owner would get a mail; the caller learns nothing.
        return Reply::json(201, &created);
    }
    let user = new_user(&mut state, name, cx.text("email"), cx.text("password"));
    if cx.on(W::MassAssignmentRole)
        && let Some(role) = cx.json.get("role")
        && let Some(id) = user.get("id").and_then(Value::as_u64)
        && let Some(row) = state.table("users").get_mut(&id.to_string())
    {
        row["role"] = role.clone();
    }
    Reply::json(201, &created)
}

fn login(cx: &Cx) -> Reply {
    let (name, now) = (cx.text("username"), cx.app.now());
    let key = format!("login {} {name}", cx.call.peer);
    let (over, user) = {
        let mut state = cx.app.state();
        (state.limits.is_over(&key, now, FAILURES_MAX, 60), state.user_named(name))
    };
    if over && !cx.on(W::RateLogin) {
        return Reply::problem(429, "too many failed attempts").with("retry-after", "60");
    }
    if !password_fits(user.as_ref(), cx.text("password"), false) {
        cx.app.state().limits.take(&key, now, FAILURES_MAX, 60);
        if user.is_none() && cx.on(W::EnumerationStatus) {
            return Reply::problem(404, "the credentials are not right");
        }
        return Reply::problem(401, "the credentials are not right");
    }
    let ttl = cx.field("expires_in").as_i64().unwrap_or(900);
    let token = token::issue(&cx.app, &user.unwrap_or_default(), ttl, token::Family::Main);
    Reply::ok(&json!({"access_token": token, "token_type": "Bearer", "expires_in": ttl}))
}

fn logout(cx: &Cx) -> Reply {
    if let Some(who) = &cx.who
        && !cx.on(W::SessionLogout)
    {
        cx.app.state().mark(format!("revoked {}", who.token));
    }
    Reply::empty(204)
}

async fn revoke(cx: Cx) -> Reply {
    let claims = token::verify(&cx.app, cx.text("token"), false).await;
    if let Some(claims) = claims
        && !cx.on(W::SessionRevoke)
    {
        let mut state = cx.app.state();
        let owner = claims.get("sub").and_then(Value::as_str).and_then(|it| state.user_named(it));
        let owner = owner.and_then(|it| it.get("id").and_then(Value::as_u64));
        let id = claims.get("jti").and_then(Value::as_str).unwrap_or_default();
        if owner == Some(cx.me()) {
            state.mark(format!("revoked {id}"));
        }
    }
    // The same answer whatever the token was (RFC 7009, section 2.2).
    Reply::empty(204)
}
