//! Calls from web pages of other origins (Fetch standard, CORS protocol).

use std::{sync::Arc, time::Duration};

use crate::{
    codes,
    read::{Fields, Reader, keys},
    units::{HeaderName, Origins},
};

keys! {
    /// Calls from web pages of other origins. Preflight requests are answered at the gate.
    pub struct Cors {
        /// The origins that may call, or `*`.
        origins: Origins => "[https://app.example.com]";
        /// The methods they may use; those of the operation's path when none are given.
        methods: Vec<Arc<str>> => "[GET, POST]";
        /// The request header fields they may set besides the safe-listed ones.
        headers: Vec<HeaderName> = "[Content-Type, Authorization]";
        /// The response header fields they may read besides the safe-listed ones.
        expose: Vec<HeaderName> => "[X-Request-Id]";
        /// Whether cookies and client certificates are sent along.
        credentials: bool = "false";
        /// How long browsers remember the answer.
        max_age: Duration = "10m";
    }
    check check;
}

fn check(cors: &Cors, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    if cors.credentials && cors.origins == Origins::Any {
        let message = "any web page could act with the credentials of its visitor";
        reader.advise(&codes::CORS_ANY, fields.place("origins"), message, "list the origins that may call");
    }
}
