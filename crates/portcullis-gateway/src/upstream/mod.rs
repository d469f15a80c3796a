//! Upstreams: where calls go once they may pass.
//!
//! An [`Upstream`] lives outside the plan under its stable name, so that a reload keeps its connections, its
//! view of the servers' health and its counters. A call chooses a server ([`balance`]), takes a connection
//! ([`pool`]), waits for the answer's head and hands the body on as it comes ([`answer`]); what may be tried
//! again, and how often, is in [`retry`]. Everything is bounded: connections, waiting calls, header sizes,
//! times. Nothing here knows routes, guards or clients.

mod answer;
mod asking;
mod attempt;
mod balance;
mod call;
mod chance;
mod connect;
mod failure;
mod h1;
mod health;
mod names;
mod out_body;
mod pool;
mod retry;
mod server;
mod settings;
mod tls;

use std::{fmt, sync::Arc, time::Duration};

use portcullis_core::clock::Entropy;
use tokio::time::Instant;

pub use self::{
    answer::{Answer, AnswerBody, CutOff},
    asking::Asking,
    failure::{Failure, Side, UpstreamError},
    h1::Upgraded,
    out_body::{BoxError, OutBody},
    retry::RetryOverride,
    settings::{
        Balance, ClientIdentity, EjectionSettings, HealthSettings, HealthyStatus, PoolSettings, RetryCause,
        RetryMethods, RetrySettings, Roots, Scheme, ServerSettings, Timeouts, UpstreamProtocol,
        UpstreamSettings, UpstreamTls, Verify,
    },
};
use self::{
    balance::Schedule,
    chance::Chance,
    connect::Dialer,
    retry::{Budget, RetryPolicy},
    server::{Ejected, Server},
    tls::Connectors,
};

/// A group of servers that answer alike, with its connections, its view of their health and its counters.
pub struct Upstream {
    settings: UpstreamSettings,
    servers: Box<[Arc<Server>]>,
    schedule: Schedule,
    retry: RetryPolicy,
    budget: Budget,
    chance: Chance,
}

/// What one call asks for in place of the upstream's own settings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CallOptions {
    /// In place of [`Timeouts::response_head`].
    pub response_head: Patience,
    /// In place of [`Timeouts::total`].
    pub total: Patience,
    /// In place of [`Timeouts::idle`].
    pub idle: Patience,
}

/// How long to wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Patience {
    /// As the upstream's settings say.
    #[default]
    AsConfigured,
    /// Without an end: for event streams and upgraded connections.
    Endless,
    /// This long.
    For(Duration),
}

/// A moment later than `at`; times beyond what the clock can hold are as good as endless.
fn after(at: Instant, time: Duration) -> Instant {
    const LONG: Duration = Duration::from_secs(365 * 86_400);
    at.checked_add(time).unwrap_or_else(|| at + LONG)
}

impl Patience {
    fn over(self, configured: Option<Duration>) -> Option<Duration> {
        match self {
            Self::AsConfigured => configured,
            Self::Endless => None,
            Self::For(time) => Some(time),
        }
    }
}

/// What is known about one server, for the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerStatus {
    /// `scheme://host:port`.
    pub server: Arc<str>,
    /// What the active checks say.
    pub health: Health,
    /// How much longer it is left out because of failed calls; `None` when it is not.
    pub ejected_for: Option<Duration>,
    /// Calls under way.
    pub in_flight: u32,
    /// Open connections, over all threads.
    pub connections: u32,
    /// Calls answered since the start, whatever the status.
    pub answered: u64,
    /// Calls failed since the start: no answer, or a body cut off.
    pub failed: u64,
}

/// What the active checks say about a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// Not checked, or not yet: taken for healthy.
    Unchecked,
    /// Healthy.
    Healthy,
    /// Out until checks succeed again.
    Unhealthy,
}

impl Health {
    /// The word used in the admin interface and in metrics.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unchecked => "unchecked",
            Self::Healthy => "healthy",
            Self::Unhealthy => "unhealthy",
        }
    }
}

impl Upstream {
    /// Builds an upstream; connects to nothing. `threads` is the number of data threads, each of which gets its
    /// own part of the pool.
    ///
    /// # Errors
    ///
    /// When there is no server to use, when a value is outside its range, or when certificates or keys are not
    /// usable.
    pub fn new(
        settings: UpstreamSettings,
        threads: usize,
        entropy: &dyn Entropy,
    ) -> Result<Arc<Self>, UpstreamError> {
        settings.check()?;
        let schedule = Schedule::new(&settings)?;
        let connectors = Connectors::new(&settings)?;
        let chance = Chance::new(entropy);
        let epoch = Instant::now();
        let ejected = Ejected::among(settings.servers.len());
        let mut servers = Vec::with_capacity(settings.servers.len());
        for server in &settings.servers {
            let dialer = Dialer::new(&settings, server, connectors.clone());
            servers.push(Server::new(&settings, server, dialer, threads, epoch, Arc::clone(&ejected))?);
        }
        Ok(Arc::new(Self {
            servers: servers.into(),
            schedule,
            retry: RetryPolicy::new(&settings.retry),
            budget: Budget::new(epoch),
            chance,
            settings,
        }))
    }

    /// The stable name.
    pub const fn name(&self) -> &Arc<str> {
        &self.settings.name
    }

    /// Whether a new load asks for exactly this upstream, so that it can be kept as it is.
    pub fn same_settings(&self, settings: &UpstreamSettings) -> bool {
        self.settings == *settings
    }

    /// What it was built from.
    pub const fn settings(&self) -> &UpstreamSettings {
        &self.settings
    }

    /// What is known about each server, in the order of the settings.
    pub fn status(&self) -> Vec<ServerStatus> {
        let now = Instant::now();
        self.servers.iter().map(|server| server.status(now)).collect()
    }

    /// Starts the active checks on a runtime, one task for the whole upstream; it ends when the upstream is
    /// dropped. Does nothing without health settings. To be called once.
    pub fn start_checks(self: &Arc<Self>, runtime: &tokio::runtime::Handle) {
        health::start(self, runtime);
    }
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upstream").field("name", &self.settings.name).finish_non_exhaustive()
    }
}
