//! Who the scan calls as.

pub mod discover;
pub mod file;
pub mod token;
pub mod totp;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::call::IdentityId;

/// What an identity is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Nobody.
    Anonymous,
    /// An ordinary user.
    A,
    /// Another ordinary user, a peer of A.
    B,
    /// One who may less than others (often A again).
    Low,
    /// One who may more: an administrator.
    High,
    /// A clone of an ordinary user that may be used up.
    Disposable,
}

/// One who can call.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Its number.
    pub id: IdentityId,
    /// A name for people: `anonymous`, `A`, `B`, `admin` or what the file calls it.
    pub name: String,
    /// What it is for.
    pub role: Role,
    /// Values known of it, by lower-case name: `username`, `email`, `password`, `id`; what it registered and logged in
    /// with, and what the answers told.
    pub values: BTreeMap<String, Value>,
    /// What it presents now.
    pub session: Session,
}

/// What a caller presents.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Session {
    /// The credential itself: a token, a key; empty for none.
    pub secret: String,
    /// Where it goes, composed: header fields with their whole values.
    pub headers: Vec<(String, String)>,
    /// Query parameters.
    pub query: Vec<(String, String)>,
    /// Cookies.
    pub cookies: Vec<(String, String)>,
}

impl Identity {
    /// Nobody.
    pub fn anonymous() -> Self {
        Self {
            id: crate::call::ANONYMOUS,
            name: "anonymous".to_owned(),
            role: Role::Anonymous,
            values: BTreeMap::new(),
            session: Session::default(),
        }
    }

    /// A known value as text, by lower-case name.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.values.get(name)?.as_str()
    }
}
