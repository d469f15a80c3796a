//! What the shop knows: a few users, products, orders and invoices in memory.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde_json::{Value, json};

/// Orders kept; the oldest goes first, so that a long demo does not grow.
const ORDERS_MAX: usize = 200;

pub(crate) struct Shop {
    stock: Mutex<Stock>,
}

struct Stock {
    users: BTreeMap<u64, Value>,
    orders: BTreeMap<u64, Value>,
    next_order: u64,
}

impl Shop {
    pub(crate) fn stocked() -> Self {
        let users = [
            (1, "Ada Byron", "ada"),
            (2, "Grace Murray", "grace"),
            (3, "Alan M.", "alan"),
            (4, "Kurt G.", "kurt"),
            (5, "Emmy N.", "emmy"),
        ];
        let users = users
            .into_iter()
            .map(|(id, name, mail)| {
                (id, json!({ "id": id, "name": name, "email": format!("{mail}@example.com") }))
            })
            .collect();
        let orders = (1..=40)
            .map(|id| {
                let status = if id % 3 == 0 { "paid" } else { "open" };
                (id, order(id, 1 + id % 5, status, &json!([{ "sku": "TE-1001", "quantity": 1 + id % 4 }])))
            })
            .collect();
        Self { stock: Mutex::new(Stock { users, orders, next_order: 41 }) }
    }

    pub(crate) fn products(&self, query: &str) -> Value {
        let all = [
            ("TE-1001", "Assam tea", 4.5),
            ("TE-1002", "Green tea", 5.0),
            ("CO-2001", "Coffee beans", 9.9),
            ("MI-3005", "Oat milk", 2.1),
            ("SU-4010", "Cane sugar", 1.8),
        ];
        let wanted = parameter(query, "q").unwrap_or_default().to_lowercase();
        all.iter()
            .filter(|(_, name, _)| name.to_lowercase().contains(&wanted))
            .map(|(sku, name, price)| json!({ "sku": sku, "name": name, "price": price }))
            .collect()
    }

    pub(crate) fn user(&self, id: &str) -> Option<Value> {
        self.stock().users.get(&id.parse().ok()?).cloned()
    }

    pub(crate) fn update_user(&self, id: &str, sent: &Value) -> Option<Value> {
        let mut stock = self.stock();
        let user = stock.users.get_mut(&id.parse().ok()?)?;
        if let (Some(user), Some(sent)) = (user.as_object_mut(), sent.as_object()) {
            // Mass assignment (CWE-915): every field that comes is taken.
            user.extend(sent.clone());
        }
        Some(user.clone())
    }

    pub(crate) fn orders(&self, query: &str) -> Value {
        let status = parameter(query, "status");
        let stock = self.stock();
        let matching = stock
            .orders
            .values()
            .rev()
            .filter(|it| status.is_none_or(|status| it.get("status") == Some(&json!(status))));
        matching.take(20).cloned().collect()
    }

    pub(crate) fn order(&self, id: &str) -> Option<Value> {
        self.stock().orders.get(&id.parse().ok()?).cloned()
    }

    pub(crate) fn create_order(&self, sent: &Value) -> Value {
        let mut stock = self.stock();
        let id = stock.next_order;
        stock.next_order += 1;
        let mut created = order(id, 1, "open", sent.get("items").unwrap_or(&Value::Null));
        if let (Some(order), Some(note)) = (created.as_object_mut(), sent.get("note")) {
            order.insert("note".to_owned(), note.clone());
        }
        stock.orders.insert(id, created.clone());
        while stock.orders.len() > ORDERS_MAX {
            stock.orders.pop_first();
        }
        created
    }

    pub(crate) fn cancel_order(&self, id: &str) -> bool {
        id.parse().is_ok_and(|id: u64| self.stock().orders.remove(&id).is_some())
    }

    pub(crate) fn invoice(&self, id: &str) -> Option<Value> {
        let number: u64 = id.rsplit('-').next()?.parse().ok()?;
        // Internal bookkeeping leaks in one of ten answers: the document does not allow the field.
        let mut invoice = json!({ "id": id, "orderId": number, "total": 9.5 });
        if number.is_multiple_of(10) {
            invoice.as_object_mut()?.insert("internalMargin".to_owned(), json!(0.42));
        }
        Some(invoice)
    }

    fn stock(&self) -> MutexGuard<'_, Stock> {
        self.stock.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn order(id: u64, user: u64, status: &str, items: &Value) -> Value {
    json!({ "id": id, "userId": user, "status": status, "createdAt": "2026-01-15T09:30:00Z", "items": items })
}

fn parameter<'q>(query: &'q str, name: &str) -> Option<&'q str> {
    query
        .split('&')
        .find_map(|pair| pair.split_once('=').filter(|(key, _)| *key == name).map(|(_, value)| value))
}
