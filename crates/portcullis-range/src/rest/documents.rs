//! Documents (by UUID) and vaults (by name).

use serde_json::{Value, json};

use super::orders::is_mine;
use crate::{
    http::{
        call::Cx,
        reply::Reply,
        route::{Route, list, object, some_text},
    },
    weakness::Weakness as W,
};

fn document() -> Value {
    object(json!({
        "id": {"type": "string", "format": "uuid", "readOnly": true},
        "owner_id": {"type": "integer", "readOnly": true},
        "title": {"type": "string"}, "body": {"type": "string"}
    }))
}

fn vault() -> Value {
    object(json!({
        "name": {"type": "string"}, "owner_id": {"type": "integer", "readOnly": true},
        "secret": {"type": "string"}
    }))
}

pub(crate) fn routes() -> Vec<Route> {
    let written = || object(json!({"title": some_text(120), "body": some_text(4000)}));
    let example = || json!({"title": "Loading list", "body": "twelve crates"});
    let uuid = || json!({"type": "string", "format": "uuid"});
    let id = || json!("3f2b8c1e-6d47-4a90-a1b2-c3d4e5f60718");
    let name = || json!({"type": "string", "pattern": "^[A-Za-z0-9_-]{1,60}$"});
    let one = |method, id_of, summary| {
        Route::new(method, "/documents/{document_id}", id_of, summary).user().param(
            "path",
            "document_id",
            uuid(),
            id(),
        )
    };
    let of_vault = |method, id_of, summary| {
        Route::new(method, "/vaults/{name}", id_of, summary).user().param(
            "path",
            "name",
            name(),
            json!("alice-safe"),
        )
    };
    vec![
        Route::get("/documents", "listDocuments", "One's own documents")
            .user()
            .answers(200, list(document()))
            .now(|cx| Reply::ok(&cx.app.state().table("documents").owned_by(cx.me()).into())),
        Route::post("/documents", "createDocument", "Write a document")
            .user()
            .body(written(), example())
            .answers(201, document())
            .now(create),
        one("GET", "getDocument", "One document").answers(200, document()).now(show),
        one("PUT", "replaceDocument", "Write a document anew")
            .body(written(), example())
            .answers(200, document())
            .now(replace),
        one("DELETE", "deleteDocument", "Throw a document away").answers_of(204, "", Value::Null).now(delete),
        Route::get("/vaults", "listVaults", "Names of one's own vaults")
            .user()
            .answers(200, list(object(json!({"name": {"type": "string"}}))))
            .now(vaults),
        Route::post("/vaults", "createVault", "Lock a secret away under a name")
            .user()
            .body(
                object(json!({"name": name(), "secret": some_text(200)})),
                json!({"name": "attic", "secret": "under the third board"}),
            )
            .answers(201, vault())
            .answers(409, json!({"type": "object"}))
            .now(lock_away),
        of_vault("GET", "getVault", "What is in a vault").answers(200, vault()).now(open_vault),
        of_vault("DELETE", "deleteVault", "Empty a vault for good")
            .answers_of(204, "", Value::Null)
            .now(delete_vault),
    ]
}

fn create(cx: &Cx) -> Reply {
    let mut state = cx.app.state();
    let id = state.dice.uuid();
    let owner = cx.field("owner_id").as_u64().filter(|_| cx.on(W::MassAssignmentOwner)).unwrap_or(cx.me());
    let row = json!({"id": id, "owner_id": owner, "title": cx.field("title"), "body": cx.field("body")});
    state.table("documents").put(id.clone(), row.clone());
    Reply::json(201, &row).with("location", format!("/documents/{id}"))
}

fn show(cx: &Cx) -> Reply {
    let state = &mut cx.app.state();
    match state.table("documents").get(cx.path("document_id")) {
        Some(row) if is_mine(cx, row) || cx.on(W::BolaReadUuid) => Reply::ok(row),
        _ => Reply::not_found(),
    }
}

fn replace(cx: &Cx) -> Reply {
    let state = &mut cx.app.state();
    match state.table("documents").get_mut(cx.path("document_id")) {
        Some(row) if is_mine(cx, row) || cx.on(W::BolaWriteUuid) => {
            row["title"] = cx.field("title").clone();
            row["body"] = cx.field("body").clone();
            Reply::ok(row)
        }
        _ => Reply::not_found(),
    }
}

fn delete(cx: &Cx) -> Reply {
    remove(cx, "documents", cx.path("document_id"), W::BolaDeleteUuid)
}

fn remove(cx: &Cx, table: &'static str, key: &str, weakness: W) -> Reply {
    let mut state = cx.app.state();
    let may = state.table(table).get(key).is_some_and(|row| is_mine(cx, row) || cx.on(weakness));
    if may && state.table(table).remove(key) { Reply::empty(204) } else { Reply::not_found() }
}

fn vaults(cx: &Cx) -> Reply {
    let rows = cx.app.state().table("vaults").owned_by(cx.me());
    Reply::ok(&rows.iter().map(|it| json!({"name": it.get("name")})).collect())
}

fn lock_away(cx: &Cx) -> Reply {
    let mut state = cx.app.state();
    let name = cx.text("name");
    if state.table("vaults").get(name).is_some() {
        return Reply::problem(409, "this name is in use");
    }
    let row = json!({"name": name, "owner_id": cx.me(), "secret": cx.field("secret")});
    state.table("vaults").put(name, row.clone());
    Reply::json(201, &row).with("location", format!("/vaults/{name}"))
}

fn open_vault(cx: &Cx) -> Reply {
    let state = &mut cx.app.state();
    match state.table("vaults").get(cx.path("name")) {
        Some(row) if is_mine(cx, row) || cx.on(W::BolaReadName) => Reply::ok(row),
        _ => Reply::not_found(),
    }
}

fn delete_vault(cx: &Cx) -> Reply {
    remove(cx, "vaults", cx.path("name"), W::BolaDeleteName)
}
