//! Why a call or an upstream came to nothing.

use std::{fmt, sync::Arc};

use portcullis_core::event::UpstreamFault;
use thiserror::Error;

/// A call that has no answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub struct Failure {
    /// The kind, for the record and for what the client is told.
    pub fault: UpstreamFault,
    /// Whose failure it is. A failed request is nothing to hold against the server.
    pub side: Side,
    /// One sentence for the operator.
    pub detail: String,
    /// The server last tried, as `scheme://host:port`.
    pub server: Option<Arc<str>>,
    /// How many times a server was tried.
    pub attempts: u32,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.server {
            Some(server) => write!(f, "`{server}`: {}", self.detail),
            None => f.write_str(&self.detail),
        }
    }
}

/// Whose failure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The upstream's, or the gate's towards it.
    Upstream,
    /// The request's: its body ended in an error before it was sent whole (the client left or broke a rule), or it
    /// cannot be addressed.
    RequestBody,
}

/// Why an upstream cannot be built from its settings.
#[derive(Debug, Error)]
pub enum UpstreamError {
    /// There is nothing to send calls to.
    #[error("upstream `{upstream}` has no server with a weight above zero")]
    NoServers {
        /// The upstream's name.
        upstream: Arc<str>,
    },
    /// A server's host, port, weight or base path cannot be used.
    #[error("upstream `{upstream}`: server `{server}`: {problem}")]
    Server {
        /// The upstream's name.
        upstream: Arc<str>,
        /// The server as written.
        server: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A setting is outside its range.
    #[error("upstream `{upstream}`: {problem}")]
    Setting {
        /// The upstream's name.
        upstream: Arc<str>,
        /// What is wrong.
        problem: &'static str,
    },
    /// Certificates or keys cannot be used.
    #[error("upstream `{upstream}`: {problem}")]
    Tls {
        /// The upstream's name.
        upstream: Arc<str>,
        /// What is wrong.
        problem: &'static str,
        /// The library's words.
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
}
