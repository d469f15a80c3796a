//! What stands behind the gate.

use std::{sync::Arc, time::Duration};

use schemars::{Schema, SchemaGenerator, json_schema};

use crate::{
    codes,
    read::{Fields, Listed, Read, Reader, keys, words},
    units::{Count, DurationRange, FilePath, HostPattern, PathPrefix, Percent, SecretRef, Url},
    yaml::{Node, Value},
};

keys! {
    /// Servers that do the work of an API.
    pub struct Upstream {
        /// The servers, each a URL or `{ url, weight }`.
        servers: Listed<Server> => "[http://10.0.1.11:8080, http://10.0.1.12:8080]";
        /// How calls are spread.
        balance: Balance = "least_requests";
        /// Active health checks; none when absent.
        health: Option<Health> => "{ path: /healthz, every: 5s }";
        /// How long to wait for what.
        timeout: UpstreamTimeouts = "{}";
        /// Whether failed calls are tried again.
        retry: Retry = "{}";
        /// Connections kept open.
        pool: Pool = "{}";
        /// The version of HTTP spoken.
        protocol: UpstreamProtocol = "auto";
        /// TLS towards `https` servers.
        tls: UpstreamTls = "{}";
        /// The `Host` sent: that of the `upstream` server, the client's (`preserve`), or a name.
        host: HostPolicy = "upstream";
    }
    later &["outlier", "concurrency", "discover"];
    check check;
}

/// One server.
#[derive(Clone, Debug, PartialEq)]
pub struct Server {
    /// Its URL; a path is put before the forwarded path.
    pub url: Url,
    /// Its share of the calls, relative to the others.
    pub weight: u32,
}

keys! {
    /// One server with its weight.
    pub struct WeightedServer {
        /// The URL; a path is put before the forwarded path.
        url: Url => "http://10.0.1.11:8080";
        /// The share of the calls, relative to the other servers.
        weight: Count = "1";
    }
}

words! {
    /// How calls are spread over servers.
    pub enum Balance {
        /// To the less busy of two servers drawn at random.
        LeastRequests = "least_requests",
        /// One after the other.
        RoundRobin = "round_robin",
    }
}

keys! {
    /// Active health checks.
    pub struct Health {
        /// The path asked for.
        path: PathPrefix => "/healthz";
        /// How often.
        every: Duration = "5s";
        /// How long to wait for the answer.
        timeout: Duration = "2s";
        /// Failures in a row after which a server gets no calls.
        unhealthy_after: Count = "3";
        /// Successes in a row after which it gets calls again.
        healthy_after: Count = "2";
        /// The status expected.
        expect: u32 = "200";
    }
    check check_health;
}

keys! {
    /// How long to wait for what.
    pub struct UpstreamTimeouts {
        /// For a connection, TLS included.
        connect: Duration = "1s";
        /// From the end of the request to the head of the answer.
        response: Duration = "30s";
        /// For the whole exchange, retries included; none when absent, so that streams may last.
        total: Option<Duration> => "60s";
        /// Between two pieces of an answer.
        idle: Duration = "60s";
    }
}

keys! {
    /// When a failed call is tried again, on another server where there is one.
    pub struct Retry {
        /// Calls in all, the first included; `1` never tries again.
        attempts: Count = "2";
        /// The failures after which it is.
        after: Listed<RetryCause> = "[connect, reset]";
        /// The methods it is done for.
        methods: RetryMethods = "idempotent";
        /// Retries as a share of recent calls, so that an outage is not made worse.
        budget: Percent = "20%";
        /// The wait before a retry, growing and with jitter.
        backoff: DurationRange = "25ms..250ms";
    }
    check check_retry;
}

words! {
    /// Failures of a call to a server.
    pub enum RetryCause {
        /// No connection.
        Connect = "connect",
        /// The connection broke before the answer began.
        Reset = "reset",
        /// The answer did not begin in time.
        Timeout = "timeout",
        /// The server answered 502.
        Status502 = "502",
        /// The server answered 503.
        Status503 = "503",
        /// The server answered 504.
        Status504 = "504",
    }
}

words! {
    /// Methods whose calls are tried again.
    pub enum RetryMethods {
        /// Idempotent ones (RFC 9110 §9.2.2).
        Idempotent = "idempotent",
        /// All: only for servers that recognise a repeated call.
        All = "all",
    }
}

keys! {
    /// Connections kept open.
    pub struct Pool {
        /// Connections to one server in all.
        connections: Count = "1k";
        /// Unused connections kept to one server.
        idle: Count = "128";
        /// How long an unused connection is kept.
        idle_timeout: Duration = "60s";
    }
}

words! {
    /// The version of HTTP spoken to servers.
    pub enum UpstreamProtocol {
        /// HTTP/2 where TLS negotiates it, else HTTP/1.1.
        Auto = "auto",
        /// HTTP/1.1.
        H1 = "h1",
        /// HTTP/2, by prior knowledge over clear text.
        H2 = "h2",
    }
}

keys! {
    /// TLS towards servers.
    pub struct UpstreamTls {
        /// The authorities trusted, in PEM; the public ones when absent.
        ca: Option<FilePath> => "file:/etc/portcullis/internal-ca.pem";
        /// The gate's own certificate, in PEM.
        client_certificate: Option<FilePath> => "file:/etc/portcullis/gw.pem";
        /// The key of the gate's own certificate, in PEM.
        client_key: Option<SecretRef> => "file:/etc/portcullis/gw.key";
        /// The name expected in the server's certificate; the URL's host when absent.
        server_name: Option<Arc<str>> => "pay.internal";
        /// Whether the server's certificate is verified.
        verify: bool = "true";
    }
    check check_tls;
}

/// The `Host` field sent to a server.
#[derive(Clone, Debug, PartialEq)]
pub enum HostPolicy {
    /// That of the server's URL.
    Upstream,
    /// The client's.
    Preserve,
    /// This one.
    Name(Arc<str>),
}

impl Upstream {
    /// A single server with all defaults; `None` never happens, for the defaults are tested.
    pub(crate) fn of_url(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let map = Value::Map(vec![crate::yaml::Entry {
            key: "servers".to_owned(),
            key_span: node.span,
            value: node.clone(),
        }]);
        Self::read(&Node { span: node.span, value: map }, reader)
    }
}

fn check(upstream: &Upstream, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    let secure = upstream.servers.iter().any(|server| server.url.scheme == crate::units::Scheme::Https);
    if let (Some(tls), false) = (fields.entry("tls"), secure) {
        let message = "`tls` has no effect: no server is an `https` one";
        reader.note(&codes::CONFLICT, tls.key_span, message);
    }
}

fn check_health(health: &Health, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    if !(100..600).contains(&health.expect) {
        reader.note(&codes::BAD_VALUE, fields.place("expect"), "a status is a number from 100 to 599");
    }
}

fn check_retry(retry: &Retry, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    if retry.attempts.0 > 10 {
        reader.note(&codes::BAD_VALUE, fields.place("attempts"), "at most 10 attempts");
    }
}

fn check_tls(tls: &UpstreamTls, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    if !tls.verify {
        let message = "the server's certificate is not verified";
        reader.advise(
            &codes::UNVERIFIED_UPSTREAM,
            fields.place("verify"),
            message,
            "give `ca: file:/path` instead",
        );
    }
    if tls.client_certificate.is_some() != tls.client_key.is_some() {
        let message = "`client_certificate` and `client_key` are given together";
        reader.note(&codes::CONFLICT, fields.span, message);
    }
}

impl Read for Server {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        match &node.value {
            Value::Scalar(_) => Some(Self { url: Url::read(node, reader)?, weight: 1 }),
            Value::Map(_) => {
                let WeightedServer { url, weight } = WeightedServer::read(node, reader)?;
                match u32::try_from(weight.0) {
                    Ok(weight) if weight <= 1_000 => Some(Self { url, weight }),
                    _ => {
                        reader.note(&codes::BAD_VALUE, node.span, "a weight is at most 1000");
                        None
                    }
                }
            }
            Value::Null | Value::List(_) => reader.wrong_type(node, "a URL or `{ url, weight }`"),
        }
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [Url::schema(generator), WeightedServer::schema(generator)] })
    }
}

impl Read for HostPolicy {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        match reader.scalar(node, "`upstream`, `preserve` or a name")? {
            "upstream" => Some(Self::Upstream),
            "preserve" => Some(Self::Preserve),
            _ => match HostPattern::read(node, reader)? {
                HostPattern::Exact(name) => Some(Self::Name(name)),
                HostPattern::Under(_) => {
                    reader.note(&codes::BAD_VALUE, node.span, "one name is sent, not a pattern");
                    None
                }
            },
        }
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        crate::read::text_schema("`upstream`, `preserve` or a name", None)
    }
}
