//! Ordinary clients: they read the document and keep to it.

use http::Method;

use crate::{calls::Call, dice::Dice};

const SKUS: &[&str] = &["TE-1001", "TE-1002", "CO-2001", "MI-3005", "SU-4010"];
const NAMES: &[&str] = &["Ada Byron", "Grace Murray", "Edsger D.", "Barbara L.", "Zoë O'Neill"];
const SEARCHES: &[&str] = &["tea", "coffee%20beans", "sugar", "milk", "o%27brien%20mug"];
const NOTES: &[&str] = &[
    "please ring twice",
    "leave it with the neighbour",
    "it's a gift -- wrap it; thanks",
    "select the ripe ones",
];

/// What an ordinary client does next.
pub fn next(dice: &mut Dice) -> Call {
    match dice.below(10) {
        0..=2 => {
            let search = dice.pick(SEARCHES).copied().unwrap_or_default();
            Call::get(
                "searches the catalogue",
                format!("/v1/products?q={search}&limit={}", 1 + dice.below(50)),
            )
        }
        3..=4 => Call::get("looks at an order", format!("/v1/orders/{}", 1 + dice.below(40))),
        5 => Call::get("lists open orders", "/v1/orders?status=open"),
        6 => Call::get("reads a profile", format!("/v1/users/{}", 1 + dice.below(5))),
        7 => Call::get(
            "opens an invoice",
            format!("/v1/invoices/5f0c6a0e-0000-4000-8000-{:012}", 1 + dice.below(20)),
        ),
        8 => {
            let sku = dice.pick(SKUS).copied().unwrap_or_default();
            let note = dice.pick(NOTES).copied().unwrap_or_default();
            let quantity = 1 + dice.below(5);
            let body = format!(r#"{{"items":[{{"sku":"{sku}","quantity":{quantity}}}],"note":"{note}"}}"#);
            Call::send("places an order", Method::POST, "/v1/orders", body)
        }
        _ => {
            let name = dice.pick(NAMES).copied().unwrap_or_default();
            let body = format!(r#"{{"name":"{name}"}}"#);
            Call::send("updates a profile", Method::PATCH, format!("/v1/users/{}", 1 + dice.below(5)), body)
        }
    }
}
