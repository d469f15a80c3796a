//! One's own account.

use serde_json::{Value, json};

use crate::{
    http::{
        call::Cx,
        reply::Reply,
        route::{Route, list, object, object_with, some_text, text},
    },
    identity::{password_fits, password_hash},
    state::table::set,
    weakness::Weakness as W,
};

fn schema() -> Value {
    let read_only = |kind: &str| json!({"type": kind, "readOnly": true});
    object(json!({
        "id": read_only("integer"), "username": read_only("string"), "email": {"type": "string"},
        "phone": {"type": "string"}, "display_name": {"type": "string"}, "role": read_only("string"),
        "is_admin": read_only("boolean"), "verified": read_only("boolean"),
        "wallet": {"type": "object", "readOnly": true, "properties": {"balance": {"type": "number"}}}
    }))
}

pub(crate) fn routes() -> Vec<Route> {
    let changes = json!({
        "display_name": some_text(120), "phone": text(30),
        "email": {"type": "string", "format": "email", "maxLength": 120}
    });
    vec![
        Route::get("/me", "getMe", "One's own account").user().answers(200, schema()).now(show),
        Route::new("PATCH", "/me", "updateMe", "Change one's own account")
            .user()
            .body(object_with(&[], changes), json!({"display_name": "Alice of the harbour"}))
            .answers(200, schema())
            .lenient(&[W::SqliSecondOrder])
            .now(change),
        Route::post("/me/password", "changePassword", "Set a new password; ends all sessions")
            .user()
            .body(
                object(json!({
                    "current_password": some_text(100),
                    "new_password": {"type": "string", "minLength": 8, "maxLength": 100}
                })),
                json!({"current_password": "Harbour-Gate-17", "new_password": "Harbour-Gate-18"}),
            )
            .answers_of(204, "", Value::Null)
            .heavy(new_password),
        Route::post("/me/api-keys", "createApiKey", "Get an API key for partners' operations")
            .user()
            .answers(201, object(json!({"api_key": {"type": "string"}})))
            .now(new_key),
        Route::get("/me/recommendations", "getRecommendations", "Goods named like oneself")
            .user()
            .answers(200, list(json!({"type": "object", "properties": {"name": {"type": "string"}}})))
            .heavy(recommend),
    ]
}

/// A user as the user may see it.
pub(crate) fn public(user: &Value) -> Value {
    let mut shown = serde_json::Map::new();
    for name in ["id", "username", "email", "phone", "display_name", "role", "is_admin", "verified", "wallet"]
    {
        shown.insert(name.to_owned(), user.get(name).cloned().unwrap_or_default());
    }
    Value::Object(shown)
}

fn show(cx: &Cx) -> Reply {
    cx.app.state().user(cx.me()).map_or_else(Reply::not_found, |user| Reply::ok(&public(&user)))
}

fn change(cx: &Cx) -> Reply {
    let mut state = cx.app.state();
    let Some(user) = state.table("users").get_mut(&cx.me().to_string()) else { return Reply::not_found() };
    let mut writable = vec!["display_name", "phone", "email"];
    if cx.on(W::MassAssignmentIsAdmin) {
        writable.push("is_admin");
    }
    if cx.on(W::MassAssignmentVerified) {
        writable.push("verified");
    }
    for name in writable {
        if let Some(value) = cx.json.get(name) {
            user[name] = value.clone();
        }
    }
    if cx.on(W::MassAssignmentNested)
        && let Some(balance) = cx.json.pointer("/wallet/balance")
    {
        set(user, "wallet", json!({"balance": balance}));
    }
    Reply::ok(&public(user))
}

fn new_password(cx: &Cx) -> Reply {
    let user = cx.app.state().user(cx.me());
    if !password_fits(user.as_ref(), cx.text("current_password"), false) {
        return Reply::problem(403, "the current password is not right");
    }
    let mut state = cx.app.state();
    let salt = state.dice.hex(16);
    let hash = password_hash(cx.text("new_password"), &salt);
    let Some(user) = state.table("users").get_mut(&cx.me().to_string()) else { return Reply::not_found() };
    user["password_hash"] = json!(hash);
    if !cx.on(W::SessionPasswordChange) {
        let from = user.get("sessions_from").and_then(Value::as_u64).unwrap_or_default();
        user["sessions_from"] = json!(from + 1);
    }
    Reply::empty(204)
}

fn new_key(cx: &Cx) -> Reply {
    let mut state = cx.app.state();
    let key = format!("hm_{}", state.dice.hex(40));
    state.table("api_keys").put(key.clone(), json!({"owner_id": cx.me()}));
    Reply::json(201, &json!({"api_key": key}))
}

fn recommend(cx: &Cx) -> Reply {
    let user = cx.app.state().user(cx.me()).unwrap_or_default();
    let name = user.get("display_name").and_then(Value::as_str).unwrap_or_default();
    let rows = if cx.on(W::SqliSecondOrder) {
        let query = format!("SELECT name FROM products WHERE brand = '{name}' OR category = 'lamps'");
        cx.app.sql.select(&query, &[])
    } else {
        let query = "SELECT name FROM products WHERE brand = ?1 OR category = 'lamps'";
        cx.app.sql.select(query, &[&name])
    };
    rows.map_or_else(|_| Reply::problem(500, "an error occurred"), |rows| Reply::ok(&rows.into()))
}
