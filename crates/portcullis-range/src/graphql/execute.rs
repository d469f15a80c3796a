//! Carries a checked operation out.

use serde_json::{Map, Value, json};

use super::{
    parse::{Document, Field, Selection},
    schema::{bare, fields, introspection},
};
use crate::{
    engines::{fetch, shell},
    http::call::Cx,
    identity::{password_fits, token},
    rest::fetching::is_partner,
    weakness::Weakness as W,
};

/// Fields that are carried out at most, so that the range stays up.
const RESOLVED_MAX: usize = 100_000;

/// Products that a careful service gives at once.
const FIRST_MAX: i64 = 100;

/// One run.
pub(crate) struct Run<'a> {
    pub(crate) cx: &'a Cx,
    pub(crate) document: &'a Document,
    pub(crate) errors: Vec<Value>,
    resolved: usize,
}

impl<'a> Run<'a> {
    pub(crate) fn new(cx: &'a Cx, document: &'a Document) -> Self {
        Self { cx, document, errors: Vec::new(), resolved: 0 }
    }

    /// The data for a selection set on an object. Blocks: fields may call out.
    pub(crate) fn object(&mut self, kind: &str, parent: &Value, selections: &[Selection]) -> Value {
        let mut out = Map::new();
        self.into(&mut out, kind, parent, selections);
        Value::Object(out)
    }

    fn into(&mut self, out: &mut Map<String, Value>, kind: &str, parent: &Value, selections: &[Selection]) {
        for selection in selections {
            if self.resolved > RESOLVED_MAX {
                return;
            }
            match selection {
                Selection::Inline(inner) => self.into(out, kind, parent, inner),
                Selection::Spread(name) => {
                    let document = self.document;
                    if let Some((_, inner)) = document.fragments.iter().find(|(it, _)| it == name) {
                        self.into(out, kind, parent, inner);
                    }
                }
                Selection::Field(field) => {
                    self.resolved += 1;
                    let value = self.field(kind, parent, field);
                    out.insert(field.key().to_owned(), value);
                }
            }
        }
    }

    fn field(&mut self, kind: &str, parent: &Value, field: &Field) -> Value {
        match field.name.as_str() {
            "__typename" => return json!(kind),
            "__schema" => return self.project(&introspection(), &field.selections),
            "__type" => {
                let types = introspection().get("types").cloned().unwrap_or_default();
                let wanted = field.arguments.get("name");
                let found =
                    types.as_array().into_iter().flatten().find(|it| it.get("name") == wanted).cloned();
                return self.project(&found.unwrap_or_default(), &field.selections);
            }
            _ => {}
        }
        let value = match self.value(kind, parent, field) {
            Ok(value) => value,
            Err(message) => {
                let mut error = json!({"message": message, "path": [field.key()]});
                if self.cx.on(W::GraphqlStackTrace)
                    && let Some(fields) = error.as_object_mut()
                {
                    let trace = [
                        "Error: division",
                        "    at share (/srv/market/src/resolvers.js:41:13)",
                        "    at field (/srv/market/node_modules/graphql/execution/execute.js:481:18)",
                    ];
                    fields.insert("extensions".to_owned(), json!({"exception": {"stacktrace": trace}}));
                }
                self.errors.push(error);
                return Value::Null;
            }
        };
        let declared = fields(kind).and_then(|it| it.iter().find(|it| it.name == field.name));
        let inner = bare(declared.map_or("", |it| it.kind));
        if fields(inner).is_none() {
            return value;
        }
        match value {
            Value::Array(items) => items.iter().map(|it| self.object(inner, it, &field.selections)).collect(),
            Value::Null => Value::Null,
            other => self.object(inner, &other, &field.selections),
        }
    }

    /// Introspection's answer is there as a whole; what was asked for is taken out of it.
    fn project(&mut self, value: &Value, selections: &[Selection]) -> Value {
        match value {
            Value::Array(items) => items.iter().map(|it| self.project(it, selections)).collect(),
            Value::Object(fields) if !selections.is_empty() => {
                let mut out = Map::new();
                let mut todo: Vec<&Selection> = selections.iter().rev().collect();
                while let Some(selection) = todo.pop() {
                    self.resolved += 1;
                    if self.resolved > RESOLVED_MAX {
                        break;
                    }
                    match selection {
                        Selection::Inline(inner) => todo.extend(inner.iter().rev()),
                        Selection::Spread(name) => {
                            let document = self.document;
                            let fragment = document.fragments.iter().find(|(it, _)| it == name);
                            todo.extend(fragment.into_iter().flat_map(|(_, inner)| inner.iter().rev()));
                        }
                        Selection::Field(field) => {
                            let value = fields.get(&field.name).cloned().unwrap_or_default();
                            out.insert(field.key().to_owned(), self.project(&value, &field.selections));
                        }
                    }
                }
                Value::Object(out)
            }
            other => other.clone(),
        }
    }

    fn value(&self, kind: &str, parent: &Value, field: &Field) -> Result<Value, String> {
        match kind {
            "Query" => self.query(field),
            "Mutation" => self.mutation(field),
            "Product" if field.name == "related" => self.products("", 3),
            "User" if field.name == "orders" => {
                let id = parent.get("id").and_then(Value::as_u64).unwrap_or_default();
                if id != self.cx.me() {
                    return Ok(json!([]));
                }
                Ok(self.cx.app.state().table("orders").owned_by(id).iter().map(order).collect())
            }
            "User" if field.name == "passwordHash" && !self.cx.on(W::GraphqlExcess) => {
                Err("not authorized".to_owned())
            }
            "Order" if field.name == "owner" => {
                let id = parent.get("owner_id").and_then(Value::as_u64).unwrap_or_default();
                Ok(self.cx.app.state().user(id).as_ref().map_or(Value::Null, user))
            }
            _ => Ok(parent.get(&field.name).cloned().unwrap_or_default()),
        }
    }

    fn query(&self, field: &Field) -> Result<Value, String> {
        let cx = self.cx;
        let text = |name: &str| field.arguments.get(name).and_then(Value::as_str).unwrap_or_default();
        let number = |name: &str| field.arguments.get(name).and_then(Value::as_i64);
        let signed_in = || cx.who.as_ref().ok_or_else(|| "not authenticated".to_owned());
        match field.name.as_str() {
            "products" => {
                let first = number("first").unwrap_or(10).max(0);
                if first > FIRST_MAX && !cx.on(W::GraphqlCost) {
                    return Err(format!("`first` is at most {FIRST_MAX}"));
                }
                self.products(text("search"), first.min(20_000))
            }
            "product" => {
                let rows = self.products("", 100)?;
                let id = key(field);
                let row = rows
                    .as_array()
                    .into_iter()
                    .flatten()
                    .find(|it| it.get("id").map(Value::to_string) == Some(id.clone()));
                Ok(row.cloned().unwrap_or_default())
            }
            "order" => {
                signed_in()?;
                let state = &mut cx.app.state();
                let row = state.table("orders").get(&key(field));
                let row = row.filter(|it| {
                    cx.on(W::GraphqlBola) || it.get("owner_id").and_then(Value::as_u64) == Some(cx.me())
                });
                Ok(row.map_or(Value::Null, order))
            }
            "me" => Ok(cx.app.state().user(signed_in()?.user).as_ref().map_or(Value::Null, user)),
            "people" => {
                signed_in()?;
                Ok(cx.app.state().table("users").rows().take(100).map(user).collect())
            }
            "notes" => Ok(cx.app.state().table("notes").rows().rev().take(100).cloned().collect()),
            "auditLog" => {
                let admin = cx.who.as_ref().is_some_and(|it| it.admin);
                if !admin && !cx.on(W::GraphqlAuthMissing) {
                    return Err("not authorized".to_owned());
                }
                Ok(
                    json!([{"id": 1, "text": "admin signed in from 192.0.2.7"}, {"id": 2, "text": "rates were set by alice"}]),
                )
            }
            "ping" => {
                let host = text("host");
                let plain = !host.is_empty()
                    && host.chars().all(|it| it.is_ascii_alphanumeric() || matches!(it, '.' | '-'));
                if !plain && !cx.on(W::GraphqlCommand) {
                    return Err("this is no host".to_owned());
                }
                Ok(json!(shell::run(&format!("ping -c 1 {host}"))))
            }
            "preview" => {
                let url = text("url");
                if !cx.on(W::GraphqlSsrf) && !is_partner(cx, url) {
                    return Err("addresses of this host are not accepted".to_owned());
                }
                let runtime = tokio::runtime::Handle::try_current().map_err(|_| "not now".to_owned())?;
                let fetched = runtime
                    .block_on(fetch::get(url, 0))
                    .map_err(|_| "the address could not be fetched".to_owned())?;
                Ok(json!(fetched.text()))
            }
            _ => {
                let share =
                    number("amount").zip(number("divisor")).and_then(|(one, two)| one.checked_div(two));
                share.map(|it| json!(it)).ok_or_else(|| "a sum cannot be shared by nobody".to_owned())
            }
        }
    }

    fn mutation(&self, field: &Field) -> Result<Value, String> {
        let cx = self.cx;
        let text = |name: &str| field.arguments.get(name).and_then(Value::as_str).unwrap_or_default();
        let mut state = cx.app.state();
        match field.name.as_str() {
            "login" => {
                let found = state.user_named(text("username"));
                drop(state);
                if !password_fits(found.as_ref(), text("password"), false) {
                    return Err("the credentials are not right".to_owned());
                }
                Ok(
                    json!({"token": token::issue(&cx.app, &found.unwrap_or_default(), 900, token::Family::Main)}),
                )
            }
            "writeNote" => {
                let note: String = text("text").chars().take(500).collect();
                Ok(state.table("notes").add(json!({"text": note})))
            }
            _ => {
                let admin = cx.who.as_ref().is_some_and(|it| it.admin);
                let may = admin || (cx.who.is_some() && cx.on(W::GraphqlBfla));
                if !may {
                    return Err("not authorized".to_owned());
                }
                let id =
                    state.user_named(text("username")).and_then(|it| it.get("id").and_then(Value::as_u64));
                let key = id.unwrap_or_default().to_string();
                let row = state.table("users").get_mut(&key).ok_or("no such user")?;
                crate::state::table::set(row, "role", text("role"));
                crate::state::table::set(row, "is_admin", text("role") == "admin");
                Ok(user(row))
            }
        }
    }

    fn products(&self, search: &str, first: i64) -> Result<Value, String> {
        let from = "SELECT id, name, category, price FROM products WHERE released = 1 AND name LIKE";
        let rows = if self.cx.on(W::GraphqlSqli) {
            self.cx.app.sql.select(&format!("{from} '%{search}%'"), &[])
        } else {
            let literal = search.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
            self.cx.app.sql.select(&format!("{from} ?1 ESCAPE '\\'"), &[&format!("%{literal}%")])
        };
        let rows = rows.map_err(|_| "an error occurred".to_owned())?;
        // The careless twin gives as many as it is asked for, one product after another and again.
        let count = usize::try_from(first).unwrap_or_default();
        let repeated = self.cx.on(W::GraphqlCost) && first > FIRST_MAX;
        let count = if repeated { count } else { count.min(rows.len()) };
        Ok(rows.iter().cycle().take(if rows.is_empty() { 0 } else { count }).cloned().collect())
    }
}

/// The id argument, as the tables have it.
fn key(field: &Field) -> String {
    match field.arguments.get("id") {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => String::new(),
    }
}

fn user(row: &Value) -> Value {
    json!({
        "id": row.get("id"), "username": row.get("username"), "displayName": row.get("display_name"),
        "role": row.get("role"), "passwordHash": row.get("password_hash")
    })
}

fn order(row: &Value) -> Value {
    json!({
        "id": row.get("id"), "owner_id": row.get("owner_id"), "shippingAddress": row.get("shipping_address"),
        "quantity": row.get("quantity")
    })
}
