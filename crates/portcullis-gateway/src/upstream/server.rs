//! One server of an upstream: where it is, how it fares, what is open to it.

use std::{
    ops::Deref,
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use http::{HeaderValue, uri::Authority};
use tokio::time::Instant;

use super::{
    Health, ServerStatus, after,
    connect::Dialer,
    failure::UpstreamError,
    pool::Pool,
    settings::{EjectionSettings, Scheme, ServerSettings, UpstreamSettings},
};

/// A server with its state, shared by all threads.
pub(super) struct Server {
    label: Arc<str>,
    /// Where requests are addressed to.
    pub(super) target: Target,
    pub(super) dialer: Dialer,
    pub(super) pool: Pool,
    weight: u64,
    epoch: Instant,
    in_flight: AtomicU32,
    answered: AtomicU64,
    failed: AtomicU64,
    health: AtomicU8,
    failures_in_a_row: AtomicU32,
    /// Milliseconds since `epoch`; 0 while the server is not ejected.
    ejected_until: AtomicU64,
    ejection: Option<EjectionSettings>,
    ejected: Arc<Ejected>,
}

/// What of a request's target is the server's.
pub(super) struct Target {
    pub(super) scheme: http::uri::Scheme,
    pub(super) authority: Authority,
    /// The `Host` of requests that come without one.
    pub(super) host: HeaderValue,
    pub(super) base_path: Box<str>,
}

/// How many servers of one upstream are ejected. At most half may be.
pub(super) struct Ejected {
    count: AtomicU32,
    count_max: u32,
}

impl Ejected {
    pub(super) fn among(servers: usize) -> Arc<Self> {
        let count_max = u32::try_from(servers / 2).unwrap_or(u32::MAX);
        Arc::new(Self { count: AtomicU32::new(0), count_max })
    }

    fn enter(&self) -> bool {
        self.count
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| {
                (count < self.count_max).then_some(count + 1)
            })
            .is_ok()
    }

    fn leave(&self) {
        self.count.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Server {
    /// # Errors
    ///
    /// When host and port are no authority.
    pub(super) fn new(
        upstream: &UpstreamSettings,
        settings: &ServerSettings,
        dialer: Dialer,
        threads: usize,
        epoch: Instant,
        ejected: Arc<Ejected>,
    ) -> Result<Arc<Self>, UpstreamError> {
        let (host, port) = (bracketed(&settings.host), settings.port);
        let label = format!("{}://{host}:{port}", settings.scheme.word());
        let wrong = |problem| UpstreamError::Server {
            upstream: Arc::clone(&upstream.name),
            server: label.clone(),
            problem,
        };
        let (scheme, usual_port) = match settings.scheme {
            Scheme::Http => (http::uri::Scheme::HTTP, 80),
            Scheme::Https => (http::uri::Scheme::HTTPS, 443),
        };
        // RFC 9110 §4.2.3: the scheme's own port is left out.
        let authority = if port == usual_port { host } else { format!("{host}:{port}") };
        let target = Target {
            scheme,
            host: HeaderValue::from_str(&authority).map_err(|_| wrong("the host is not a host name"))?,
            authority: authority.parse().map_err(|_| wrong("the host is not a host name"))?,
            base_path: settings.base_path.clone(),
        };
        Ok(Arc::new(Self {
            label: label.into(),
            target,
            dialer,
            pool: Pool::new(upstream.pool, threads),
            weight: u64::from(settings.weight),
            epoch,
            in_flight: AtomicU32::new(0),
            answered: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            health: AtomicU8::new(UNCHECKED),
            failures_in_a_row: AtomicU32::new(0),
            ejected_until: AtomicU64::new(0),
            ejection: upstream.ejection,
            ejected,
        }))
    }

    /// `scheme://host:port`.
    pub(super) const fn label(&self) -> &Arc<str> {
        &self.label
    }

    pub(super) const fn weight(&self) -> u64 {
        self.weight
    }

    pub(super) fn in_flight(&self) -> u32 {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Whether calls may go there: not found unhealthy, not ejected, or ejected long enough ago.
    pub(super) fn is_available(&self, now: Instant) -> bool {
        if self.health.load(Ordering::Relaxed) == UNHEALTHY {
            return false;
        }
        let until = self.ejected_until.load(Ordering::Relaxed);
        until == 0 || (until <= self.millis(now) && self.come_back(until))
    }

    /// Notes a call that the server served well.
    pub(super) fn note_good(&self) {
        self.answered.fetch_add(1, Ordering::Relaxed);
        if self.failures_in_a_row.load(Ordering::Relaxed) != 0 {
            self.failures_in_a_row.store(0, Ordering::Relaxed);
        }
    }

    /// Notes a call that was answered by a 5xx status.
    pub(super) fn note_error_status(&self, now: Instant) {
        self.answered.fetch_add(1, Ordering::Relaxed);
        self.note_strike(now);
    }

    /// Notes a call without an answer, or with half of one.
    pub(super) fn note_failed(&self, now: Instant) {
        self.failed.fetch_add(1, Ordering::Relaxed);
        self.note_strike(now);
    }

    fn note_strike(&self, now: Instant) {
        let Some(ejection) = self.ejection else { return };
        let strikes = self.failures_in_a_row.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        if strikes < ejection.failures_max || self.ejected_until.load(Ordering::Relaxed) != 0 {
            return;
        }
        if !self.ejected.enter() {
            return;
        }
        let until = self.millis(after(now, ejection.eject_for)).max(1);
        if self.ejected_until.compare_exchange(0, until, Ordering::Relaxed, Ordering::Relaxed).is_err() {
            self.ejected.leave();
            return;
        }
        self.failures_in_a_row.store(0, Ordering::Relaxed);
        tracing::warn!(
            server = &*self.label,
            strikes,
            secs = ejection.eject_for.as_secs(),
            "server left out for a while"
        );
    }

    fn come_back(&self, until: u64) -> bool {
        if self.ejected_until.compare_exchange(until, 0, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            self.ejected.leave();
            tracing::info!(server = &*self.label, "server takes calls again");
        }
        true
    }

    /// What the active checks say; tells whether that is news.
    pub(super) fn set_health(&self, health: Health) -> bool {
        let word = match health {
            Health::Unchecked => UNCHECKED,
            Health::Healthy => HEALTHY,
            Health::Unhealthy => UNHEALTHY,
        };
        self.health.swap(word, Ordering::Relaxed) != word
    }

    pub(super) fn status(&self, now: Instant) -> ServerStatus {
        let until = self.ejected_until.load(Ordering::Relaxed);
        let left = until.saturating_sub(self.millis(now));
        ServerStatus {
            server: Arc::clone(&self.label),
            health: match self.health.load(Ordering::Relaxed) {
                HEALTHY => Health::Healthy,
                UNHEALTHY => Health::Unhealthy,
                _ => Health::Unchecked,
            },
            ejected_for: (left > 0).then(|| Duration::from_millis(left)),
            in_flight: self.in_flight(),
            connections: self.pool.connections(),
            answered: self.answered.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
        }
    }

    fn millis(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.epoch).as_millis()).unwrap_or(u64::MAX)
    }
}

const UNCHECKED: u8 = 0;
const HEALTHY: u8 = 1;
const UNHEALTHY: u8 = 2;

fn bracketed(host: &str) -> String {
    if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host.to_owned() }
}

/// A call under way to a server; counted for as long as this lives.
pub(super) struct InFlight(Arc<Server>);

impl InFlight {
    pub(super) fn to(server: &Arc<Server>) -> Self {
        server.in_flight.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(server))
    }
}

impl Deref for InFlight {
    type Target = Arc<Server>;

    fn deref(&self) -> &Arc<Server> {
        &self.0
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}
