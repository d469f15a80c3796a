//! What Prometheus is told. Fed on the writer's thread, so that a call pays nothing for it.
//!
//! Labels are names out of the configuration and the specifications, never text out of a request, and even so
//! their number is bounded: beyond [`OPERATIONS_MAX`] and [`RULES_MAX`] everything counts as `other`.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use hashbrown::{HashMap, HashSet};
use portcullis_core::event::{Event, Outcome, Tally};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric},
    metrics::{
        counter::{ConstCounter, Counter},
        family::Family,
        gauge::{ConstGauge, Gauge},
        histogram::Histogram,
    },
    registry::{Registry, Unit},
};

use crate::record::Counts;

/// Operations told apart.
pub const OPERATIONS_MAX: usize = 6_000;
/// Rules told apart.
pub const RULES_MAX: usize = 1_000;
/// APIs told apart.
pub const APIS_MAX: usize = 500;

/// The upper ends of the duration buckets, in seconds.
const BUCKETS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ExchangeLabels {
    api: Arc<str>,
    operation: Arc<str>,
    status: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DenialLabels {
    api: Arc<str>,
    rule: Arc<str>,
    mode: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ApiLabels {
    api: Arc<str>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabels {
    kind: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabels {
    result: &'static str,
}

/// How a value handed in by a closure behaves over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// It only grows. Its name is told with `_total` added.
    Counter,
    /// It goes up and down.
    Gauge,
}

/// All metrics of the process.
pub struct Metrics {
    registry: Mutex<Registry>,
    exchanges: Family<ExchangeLabels, Counter>,
    denials: Family<DenialLabels, Counter>,
    durations: Family<ApiLabels, Histogram, fn() -> Histogram>,
    upstream: Family<ApiLabels, Histogram, fn() -> Histogram>,
    request_bytes: Family<ApiLabels, Counter>,
    response_bytes: Family<ApiLabels, Counter>,
    written: Counter,
    dropped: Family<KindLabels, Counter>,
    fault: Gauge<u64, AtomicU64>,
    reloads: Family<ResultLabels, Counter>,
    generation: Gauge<u64, AtomicU64>,
    ready: AtomicBool,
    names: Mutex<Names>,
    series: Mutex<HashMap<ExchangeLabels, Series>>,
    /// The label of what has no name.
    nameless: Arc<str>,
}

/// What one kind of exchange is counted in, so that counting takes one look-up and not one a family.
#[derive(Clone)]
struct Series {
    exchanges: Counter,
    durations: Histogram,
    upstream: Histogram,
    request_bytes: Counter,
    response_bytes: Counter,
}

/// The label values that have been given out.
#[derive(Default)]
struct Names {
    apis: HashSet<Arc<str>>,
    operations: HashSet<(Arc<str>, Arc<str>)>,
    rules: HashMap<Box<str>, Arc<str>>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// A registry with everything in it that the record knows. The binary adds its own by [`Metrics::value`].
    pub fn new() -> Self {
        let histogram: fn() -> Histogram = || Histogram::new(BUCKETS);
        let it = Self {
            registry: Mutex::new(Registry::with_prefix("portcullis")),
            exchanges: Family::default(),
            denials: Family::default(),
            durations: Family::new_with_constructor(histogram),
            upstream: Family::new_with_constructor(histogram),
            request_bytes: Family::default(),
            response_bytes: Family::default(),
            written: Counter::default(),
            dropped: Family::default(),
            fault: Gauge::default(),
            reloads: Family::default(),
            generation: Gauge::default(),
            ready: AtomicBool::new(true),
            names: Mutex::default(),
            series: Mutex::default(),
            nameless: "".into(),
        };
        it.register();
        // Present from the start, so that a rate over them is 0 and not absent.
        for kind in ["served", "denied", "failed"] {
            it.dropped.get_or_create_owned(&KindLabels { kind });
        }
        for result in ["ok", "rejected"] {
            it.reloads.get_or_create_owned(&ResultLabels { result });
        }
        it
    }

    fn register(&self) {
        let mut registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        registry.register(
            "exchanges",
            "Exchanges by API, operation, status class and outcome",
            self.exchanges.clone(),
        );
        registry.register(
            "denials",
            "Refusals by rule; mode `report` is what would have been refused",
            self.denials.clone(),
        );
        let secs = Unit::Seconds;
        registry.register_with_unit(
            "exchange_duration",
            "From the request's head to the end of the answer",
            secs.clone(),
            self.durations.clone(),
        );
        registry.register_with_unit(
            "upstream_duration",
            "Waiting for the upstream's response head",
            secs,
            self.upstream.clone(),
        );
        registry.register(
            "request_body_bytes",
            "Request body bytes read from clients",
            self.request_bytes.clone(),
        );
        registry.register(
            "response_body_bytes",
            "Response body bytes sent to clients",
            self.response_bytes.clone(),
        );
        registry.register("events_written", "Events written to the log", self.written.clone());
        registry.register("events_dropped", "Events that found no room or no disk", self.dropped.clone());
        registry.register("events_fault", "1 while the log cannot be written", self.fault.clone());
        registry.register(
            "config_reloads",
            "Configurations loaded and rejected since the start",
            self.reloads.clone(),
        );
        registry.register(
            "config_generation",
            "The number of the configuration in force",
            self.generation.clone(),
        );
    }

    /// Adds a value that is asked for at each scrape, from a thread of the admin listener: connections, bans,
    /// breaker states. `name` is told as `portcullis_NAME`.
    pub fn value(&self, shape: Shape, name: &str, help: &str, ask: impl Fn() -> u64 + Send + Sync + 'static) {
        let asked = Asked { shape, name: name.to_owned(), help: help.to_owned(), ask: Box::new(ask) };
        self.registry.lock().unwrap_or_else(PoisonError::into_inner).register_collector(Box::new(asked));
    }

    /// A configuration came into force.
    pub fn config_loaded(&self, generation: u64) {
        self.reloads.get_or_create(&ResultLabels { result: "ok" }).inc();
        self.generation.set(generation);
    }

    /// A configuration was refused; the one before stays in force.
    pub fn config_rejected(&self) {
        self.reloads.get_or_create(&ResultLabels { result: "rejected" }).inc();
    }

    /// Whether the log can be written, for `/readyz`.
    pub fn record_is_sound(&self) -> bool {
        self.ready.load(Ordering::Relaxed)
    }

    /// The text exposition (OpenMetrics 1.0): `application/openmetrics-text; version=1.0.0; charset=utf-8`.
    pub fn encode(&self) -> String {
        let mut text = String::with_capacity(16 * 1024);
        let registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        // Writing to a string cannot fail, and none of our metrics refuses.
        let _ = prometheus_client::encoding::text::encode(&mut text, &registry);
        text
    }

    /// Counts one exchange that is recorded.
    pub fn observe(&self, event: &Event) {
        self.measure(&Measured::of_event(event));
        for reason in &event.reasons {
            let is_denial = reason.reported_only || matches!(event.outcome, Outcome::Denied(_));
            if is_denial {
                let mode = if reason.reported_only { "report" } else { "block" };
                let (rule, (api, _)) = (
                    self.rule(reason.rule.as_str()),
                    self.operation(event.api.as_ref(), event.operation.as_ref()),
                );
                self.denials.get_or_create(&DenialLabels { api, rule, mode }).inc();
            }
        }
    }

    /// Counts one exchange that is not.
    pub fn count(&self, tally: &Tally) {
        self.measure(&Measured::of_tally(tally));
    }

    fn measure(&self, it: &Measured<'_>) {
        let (status, outcome) = (status_class(it.status), outcome_word(&it.outcome));
        let name = |name: Option<&Arc<str>>| Arc::clone(name.unwrap_or(&self.nameless));
        let labels = ExchangeLabels { api: name(it.api), operation: name(it.operation), status, outcome };
        let mut known = self.series.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(series) = known.get(&labels) {
            return series.count(it);
        }
        let (api, operation) = self.operation(it.api, it.operation);
        let own_name = api == labels.api && operation == labels.operation;
        let series = self.series_of(&ExchangeLabels { api, operation, status, outcome });
        series.count(it);
        // What counts as `other` may have any number of names.
        if own_name {
            known.insert(labels, series);
        }
    }

    fn series_of(&self, labels: &ExchangeLabels) -> Series {
        let api = ApiLabels { api: Arc::clone(&labels.api) };
        Series {
            exchanges: self.exchanges.get_or_create_owned(labels),
            durations: self.durations.get_or_create_owned(&api),
            upstream: self.upstream.get_or_create_owned(&api),
            request_bytes: self.request_bytes.get_or_create_owned(&api),
            response_bytes: self.response_bytes.get_or_create_owned(&api),
        }
    }

    pub(crate) fn written(&self, count: u64) {
        self.written.inc_by(count);
    }

    pub(crate) fn dropped(&self, counts: &Counts) {
        let kinds = [("served", counts.served), ("denied", counts.denied), ("failed", counts.failed)];
        for (kind, count) in kinds {
            self.dropped.get_or_create(&KindLabels { kind }).inc_by(count);
        }
    }

    pub(crate) fn set_record_fault(&self, fault: bool) {
        self.fault.set(u64::from(fault));
        self.ready.store(!fault, Ordering::Relaxed);
    }

    /// The two names, or `other` once there are too many; empty where nothing was routed.
    fn operation(&self, api: Option<&Arc<str>>, operation: Option<&Arc<str>>) -> (Arc<str>, Arc<str>) {
        let Some(api) = api else {
            return (Arc::clone(&self.nameless), Arc::clone(&self.nameless));
        };
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        if !names.apis.contains(api) {
            if names.apis.len() >= APIS_MAX {
                return ("other".into(), "other".into());
            }
            names.apis.insert(Arc::clone(api));
        }
        let Some(operation) = operation else {
            return (Arc::clone(api), Arc::clone(&self.nameless));
        };
        let pair = (Arc::clone(api), Arc::clone(operation));
        if !names.operations.contains(&pair) {
            if names.operations.len() >= OPERATIONS_MAX {
                return (Arc::clone(api), "other".into());
            }
            names.operations.insert(pair.clone());
        }
        pair
    }

    fn rule(&self, rule: &str) -> Arc<str> {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = names.rules.get(rule) {
            return Arc::clone(known);
        }
        if names.rules.len() >= RULES_MAX {
            return "other".into();
        }
        let name: Arc<str> = rule.into();
        names.rules.insert(rule.into(), Arc::clone(&name));
        name
    }
}

impl Series {
    fn count(&self, it: &Measured<'_>) {
        self.exchanges.inc();
        self.durations.observe(seconds(it.took_micros));
        if let Some(micros) = it.upstream_micros {
            self.upstream.observe(seconds(micros));
        }
        self.request_bytes.inc_by(it.request_bytes);
        self.response_bytes.inc_by(it.response_bytes);
    }
}

/// What is counted of an exchange, recorded or not.
struct Measured<'a> {
    api: Option<&'a Arc<str>>,
    operation: Option<&'a Arc<str>>,
    outcome: Outcome,
    status: u16,
    took_micros: u64,
    upstream_micros: Option<u64>,
    request_bytes: u64,
    response_bytes: u64,
}

impl<'a> Measured<'a> {
    fn of_event(event: &'a Event) -> Self {
        Self {
            api: event.api.as_ref(),
            operation: event.operation.as_ref(),
            outcome: event.outcome,
            status: event.status,
            took_micros: event.took_micros,
            upstream_micros: event.upstream_micros,
            request_bytes: event.request_bytes,
            response_bytes: event.response_bytes,
        }
    }

    fn of_tally(tally: &'a Tally) -> Self {
        let operation = tally.operation.as_deref();
        Self {
            api: operation.map(|it| &it.api).or(tally.api.as_ref()),
            operation: operation.map(|it| &it.id),
            outcome: tally.outcome,
            status: tally.status,
            took_micros: tally.took_micros,
            upstream_micros: tally.upstream_micros,
            request_bytes: tally.request_bytes,
            response_bytes: tally.response_bytes,
        }
    }
}

struct Asked {
    shape: Shape,
    name: String,
    help: String,
    ask: Box<dyn Fn() -> u64 + Send + Sync>,
}

impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asked").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Collector for Asked {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let value = (self.ask)();
        match self.shape {
            Shape::Counter => {
                let counter = ConstCounter::new(value);
                let kind = counter.metric_type();
                counter.encode(encoder.encode_descriptor(&self.name, &self.help, None, kind)?)
            }
            Shape::Gauge => {
                let gauge = ConstGauge::new(value);
                let kind = gauge.metric_type();
                gauge.encode(encoder.encode_descriptor(&self.name, &self.help, None, kind)?)
            }
        }
    }
}

fn seconds(micros: u64) -> f64 {
    std::time::Duration::from_micros(micros).as_secs_f64()
}

const fn status_class(status: u16) -> &'static str {
    match status {
        100..=199 => "1xx",
        200..=299 => "2xx",
        300..=399 => "3xx",
        400..=499 => "4xx",
        500..=599 => "5xx",
        _ => "none",
    }
}

/// The word for an outcome: the denial's own for a refusal.
pub const fn outcome_word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Served => "served",
        Outcome::Answered => "answered",
        Outcome::Denied(denial) => denial.word(),
        Outcome::UpstreamFailed(_) => "upstream_failed",
        Outcome::ClientGone => "client_gone",
        Outcome::Panicked => "panicked",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(n: usize) -> Event {
        serde_json::from_value(serde_json::json!({
            "id": "018bcfe5-6800-7fff-bfff-ffffffffffff", "at": 1, "took_micros": 1500, "upstream_micros": 900,
            "listener": "main", "client": "192.0.2.1", "protocol": "h2", "tls": true, "host": "api.example.com",
            "method": "GET", "path": "/", "api": "orders", "operation": format!("op{n}"), "status": 429,
            "outcome": { "denied": { "too_many_requests": { "retry_after_secs": 1 } } },
            "reasons": [
                { "rule": "schema/required", "severity": "low", "message": "m", "reported_only": true },
                { "rule": format!("limits/{n}"), "severity": "low", "message": "m" },
            ],
            "request_bytes": 5, "response_bytes": 10,
        }))
        .unwrap()
    }

    #[test]
    fn says_what_happened_in_the_exposition_format() {
        let metrics = Metrics::new();
        metrics.observe(&event(1));
        metrics.config_loaded(3);
        metrics.config_rejected();
        metrics.value(Shape::Gauge, "connections", "Open connections", || 7);
        metrics.value(Shape::Counter, "accepted", "Accepted connections", || 9);
        let text = metrics.encode();
        for line in [
            "portcullis_exchanges_total{api=\"orders\",operation=\"op1\",status=\"4xx\",outcome=\"too_many_requests\"} 1",
            "portcullis_denials_total{api=\"orders\",rule=\"schema/required\",mode=\"report\"} 1",
            "portcullis_denials_total{api=\"orders\",rule=\"limits/1\",mode=\"block\"} 1",
            "portcullis_exchange_duration_seconds_bucket{le=\"0.0025\",api=\"orders\"} 1",
            "portcullis_upstream_duration_seconds_count{api=\"orders\"} 1",
            "portcullis_response_body_bytes_total{api=\"orders\"} 10",
            "portcullis_config_generation 3",
            "portcullis_config_reloads_total{result=\"rejected\"} 1",
            "portcullis_events_dropped_total{kind=\"denied\"} 0",
            "portcullis_connections 7",
            "portcullis_accepted_total 9",
            "# EOF",
        ] {
            assert!(text.lines().any(|it| it == line), "{line}\n---\n{text}");
        }
    }

    #[test]
    fn labels_are_bounded() {
        let metrics = Metrics::new();
        for n in 0..OPERATIONS_MAX + 50 {
            metrics.observe(&event(n));
        }
        let text = metrics.encode();
        let count = |prefix| text.lines().filter(|it: &&str| it.starts_with(prefix)).count();
        assert_eq!(count("portcullis_exchanges_total"), OPERATIONS_MAX + 1);
        assert_eq!(count("portcullis_denials_total"), RULES_MAX + 1);
        assert!(text.contains("operation=\"other\",status=\"4xx\",outcome=\"too_many_requests\"} 50"));
    }
}
