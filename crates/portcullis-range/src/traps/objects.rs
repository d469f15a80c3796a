//! Objects with numbers that anybody may read, and objects of one that are shared with all.

use serde_json::{Value, json};

use crate::http::{
    call::Cx,
    reply::Reply,
    route::{Route, count, list, object, some_text},
};

pub(crate) fn routes() -> Vec<Route> {
    let article = || {
        object(json!({"id": {"type": "integer"}, "title": {"type": "string"}, "author": {"type": "string"}}))
    };
    let board = || {
        object(json!({
            "id": {"type": "integer"}, "owner_id": {"type": "integer"}, "shared": {"type": "boolean"},
            "text": {"type": "string"}
        }))
    };
    vec![
        Route::get("/articles/{article_id}", "getArticle", "An article, for everybody")
            .param("path", "article_id", json!({"type": "integer", "minimum": 1, "maximum": 500}), json!(3))
            .answers(200, article())
            .now(read_article),
        Route::post("/boards", "createBoard", "Put up a board that all users can read")
            .user()
            .body(object(json!({"text": some_text(500)})), json!({"text": "Lost: one oar"}))
            .answers(201, board())
            .now(put_up),
        Route::get("/boards", "listBoards", "All boards")
            .user()
            .answers(200, list(board()))
            .now(|cx| Reply::ok(&cx.app.state().table("boards").rows().cloned().collect())),
        Route::get("/boards/{board_id}", "getBoard", "A board")
            .user()
            .param("path", "board_id", count(), json!(1))
            .answers(200, board())
            .now(read_board),
    ]
}

fn read_article(cx: &Cx) -> Reply {
    let id: u64 = cx.path("article_id").parse().unwrap_or_default();
    let author = ["alice", "bob", "carol"].get(usize::try_from(id % 3).unwrap_or_default());
    Reply::ok(&json!({"id": id, "title": format!("Notes from the quay, part {id}"), "author": author}))
}

fn put_up(cx: &Cx) -> Reply {
    let row = json!({"owner_id": cx.me(), "shared": true, "text": cx.field("text")});
    let row: Value = cx.app.state().table("boards").add(row);
    let id = row.get("id").and_then(Value::as_u64).unwrap_or_default();
    Reply::json(201, &row).with("location", format!("/boards/{id}"))
}

fn read_board(cx: &Cx) -> Reply {
    let state = &mut cx.app.state();
    state.table("boards").get(cx.path("board_id")).map_or_else(Reply::not_found, Reply::ok)
}
