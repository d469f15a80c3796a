//! Effective settings as lines of text, each with where it comes from: for `portcullis explain` and `diff`.

use std::{fmt::Display, sync::Arc, time::Duration};

use portcullis_core::chain::Mode;

use crate::{
    effective::{Effective, EffectiveSettings},
    model::{Cors, HeaderEdit, IdentityHeaders, Login, Retry, Switch},
    units::{Origins, Size},
};

/// One setting as text.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Row {
    /// The key as it is written, by dots.
    pub key: &'static str,
    /// The value that holds. Values of header fields are left out: they may be secrets.
    pub value: String,
    /// The line and level that say so, or `default`.
    pub from: String,
}

impl EffectiveSettings {
    /// Every setting, in the order of the reference.
    pub fn rows(&self) -> Vec<Row> {
        vec![
            row("auth", &self.auth, ToString::to_string),
            row("roles", &self.roles, |it| list(it)),
            row("scopes", &self.scopes, |it| list(it)),
            row("limit", &self.limit, |it| list(&it.iter().map(|limit| &limit.text).collect::<Vec<_>>())),
            row("schema.request", &self.schema_request, mode),
            row("schema.response", &self.schema_response, mode),
            row("schema.unknown_operations", &self.unknown_operations, mode),
            row("schema.unknown_methods", &self.unknown_methods, mode),
            row("schema.unknown_parameters", &self.unknown_parameters, mode),
            row("schema.unknown_fields", &self.unknown_fields, mode),
            row("firewall.attacks", &self.attacks, mode),
            row("firewall.threshold", &self.attack_threshold, ToString::to_string),
            row("firewall.ignore", &self.attacks_ignored, |it| {
                list(&it.iter().map(|it| it.word()).collect::<Vec<_>>())
            }),
            row("firewall.rules", &self.rules, |it| list(it)),
            row("firewall.rules_mode", &self.rules_mode, mode),
            row("firewall.paranoia", &self.paranoia, |it| it.0.to_string()),
            row("firewall.inbound_threshold", &self.inbound_threshold, ToString::to_string),
            row("firewall.outbound_threshold", &self.outbound_threshold, ToString::to_string),
            row("firewall.inspect", &self.inspect_bytes_max, |it| Size(*it).to_string()),
            row("firewall.beyond", &self.beyond, |it| it.word().to_owned()),
            row("size.body", &self.body_bytes_max, |it| Size(*it).to_string()),
            row("size.json_depth", &self.json_depth_max, ToString::to_string),
            row("size.json_keys", &self.json_keys_max, ToString::to_string),
            row("size.parts", &self.parts_max, ToString::to_string),
            row("size.response_body", &self.response_body_bytes_max, |it| Size(*it).to_string()),
            row("cors", &self.cors, |it| off_or(it.as_ref(), cors)),
            row("headers.request", &self.request_headers, |it| off_or(it.as_ref(), headers)),
            row("headers.response", &self.response_headers, |it| off_or(it.as_ref(), headers)),
            row("headers.allow_server", &self.allow_server, ToString::to_string),
            row("errors", &self.errors, |it| it.word().to_owned()),
            row("identity_headers", &self.identity_headers, |it| off_or(it.as_ref(), identity)),
            row("timeout.response", &self.timeout_response, timeout),
            row("timeout.total", &self.timeout_total, timeout),
            row("retry", &self.retry, retry),
            row("methods.head", &self.head, |it| it.word().to_owned()),
            row("methods.options", &self.options, |it| it.word().to_owned()),
            row("mode", &self.mode, mode),
            row("deny", &self.deny, ToString::to_string),
            row("stream", &self.stream, ToString::to_string),
            row("upgrade", &self.upgrade, |it| list(&it.iter().map(|it| it.word()).collect::<Vec<_>>())),
            row("login", &self.login, |it| off_or(it.as_ref(), login)),
        ]
    }
}

fn row<T>(key: &'static str, effective: &Effective<T>, text: impl Fn(&T) -> String) -> Row {
    let from = match &effective.origin {
        Some(origin) => format!("{origin} ({})", effective.level),
        None => "default".to_owned(),
    };
    Row { key, value: text(&effective.value), from }
}

fn list<T: Display>(items: &[T]) -> String {
    let items: Vec<_> = items.iter().map(ToString::to_string).collect();
    if items.is_empty() { "none".to_owned() } else { format!("[{}]", items.join(", ")) }
}

/// The word of a mode.
fn mode(mode: &Mode) -> String {
    match mode {
        Mode::Block => "block",
        Mode::Report => "report",
        Mode::Off => "off",
    }
    .to_owned()
}

fn off_or<T>(it: Option<&T>, text: impl Fn(&T) -> String) -> String {
    it.map_or_else(|| "off".to_owned(), text)
}

fn timeout(it: &Option<Duration>) -> String {
    it.map_or_else(|| "the upstream's".to_owned(), |it| format!("{it:?}"))
}

fn retry(it: &Option<Switch<Retry>>) -> String {
    match it {
        None => "the upstream's".to_owned(),
        Some(Switch::Off) => "off".to_owned(),
        Some(Switch::On(retry)) => {
            let causes: Vec<_> = retry.after.iter().map(|it| it.word()).collect();
            format!("{} attempts after {}, {} methods", retry.attempts, list(&causes), retry.methods.word())
        }
    }
}

fn cors(it: &Cors) -> String {
    let origins = match &it.origins {
        Origins::Any => "*".to_owned(),
        Origins::List(origins) => list(origins),
    };
    format!("origins {origins}{}", if it.credentials { ", with credentials" } else { "" })
}

fn headers(it: &HeaderEdit) -> String {
    let set: Vec<_> = it.set.0.iter().map(|(name, _)| name.as_str()).collect();
    let removed: Vec<_> = it.remove.iter().map(|name| name.as_str()).collect();
    format!("set {}, remove {}", list(&set), list(&removed))
}

fn identity(it: &IdentityHeaders) -> String {
    match it {
        IdentityHeaders::Named(pairs) => {
            let pairs: Vec<_> = pairs.iter().map(|(name, fact)| format!("{name}: {}", fact.word())).collect();
            list(&pairs)
        }
        IdentityHeaders::Jwt(jwt) => format!("a signed token in {}", jwt.header),
    }
}

fn login(it: &Login) -> String {
    let attempts: Vec<Arc<str>> = it.attempts.iter().map(|it| Arc::clone(&it.text)).collect();
    format!("{} failures", list(&attempts))
}
