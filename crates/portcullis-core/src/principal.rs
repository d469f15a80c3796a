//! Who calls: the authenticated application or user, as a typed value that never travels as a header inside.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;

/// The consumer of an exchange, established by an authentication mechanism.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principal {
    /// The stable name of the caller: a key's owner, a user name, a token's `sub`, a certificate's subject.
    pub id: Arc<str>,
    /// The configured provider that vouched, for example `customers` or `api_keys`.
    pub provider: Arc<str>,
    /// How the caller proved it.
    pub mechanism: Mechanism,
    /// The credential's own public handle (a key's id, a token's `jti`), never the credential itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<Arc<str>>,
    /// The organisation the caller belongs to, where the provider says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<Arc<str>>,
    /// Roles, in the provider's words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<Arc<str>>,
    /// OAuth 2.0 scopes (RFC 6749 §3.3) or the scopes of a key.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<Arc<str>>,
    /// The plan of the consumer or key: names a set of limits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Arc<str>>,
    /// When the credential ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
}

/// How a caller proved who it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mechanism {
    /// Nobody vouched: the route allows anonymous calls by explicit word.
    #[default]
    Anonymous,
    /// HTTP Basic (RFC 7617).
    Basic,
    /// An API key issued by the gate.
    ApiKey,
    /// A signed JSON Web Token (RFC 7519).
    Jwt,
    /// A client certificate (RFC 8446 §4.4.2).
    Mtls,
}

impl Principal {
    /// Whether the caller carries the role.
    pub fn has_role(&self, role: &str) -> bool {
        self.roles.iter().any(|it| &**it == role)
    }

    /// Whether the caller carries the scope.
    pub fn has_scope(&self, scope: &str) -> bool {
        self.scopes.iter().any(|it| &**it == scope)
    }
}
