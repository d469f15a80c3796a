//! What operators may ask of a running gate: status, readiness, metrics, reload.

use std::sync::Arc;

use portcullis_admin::{Control, ListenerStatus, NotReady, ReloadOutcome, Status, UpstreamServerStatus};
use portcullis_events::metrics::Shape;
use portcullis_gateway::upstream::Health;

use super::Gate;

/// A value for a scrape: how it behaves, its name, what it says, and where it is.
type Asked = (Shape, &'static str, &'static str, fn(&Gate) -> u64);

impl Gate {
    /// Values that somebody else keeps and a scrape asks for.
    pub(super) fn register_values(self: &Arc<Self>) {
        let asks: [Asked; 11] = [
            (Shape::Gauge, "connections_open", "Connections open", |it| {
                it.gateway.stats().connections_open.now()
            }),
            (Shape::Counter, "connections_accepted", "Connections accepted", |it| {
                it.gateway.stats().connections_accepted.now()
            }),
            (Shape::Counter, "connections_refused", "Connections over a cap", |it| {
                it.gateway.stats().connections_refused.now()
            }),
            (Shape::Counter, "connections_timed_out", "Connections that were too slow", |it| {
                it.gateway.stats().connections_timed_out.now()
            }),
            (Shape::Counter, "tls_handshakes_failed", "TLS handshakes that failed", |it| {
                it.gateway.stats().handshakes_failed.now()
            }),
            (Shape::Counter, "requests_malformed", "Requests that were no HTTP", |it| {
                it.gateway.stats().malformed.now()
            }),
            (Shape::Counter, "requests_overloaded", "Requests over the cap in flight", |it| {
                it.gateway.stats().overloaded.now()
            }),
            (Shape::Gauge, "in_flight", "Exchanges under way", |it| it.gateway.stats().in_flight.now()),
            (Shape::Counter, "guard_panics", "Defects: guards that panicked", |it| {
                it.gateway.stats().panics.now()
            }),
            (Shape::Counter, "limits_forgotten", "Rates forgotten for want of room", |it| {
                it.counters.usage().rates_forgotten
            }),
            (
                Shape::Gauge,
                "providers_without_keys",
                "Providers whose signing keys are missing or too old",
                |it| {
                    let now = it.world.clock.now();
                    let without = it.world.ring.all().into_iter().filter(|keys| !keys.are_believed(now));
                    u64::try_from(without.count()).unwrap_or(u64::MAX)
                },
            ),
        ];
        for (shape, name, help, ask) in asks {
            let gate = Arc::downgrade(self);
            self.metrics.value(shape, name, help, move || gate.upgrade().map_or(0, |gate| ask(&gate)));
        }
    }
}

impl Control for Gate {
    fn status(&self) -> Status {
        let state = self.in_force();
        let record = self.writer.status();
        let mut listeners: Vec<ListenerStatus> = self
            .gateway
            .addresses()
            .into_iter()
            .map(|(name, address)| ListenerStatus {
                tls: state.tls.contains(&name),
                name: name.to_string(),
                address: address.to_string(),
            })
            .collect();
        if let Some(address) = state.admin {
            listeners.push(ListenerStatus {
                name: "admin".to_owned(),
                address: address.to_string(),
                tls: false,
            });
        }
        let stats = self.gateway.stats();
        Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            up_secs: self.world.clock.now().since(self.started).as_secs(),
            config: self.config.display().to_string(),
            generation: state.generation,
            last_rejected: state.last_rejected.clone(),
            last_reload: state.last_reload.clone(),
            listeners,
            operations: state
                .compiled
                .apis
                .iter()
                .map(|(name, it)| (name.to_string(), it.operations.len()))
                .collect(),
            upstreams: state.compiled.upstreams.values().flat_map(server_status).collect(),
            exchanges: stats.exchanges.now(),
            in_flight: stats.in_flight.now(),
            connections: stats.connections_open.now(),
            events_written: record.written,
            events_dropped: record.dropped.total(),
        }
    }

    fn reload(&self) -> ReloadOutcome {
        self.reload_now()
    }

    fn metrics(&self) -> String {
        self.metrics.encode()
    }

    fn not_ready(&self) -> Vec<NotReady> {
        let mut reasons = Vec::new();
        let state = self.in_force();
        if state.draining {
            reasons.push(NotReady { part: "drain".to_owned(), why: "the gate is shutting down".to_owned() });
        }
        if let Some(fault) = self.writer.status().fault {
            reasons.push(NotReady { part: "record".to_owned(), why: fault.to_string() });
        }
        if let Some(fault) = self.keeper.fault() {
            reasons.push(NotReady { part: "state".to_owned(), why: fault.to_string() });
        }
        for (name, upstream) in &state.compiled.upstreams {
            if upstream.status().iter().all(|it| it.health == Health::Unhealthy) {
                let why = format!("no server of upstream `{name}` is healthy");
                reasons.push(NotReady { part: "upstream".to_owned(), why });
            }
        }
        reasons
    }

    fn keys_changed(&self) -> Result<usize, String> {
        self.keys.refresh().map_err(|error| error.to_string())?;
        self.keys.list().map(|it| it.len()).map_err(|error| error.to_string())
    }
}

fn server_status(upstream: &Arc<portcullis_gateway::upstream::Upstream>) -> Vec<UpstreamServerStatus> {
    let name = upstream.name();
    let status = upstream.status();
    status
        .into_iter()
        .map(|it| {
            let why = match (it.health, it.ejected_for) {
                (Health::Unhealthy, _) => Some("health checks fail".to_owned()),
                (_, Some(time)) => Some(format!("calls failed; left out for {} s more", time.as_secs())),
                (Health::Unchecked | Health::Healthy, None) => None,
            };
            UpstreamServerStatus {
                upstream: name.to_string(),
                server: it.server.to_string(),
                healthy: why.is_none(),
                why,
            }
        })
        .collect()
}
