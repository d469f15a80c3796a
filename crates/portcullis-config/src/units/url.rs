//! Absolute URLs of servers and issuers.

use std::{fmt, sync::Arc};

use schemars::{Schema, SchemaGenerator};

use crate::{
    read::{Read, Reader, text_schema, words},
    yaml::Node,
};

words! {
    /// How a server is spoken to.
    pub enum Scheme {
        /// Clear text.
        Http = "http",
        /// TLS.
        Https = "https",
    }
}

/// An absolute `http` or `https` URL without user, query and fragment (RFC 3986).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Url {
    /// As it is written: issuers are compared by this (OpenID Connect Discovery §4.3).
    pub written: Arc<str>,
    /// How it is spoken to.
    pub scheme: Scheme,
    /// A lower-case name, an IPv4 address, or an IPv6 address without brackets.
    pub host: Arc<str>,
    /// The port; 80 or 443 when none is written.
    pub port: u16,
    /// The path, empty or beginning with `/`, as written.
    pub path: Arc<str>,
}

impl Url {
    /// Whether the host is this machine, by name or by address.
    pub fn is_loopback(&self) -> bool {
        &*self.host == "localhost" || self.host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }

    /// Host and, where it is not the scheme's own, port, as in a `Host` field.
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.to_string() };
        match (self.scheme, self.port) {
            (Scheme::Http, 80) | (Scheme::Https, 443) => host,
            (_, port) => format!("{host}:{port}"),
        }
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

/// Reads a URL.
pub(crate) fn parse_url(text: &str) -> Result<Url, &'static str> {
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("it holds a blank or a character that is not ASCII");
    }
    let (scheme, rest) = text.split_once("://").ok_or("it must begin with `http://` or `https://`")?;
    let (scheme, default_port) = match scheme {
        "http" => (Scheme::Http, 80),
        "https" => (Scheme::Https, 443),
        _ => return Err("it must begin with `http://` or `https://`"),
    };
    if rest.contains(['?', '#']) {
        return Err("it must not have a query or fragment");
    }
    let (authority, path) = match rest.find('/') {
        Some(at) => rest.split_at_checked(at).unwrap_or((rest, "")),
        None => (rest, ""),
    };
    if authority.contains('@') {
        return Err("it must not hold a user or password");
    }
    let (host, port) = if let Some(inner) = authority.strip_prefix('[') {
        let (host, after) = inner.split_once(']').ok_or("an IPv6 address ends in `]`")?;
        host.parse::<std::net::Ipv6Addr>().map_err(|_| "what stands in brackets is no IPv6 address")?;
        let port = if after.is_empty() {
            None
        } else {
            Some(after.strip_prefix(':').ok_or("after `]` comes `:` and a port")?)
        };
        (host, port)
    } else {
        match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        }
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b':');
    if host.is_empty() || host.len() > 253 || !host.bytes().all(plain) {
        return Err("the host is missing or no host name");
    }
    let port = match port {
        None => default_port,
        Some(port) => match port.parse() {
            Ok(0) | Err(_) => return Err("the port is not a number from 1 to 65535"),
            Ok(port) => port,
        },
    };
    Ok(Url { written: text.into(), scheme, host: host.to_ascii_lowercase().into(), port, path: path.into() })
}

impl Read for Url {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        reader.parsed(node, "URL", parse_url)
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        text_schema("a URL", Some("^https?://"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_urls_of_servers() {
        let url = parse_url("http://127.0.0.1:9000").unwrap();
        assert_eq!((url.scheme, &*url.host, url.port, &*url.path), (Scheme::Http, "127.0.0.1", 9000, ""));
        assert!(url.is_loopback());
        let url = parse_url("https://API.example.com/base/").unwrap();
        assert_eq!((&*url.host, url.port, &*url.path), ("api.example.com", 443, "/base/"));
        assert_eq!(url.authority(), "api.example.com");
        assert_eq!(url.to_string(), "https://API.example.com/base/");
        let url = parse_url("https://[2001:db8::1]:8443").unwrap();
        assert_eq!(url.authority(), "[2001:db8::1]:8443");
        for wrong in [
            "x",
            "ftp://a",
            "http://",
            "http://a:0",
            "http://a:b",
            "http://u:p@a",
            "http://a?b",
            "http://a b",
            "http://[x]",
            "http://[::1]8",
        ] {
            assert!(parse_url(wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "https?://\\PC{0,30}") {
            let _ = parse_url(&text);
        }
    }
}
