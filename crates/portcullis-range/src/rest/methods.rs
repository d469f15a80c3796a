//! What methods and their overrides can do to the table of routes.

use http::Method;
use serde_json::json;

use crate::{
    http::{
        call::Cx,
        reply::Reply,
        route::{Route, count},
    },
    state::table::set,
    weakness::Weakness as W,
};

/// Methods that are answered as what they are.
const KNOWN: &[&str] = &["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"];

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::new("*", "/goods/{goods_id}", "goodsByAnyMethod", "What no specification tells of")
            .hidden()
            .param("path", "goods_id", count(), json!(1))
            .now(goods),
        Route::new("*", "/sellers/{seller_id}", "sellerByAnyMethod", "What no specification tells of")
            .hidden()
            .param("path", "seller_id", count(), json!(1))
            .now(seller),
    ]
}

/// Looks at a call before its route is sought; may change its method or answer it.
pub(crate) fn before_routing(cx: &mut Cx) -> Option<Reply> {
    if cx.call.method == Method::TRACE && cx.on(W::MethodTrace) {
        let mut text = format!("TRACE {} HTTP/1.1\r\n", cx.call.target);
        for (name, value) in &cx.call.headers {
            text += &format!("{name}: {}\r\n", String::from_utf8_lossy(value.as_bytes()));
        }
        return Some(Reply::new(200, "message/http", text));
    }
    if cx.call.method == Method::POST && cx.on(W::MethodOverride) {
        let names = ["x-http-method-override", "x-http-method", "x-method-override"];
        let wanted = names.iter().find_map(|name| cx.call.header(name)).map(str::to_ascii_uppercase);
        if let Some(method) = wanted.and_then(|it| Method::from_bytes(it.as_bytes()).ok()) {
            cx.call.method = method;
        }
    }
    if !KNOWN.contains(&cx.call.method.as_str()) && cx.on(W::MethodUnknown) {
        cx.call.method = Method::GET;
    }
    None
}

/// The answer to a method that a resource does not have.
fn refused(cx: &Cx) -> Reply {
    if cx.call.method == Method::OPTIONS {
        return Reply::empty(204).with("allow", "GET, HEAD, OPTIONS");
    }
    Reply::problem(405, "this method is not for this resource").with("allow", "GET, HEAD, OPTIONS")
}

fn goods(cx: &Cx) -> Reply {
    if cx.call.method != Method::DELETE || !cx.on(W::MethodDelete) {
        return refused(cx);
    }
    let removed = cx.app.state().table("goods").remove(cx.path("goods_id"));
    if removed { Reply::empty(204) } else { Reply::not_found() }
}

fn seller(cx: &Cx) -> Reply {
    if cx.call.method != Method::PUT || !cx.on(W::MethodPut) {
        return refused(cx);
    }
    let mut state = cx.app.state();
    let Some(row) = state.table("sellers").get_mut(cx.path("seller_id")) else { return Reply::not_found() };
    for name in ["name", "city"] {
        if let Some(value) = cx.json.get(name) {
            set(row, name, value.clone());
        }
    }
    Reply::ok(&json!({"id": row.get("id"), "name": row.get("name"), "city": row.get("city")}))
}
