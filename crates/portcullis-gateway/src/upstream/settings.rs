//! What an operator says about an upstream, as plain data.

use std::{sync::Arc, time::Duration};

use http::{StatusCode, uri::PathAndQuery};
use portcullis_core::secret::Secret;

use super::failure::UpstreamError;

/// One upstream: a group of servers that answer alike.
#[derive(Clone, Debug, PartialEq)]
pub struct UpstreamSettings {
    /// The stable name under which connections, health and counters survive a reload.
    pub name: Arc<str>,
    /// The servers; at least one must have a weight above zero.
    pub servers: Vec<ServerSettings>,
    /// How a server is chosen for a call.
    pub balance: Balance,
    /// How long each part of a call may take.
    pub timeouts: Timeouts,
    /// When a call is tried again.
    pub retry: RetrySettings,
    /// How many connections are kept, and for how long.
    pub pool: PoolSettings,
    /// What is spoken on the connections.
    pub protocol: UpstreamProtocol,
    /// Active checks; none when absent.
    pub health: Option<HealthSettings>,
    /// Whether a failing server is left out for a while; never when absent.
    pub ejection: Option<EjectionSettings>,
    /// TLS to `https` servers.
    pub tls: UpstreamTls,
}

impl UpstreamSettings {
    /// An upstream with everything but its servers on its default.
    pub fn new(name: impl Into<Arc<str>>, servers: Vec<ServerSettings>) -> Self {
        Self {
            name: name.into(),
            servers,
            balance: Balance::default(),
            timeouts: Timeouts::default(),
            retry: RetrySettings::default(),
            pool: PoolSettings::default(),
            protocol: UpstreamProtocol::default(),
            health: None,
            ejection: Some(EjectionSettings::default()),
            tls: UpstreamTls::default(),
        }
    }
}

/// One server of an upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerSettings {
    /// Whether TLS is spoken.
    pub scheme: Scheme,
    /// A DNS name or an address; an IPv6 address with or without brackets.
    pub host: Box<str>,
    /// The TCP port.
    pub port: u16,
    /// The server's share of the calls in relation to the others, 0 (drained) to 1000.
    pub weight: u16,
    /// What is put before every path: empty, or `/…` without a slash at its end.
    pub base_path: Box<str>,
}

/// The scheme of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Cleartext.
    Http,
    /// TLS.
    Https,
}

impl Scheme {
    /// `http` or `https`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// How a server is chosen. Both heed weights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Balance {
    /// One after the other.
    #[default]
    RoundRobin,
    /// The less busy of two taken at random (Mitzenmacher 2001, "the power of two choices").
    LeastRequests,
}

/// How long each part of a call may take. `None` is endless.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// From wanting a connection to having one, name lookup, TLS and waiting for the pool included.
    pub connect: Duration,
    /// From the request's end to the answer's head; restarts while a streamed request body still moves.
    pub response_head: Option<Duration>,
    /// The whole call with all its attempts, to the last byte of the answer's body.
    pub total: Option<Duration>,
    /// Between two chunks of the answer's body.
    pub idle: Option<Duration>,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(2),
            response_head: Some(Duration::from_secs(30)),
            total: None,
            idle: Some(Duration::from_secs(60)),
        }
    }
}

/// When a call is tried again, beyond the one silent repetition on a kept connection that turns out dead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetrySettings {
    /// Tries after the first; 0 is never.
    pub attempts: u8,
    /// The failures that are worth another try.
    pub on: Vec<RetryCause>,
    /// The methods that may be tried again once a server may have seen the request.
    pub methods: RetryMethods,
    /// How many of a hundred recent calls may be retries, 0 to 100.
    pub budget_percent: u8,
    /// Retries per ten seconds that are allowed whatever the budget says.
    pub budget_floor: u32,
    /// The pause before the first retry; doubles with each, with jitter.
    pub backoff_min: Duration,
    /// The longest pause.
    pub backoff_max: Duration,
}

impl Default for RetrySettings {
    fn default() -> Self {
        Self {
            attempts: 1,
            on: vec![RetryCause::Connect],
            methods: RetryMethods::Idempotent,
            budget_percent: 20,
            budget_floor: 10,
            backoff_min: Duration::from_millis(25),
            backoff_max: Duration::from_millis(250),
        }
    }
}

/// A failure that may be worth another try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryCause {
    /// No connection: nothing was sent, so any method may be tried again.
    Connect,
    /// The connection was lost before the answer began.
    Reset,
    /// The answer's head did not come in time.
    Timeout,
    /// The server answered 502.
    Status502,
    /// The server answered 503.
    Status503,
    /// The server answered 504.
    Status504,
}

/// Which methods may be tried again once a server may have seen the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryMethods {
    /// The idempotent ones (RFC 9110 §9.2.2).
    Idempotent,
    /// Every one: the operator vouches that the servers recognise repetitions.
    All,
}

/// Bounds of the connection pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolSettings {
    /// Connections to one server over all threads, upgraded ones included.
    pub connections_max: u32,
    /// Idle HTTP/1.1 connections kept per server and thread.
    pub idle_max: usize,
    /// How long an idle connection is kept; less when the server's `Keep-Alive: timeout` says so.
    pub idle_timeout: Duration,
}

impl Default for PoolSettings {
    fn default() -> Self {
        Self { connections_max: 1024, idle_max: 128, idle_timeout: Duration::from_secs(55) }
    }
}

/// What is spoken to the servers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UpstreamProtocol {
    /// HTTP/2 where TLS negotiates it by ALPN, HTTP/1.1 otherwise.
    #[default]
    Auto,
    /// HTTP/1.1.
    H1,
    /// HTTP/2: by ALPN over TLS, by prior knowledge over cleartext (RFC 9113 §3.3).
    H2,
}

/// Active checks of every server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthSettings {
    /// The path asked by `GET`, put behind the server's base path.
    pub path: Box<str>,
    /// From the end of one round of checks to the next.
    pub every: Duration,
    /// How long one check may take in all.
    pub timeout: Duration,
    /// Failures in a row after which a server is out.
    pub unhealthy_after: u32,
    /// Successes in a row after which it is back.
    pub healthy_after: u32,
    /// What a healthy server answers.
    pub expect: HealthyStatus,
}

/// Which status a healthy server answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HealthyStatus {
    /// Any 2xx.
    Success,
    /// Exactly this one.
    Exactly(StatusCode),
}

impl HealthSettings {
    /// Checks of a path with everything else on its default.
    pub fn of(path: impl Into<Box<str>>) -> Self {
        Self {
            path: path.into(),
            every: Duration::from_secs(5),
            timeout: Duration::from_secs(2),
            unhealthy_after: 3,
            healthy_after: 2,
            expect: HealthyStatus::Success,
        }
    }
}

/// When a server is left out because of the calls it failed. At most half of the servers are out at a time,
/// so that callers who provoke 5xx answers on purpose cannot empty an upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EjectionSettings {
    /// Failed calls in a row (no connection, lost connection, timeout, nonsense or 5xx).
    pub failures_max: u32,
    /// How long it is left out.
    pub eject_for: Duration,
}

impl Default for EjectionSettings {
    fn default() -> Self {
        Self { failures_max: 5, eject_for: Duration::from_secs(30) }
    }
}

/// TLS to `https` servers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UpstreamTls {
    /// Who may vouch for the servers.
    pub roots: Roots,
    /// The certificate shown to the servers.
    pub client: Option<ClientIdentity>,
    /// The name that the certificate must carry, and SNI; the server's host when absent.
    pub server_name: Option<Box<str>>,
    /// Whether the servers' certificates are verified.
    pub verify: Verify,
}

/// Who may vouch for a server's certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Roots {
    /// Mozilla's root programme as compiled in.
    #[default]
    WebPki,
    /// These certificates alone, as PEM text.
    Pem(Arc<[u8]>),
}

/// A certificate with its key.
#[derive(Clone, Debug, PartialEq)]
pub struct ClientIdentity {
    /// The chain as PEM text, own certificate first.
    pub chain_pem: Arc<[u8]>,
    /// The private key as PEM text.
    pub key_pem: Secret<Vec<u8>>,
}

/// Whether a server's certificate is verified.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verify {
    /// Chain, name and validity.
    #[default]
    Full,
    /// Not at all: anybody on the way can read and change everything (CWE-295). Warned about at every load.
    Nothing,
}

impl UpstreamSettings {
    /// Whether every value is inside its range.
    pub(super) fn check(&self) -> Result<(), UpstreamError> {
        const WEIGHT_MAX: u16 = 1000;
        for server in &self.servers {
            let wrong = |problem| UpstreamError::Server {
                upstream: Arc::clone(&self.name),
                server: format!("{}://{}:{}", server.scheme.word(), server.host, server.port),
                problem,
            };
            if server.host.is_empty() {
                return Err(wrong("the host is empty"));
            }
            if server.port == 0 {
                return Err(wrong("the port is 0"));
            }
            if server.weight > WEIGHT_MAX {
                return Err(wrong("the weight is above 1000"));
            }
            let base = &*server.base_path;
            let is_path = base.starts_with('/')
                && !base.ends_with('/')
                && !base.contains(['?', '#'])
                && base.parse::<PathAndQuery>().is_ok();
            if !base.is_empty() && !is_path {
                return Err(wrong("the base path must be empty or begin, and not end, with `/`"));
            }
        }
        let wrong = |problem| Err(UpstreamError::Setting { upstream: Arc::clone(&self.name), problem });
        if self.pool.connections_max == 0 {
            return wrong("the pool must allow at least one connection");
        }
        if self.timeouts.connect.is_zero() || self.pool.idle_timeout.is_zero() {
            return wrong("a timeout must be longer than zero");
        }
        if self.retry.budget_percent > 100 {
            return wrong("the retry budget is above 100 percent");
        }
        if let Some(health) = &self.health {
            if health.path.parse::<PathAndQuery>().is_err() || !health.path.starts_with('/') {
                return wrong("the health path must begin with `/`");
            }
            if health.every.is_zero() || health.timeout.is_zero() {
                return wrong("the health check's times must be longer than zero");
            }
            if health.unhealthy_after == 0 || health.healthy_after == 0 {
                return wrong("the health check's counts must be at least 1");
            }
        }
        if self.ejection.is_some_and(|it| it.failures_max == 0) {
            return wrong("a server cannot be ejected after 0 failures");
        }
        Ok(())
    }
}
