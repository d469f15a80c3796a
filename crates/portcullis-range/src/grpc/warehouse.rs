//! The service itself, and who may call it.

use std::sync::Arc;

use serde_json::Value;

use super::{
    Status,
    descriptor::{METHODS, SERVICE},
    wire::{Wire, Writer, read},
};
use crate::{
    app::App,
    identity::{self, Session},
    state::table::set,
    weakness::Weakness as W,
};

/// An admitted call.
pub(super) struct Admitted {
    pub(super) name: &'static str,
    pub(super) who: Option<Session>,
}

/// Finds the method and asks who calls.
pub(super) async fn admit(app: &Arc<App>, head: &http::request::Parts) -> Result<Admitted, Status> {
    let on = |weakness| app.weaknesses.contains(weakness);
    let unknown = || (12, "unknown method".to_owned());
    let path = head.uri.path();
    let (service, method) = path.strip_prefix('/').and_then(|it| it.split_once('/')).ok_or_else(unknown)?;
    let exact = service == SERVICE && METHODS.iter().any(|(name, _, _)| *name == method);
    if !exact && !on(W::GrpcCase) {
        return Err(unknown());
    }
    let found = METHODS.iter().find(|(name, _, _)| name.eq_ignore_ascii_case(method));
    let (name, _, _) = found.filter(|_| service.eq_ignore_ascii_case(SERVICE)).ok_or_else(unknown)?;
    let field = |name: &str| head.headers.get(name).and_then(|it| it.to_str().ok());
    let token = field("authorization").and_then(|it| it.split_once(' ')).map(|it| it.1.to_owned());
    let mut who = match token {
        Some(token) => identity::by_token(app, token.trim()).await,
        None => None,
    };
    if on(W::GrpcMetadata)
        && let Some(told) = field("x-authenticated-user")
    {
        who = identity::by_name(app, told);
    }
    // The careless guard knows paths by their exact letters, and lets pass what it does not know.
    if exact {
        let missing = who.is_none();
        match *name {
            "GetOrder" if missing && !on(W::GrpcAuthMissing) => {
                return Err((16, "authentication required".to_owned()));
            }
            "SetPrice" if missing => return Err((16, "authentication required".to_owned())),
            "SetPrice" if !who.as_ref().is_some_and(|it| it.admin) && !on(W::GrpcBfla) => {
                return Err((7, "this needs an administrator".to_owned()));
            }
            _ => {}
        }
    }
    Ok(Admitted { name, who })
}

/// Carries a call out. Blocks.
pub(super) fn call(app: &App, name: &str, who: Option<Session>, message: &[u8]) -> Result<Vec<u8>, Status> {
    let on = |weakness| app.weaknesses.contains(weakness);
    let Some(fields) = read(message) else {
        let text = if on(W::GrpcStackTrace) {
            "google.protobuf.InvalidProtocolBufferException: truncated\n\tat harbour.warehouse.Codec.read(Codec.java:57)\n\tat harbour.warehouse.Server.call(Server.java:112)"
        } else {
            "the message is not as specified"
        };
        return Err((if on(W::GrpcStackTrace) { 2 } else { 3 }, text.to_owned()));
    };
    let number = |wanted: u64| {
        fields.iter().rev().find_map(|(field, value)| match value {
            Wire::Number(number) if *field == wanted => Some(*number),
            _ => None,
        })
    };
    let bytes = |wanted: u64| {
        fields.iter().rev().find_map(|(field, value)| match value {
            Wire::Bytes(bytes) if *field == wanted => Some(*bytes),
            _ => None,
        })
    };
    match name {
        "GetOrder" => {
            let mut state = app.state();
            let row = state.table("orders").get(&number(1).unwrap_or_default().to_string()).cloned();
            let row = row.filter(|row| match &who {
                Some(who) => on(W::GrpcBola) || row.get("owner_id").and_then(Value::as_u64) == Some(who.user),
                None => true,
            });
            let row = row.ok_or((5, "no such order".to_owned()))?;
            let count = |name| row.get(name).and_then(Value::as_u64).unwrap_or_default();
            let address = row.get("shipping_address").and_then(Value::as_str).unwrap_or_default();
            Ok(Writer::default().number(1, count("id")).number(2, count("owner_id")).text(3, address).0)
        }
        "FindProducts" => {
            let search = String::from_utf8_lossy(bytes(1).unwrap_or_default()).into_owned();
            let from = "SELECT name FROM products WHERE released = 1 AND category =";
            let rows = if on(W::GrpcSqli) {
                app.sql.select(&format!("{from} '{search}'"), &[])
            } else {
                app.sql.select(&format!("{from} ?1"), &[&search])
            };
            let rows = rows.map_err(|_| (13, "an error occurred".to_owned()))?;
            let names = rows.iter().filter_map(|row| row.get("name").and_then(Value::as_str));
            Ok(names
                .fold(Writer::default(), |list, name| list.bytes(1, &Writer::default().text(1, name).0))
                .0)
        }
        "SetPrice" => {
            let price = f64::from_bits(number(2).unwrap_or_default());
            if !price.is_finite() || price < 0.0 {
                return Err((3, "this is no price".to_owned()));
            }
            let mut state = app.state();
            let row = state.table("goods").get_mut(&number(1).unwrap_or_default().to_string());
            set(row.ok_or((5, "no such goods".to_owned()))?, "price", price);
            Ok(Writer::default().double(1, price).0)
        }
        _ => {
            let length = u64::try_from(bytes(1).unwrap_or_default().len()).unwrap_or_default();
            Ok(Writer::default().number(1, length).0)
        }
    }
}
