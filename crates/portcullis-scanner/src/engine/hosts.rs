//! Which hosts a scan may send to. Loopback needs no word; everything else does.

use std::net::IpAddr;

/// Where requests go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base {
    /// Whether TLS is spoken.
    pub secure: bool,
    /// The host as written: a name or an address, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// What stands in front of every path; empty, or `/…` without a trailing `/`.
    pub path: String,
}

/// Why a target is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadTarget {
    /// It is no `http` or `https` URL.
    #[error("`{0}` is not an http:// or https:// URL")]
    NoUrl(String),
    /// The host is not allowed.
    #[error("`{0}` is neither loopback nor allowed: say `--allow {0}` if it is yours to attack")]
    NotAllowed(String),
}

impl Base {
    /// Reads a URL; user information, query and fragment are refused.
    ///
    /// # Errors
    /// It is no URL of HTTP.
    pub fn parse(url: &str) -> Result<Self, BadTarget> {
        let bad = || BadTarget::NoUrl(url.to_owned());
        let uri: http::Uri = url.trim_end_matches('/').parse().map_err(|_| bad())?;
        let secure = match uri.scheme_str() {
            Some("http" | "grpc") => false,
            Some("https" | "grpcs") => true,
            _ => return Err(bad()),
        };
        let authority = uri.authority().ok_or_else(bad)?;
        if authority.as_str().contains('@') || uri.query().is_some() || authority.host().is_empty() {
            return Err(bad());
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = authority.port_u16().unwrap_or(if secure { 443 } else { 80 });
        Ok(Self { secure, host, port, path: uri.path().trim_end_matches('/').to_owned() })
    }

    /// What stands in the `Host` field.
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        if self.port == if self.secure { 443 } else { 80 } { host } else { format!("{host}:{}", self.port) }
    }

    /// Scheme and authority.
    pub fn origin(&self) -> String {
        format!("{}://{}", if self.secure { "https" } else { "http" }, self.authority())
    }
}

/// Whether a scan may send there.
///
/// # Errors
/// The host is neither loopback nor in the list.
pub fn permit(base: &Base, allowed: &[String]) -> Result<(), BadTarget> {
    let loopback = base.host.eq_ignore_ascii_case("localhost")
        || base.host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    let named = allowed.iter().any(|own| own.eq_ignore_ascii_case(&base.host) || *own == base.authority());
    if loopback || named { Ok(()) } else { Err(BadTarget::NotAllowed(base.host.clone())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permits_loopback_and_what_is_named_only() {
        for (url, allowed, permitted) in [
            ("http://127.0.0.1:80", "", true),
            ("http://[::1]:8080/api/", "", true),
            ("http://localhost", "", true),
            ("https://api.example", "api.example", true),
            ("https://api.example:8443", "api.example:8443", true),
            ("https://api.example", "", false),
            ("https://localhost.example", "", false),
            ("http://10.0.0.1", "10.0.0.2", false),
        ] {
            let base = Base::parse(url).unwrap();
            assert_eq!(permit(&base, &[allowed.to_owned()]).is_ok(), permitted, "{url}");
        }
    }

    #[test]
    fn refuses_what_is_no_url() {
        for url in ["", "api.example", "ftp://x", "http://user:secret@x/", "http://x/?a=1", "http://"] {
            assert!(Base::parse(url).is_err(), "{url}");
        }
    }
}
