//! The SOAP side: one service under `/soap/warehouse`, its WSDL at `?wsdl`, WS-Security with UsernameToken.

mod security;
mod wsdl;

use serde_json::{Value, json};

use crate::{
    engines::xml::{element, elements, expand, has_doctype},
    http::{
        call::Cx,
        reply::{Reply, escape_html},
        route::Route,
    },
    state::table::set,
    weakness::Weakness as W,
};

/// The namespace of the service.
const NAMESPACE: &str = "urn:harbour:warehouse";

/// What the service does, and whether it asks who calls.
const OPERATIONS: &[(&str, bool)] =
    &[("GetItem", false), ("FindItems", false), ("GetOrder", true), ("SetPrice", true), ("Approve", true)];

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::get("/soap/warehouse", "soapWsdl", "The WSDL").hidden().now(|cx| {
            if cx.call.query.iter().any(|(name, _)| name.eq_ignore_ascii_case("wsdl")) {
                return Reply::new(200, "text/xml; charset=utf-8", wsdl::document(cx, NAMESPACE, OPERATIONS));
            }
            Reply::problem(405, "this service is called by POST").with("allow", "POST")
        }),
        Route::post("/soap/warehouse", "soapCall", "SOAP 1.1").hidden().heavy(call),
    ]
}

fn envelope(body: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><soap:Envelope xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\"><soap:Body>{body}</soap:Body></soap:Envelope>"
    )
}

fn fault(code: &str, text: &str) -> Reply {
    let body = format!(
        "<soap:Fault><faultcode>soap:{code}</faultcode><faultstring>{}</faultstring></soap:Fault>",
        escape_html(text)
    );
    Reply::new(500, "text/xml; charset=utf-8", envelope(&body))
}

fn call(cx: &Cx) -> Reply {
    let media_type = cx.call.media_type();
    if !["text/xml", "application/soap+xml"].contains(&media_type.as_str()) {
        return Reply::problem(415, "the body must be XML");
    }
    let text = cx.call.text();
    let text = if has_doctype(&text) {
        if !cx.on(W::SoapXxe) && !cx.on(W::SoapBomb) {
            return fault("Client", "a document type is not accepted");
        }
        let bounded = if cx.on(W::SoapXxe) { text } else { text.replace("SYSTEM", "") };
        expand(&bounded)
    } else {
        text
    };
    let bodies = elements(&text, "Body");
    let (Some(first), Some(last)) = (bodies.first(), bodies.last()) else {
        return fault("Client", "this is no SOAP envelope");
    };
    if bodies.len() > 1 && !cx.on(W::SoapWrapping) {
        return fault("Client", "an envelope has one body");
    }
    // The careless twin checks the first body that it meets and carries the last one out.
    let asked = |body: &str| OPERATIONS.iter().find(|(name, _)| element(body, name).is_some()).copied();
    let (Some(checked), Some(run)) = (asked(first), asked(last)) else {
        return fault("Client", "this operation is not known");
    };
    let action = cx.call.header("soapaction").unwrap_or_default().trim_matches('"');
    let named = action.rsplit(['/', ':', '#']).next().unwrap_or_default();
    if cx.on(W::SoapAction) {
        // The careless twin lets the header decide whether a credential is needed, and the body what is done.
        let needs = OPERATIONS.iter().find(|(name, _)| *name == named).map_or(checked.1, |(_, needs)| *needs);
        if needs && let Err(reply) = admitted(cx, &text) {
            return reply;
        }
    } else {
        if !action.is_empty() && named != run.0 {
            return fault("Client", "SOAPAction and body name different operations");
        }
        if checked.1
            && let Err(reply) = admitted(cx, &text)
        {
            return reply;
        }
    }
    carried_out(cx, run.0, last)
}

/// Whether the header proves who calls.
fn admitted(cx: &Cx, text: &str) -> Result<(), Reply> {
    if cx.on(W::SoapSecurityAbsent) && element(text, "UsernameToken").is_none() {
        return Ok(());
    }
    security::check(cx, text).map_err(|complaint| fault("Client", complaint))
}

fn carried_out(cx: &Cx, operation: &str, body: &str) -> Reply {
    let argument = |name: &str| element(body, name).unwrap_or_default();
    let content = match operation {
        "GetItem" => {
            let id = argument("itemId");
            let row = cx.app.state().table("goods").get(id.trim()).cloned();
            match row {
                Some(row) => {
                    format!("<name>{}</name><price>{}</price>", shown(&row, "name"), shown(&row, "price"))
                }
                None => {
                    return fault("Client", &format!("no item {}", id.chars().take(200).collect::<String>()));
                }
            }
        }
        "FindItems" => {
            let category = argument("category");
            let from = "SELECT name FROM products WHERE released = 1 AND category =";
            let rows = if cx.on(W::SoapSqli) {
                cx.app.sql.select(&format!("{from} '{category}'"), &[])
            } else {
                cx.app.sql.select(&format!("{from} ?1"), &[&category])
            };
            match rows {
                Ok(rows) => rows.iter().map(|row| format!("<name>{}</name>", shown(row, "name"))).collect(),
                Err(_) => return fault("Server", "an error occurred"),
            }
        }
        "GetOrder" => {
            let row = cx.app.state().table("orders").get(argument("orderId").trim()).cloned();
            match row {
                Some(row) => format!("<address>{}</address>", shown(&row, "shipping_address")),
                None => return fault("Client", "no such order"),
            }
        }
        "SetPrice" => {
            let Ok(price) = argument("price").trim().parse::<f64>() else {
                if cx.on(W::SoapStackTrace) {
                    return fault(
                        "Server",
                        "java.lang.NumberFormatException: For input string\n\tat java.base/java.lang.Double.parseDouble(Double.java:651)\n\tat example.harbour.warehouse.PriceEndpoint.setPrice(PriceEndpoint.java:88)",
                    );
                }
                return fault("Client", "this is no price");
            };
            let mut state = cx.app.state();
            match state.table("goods").get_mut(argument("itemId").trim()) {
                Some(row) => {
                    set(row, "price", price);
                    format!("<price>{price}</price>")
                }
                None => return fault("Client", "no such item"),
            }
        }
        _ => {
            let note = argument("note");
            let row: Value = cx.app.state().table("approvals").add(json!({"note": note}));
            format!("<approval>{}</approval>", shown(&row, "id"))
        }
    };
    let body = format!("<{operation}Response xmlns=\"{NAMESPACE}\">{content}</{operation}Response>");
    Reply::new(200, "text/xml; charset=utf-8", envelope(&body))
}

fn shown(row: &Value, name: &str) -> String {
    match row.get(name) {
        Some(Value::String(text)) => escape_html(text),
        Some(other) => other.to_string(),
        None => String::new(),
    }
}
