//! What the data plane counts about itself, for metrics and the status page.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters and gauges since the start. Read without a lock; a reader may see two of them a moment apart.
#[derive(Debug, Default)]
pub struct Stats {
    /// Connections accepted.
    pub connections_accepted: Counter,
    /// Connections closed at once because a bound was reached.
    pub connections_refused: Counter,
    /// Connections open now.
    pub connections_open: Gauge,
    /// `accept` calls that failed (no file descriptors left, for one).
    pub accept_errors: Counter,
    /// TLS handshakes that failed or took too long.
    pub handshakes_failed: Counter,
    /// Connections ended because a head, a pause or a write took too long.
    pub connections_timed_out: Counter,
    /// Messages that were not HTTP.
    pub malformed: Counter,
    /// Exchanges begun.
    pub exchanges: Counter,
    /// Exchanges under way now.
    pub in_flight: Gauge,
    /// Exchanges refused because too many were under way.
    pub overloaded: Counter,
    /// Exchanges ended by a defect of ours.
    pub panics: Counter,
}

/// A number that grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Counts one.
    pub fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// The number now.
    pub fn now(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A number that rises and falls.
#[derive(Debug, Default)]
pub struct Gauge(AtomicU64);

impl Gauge {
    /// One more; how many there were before.
    pub fn rise(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }

    /// One less.
    pub fn fall(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }

    /// The number now.
    pub fn now(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
