//! What the data plane does, as compiled from the configuration: immutable, swapped whole, pinned per exchange.
//!
//! Counters, bans, upstream connections and breakers live outside, under stable names, so a reload forgets nothing.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc, time::Duration};

use http::{HeaderName, HeaderValue};
use ipnet::IpNet;
use portcullis_core::{
    chain::{Chain, Mode},
    context::Operation,
    units::{KIB, MIB},
};

use crate::{
    cors::Cors,
    router::Router,
    upstream::{CallOptions, RetryOverride, Upstream},
};

/// Everything the data plane does.
#[derive(Default)]
pub struct Plan {
    /// Grows with every reload; told by the status of the gate.
    pub generation: u64,
    /// The listeners by their names in the configuration.
    pub listeners: BTreeMap<Arc<str>, Arc<ListenerPlan>>,
}

/// One listener: where it stands and what is served there.
pub struct ListenerPlan {
    /// The address to bind; port 0 lets the system choose.
    pub address: SocketAddr,
    /// The versions of HTTP spoken.
    pub protocols: Protocols,
    /// TLS as built by [`crate::tls::server_config`]; `None` listens in the clear.
    pub tls: Option<Arc<rustls::ServerConfig>>,
    /// Which operation a request is.
    pub router: Router,
    /// What a connection and a request head may cost.
    pub limits: ListenerLimits,
    /// The only peers whose `X-Forwarded-*` counts.
    pub trusted_proxies: Box<[IpNet]>,
    /// Fields that name a caller to the upstreams: never taken from outside, not even from a trusted proxy,
    /// in any spelling that a server could read as the same name (`X_User_Id`).
    pub identity_headers: Box<[HeaderName]>,
    /// `Strict-Transport-Security` (RFC 6797), sent over TLS only.
    pub hsts: Option<HeaderValue>,
}

/// The versions of HTTP that a listener speaks: by ALPN over TLS, by prior knowledge (RFC 9113 §3.3) in the clear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocols {
    /// HTTP/1.0 and HTTP/1.1.
    H1,
    /// HTTP/2.
    H2,
    /// Both.
    Both,
}

/// Bounds of a listener. [`Default`] is what stands when the configuration is silent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenerLimits {
    /// Open connections in all.
    pub connections_max: usize,
    /// Open connections of one address.
    pub connections_per_address_max: u32,
    /// Exchanges under way in all; more are answered 503.
    pub in_flight_max: usize,
    /// Bytes of a request head, at least 8 KiB.
    pub head_bytes_max: usize,
    /// Fields of a request head.
    pub headers_max: usize,
    /// Bytes of a request target.
    pub target_bytes_max: usize,
    /// Concurrent HTTP/2 streams of one connection.
    pub streams_max: u32,
    /// For a TLS handshake.
    pub handshake_timeout: Duration,
    /// From the first byte of a head to its end.
    pub header_timeout: Duration,
    /// Between two requests of a connection, and for a client that has stopped reading.
    pub idle_timeout: Duration,
    /// For a body that guards read whole, or between two pieces of one that streams, unless its endpoint says otherwise.
    pub body_timeout: Duration,
}

impl Default for ListenerLimits {
    fn default() -> Self {
        Self {
            connections_max: 50_000,
            connections_per_address_max: 1_000,
            in_flight_max: 10_000,
            head_bytes_max: usize::try_from(32 * KIB).unwrap_or(usize::MAX),
            headers_max: 100,
            target_bytes_max: usize::try_from(8 * KIB).unwrap_or(usize::MAX),
            streams_max: 128,
            handshake_timeout: Duration::from_secs(10),
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(75),
            body_timeout: Duration::from_secs(30),
        }
    }
}

/// One API: where it is found, and what becomes of calls that it does not know.
pub struct ApiPlan {
    /// Its name in the configuration.
    pub name: Arc<str>,
    /// The hosts it answers for, each exact (`api.example.com`) or a wildcard of its left-most label
    /// (`*.example.com`), without port; none means every host.
    pub hosts: Vec<Box<str>>,
    /// The path all its templates begin with, without a slash at the end: `/v1`, or empty for the root.
    pub prefix: Box<str>,
    /// Its operations. Method and full template are those of [`Endpoint::operation`]; `*` means every method.
    pub endpoints: Vec<Arc<Endpoint>>,
    /// What becomes of a path or method below [`ApiPlan::prefix`] that no endpoint has.
    pub unknown: Unknown,
    /// Cross-origin calls, where allowed; preflights are answered at the gate.
    pub cors: Option<Arc<Cors>>,
    /// `HEAD` where only `GET` is declared.
    pub head: HeadPolicy,
    /// `OPTIONS` where it is not declared.
    pub options: OptionsPolicy,
}

/// What becomes of a call that the API does not declare.
pub struct Unknown {
    /// A path that no operation has: `block` answers 404, `report` writes the reason down and serves, `off` serves.
    pub paths: Mode,
    /// A method that the path does not have: `block` answers 405, the others as for paths.
    pub methods: Mode,
    /// What serves it. Without one, every mode answers 404 or 405.
    pub endpoint: Option<Arc<Endpoint>>,
}

/// `HEAD` on a path that declares `GET` alone (RFC 9110 §9.3.2 has every resource support both).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HeadPolicy {
    /// Serve it as the `GET` operation: its guards, its limits.
    #[default]
    AsGet,
    /// Only where the specification declares it.
    Declared,
}

/// `OPTIONS` on a path that does not declare it (RFC 9110 §9.3.7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OptionsPolicy {
    /// Answer 204 with `Allow` at the gate.
    Answer,
    /// Only where the specification declares it.
    #[default]
    Declared,
    /// Forwarded by [`Unknown::endpoint`], whatever the mode of unknown methods.
    Forward,
}

/// One operation as served: who decides, who answers, within which bounds.
pub struct Endpoint {
    /// The operation, by the name that records and limits know it.
    pub operation: Arc<Operation>,
    /// Guards and transforms.
    pub chain: Chain,
    /// What stands behind. Shared by endpoints and over reloads.
    pub upstream: Arc<Upstream>,
    /// How the checked path becomes the upstream's.
    pub rewrite: PathRewrite,
    /// The `Host` the upstream sees.
    pub host: HostPolicy,
    /// Bytes of a request body, held back or streamed.
    pub body_bytes_max: u64,
    /// Bytes of an answer that is held back for guards; a larger one is streamed unread, and a reason says so.
    pub response_body_bytes_max: u64,
    /// How long the client may take.
    pub timeouts: Timeouts,
    /// How long the upstream may take, where that is not what its own settings say.
    pub call: CallOptions,
    /// When calls are tried again, where that is not what the upstream's own settings say.
    pub retry: Option<Arc<RetryOverride>>,
    /// What a client sees of an upstream's failure.
    pub errors: ErrorPolicy,
    /// Whether the fields that betray the upstream's make (`Server`, `X-Powered-By`, …) reach clients.
    pub makers_marks: MakersMarks,
    /// Whether the connection may become something else than HTTP.
    pub upgrades: Upgrades,
}

/// How the checked path becomes the upstream's: the first `strip` bytes are cut, `prepend` is put before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PathRewrite {
    /// Bytes cut from the front: the length of [`ApiPlan::prefix`], or 0.
    pub strip: usize,
    /// Put in front, without a slash at the end: a base path such as `/api/v2`, or empty.
    pub prepend: Box<str>,
}

/// The `Host` (or `:authority`) sent to the upstream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum HostPolicy {
    /// What the client asked for.
    #[default]
    Client,
    /// This one.
    Fixed(HeaderValue),
    /// The authority of whichever server takes the call.
    Server,
}

/// How long one exchange may wait for the client. The upstream's own waits are settings of the upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For a body that guards read whole, from its head to its end; the listener's when absent.
    pub body: Option<Duration>,
    /// Between two pieces of a streamed body; the listener's when absent.
    pub body_idle: Option<Duration>,
    /// Between two pieces of anything in either direction of an upgraded connection.
    pub upgraded_idle: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { body: None, body_idle: None, upgraded_idle: Duration::from_secs(300) }
    }
}

/// What a client sees of an upstream's own error answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ErrorPolicy {
    /// The body of a 5xx answer is replaced by a problem document: stack traces never leave (CWE-209).
    #[default]
    Minimal,
    /// The upstream's own words.
    Pass,
}

/// Whether fields that tell which software stands behind reach clients (CWE-200).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MakersMarks {
    /// They are removed.
    #[default]
    Removed,
    /// They pass.
    Kept,
}

/// Whether a connection may be upgraded (RFC 9110 §7.8).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Upgrades {
    /// No.
    #[default]
    Refused,
    /// To WebSocket (RFC 6455) with a well-formed handshake, and to nothing else.
    WebSocket,
}

impl Endpoint {
    /// An endpoint with no guards and the default bounds.
    pub fn new(operation: Operation, upstream: Arc<Upstream>) -> Self {
        Self {
            operation: Arc::new(operation),
            chain: Chain::default(),
            upstream,
            rewrite: PathRewrite::default(),
            host: HostPolicy::default(),
            body_bytes_max: MIB,
            response_body_bytes_max: MIB,
            timeouts: Timeouts::default(),
            call: CallOptions::default(),
            retry: None,
            errors: ErrorPolicy::default(),
            makers_marks: MakersMarks::default(),
            upgrades: Upgrades::default(),
        }
    }
}
