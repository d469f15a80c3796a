//! Where clients connect.

use std::time::Duration;

use ipnet::IpNet;
use schemars::{Schema, SchemaGenerator, json_schema};

use super::tls::{Certificates, Tls};
use crate::{
    codes,
    read::{Fields, Listed, Read, Reader, keys, words},
    units::{Address, Count, Limit, Size},
    yaml::{Node, Value},
};

keys! {
    /// An address where clients connect.
    pub struct Listener {
        /// The address: `:8443` is all IPv4 addresses, `[::]:8443` all addresses.
        address: Address => "0.0.0.0:443";
        /// The protocols spoken. `h2` over clear text is by prior knowledge (RFC 9113 §3.3).
        protocols: Listed<Protocol> = "[h1, h2]";
        /// TLS: `auto`, `off` or settings.
        tls: Tls = "auto";
        /// The only addresses whose `X-Forwarded-For` counts.
        trusted_proxies: Vec<IpNet> = "[]";
        /// Bounds on what one client, and all clients together, can take.
        limits: ListenerLimits = "{}";
        /// `Strict-Transport-Security` (RFC 6797): `auto` sends one year where certificates come from files and none
        /// for the local authority, which browsers must be able to leave again.
        hsts: Hsts = "auto";
        /// Whether credentials over clear text are refused. Loopback is always allowed.
        plaintext_credentials: PlaintextCredentials = "refuse";
        /// Limits on calls through this listener, counted before anybody is authenticated.
        limit: Vec<Limit> => "[1k/s per ip]";
    }
    later &["auth"];
    check check;
}

words! {
    /// Versions of HTTP.
    pub enum Protocol {
        /// HTTP/1.1 (RFC 9112).
        H1 = "h1",
        /// HTTP/2 (RFC 9113).
        H2 = "h2",
    }
}

keys! {
    /// Bounds at a listener.
    pub struct ListenerLimits {
        /// Connections open at once.
        connections: Count = "10k";
        /// Connections open at once from one address.
        connections_per_ip: Count = "100";
        /// From the first byte of a request to the end of its head.
        header_timeout: Duration = "5s";
        /// For a whole body that is held back, or between two pieces of one that streams.
        body_timeout: Duration = "30s";
        /// Between two requests of one connection.
        idle_timeout: Duration = "60s";
        /// The head of a request.
        header_bytes: Size = "32KiB";
        /// Header fields of a request.
        headers: Count = "100";
        /// Requests being served at once.
        requests_in_flight: Count = "10k";
        /// Concurrent streams of one HTTP/2 connection.
        h2_streams: Count = "100";
    }
}

/// `Strict-Transport-Security` at a listener.
#[derive(Clone, Debug, PartialEq)]
pub enum Hsts {
    /// One year, where certificates come from files.
    Auto,
    /// Not sent.
    Off,
    /// Sent like this.
    On(HstsPolicy),
}

keys! {
    /// What `Strict-Transport-Security` says.
    pub struct HstsPolicy {
        /// How long browsers remember.
        max_age: Duration = "365d";
        /// Whether names below are included.
        include_subdomains: bool = "false";
    }
}

words! {
    /// What happens to credentials over clear text.
    pub enum PlaintextCredentials {
        /// The call is refused, except over loopback.
        Refuse = "refuse",
        /// The call is served.
        Allow = "allow",
    }
}

impl Listener {
    /// What `Strict-Transport-Security` says here; `None` when it is not sent.
    pub fn hsts(&self) -> Option<HstsPolicy> {
        let tls = self.tls.on()?;
        match (&self.hsts, &tls.certificates) {
            (Hsts::Off, _) | (Hsts::Auto, Certificates::Auto) => None,
            (Hsts::On(policy), _) => Some(policy.clone()),
            (Hsts::Auto, Certificates::Files(_)) => {
                Some(HstsPolicy { max_age: Duration::from_secs(365 * 86_400), include_subdomains: false })
            }
        }
    }
}

impl Read for Hsts {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        match &node.value {
            Value::Scalar(word) if word == "auto" => Some(Self::Auto),
            Value::Scalar(word) if word == "off" => Some(Self::Off),
            Value::Scalar(word) => {
                reader.note(&codes::BAD_WORD, node.span, format!("`{word}` is not one of `auto`, `off`"));
                None
            }
            Value::Null | Value::List(_) | Value::Map(_) => HstsPolicy::read(node, reader).map(Self::On),
        }
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "enum": ["auto", "off"] }, HstsPolicy::schema(generator)] })
    }
}

/// Warns of what makes a listener weak.
pub(crate) fn check(listener: &Listener, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    if listener.tls == Tls::Off && !listener.address.is_loopback() {
        let message = format!("the listener on `{}` serves clear text", listener.address);
        reader.advise(
            &codes::CLEARTEXT,
            fields.place("tls"),
            message,
            "set `tls: auto` or give certificates",
        );
    }
    if listener.plaintext_credentials == PlaintextCredentials::Allow {
        let message = "credentials over clear text are accepted here";
        reader.note(&codes::PLAINTEXT_CREDENTIALS, fields.place("plaintext_credentials"), message);
    }
    if listener.trusted_proxies.iter().any(|range| range.prefix_len() == 0) {
        let message = "every address is trusted to say where a call came from";
        reader.advise(
            &codes::TRUST_EVERYBODY,
            fields.place("trusted_proxies"),
            message,
            "name the proxies' range",
        );
    }
    for limit in &listener.limit {
        use crate::units::Dimension;
        let late = |it: &&Dimension| !matches!(it, Dimension::Ip | Dimension::Listener);
        if let Some(dimension) = limit.per.iter().find(late) {
            let message = format!("`per {}` is not known when a listener counts", dimension.word());
            reader.advise(
                &codes::BAD_VALUE,
                fields.place("limit"),
                message,
                "count `per ip` here, or at the API",
            );
        }
    }
}
