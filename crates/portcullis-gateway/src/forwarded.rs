//! Who the client is, and which header fields may cross the gate in its name.
//!
//! Fields about the connection end here (RFC 9110 §7.6.1). Fields by which proxies tell upstreams who calls are
//! believed from trusted proxies alone; fields by which the gate itself names a caller are believed from nobody.
//! Names are compared with `_` read as `-`, because servers that turn names into variables (CGI, WSGI) do.

use std::net::IpAddr;

use bytes::{BufMut, Bytes, BytesMut};
use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{CONNECTION, FORWARDED, HOST, TE, UPGRADE},
};
use ipnet::IpNet;
use portcullis_core::id::ReferenceId;
use smallvec::SmallVec;

use crate::plan::MakersMarks;

/// `X-Forwarded-For`.
pub(crate) const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// `X-Forwarded-Proto`.
pub(crate) const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
/// `X-Forwarded-Host`.
pub(crate) const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
/// `X-Request-Id`: the reference of the exchange.
pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// `traceparent` (W3C Trace Context).
pub(crate) const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// Whether the peer's words about whom it speaks for are believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    /// A stranger.
    None,
    /// A proxy that the configuration names.
    Proxy,
}

/// What the fields about the connection asked for, before they were taken out.
#[derive(Debug, Default)]
pub(crate) struct Hop {
    /// `Upgrade`, where `Connection` names it.
    pub(crate) upgrade: Option<HeaderValue>,
    /// Whether the client takes trailers (`TE: trailers`).
    pub(crate) trailers: bool,
}

/// Whether a peer is one of the trusted proxies.
pub(crate) fn trust(peer: IpAddr, trusted: &[IpNet]) -> Trust {
    let peer = peer.to_canonical();
    if trusted.iter().any(|net| net.contains(&peer)) { Trust::Proxy } else { Trust::None }
}

/// The client's address: the right-most one in `X-Forwarded-For` that is not a trusted proxy's, since everything to
/// the left of it is hearsay. The peer's own where the peer is not trusted.
pub(crate) fn client_ip(peer: IpAddr, trust: Trust, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    /// Nobody stands behind more proxies than that.
    const HOPS_MAX: usize = 32;
    let mut client = peer.to_canonical();
    if trust == Trust::None {
        return client;
    }
    let fields: SmallVec<[&HeaderValue; 4]> = headers.get_all(X_FORWARDED_FOR).iter().collect();
    let entries = fields.iter().rev().flat_map(|value| value.as_bytes().rsplit(|byte| *byte == b','));
    for entry in entries.take(HOPS_MAX) {
        let Some(ip) = address(entry.trim_ascii()) else {
            break;
        };
        client = ip;
        if self::trust(ip, trusted) == Trust::None {
            break;
        }
    }
    client
}

/// `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1` or `[2001:db8::1]:80`.
fn address(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?;
    let ip = text.parse().ok().or_else(|| text.parse::<std::net::SocketAddr>().ok().map(|it| it.ip()));
    let ip = ip.or_else(|| text.strip_prefix('[')?.strip_suffix(']')?.parse().ok());
    ip.map(|ip: IpAddr| ip.to_canonical())
}

/// Takes out what ends here: fields about the connection and those it nominates, fields that name a caller, and,
/// from strangers, fields that speak for one.
pub(crate) fn strip_request(headers: &mut HeaderMap, trust: Trust, identity: &[HeaderName]) -> Hop {
    let mut hop = Hop::default();
    let mut gone: SmallVec<[HeaderName; 8]> = SmallVec::new();
    // One walk: a look-up by name costs more than passing a field by.
    for (name, value) in &*headers {
        if *name == CONNECTION {
            for nominated in words(value) {
                if nominated.eq_ignore_ascii_case(b"upgrade") {
                    hop.upgrade = headers.get(UPGRADE).cloned();
                } else if let Ok(name) = HeaderName::from_bytes(nominated)
                    && name != HOST
                {
                    gone.push(name);
                }
            }
        } else if *name == TE {
            hop.trailers |= words(value).any(|word| word.eq_ignore_ascii_case(b"trailers"));
        }
        if ends_here(name.as_str(), trust, identity) {
            gone.push(name.clone());
        }
    }
    for name in gone {
        headers.remove(name);
    }
    hop
}

/// Takes out of an answer what concerns the upstream's connection alone, and what tells an attacker which software
/// stands behind (CWE-200) unless those marks are to be kept.
pub(crate) fn strip_response(headers: &mut HeaderMap, marks: MakersMarks) {
    let mut gone: SmallVec<[HeaderName; 8]> = SmallVec::new();
    for (name, value) in &*headers {
        if *name == CONNECTION {
            gone.extend(words(value).filter_map(|nominated| HeaderName::from_bytes(nominated).ok()));
        }
        if is_hop_by_hop(name.as_str()) || (marks == MakersMarks::Removed && is_makers_mark(name.as_str())) {
            gone.push(name.clone());
        }
    }
    for name in gone {
        headers.remove(name);
    }
}

/// Takes out of trailers what would not have been let through in the head.
pub(crate) fn strip_trailers(trailers: &mut HeaderMap, identity: &[HeaderName]) {
    let gone: SmallVec<[HeaderName; 4]> = trailers
        .keys()
        .filter(|name| {
            ends_here(name.as_str(), Trust::None, identity)
                || matches!(
                    name.as_str(),
                    "authorization"
                        | "content-encoding"
                        | "content-length"
                        | "content-range"
                        | "content-type"
                        | "cookie"
                        | "host"
                        | "set-cookie"
                )
        })
        .cloned()
        .collect();
    for name in gone {
        trailers.remove(name);
    }
}

/// The comma-separated members of a field.
fn words(value: &HeaderValue) -> impl Iterator<Item = &[u8]> {
    value.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii)
}

fn ends_here(name: &str, trust: Trust, identity: &[HeaderName]) -> bool {
    if identity.iter().any(|it| is_same_name(it.as_str(), name)) {
        return true;
    }
    if memchr::memchr(b'_', name.as_bytes()).is_some() {
        // No proxy of good standing sends such a name: an alias is believed from nobody.
        let alias = name.replace('_', "-");
        return alias == "content-length" || ends_here(&alias, Trust::None, &[]);
    }
    is_hop_by_hop(name) || overrides(name) || (trust == Trust::None && speaks_for_another(name))
}

/// Whether two names are one to a server that reads `_` as `-`, whichever of them the configuration wrote.
fn is_same_name(one: &str, other: &str) -> bool {
    let plain = |byte: u8| if byte == b'_' { b'-' } else { byte };
    one.len() == other.len() && one.bytes().map(plain).eq(other.bytes().map(plain))
}

fn is_hop_by_hop(name: &str) -> bool {
    matches!(
        name,
        "connection"
            | "expect"
            | "http2-settings"
            | "keep-alive"
            | "proxy-authenticate"
            | "proxy-authorization"
            | "proxy-connection"
            | "te"
            | "transfer-encoding"
            | "upgrade"
    )
}

fn is_makers_mark(name: &str) -> bool {
    matches!(
        name,
        "server"
            | "via"
            | "x-aspnet-version"
            | "x-aspnetmvc-version"
            | "x-backend-server"
            | "x-debug-token"
            | "x-debug-token-link"
            | "x-envoy-upstream-service-time"
            | "x-generator"
            | "x-powered-by"
            | "x-runtime"
            | "x-served-by"
    )
}

/// Fields by which frameworks serve another method, path or host than the one that was checked, the one by which CGI
/// programs take a proxy for their own calls (CWE-454), and the one that is ours.
fn overrides(name: &str) -> bool {
    matches!(
        name,
        "proxy"
            | "x-host"
            | "x-http-host-override"
            | "x-http-method"
            | "x-http-method-override"
            | "x-method-override"
            | "x-original-host"
            | "x-original-method"
            | "x-original-uri"
            | "x-original-url"
            | "x-override-url"
            | "x-request-id"
            | "x-rewrite-url"
    )
}

fn speaks_for_another(name: &str) -> bool {
    // Whoever ends TLS tells by these which certificate it saw (RFC 9440 §2.4).
    const CERTIFICATE: [&str; 4] = ["client-cert", "ssl-client-", "x-client-cert", "x-ssl-client-"];
    name.starts_with("x-forwarded")
        || CERTIFICATE.iter().any(|prefix| name.starts_with(prefix))
        || matches!(
            name,
            "cf-connecting-ip"
                | "client-ip"
                | "fastly-client-ip"
                | "forwarded"
                | "remote-user"
                | "true-client-ip"
                | "x-client-ip"
                | "x-cluster-client-ip"
                | "x-envoy-external-address"
                | "x-original-forwarded-for"
                | "x-real-ip"
                | "x-remote-user"
        )
}

/// Fields by which the gate's request to the upstream differs from the client's: set, or taken out.
pub(crate) type Changes = SmallVec<[(HeaderName, Option<HeaderValue>); 8]>;

/// Makes the changes.
pub(crate) fn apply(changes: Changes, headers: &mut HeaderMap) {
    for (name, value) in changes {
        match value {
            Some(value) => {
                headers.insert(name, value);
            }
            None => {
                headers.remove(name);
            }
        }
    }
}

/// Tells the upstream whom the gate speaks for. `peer` is the peer's address as text.
pub(crate) fn speak_for(
    headers: &HeaderMap,
    changes: &mut Changes,
    trust: Trust,
    peer: &HeaderValue,
    scheme: &'static str,
    host: Option<&HeaderValue>,
) {
    match trust {
        Trust::None => {
            changes.push((X_FORWARDED_FOR, Some(peer.clone())));
            changes.push((X_FORWARDED_PROTO, Some(HeaderValue::from_static(scheme))));
            if let Some(host) = host {
                changes.push((X_FORWARDED_HOST, Some(host.clone())));
            }
        }
        Trust::Proxy => {
            changes.push((X_FORWARDED_FOR, Some(appended(headers, peer))));
            // The older, single-valued words of the proxy stand; `Forwarded` would now lack the peer.
            changes.push((FORWARDED, None));
            if !headers.contains_key(X_FORWARDED_PROTO) {
                changes.push((X_FORWARDED_PROTO, Some(HeaderValue::from_static(scheme))));
            }
            if let Some(host) = host.filter(|_| !headers.contains_key(X_FORWARDED_HOST)) {
                changes.push((X_FORWARDED_HOST, Some(host.clone())));
            }
        }
    }
}

fn appended(headers: &HeaderMap, peer: &HeaderValue) -> HeaderValue {
    let mut chain = BytesMut::with_capacity(64);
    for value in headers.get_all(X_FORWARDED_FOR) {
        chain.put_slice(value.as_bytes());
        chain.put_slice(b", ");
    }
    chain.put_slice(peer.as_bytes());
    HeaderValue::from_maybe_shared(chain.freeze()).unwrap_or_else(|_| peer.clone())
}

/// Continues the client's trace (W3C Trace Context) where it sent a valid `traceparent`, otherwise starts one of the
/// same sixteen bytes as the reference; `span` is the parent of what the upstream does. The trace id, 32 lower-case
/// hexadecimal digits.
pub(crate) fn trace(
    headers: &HeaderMap,
    changes: &mut Changes,
    reference: ReferenceId,
    span: [u8; 8],
) -> Box<str> {
    let inbound = headers.get(TRACEPARENT).and_then(|value| parse_traceparent(value.as_bytes()));
    let (id, flags): (Box<str>, &str) = match inbound {
        Some((id, flags)) => (id.into(), if flags & 1 == 1 { "-01" } else { "-00" }),
        None => {
            let mut id = String::with_capacity(32);
            push_hex(&mut id, reference.as_bytes());
            (id.into(), "-00")
        }
    };
    if inbound.is_none() {
        // State without its parent means nothing (§3.3).
        changes.push((TRACESTATE, None));
    }
    let mut text = String::with_capacity(55);
    text.push_str("00-");
    text.push_str(&id);
    text.push('-');
    push_hex(&mut text, &span);
    text.push_str(flags);
    let parent = HeaderValue::from_maybe_shared(Bytes::from(text)).unwrap_or(HeaderValue::from_static(""));
    changes.push((TRACEPARENT, Some(parent)));
    id
}

/// Trace id and flags; `None` when the field is not of the form of §3.2.
fn parse_traceparent(text: &[u8]) -> Option<(&str, u8)> {
    let text = std::str::from_utf8(text).ok()?;
    let mut parts = text.split('-');
    let (version, id, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let lower_hex = |text: &str, len: usize| {
        text.len() == len && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let shape = lower_hex(version, 2) && lower_hex(id, 32) && lower_hex(span, 16) && lower_hex(flags, 2);
    let known = version != "ff" && (version != "00" || parts.next().is_none());
    let not_zero = id.bytes().any(|byte| byte != b'0') && span.bytes().any(|byte| byte != b'0');
    (shape && known && not_zero).then_some((id, u8::from_str_radix(flags, 16).ok()?))
}

fn push_hex(text: &mut String, bytes: &[u8]) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        for nibble in [byte >> 4, byte & 0x0f] {
            text.push(char::from(HEX.get(usize::from(nibble)).copied().unwrap_or(b'0')));
        }
    }
}

#[cfg(test)]
mod tests;
