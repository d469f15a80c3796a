//! The back office: operations for administrators.

use serde_json::{Value, json};

use super::profile;
use crate::{
    http::{
        call::Cx,
        reply::Reply,
        route::{Route, list, object, some_text},
    },
    weakness::Weakness as W,
};

pub(crate) fn routes() -> Vec<Route> {
    let name = || json!({"type": "string", "pattern": "^[a-z0-9_-]{3,40}$"});
    let announcement = || object(json!({"title": some_text(100), "text": some_text(1000)}));
    vec![
        Route::get("/admin/users", "adminListUsers", "All users")
            .admin()
            .open_to_users(W::BflaList)
            .answers(200, list(json!({"type": "object"})))
            .now(|cx| Reply::ok(&cx.app.state().table("users").rows().map(profile::public).collect())),
        Route::new("PUT", "/admin/users/{username}/role", "adminSetRole", "Give a user a role")
            .admin()
            .open_to_users(W::BflaPromote)
            .param("path", "username", name(), json!("carol"))
            .body(
                object(json!({"role": {"type": "string", "enum": ["customer", "clerk", "admin"]}})),
                json!({"role": "clerk"}),
            )
            .answers(200, json!({"type": "object"}))
            .now(set_role),
        Route::new("DELETE", "/admin/users/{username}", "adminDeleteUser", "Delete a user")
            .admin()
            .open_to_users(W::BflaDelete)
            .param("path", "username", name(), json!("carol"))
            .answers_of(204, "", Value::Null)
            .now(delete),
        Route::post("/admin/announcements", "adminAnnounce", "Publish an announcement")
            .admin()
            .open_to_users(W::BflaCreate)
            .body(announcement(), json!({"title": "Storm", "text": "The quay is closed."}))
            .answers(201, announcement())
            .now(announce),
        Route::get("/announcements", "listAnnouncements", "Published announcements")
            .answers(200, list(announcement()))
            .now(|cx| {
                Reply::ok(&cx.app.state().table("announcements").rows().rev().take(50).cloned().collect())
            }),
    ]
}

fn set_role(cx: &Cx) -> Reply {
    let mut state = cx.app.state();
    let id = state.user_named(cx.path("username")).and_then(|it| it.get("id").and_then(Value::as_u64));
    let key = id.unwrap_or_default().to_string();
    let Some(user) = state.table("users").get_mut(&key) else { return Reply::not_found() };
    user["role"] = cx.field("role").clone();
    user["is_admin"] = json!(cx.text("role") == "admin");
    Reply::ok(&profile::public(user))
}

fn delete(cx: &Cx) -> Reply {
    let mut state = cx.app.state();
    let id = state.user_named(cx.path("username")).and_then(|it| it.get("id").and_then(Value::as_u64));
    let removed = id.is_some_and(|id| state.table("users").remove(&id.to_string()));
    if removed { Reply::empty(204) } else { Reply::not_found() }
}

fn announce(cx: &Cx) -> Reply {
    let row = json!({"title": cx.field("title"), "text": cx.field("text")});
    Reply::json(201, &cx.app.state().table("announcements").add(row))
}
