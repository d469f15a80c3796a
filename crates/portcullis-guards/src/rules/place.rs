//! A variable of the rule language as a place in the message.

use portcullis_core::{context::Context, verdict::Place};

/// The place that `ARGS:note`, `REQUEST_HEADERS:User-Agent` and the like stand for.
pub(super) fn of(variable: &[u8], cx: &Context) -> Place {
    let text = String::from_utf8_lossy(variable);
    let (collection, key) = text.split_once(':').unwrap_or((&*text, ""));
    let name = || key.to_owned().into_boxed_str();
    match collection {
        "ARGS_GET" | "ARGS_GET_NAMES" => Place::Query(name()),
        "ARGS" | "ARGS_NAMES" if is_in_query(cx, key) => Place::Query(name()),
        "ARGS" | "ARGS_NAMES" | "ARGS_POST" | "ARGS_POST_NAMES" | "FILES" | "FILES_NAMES" => {
            Place::Body(pointer(key))
        }
        "REQUEST_HEADERS" | "REQUEST_HEADERS_NAMES" => Place::Header(key.to_ascii_lowercase().into()),
        "REQUEST_COOKIES" | "REQUEST_COOKIES_NAMES" => Place::Cookie(name()),
        "REQUEST_METHOD" => Place::Method,
        "RESPONSE_STATUS" => Place::ResponseStatus,
        "RESPONSE_HEADERS" | "RESPONSE_HEADERS_NAMES" => {
            Place::ResponseHeader(key.to_ascii_lowercase().into())
        }
        "RESPONSE_BODY" => Place::ResponseBody(Box::default()),
        "REMOTE_ADDR" | "REMOTE_PORT" | "REMOTE_HOST" | "REMOTE_USER" => Place::Connection,
        other if other.starts_with("REQUEST_BODY") || other.starts_with("REQBODY") => {
            Place::Body(Box::default())
        }
        other if other.starts_with("XML") || other.starts_with("MULTIPART") => Place::Body(Box::default()),
        _ => Place::Path,
    }
}

fn is_in_query(cx: &Context, name: &str) -> bool {
    let names = cx.request.query.as_deref().unwrap_or_default().split('&');
    names.map(|pair| pair.split_once('=').map_or(pair, |(name, _)| name)).any(|it| it == name)
}

/// `json.lines.0.note` is `/lines/0/note`; a field of a form stands at the top.
fn pointer(key: &str) -> Box<str> {
    let escaped = |step: &str| step.replace('~', "~0").replace('/', "~1");
    match key.strip_prefix("json.") {
        Some(path) => path.split('.').map(|step| format!("/{}", escaped(step))).collect::<String>().into(),
        None if key.is_empty() => Box::default(),
        None => format!("/{}", escaped(key)).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rate_limit::testing::call;

    #[test]
    fn names_where_in_the_message_a_variable_stands() {
        let mut cx = call("192.0.2.1");
        cx.request.query = Some("q=1&page=2".into());
        for (variable, place) in [
            ("ARGS:q", Place::Query("q".into())),
            ("ARGS:json.lines.0.a/b", Place::Body("/lines/0/a~1b".into())),
            ("ARGS_POST:note", Place::Body("/note".into())),
            ("REQUEST_HEADERS:User-Agent", Place::Header("user-agent".into())),
            ("REQUEST_COOKIES:sid", Place::Cookie("sid".into())),
            ("REQUEST_URI", Place::Path),
            ("XML", Place::Body("".into())),
            ("RESPONSE_BODY", Place::ResponseBody("".into())),
            ("REMOTE_ADDR", Place::Connection),
        ] {
            assert_eq!(of(variable.as_bytes(), &cx), place, "{variable}");
        }
    }
}
