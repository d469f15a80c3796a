//! Documents in XML: read without document types, or with all that these bring.

use serde_json::json;

use crate::{
    engines::xml::{element, expand, has_doctype},
    http::{
        call::Cx,
        reply::Reply,
        route::{Route, object},
    },
    weakness::Weakness as W,
};

pub(crate) fn routes() -> Vec<Route> {
    let import = |path, id, summary| {
        Route::post(path, id, summary).body_of(
            "application/xml",
            json!({"type": "string"}),
            json!("<order><note>by the back door</note><item>LAMP-100</item></order>"),
        )
    };
    vec![
        import("/orders/import", "importOrder", "Order by XML")
            .answers(200, object(json!({"note": {"type": "string"}})))
            .heavy(|cx| {
                read(cx, W::XxeReflected, |text| {
                    let note = element(text, "note").unwrap_or_default();
                    Reply::ok(&json!({"note": note.chars().take(10_000).collect::<String>()}))
                })
            }),
        import("/manifests", "sendManifest", "Announce a cargo by XML")
            .answers(202, object(json!({"received": {"type": "boolean"}})))
            .heavy(|cx| read(cx, W::XxeBlind, |_| Reply::json(202, &json!({"received": true})))),
        import("/catalogs/import", "importCatalog", "Bring a catalogue by XML")
            .answers(200, object(json!({"characters": {"type": "integer"}})))
            .heavy(|cx| read(cx, W::XmlBomb, |text| Reply::ok(&json!({"characters": text.chars().count()})))),
    ]
}

fn read(cx: &Cx, weakness: W, answer: fn(&str) -> Reply) -> Reply {
    let text = cx.call.text();
    if !text.trim_start().starts_with('<') {
        return Reply::invalid("the body is no XML");
    }
    if cx.on(weakness) {
        return answer(&expand(&text));
    }
    if has_doctype(&text) {
        return Reply::invalid("a document type is not accepted");
    }
    answer(&text)
}
