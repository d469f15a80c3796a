//! Attackers: what a gate on the internet sees within its first hour.

use http::Method;

use crate::{
    calls::{Call, Credential},
    dice::Dice,
};

const PROBES: &[&str] =
    &["/.env", "/admin", "/v1/debug/config", "/.git/config", "/v1/users", "/actuator/health", "/v2/orders"];
const PASSWORDS: &[&str] = &["123456", "password", "letmein", "qwerty", "admin", "iloveyou"];
const INJECTIONS: &[&str] =
    &["1%20OR%201=1", "1'--", "..%2f..%2fetc%2fpasswd", "1;DROP%20TABLE%20orders", "-1"];

/// What an attacker tries next.
pub fn next(dice: &mut Dice) -> Call {
    match dice.below(10) {
        0 | 1 => Call::get("probes for forgotten endpoints", dice.pick(PROBES).copied().unwrap_or_default())
            .with(Credential::None),
        2 => Call::get("calls without a key", format!("/v1/users/{}", 1 + dice.below(5)))
            .with(Credential::None),
        3 => Call::get("calls with a made-up key", "/v1/orders").with(Credential::Forged),
        4 => Call::get(
            "puts SQL into an id",
            format!("/v1/orders/{}", dice.pick(INJECTIONS).copied().unwrap_or_default()),
        ),
        5 => Call::send(
            "makes itself an administrator",
            Method::PATCH,
            format!("/v1/users/{}", 1 + dice.below(5)),
            r#"{"name":"Mallory","role":"admin","balance":1000000}"#,
        ),
        6 => Call::send(
            "orders minus one thousand",
            Method::POST,
            "/v1/orders",
            r#"{"items":[{"sku":"TE-1001","quantity":-1000}]}"#,
        ),
        7 => Call::send("deletes the catalogue", Method::DELETE, "/v1/products", ""),
        8 => {
            let depth = 2_000;
            let bomb = format!(r#"{{"items":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
            Call::send("sends a JSON bomb", Method::POST, "/v1/orders", bomb)
        }
        _ => {
            let password = dice.pick(PASSWORDS).copied().unwrap_or_default();
            let body = format!(r#"{{"username":"ada","password":"{password}"}}"#);
            Call::send("guesses passwords", Method::POST, "/v1/login", body).with(Credential::None)
        }
    }
}
