//! What is put into the head of an answer: places to go to, languages, cookies.

use serde_json::{Value, json};

use crate::{
    http::{
        call::Cx,
        reply::Reply,
        route::{Route, text},
    },
    weakness::Weakness as W,
};

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::get("/go", "goTo", "Go on to a page of the market")
            .query("next", text(500), json!("/products"))
            .required()
            .answers_of(302, "", Value::Null)
            .now(go),
        Route::get("/login-return", "returnFromLogin", "Go back to where one came from")
            .query("return_to", text(500), json!("https://market.harbour.example/cart"))
            .required()
            .answers_of(302, "", Value::Null)
            .now(go_back),
        Route::get("/locale", "setLocale", "Answer in a language")
            .query("lang", text(200), json!("nb"))
            .required()
            .answers_of(204, "", Value::Null)
            .now(locale),
        Route::get("/campaign", "countCampaign", "Remember where a visitor came from")
            .query("source", text(200), json!("mail"))
            .required()
            .answers_of(204, "", Value::Null)
            .now(campaign),
    ]
}

fn go(cx: &Cx) -> Reply {
    let next = cx.query("next").unwrap_or_default();
    // A path of this host: `//` and `/\` would name another.
    let own = next.starts_with('/')
        && !next.get(1..).is_some_and(|it| it.starts_with(['/', '\\']))
        && next.chars().all(|it| it.is_ascii_graphic());
    if own || cx.on(W::RedirectOpen) {
        return Reply::empty(302).with("location", next.lines().next().unwrap_or_default());
    }
    Reply::invalid("only pages of this market can be gone to")
}

fn go_back(cx: &Cx) -> Reply {
    let target = cx.query("return_to").unwrap_or_default();
    let host = "https://market.harbour.example";
    let rest = target.strip_prefix(host);
    let own = rest.is_some_and(|it| it.is_empty() || it.starts_with('/'))
        && target.chars().all(|it| it.is_ascii_graphic() && it != '\\');
    if own || (rest.is_some() && cx.on(W::RedirectPrefix)) {
        return Reply::empty(302).with("location", target.lines().next().unwrap_or_default());
    }
    Reply::invalid("only pages of this market can be gone to")
}

fn locale(cx: &Cx) -> Reply {
    let lang = cx.query("lang").unwrap_or_default();
    if cx.on(W::CrlfHeader) {
        return split_into(204, "content-language", lang);
    }
    if lang.is_empty() || !lang.chars().all(|it| it.is_ascii_alphanumeric() || it == '-') {
        return Reply::invalid("this is no language");
    }
    Reply::empty(204).with("content-language", lang)
}

fn campaign(cx: &Cx) -> Reply {
    let source = cx.query("source").unwrap_or_default();
    let flags = "; Path=/; HttpOnly; Secure; SameSite=Lax";
    if cx.on(W::CrlfCookie) {
        return split_into(204, "set-cookie", &format!("source={source}{flags}"));
    }
    let plain: String = source.chars().filter(|it| it.is_ascii_alphanumeric()).take(60).collect();
    Reply::empty(204).with("set-cookie", format!("source={plain}{flags}"))
}

/// What a server does that writes a value into the head as it is: what follows a line break is the next field, and
/// what follows an empty line is the body.
fn split_into(status: u16, name: &str, value: &str) -> Reply {
    let value = value.replace("\r\n", "\n").replace('\r', "\n");
    let (head, body) = value.split_once("\n\n").unwrap_or((&value, ""));
    let mut lines = head.split('\n');
    let status = if body.is_empty() { status } else { 200 };
    let mut reply = Reply::empty(status).with(name, lines.next().unwrap_or_default());
    for (name, value) in lines.filter_map(|it| it.split_once(':')).take(8) {
        reply = reply.with(name.trim(), value.trim());
    }
    reply.body = body.as_bytes().to_vec();
    reply
}
