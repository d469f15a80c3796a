//! The people and things that are there from the start.

use serde_json::{Value, json};

use super::State;
use crate::identity::password_hash;

/// Name, password, whether an administrator. The passwords stand in the README: they are examples.
const PEOPLE: &[(&str, &str, bool)] = &[
    ("alice", "Harbour-Gate-17", false),
    ("bob", "Quiet-Lantern-42", false),
    ("carol", "Copper-Kettle-88", false),
    ("admin", "Tall-Lighthouse-03", true),
];

pub(super) fn fill(state: &mut State) {
    for (name, password, admin) in PEOPLE {
        let row = new_user(state, name, &format!("{name}@harbour.example"), password);
        let id = row.get("id").and_then(Value::as_u64).unwrap_or_default();
        if let Some(user) = state.table("users").get_mut(&id.to_string()) {
            user["role"] = json!(if *admin { "admin" } else { "customer" });
            user["is_admin"] = json!(admin);
            user["verified"] = json!(true);
            user["display_name"] = json!(name);
        }
        let document = state.dice.uuid();
        let body = format!("notes of {name}: {}", state.dice.hex(12));
        let row = json!({"id": document, "owner_id": id, "title": format!("Plan of {name}"), "body": body});
        state.table("documents").put(document, row);
        let secret = state.dice.hex(16);
        let vault = format!("{name}-safe");
        state.table("vaults").put(vault.clone(), json!({"name": vault, "owner_id": id, "secret": secret}));
        for quantity in 1..=2 {
            add_order(state, id, quantity, quantity, &format!("{quantity} Pier Road, {name}"), 12.5);
        }
        let note = state.dice.hex(12);
        state.table("messages").add(json!({
            "owner_id": id, "subject": "Welcome", "text": format!("your welcome code is {note}")
        }));
    }
    for (name, city) in [("North Quay Traders", "Bergen"), ("Old Mill Supplies", "Ghent")] {
        let card = test_card(state);
        state.table("sellers").add(json!({
            "name": name, "city": city, "payout_card": card, "rating": 4.5
        }));
    }
    for (title, price) in
        [("Brass compass", 40), ("Storm lantern", 25), ("Oilskin coat", 90), ("Deck chair", 35)]
    {
        let token = state.dice.hex(40);
        state.table("goods").add(json!({
            "name": title, "price": price, "internal_api_token": format!("sk_live_{token}"),
            "supplier": "Fjord Import, Pier 4", "purchase_price": price / 2
        }));
    }
    for (owner, text) in [(1, "Just what the sea ordered"), (2, "Sturdy, a bit heavy")] {
        state.table("reviews").add(json!({
            "owner_id": owner, "product_id": owner, "stars": 4, "text": text,
            "author_email": format!("person{owner}@harbour.example"), "author_phone": "+4755512340"
        }));
    }
    state.table("announcements").add(json!({"title": "Winter hours", "text": "The quay closes at six."}));
    for zone in ["north", "south"] {
        state.table("rates").put(zone, json!({"zone": zone, "price": 7.5}));
    }
    for name in [
        "users",
        "documents",
        "vaults",
        "orders",
        "invoices",
        "messages",
        "sellers",
        "goods",
        "reviews",
        "announcements",
        "rates",
    ] {
        state.table(name).keep_all();
    }
}

/// Adds an ordinary user and returns the row.
pub(crate) fn new_user(state: &mut State, name: &str, email: &str, password: &str) -> Value {
    let salt = state.dice.hex(16);
    state.table("users").add(json!({
        "username": name, "email": email, "phone": "", "display_name": name,
        "password_hash": password_hash(password, &salt),
        "role": "customer", "is_admin": false, "verified": false, "wallet": {"balance": 0},
        "sessions_from": 0
    }))
}

/// Adds an order with its invoice and returns the order.
pub(crate) fn add_order(
    state: &mut State,
    owner: u64,
    product: u64,
    quantity: u64,
    address: &str,
    unit_price: f64,
) -> Value {
    let order = state.table("orders").add(json!({
        "owner_id": owner, "product_id": product, "quantity": quantity, "shipping_address": address,
        "unit_price": unit_price, "status": "open"
    }));
    let reference = state.dice.hex(10);
    state.table("invoices").add(json!({
        "owner_id": owner, "order_id": order.get("id"), "reference": reference, "billing_address": address
    }));
    order
}

/// A card number that passes the Luhn check (ISO/IEC 7812-1), within a range that is kept for tests.
fn test_card(state: &mut State) -> String {
    let body = format!("411111{:09}", state.dice.below(1_000_000_000));
    let sum: u32 = body
        .chars()
        .rev()
        .filter_map(|it| it.to_digit(10))
        .enumerate()
        .map(|(at, digit)| match digit * 2 {
            double if at % 2 == 0 => double / 10 + double % 10,
            _ => digit,
        })
        .sum();
    format!("{body}{}", (10 - sum % 10) % 10)
}
