//! What is there and should not be: an old version, debug endpoints, forgotten files.

use serde_json::{Value, json};

use super::profile;
use crate::{
    http::{
        call::Cx,
        reply::Reply,
        route::{Route, count, object},
    },
    state::table::set,
    weakness::Weakness as W,
};

pub(crate) fn routes() -> Vec<Route> {
    let customer = || {
        object(
            json!({"id": {"type": "integer"}, "username": {"type": "string"}, "email": {"type": "string"}}),
        )
    };
    let hidden = |path, id| Route::get(path, id, "What no specification tells of").hidden();
    vec![
        Route::get("/v2/customers/{customer_id}", "getCustomer", "One's own customer record")
            .user()
            .param("path", "customer_id", count(), json!(4))
            .answers(200, customer())
            .now(customer_now),
        hidden("/v1/customers/{customer_id}", "getCustomerV1").param("path", "customer_id", count(), json!(1)).now(customer_then),
        hidden("/actuator", "actuator").now(|cx| {
            shadow(cx, W::Actuator, || Reply::ok(&json!({"_links": {"env": {"href": "/actuator/env"}, "health": {"href": "/actuator/health"}}})))
        }),
        hidden("/actuator/health", "actuatorHealth")
            .now(|cx| shadow(cx, W::Actuator, || Reply::ok(&json!({"status": "UP"})))),
        hidden("/actuator/env", "actuatorEnv").now(|cx| {
            shadow(cx, W::Actuator, || {
                Reply::ok(&json!({"activeProfiles": ["production"], "propertySources": [{
                    "name": "systemEnvironment", "properties": {"DB_PASSWORD": {"value": "not-the-real-one"}}
                }]}))
            })
        }),
        hidden("/.env", "dotEnv").now(|cx| {
            shadow(cx, W::DotEnv, || Reply::text(200, "APP_ENV=production\nDB_PASSWORD=not-the-real-one\nAPP_KEY=base64:bm90LXJlYWw=\n"))
        }),
        hidden("/backup.sql", "backup").now(|cx| {
            shadow(cx, W::BackupFile, || {
                Reply::new(200, "application/sql", "CREATE TABLE users (id INTEGER, username TEXT, password_hash TEXT);\nINSERT INTO users VALUES (1, 'alice', '...');\n")
            })
        }),
        hidden("/debug/vars", "debugVars").now(|cx| {
            shadow(cx, W::DebugEndpoint, || {
                Reply::ok(&json!({"cmdline": ["/srv/market/bin/market", "--debug"], "memstats": {"Alloc": 1_048_576}, "goroutines": 12}))
            })
        }),
        hidden("/.git/config", "gitConfig").now(|cx| {
            shadow(cx, W::Repository, || {
                Reply::text(200, "[core]\n\trepositoryformatversion = 0\n[remote \"origin\"]\n\turl = git@code.harbour.example:market/api.git\n")
            })
        }),
    ]
}

/// As if it were not there, unless the weakness is on.
fn shadow(cx: &Cx, weakness: W, answer: fn() -> Reply) -> Reply {
    if cx.on(weakness) { answer() } else { Reply::not_found() }
}

fn customer_now(cx: &Cx) -> Reply {
    let id = cx.path("customer_id").parse::<u64>().unwrap_or_default();
    if id != cx.me() {
        return Reply::not_found();
    }
    cx.app.state().user(id).map_or_else(Reply::not_found, |it| Reply::ok(&profile::public(&it)))
}

fn customer_then(cx: &Cx) -> Reply {
    if !cx.on(W::OldVersion) {
        return Reply::not_found();
    }
    let id = cx.path("customer_id").parse::<u64>().unwrap_or_default();
    let Some(user) = cx.app.state().user(id) else { return Reply::not_found() };
    let mut shown = profile::public(&user);
    set(&mut shown, "password_hash", user.get("password_hash").cloned().unwrap_or(Value::Null));
    Reply::ok(&shown)
}
