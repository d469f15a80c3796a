//! What the admin interface may ask of a running gate.

use serde::{Deserialize, Serialize};

/// Implemented by the binary, which knows all rooms.
pub trait Control: Send + Sync + 'static {
    /// A picture of the running gate.
    fn status(&self) -> Status;

    /// Reads the configuration again and puts it in place if it is good.
    fn reload(&self) -> ReloadOutcome;

    /// All metrics in the OpenMetrics text format.
    fn metrics(&self) -> String;

    /// Why the gate should get no traffic now; empty when it should.
    fn not_ready(&self) -> Vec<NotReady>;

    /// Reads the API keys again: one was created or revoked.
    fn keys_changed(&self) -> Result<usize, String>;
}

/// A reason not to send traffic here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotReady {
    /// The part that is not ready: `record`, `upstream`, `drain`.
    pub part: String,
    /// What is wrong, for the operator.
    pub why: String,
}

/// What a reload did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReloadOutcome {
    /// The new configuration is in place.
    Applied {
        /// Its number, counted from 1 at the start of the process.
        generation: u64,
        /// Operations in it.
        operations: usize,
        /// Milliseconds from reading the first file to the swap.
        took_millis: u64,
        /// What protects less than before; `None` when the two could not be compared.
        weakened: Option<Weakened>,
    },
    /// Nothing changed; the old configuration stays in place.
    Rejected {
        /// The whole explanation, as `portcullis check` prints it.
        why: String,
    },
}

/// What a reload made weaker, as `portcullis diff` judges it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Weakened {
    /// Protections that got weaker, each counted once an operation.
    pub count: usize,
    /// What they are, alike ones in one line; the first of them.
    pub told: Vec<String>,
    /// Lines left out.
    pub untold: usize,
}

/// The last reload that put a configuration in place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastReload {
    /// When, in RFC 3339.
    pub at: String,
    /// The number of the configuration it put in place.
    pub generation: u64,
    /// What protects less than before; `None` while that is being found out, and when it could not be.
    pub weakened: Option<Weakened>,
}

/// A picture of the running gate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// The program's version.
    pub version: String,
    /// The process id.
    pub pid: u32,
    /// Seconds since the start.
    pub up_secs: u64,
    /// The configuration file.
    pub config: String,
    /// The number of the configuration in place.
    pub generation: u64,
    /// Why the last attempt to load another one failed, if it did.
    pub last_rejected: Option<String>,
    /// The last reload that succeeded; `None` while the configuration is that of the start.
    pub last_reload: Option<LastReload>,
    /// Listeners with the addresses they are bound to.
    pub listeners: Vec<ListenerStatus>,
    /// Operations by API.
    pub operations: std::collections::BTreeMap<String, usize>,
    /// Upstream servers.
    pub upstreams: Vec<UpstreamServerStatus>,
    /// Exchanges since the start.
    pub exchanges: u64,
    /// Exchanges under way.
    pub in_flight: u64,
    /// Connections open.
    pub connections: u64,
    /// Events written to the record since the start.
    pub events_written: u64,
    /// Events that could not be written.
    pub events_dropped: u64,
}

/// A listener.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListenerStatus {
    /// Its name in the configuration.
    pub name: String,
    /// The address it is bound to.
    pub address: String,
    /// Whether it speaks TLS.
    pub tls: bool,
}

/// A server of an upstream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpstreamServerStatus {
    /// The upstream's name.
    pub upstream: String,
    /// The server's address.
    pub server: String,
    /// Whether calls are sent to it.
    pub healthy: bool,
    /// Why not, when not.
    pub why: Option<String>,
}
