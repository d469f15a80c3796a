//! What costs more the more one asks for.

use serde_json::json;

use crate::{
    engines::backtrack::nested_plus,
    http::{
        call::Cx,
        reply::Reply,
        route::{Route, list, object, some_text},
    },
    weakness::Weakness as W,
};

/// What even the careless twin gives, so that the range stays up.
const ITEMS_MAX: u64 = 20_000;

/// Nesting that a careful service reads.
const DEPTH_MAX: usize = 32;

pub(crate) fn routes() -> Vec<Route> {
    let size = || json!({"type": "integer", "minimum": 1, "maximum": 1_000});
    vec![
        Route::get("/items", "listItems", "Items in store, by the page")
            .query("limit", json!({"type": "integer", "minimum": 1, "maximum": 100}), json!(10))
            .answers(200, list(object(json!({"id": {"type": "integer"}, "name": {"type": "string"}}))))
            .lenient(&[W::PageSize])
            .heavy(items),
        Route::post("/configs", "saveConfig", "Keep a configuration of any shape")
            .body(json!({"type": "object"}), json!({"colour": {"sails": "white"}}))
            .answers(200, object(json!({"depth": {"type": "integer"}})))
            .lenient(&[W::JsonDepth])
            .heavy(config),
        Route::get("/coupons/check", "checkCoupon", "Whether a code could be one")
            .query(
                "code",
                json!({"type": "string", "pattern": "^([A-Za-z]+)+$", "maxLength": 60}),
                json!("WELCOME"),
            )
            .required()
            .answers(200, object(json!({"plausible": {"type": "boolean"}})))
            .lenient(&[W::RedosCode])
            .heavy(coupon),
        Route::post("/newsletter", "subscribe", "Subscribe to the news")
            .body(object(json!({"address": some_text(120)})), json!({"address": "ida"}))
            .answers(202, object(json!({"message": {"type": "string"}})))
            .answers(422, json!({"type": "object"}))
            .heavy(subscribe),
        Route::get("/thumbnails", "makeThumbnail", "A picture in another size")
            .query("width", size(), json!(80))
            .required()
            .query("height", size(), json!(60))
            .required()
            .answers(200, object(json!({"checksum": {"type": "integer"}})))
            .lenient(&[W::ImageSize])
            .heavy(thumbnail),
    ]
}

fn items(cx: &Cx) -> Reply {
    let asked = cx.query("limit").and_then(|it| it.parse::<u64>().ok()).unwrap_or(10);
    let count = asked.min(if cx.on(W::PageSize) { ITEMS_MAX } else { 100 });
    Reply::ok(&(1..=count).map(|id| json!({"id": id, "name": format!("Item number {id}")})).collect())
}

/// How deep a text nests, by its brackets outside strings.
fn depth(text: &[u8]) -> usize {
    let (mut now, mut most, mut quoted, mut escaped) = (0_usize, 0_usize, false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'{' | b'[' if !quoted => {
                now += 1;
                most = most.max(now);
            }
            b'}' | b']' if !quoted => now = now.saturating_sub(1),
            _ => {}
        }
    }
    most
}

fn config(cx: &Cx) -> Reply {
    let depth = depth(&cx.call.body);
    if !cx.on(W::JsonDepth) {
        if depth > DEPTH_MAX {
            return Reply::invalid("the body nests too deeply");
        }
        return Reply::ok(&json!({"depth": depth}));
    }
    // A reader that copies what is outside at every level: the cost grows with the square of the depth.
    let mut work = 0_u64;
    let levels = u64::try_from(depth).unwrap_or_default().min(20_000);
    for level in 0..levels {
        for inner in 0..level {
            work = work.wrapping_mul(31).wrapping_add(std::hint::black_box(inner));
        }
    }
    Reply::ok(&json!({"depth": depth, "checksum": work & 0xff}))
}

fn coupon(cx: &Cx) -> Reply {
    let code = cx.query("code").unwrap_or_default();
    let plausible = if cx.on(W::RedosCode) {
        nested_plus(code, |it| it.is_ascii_alphabetic()).0
    } else {
        !code.is_empty() && code.bytes().all(|it| it.is_ascii_alphabetic())
    };
    Reply::ok(&json!({"plausible": plausible}))
}

fn subscribe(cx: &Cx) -> Reply {
    let address = cx.text("address");
    let class = |it: u8| it.is_ascii_alphanumeric() || it == b'.';
    let name = address.split('@').next().unwrap_or_default();
    let plausible = if cx.on(W::RedosAddress) {
        nested_plus(name, class).0
    } else {
        !name.is_empty() && name.bytes().all(class)
    };
    if !plausible {
        return Reply::problem(422, "this is no address");
    }
    Reply::json(202, &json!({"message": "Thank you."}))
}

fn thumbnail(cx: &Cx) -> Reply {
    let size = |name| cx.query(name).and_then(|it| it.parse::<u64>().ok()).unwrap_or(1);
    let bound = if cx.on(W::ImageSize) { 20_000 } else { 1_000 };
    let pixels = size("width").min(bound) * size("height").min(bound);
    let checksum =
        (0..pixels).fold(7_u64, |sum, at| sum.wrapping_mul(31).wrapping_add(std::hint::black_box(at)));
    Reply::ok(&json!({"checksum": checksum & 0xffff}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_is_that_of_brackets_outside_strings() {
        assert_eq!(depth(b"{\"a\": [1, \"[[[\\\"[\"]}"), 2);
        assert_eq!(depth(b"]]]"), 0);
    }
}
