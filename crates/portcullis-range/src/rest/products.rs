//! The catalogue in SQL: bound parameters, or text put together.

use rusqlite::ToSql;
use serde_json::{Value, json};

use crate::{
    http::{
        call::Cx,
        reply::Reply,
        route::{Route, count, list, object, object_with, some_text, text},
    },
    weakness::Weakness as W,
};

const COLUMNS: &str = "id, sku, name, category, price";

fn product() -> Value {
    object(json!({
        "id": {"type": "integer"}, "sku": {"type": "string"}, "name": {"type": "string"},
        "category": {"type": "string"}, "price": {"type": "number"}
    }))
}

pub(crate) fn routes() -> Vec<Route> {
    let sort = json!({"type": "string", "enum": ["id", "name", "price"]});
    let limit = json!({"type": "integer", "minimum": 1, "maximum": 100});
    vec![
        Route::get("/products", "listProducts", "The catalogue")
            .query("category", text(60), json!("lamps"))
            .query("sort", sort, json!("price"))
            .query("limit", limit, json!(20))
            .answers(200, list(product()))
            .lenient(&[W::SqliBoolean, W::SqliOrder])
            .heavy(all),
        Route::get("/products/search", "searchProducts", "Search the catalogue")
            .query("q", text(200), json!("lamp"))
            .required()
            .answers(200, list(product()))
            .lenient(&[W::SqliUnion])
            .heavy(search),
        Route::get("/products/by-sku/{sku}", "getProductBySku", "One product by its SKU")
            .param("path", "sku", some_text(100), json!("LAMP-100"))
            .answers(200, product())
            .lenient(&[W::SqliError])
            .heavy(by_sku),
        Route::get("/products/reviews", "listProductReviews", "What is said about a product")
            .query("product_id", count(), json!(1))
            .required()
            .answers(200, list(object(json!({"stars": {"type": "integer"}, "text": {"type": "string"}}))))
            .lenient(&[W::SqliNumeric])
            .heavy(reviews),
        Route::post("/products/filter", "filterProducts", "The catalogue by several wishes")
            .body(
                object(json!({"filters": object_with(&["brand"], json!({"brand": some_text(60)}))})),
                json!({"filters": {"brand": "Quayside"}}),
            )
            .answers(200, list(product()))
            .lenient(&[W::SqliNested])
            .heavy(filter),
        Route::get("/shipments", "trackShipments", "Ask a carrier to report")
            .query("carrier", text(60), json!("gull"))
            .required()
            .answers(202, object(json!({"status": {"type": "string"}})))
            .lenient(&[W::SqliTime])
            .heavy(track),
        Route::get("/promotions", "listPromotions", "What is on sale in a region")
            .param("header", "X-Region", text(40), json!("north"))
            .required()
            .answers(200, list(object(json!({"title": {"type": "string"}}))))
            .lenient(&[W::SqliHeader])
            .heavy(promotions),
        Route::post("/quotes", "requestQuote", "What a customer would pay")
            .body(
                object(json!({"customer_code": some_text(60), "amount": {"type": "number", "minimum": 0, "maximum": 1e6}})),
                json!({"customer_code": "HARBOUR", "amount": 100}),
            )
            .answers(200, object(json!({"discount": {"type": "number"}})))
            .lenient(&[W::SqliBody])
            .heavy(quote),
        Route::post("/kiosk/login", "kioskLogin", "Sign in at the kiosk with badge and PIN")
            .body(
                object(json!({"badge": some_text(60), "pin": some_text(20)})),
                json!({"badge": "K-1001", "pin": "7731"}),
            )
            .answers(200, object(json!({"welcome": {"type": "string"}})))
            .answers(401, json!({"type": "object"}))
            .lenient(&[W::SqliLogin])
            .heavy(kiosk),
    ]
}

/// Runs the careless query or the careful one. The careless twin says no more than that something went wrong.
fn select(
    cx: &Cx,
    weakness: W,
    careless: &str,
    careful: &str,
    bound: &[&dyn ToSql],
) -> Result<Vec<Value>, Reply> {
    let rows =
        if cx.on(weakness) { cx.app.sql.select(careless, &[]) } else { cx.app.sql.select(careful, bound) };
    rows.map_err(|_| Reply::problem(500, "an error occurred"))
}

fn shown(rows: Result<Vec<Value>, Reply>) -> Reply {
    rows.map_or_else(|reply| reply, |rows| Reply::ok(&rows.into()))
}

fn all(cx: &Cx) -> Reply {
    let category = cx.query("category");
    let asked = cx.query("sort").unwrap_or("id");
    let sort = match asked {
        other if cx.on(W::SqliOrder) => other,
        "name" => "name",
        "price" => "price",
        _ => "id",
    };
    let limit: i64 = cx.query("limit").and_then(|it| it.parse().ok()).unwrap_or(50).clamp(1, 100);
    let from = format!("SELECT {COLUMNS} FROM products WHERE released = 1");
    let tail = format!("ORDER BY {sort} LIMIT {limit}");
    let rows = match category {
        Some(category) => select(
            cx,
            W::SqliBoolean,
            &format!("{from} AND category = '{category}' {tail}"),
            &format!("{from} AND category = ?1 {tail}"),
            &[&category],
        ),
        None => {
            let query = format!("{from} {tail}");
            cx.app.sql.select(&query, &[]).map_err(|_| Reply::problem(500, "an error occurred"))
        }
    };
    shown(rows)
}

fn search(cx: &Cx) -> Reply {
    let q = cx.query("q").unwrap_or_default();
    let from = format!("SELECT {COLUMNS} FROM products WHERE released = 1 AND name LIKE");
    // The text is meant as it stands, not as a pattern.
    let literal = q.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    shown(select(
        cx,
        W::SqliUnion,
        &format!("{from} '%{q}%'"),
        &format!("{from} ?1 ESCAPE '\\'"),
        &[&format!("%{literal}%")],
    ))
}

fn by_sku(cx: &Cx) -> Reply {
    let sku = cx.path("sku");
    let rows = if cx.on(W::SqliError) {
        cx.app.sql.select(&format!("SELECT {COLUMNS} FROM products WHERE sku = '{sku}'"), &[])
    } else {
        cx.app.sql.select(&format!("SELECT {COLUMNS} FROM products WHERE sku = ?1"), &[&sku])
    };
    match rows {
        Ok(rows) => rows.first().map_or_else(Reply::not_found, Reply::ok),
        Err(message) => Reply::problem(500, &message),
    }
}

fn reviews(cx: &Cx) -> Reply {
    let id = cx.query("product_id").unwrap_or_default();
    let from = "SELECT stars, text FROM product_reviews WHERE product_id =";
    let number: i64 = id.parse().unwrap_or_default();
    shown(select(cx, W::SqliNumeric, &format!("{from} {id}"), &format!("{from} ?1"), &[&number]))
}

fn filter(cx: &Cx) -> Reply {
    let brand = cx.json.pointer("/filters/brand").and_then(Value::as_str).unwrap_or_default();
    let from = format!("SELECT {COLUMNS} FROM products WHERE released = 1 AND brand =");
    shown(select(cx, W::SqliNested, &format!("{from} '{brand}'"), &format!("{from} ?1"), &[&brand]))
}

fn track(cx: &Cx) -> Reply {
    let carrier = cx.query("carrier").unwrap_or_default();
    let from = "SELECT status FROM shipments WHERE carrier =";
    // The result goes elsewhere: all the caller could notice is how long it took.
    let _ = select(cx, W::SqliTime, &format!("{from} '{carrier}'"), &format!("{from} ?1"), &[&carrier]);
    Reply::json(202, &json!({"status": "asked"}))
}

fn promotions(cx: &Cx) -> Reply {
    let region = cx.call.header("x-region").unwrap_or_default();
    let from = "SELECT title FROM promotions WHERE region =";
    shown(select(cx, W::SqliHeader, &format!("{from} '{region}'"), &format!("{from} ?1"), &[&region]))
}

fn quote(cx: &Cx) -> Reply {
    let code = cx.text("customer_code");
    let from = "SELECT discount FROM customers WHERE code =";
    match select(cx, W::SqliBody, &format!("{from} '{code}'"), &format!("{from} ?1"), &[&code]) {
        Ok(rows) => {
            let discount = rows.first().and_then(|row| row.get("discount")).cloned();
            Reply::ok(&json!({"discount": discount.unwrap_or_else(|| json!(0.0))}))
        }
        Err(reply) => reply,
    }
}

fn kiosk(cx: &Cx) -> Reply {
    let (badge, pin) = (cx.text("badge"), cx.text("pin"));
    let from = "SELECT name FROM kiosk_staff WHERE";
    let rows = select(
        cx,
        W::SqliLogin,
        &format!("{from} badge = '{badge}' AND pin = '{pin}'"),
        &format!("{from} badge = ?1 AND pin = ?2"),
        &[&badge, &pin],
    );
    match rows.map(|rows| rows.first().and_then(|row| row.get("name")).cloned()) {
        Ok(Some(name)) => Reply::ok(&json!({"welcome": name})),
        Ok(None) => Reply::problem(401, "badge or PIN is not right"),
        Err(reply) => reply,
    }
}
