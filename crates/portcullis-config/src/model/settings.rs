//! What can be set at all three levels: `defaults`, an API, an operation. The deepest level that says something
//! wins, key by key.

use std::{sync::Arc, time::Duration};

use portcullis_core::chain::Mode;

use super::{
    auth::Auth,
    cors::Cors,
    firewall::Firewall,
    headers::{HeaderEdit, IdentityHeaders},
    login::Login,
    switch::Switch,
    upstream::Retry,
};
use crate::{
    codes,
    read::{Fields, Located, Reader, keys, words},
    units::{Count, Limit, Size},
};

/// Keys of the language at these levels that belong to later work.
const LATER: &[&str] = &[
    "objects",
    "mask",
    "cache",
    "idempotency",
    "handoff",
    "step_up",
    "compose",
    "graphql",
    "grpc",
    "soap",
    "fields",
    "sender_constrained",
    "policies",
    "detect",
    "virtual_patches",
];

keys! {
    /// What can be set in `defaults`, at an API and at an operation.
    pub struct Settings {
        /// Who may call: `spec` honours the specification's security (the default), a provider's name, `[any, of]`,
        /// `{ all: [of, these] }`, `anonymous` for everybody, or a provider written in place.
        auth: Option<Located<Auth>> => "[customers, api_keys]";
        /// Roles of which the caller must have one.
        roles: Option<Located<Vec<Arc<str>>>> => "[manager]";
        /// Scopes of which the caller must have all.
        scopes: Option<Located<Vec<Arc<str>>>> => "[orders.read]";
        /// Limits, each counted over all operations of the level that sets it (those in `defaults`: for each API).
        limit: Option<Located<Vec<Limit>>> => "[50/s per consumer, 20/s per ip when anonymous]";
        /// How strictly the specification holds.
        schema: SchemaSettings = "{}";
        /// What is refused whatever the specification says: attacks and rules.
        firewall: Firewall = "{}";
        /// Bounds on messages.
        size: SizeSettings = "{}";
        /// Calls from web pages of other origins; `off` unless given.
        cors: Option<Located<Switch<Cors>>> => "{ origins: [https://app.example.com] }";
        /// Header fields set and removed.
        headers: HeaderSettings = "{}";
        /// What of the upstream's error bodies reaches clients: `minimal` (the default) or `pass`.
        errors: Option<Located<ErrorBodies>> => "minimal";
        /// How the upstream is told who calls; `off` unless given.
        identity_headers: Option<Located<Switch<IdentityHeaders>>> => "{ X-User: principal.id }";
        /// How long to wait for the upstream, in place of its own timeouts.
        timeout: TimeoutSettings = "{}";
        /// Whether failed calls are tried again, in place of the upstream's own policy.
        retry: Option<Located<Switch<Retry>>> => "off";
        /// How HEAD and OPTIONS are served.
        methods: MethodSettings = "{}";
        /// All guards at once: `block` leaves each its own mode, `report` lets every call pass and records what would
        /// have been refused, `off` runs none.
        mode: Option<Located<Mode>> => "report";
        /// Whether every call is refused.
        deny: Option<Located<bool>> => "true";
        /// Whether bodies pass through without being held back, so that no guard sees them.
        stream: Option<Located<bool>> => "true";
        /// Protocols a connection may be upgraded to.
        upgrade: Option<Located<Vec<Upgrade>>> => "[websocket]";
        /// Throttling of failed logins.
        login: Option<Located<Switch<Login>>> => "{ attempts: 5/10m per username, username_field: /username }";
    }
    later LATER;
    check check;
}

keys! {
    /// How strictly the specification holds.
    pub struct SchemaSettings {
        /// Parameters and bodies of requests that do not conform. `block` unless given.
        request: Option<Located<Mode>> => "block";
        /// Status, header fields and bodies of answers that do not conform. `report` unless given.
        response: Option<Located<Mode>> => "report";
        /// Paths that the specification does not know. `block` unless given.
        unknown_operations: Option<Located<Mode>> => "block";
        /// Methods that the specification does not know for a path. `block` unless given.
        unknown_methods: Option<Located<Mode>> => "block";
        /// Query parameters that the specification does not know. `block` unless given.
        unknown_parameters: Option<Located<Mode>> => "block";
        /// Members of request bodies that no schema names, where it does not forbid them anyway. `off` unless given.
        unknown_fields: Option<Located<Mode>> => "report";
    }
}

keys! {
    /// Bounds on messages.
    pub struct SizeSettings {
        /// A request's body. `1MiB` unless given.
        body: Option<Located<Size>> => "1MiB";
        /// Levels of nesting in JSON. `64` unless given.
        json_depth: Option<Located<Count>> => "64";
        /// Members and items in one JSON body. `100k` unless given.
        json_keys: Option<Located<Count>> => "100k";
        /// Parts of a multipart body. `100` unless given.
        parts: Option<Located<Count>> => "20";
        /// An answer's body, where it is held back to be checked. `8MiB` unless given.
        response_body: Option<Located<Size>> => "8MiB";
    }
    later &["array", "xml_depth", "xml_entities"];
}

keys! {
    /// Header fields set and removed.
    pub struct HeaderSettings {
        /// Those of requests, towards the upstream.
        request: Option<Located<HeaderEdit>> => "{ remove: [X-Debug] }";
        /// Those of answers, towards clients.
        response: Option<Located<HeaderEdit>> => "{ set: { Cache-Control: no-store } }";
        /// Whether `Server`, `X-Powered-By` and the like of the upstream reach clients. `false` unless given.
        allow_server: Option<Located<bool>> => "true";
    }
    later &["security"];
}

keys! {
    /// How long to wait for the upstream.
    pub struct TimeoutSettings {
        /// For the head of the answer.
        response: Option<Located<Duration>> => "5s";
        /// For the whole exchange.
        total: Option<Located<Duration>> => "8s";
    }
}

keys! {
    /// How HEAD and OPTIONS are served.
    pub struct MethodSettings {
        /// `auto` (the default) serves HEAD wherever GET is.
        head: Option<Located<HeadPolicy>> => "auto";
        /// `auto` (the default) answers with the methods allowed.
        options: Option<Located<OptionsPolicy>> => "deny";
    }
}

words! {
    /// What of the upstream's error bodies reaches clients.
    pub enum ErrorBodies {
        /// Bodies of 5xx answers are replaced by a problem (RFC 9457) that says nothing about the inside.
        Minimal = "minimal",
        /// All of them.
        Pass = "pass",
    }
}

words! {
    /// How HEAD is served where the specification does not name it.
    pub enum HeadPolicy {
        /// Like GET, without the body.
        Auto = "auto",
        /// Not at all.
        Deny = "deny",
    }
}

words! {
    /// How OPTIONS is served where the specification does not name it.
    pub enum OptionsPolicy {
        /// Answered at the gate with the methods allowed.
        Auto = "auto",
        /// Forwarded.
        Upstream = "upstream",
        /// Not at all.
        Deny = "deny",
    }
}

words! {
    /// Protocols a connection may be upgraded to.
    pub enum Upgrade {
        /// RFC 6455.
        Websocket = "websocket",
    }
}

fn check(settings: &Settings, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    if settings.mode.as_ref().is_some_and(|mode| mode.value == Mode::Off) {
        let message = "no guard runs here, not even in the shadow";
        reader.advise(
            &codes::SWITCHED_OFF,
            fields.place("mode"),
            message,
            "`mode: report` would at least record",
        );
    }
}
