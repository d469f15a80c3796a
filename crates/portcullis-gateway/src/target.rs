//! The request target and the host, in the one form that is routed, checked and forwarded.
//!
//! What two servers could read differently is refused, not repaired (CWE-436, CWE-22): an encoded slash, backslash or
//! control character, dot segments in any spelling, empty segments, two hosts. What every reader must treat alike (RFC 3986
//! §6.2.2) is brought into one form: unreserved characters decoded, hexadecimal digits in capitals.

use std::borrow::Cow;

use http::{HeaderMap, Method, Uri, Version, header::HOST};
use portcullis_core::verdict::{Denial, Reason, RuleId, Severity};

/// Why a target or host was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// `CONNECT`, which a gate in front of APIs has no use for.
    Connect,
    /// The target is neither `/path`, nor `*` of an `OPTIONS`, nor a whole URL of this host.
    Form,
    /// Longer than the listener allows.
    TooLong,
    /// A character that the path or query cannot hold: a control, a backslash, a byte above 0x7e.
    Character,
    /// A `%` without two hexadecimal digits.
    Encoding,
    /// `%2F` in the path.
    EncodedSlash,
    /// `%5C` in the path.
    EncodedBackslash,
    /// `%00` in the path.
    EncodedZero,
    /// `%01` to `%1F` or `%7F` in the path.
    EncodedControl,
    /// `.` or `..` as a segment, encoded or with parameters (`..;x`) too.
    DotSegment,
    /// Two slashes in a row.
    EmptySegment,
    /// HTTP/1.1 without `Host`, or HTTP/2 without an authority.
    NoHost,
    /// More than one `Host`.
    ManyHosts,
    /// The host is not a name or address with an optional port.
    BadHost,
    /// Target, `:authority` and `Host` do not name the same host.
    HostsDisagree,
    /// The host is not the one the TLS session was made for.
    Misdirected,
}

impl Fault {
    /// What the client is told.
    pub const fn denial(self) -> Denial {
        match self {
            Self::TooLong => Denial::HeadTooLarge,
            Self::Misdirected => Denial::Misdirected,
            Self::Connect
            | Self::Form
            | Self::Character
            | Self::Encoding
            | Self::EncodedSlash
            | Self::EncodedBackslash
            | Self::EncodedZero
            | Self::EncodedControl
            | Self::DotSegment
            | Self::EmptySegment
            | Self::NoHost
            | Self::ManyHosts
            | Self::BadHost
            | Self::HostsDisagree => Denial::Malformed,
        }
    }

    /// What the operator is told.
    pub fn reason(self) -> Reason {
        let (rule, severity, message) = match self {
            Self::Connect => ("target/connect", Severity::Medium, "the method is `CONNECT`"),
            Self::Form => ("target/form", Severity::Medium, "the target is not a path"),
            Self::TooLong => {
                ("target/too_long", Severity::Low, "the target is longer than the listener allows")
            }
            Self::Character => {
                ("target/character", Severity::Medium, "the target holds a character it must not")
            }
            Self::Encoding => ("target/encoding", Severity::Medium, "a `%` is not followed by two digits"),
            Self::EncodedSlash => ("target/encoded_slash", Severity::Medium, "the path holds `%2F`"),
            Self::EncodedBackslash => ("target/encoded_backslash", Severity::High, "the path holds `%5C`"),
            Self::EncodedZero => ("target/encoded_zero", Severity::High, "the path holds `%00`"),
            Self::EncodedControl => {
                ("target/encoded_control", Severity::High, "the path holds an encoded control character")
            }
            Self::DotSegment => {
                ("target/dot_segment", Severity::High, "the path holds `.` or `..` as a segment")
            }
            Self::EmptySegment => ("target/empty_segment", Severity::Low, "the path holds `//`"),
            Self::NoHost => ("target/no_host", Severity::Low, "no host is named"),
            Self::ManyHosts => ("target/many_hosts", Severity::High, "more than one host is named"),
            Self::BadHost => ("target/bad_host", Severity::Medium, "the host is not a name or address"),
            Self::HostsDisagree => {
                ("target/hosts_disagree", Severity::High, "target and `Host` name different hosts")
            }
            Self::Misdirected => {
                ("target/misdirected", Severity::Low, "the host is not that of the TLS session")
            }
        };
        Reason::new(RuleId::new(rule), severity, message)
    }
}

/// A checked path and query.
#[derive(Debug, PartialEq, Eq)]
pub struct Target<'a> {
    /// Percent-encoded, beginning with `/`; or `*`.
    pub path: Cow<'a, str>,
    /// Without its `?`; `None` where there was no `?`.
    pub query: Option<Cow<'a, str>>,
}

/// Checks the target. `bytes_max` bounds path and query together.
pub fn check<'a>(method: &Method, uri: &'a Uri, bytes_max: usize) -> Result<Target<'a>, Fault> {
    if method == Method::CONNECT {
        return Err(Fault::Connect);
    }
    // Whoever sends `ftp:` or `file:` takes the gate for an open proxy.
    if uri.scheme_str().is_some_and(|scheme| !matches!(scheme, "http" | "https")) {
        return Err(Fault::Form);
    }
    let Some(text) = uri.path_and_query() else {
        return Err(Fault::Form);
    };
    if text.as_str().len() > bytes_max {
        return Err(Fault::TooLong);
    }
    if text.path() == "*" && method == Method::OPTIONS {
        return Ok(Target { path: Cow::Borrowed("*"), query: None });
    }
    let path = check_path(text.path())?;
    let query = match text.query() {
        None => None,
        Some(query) => Some(normalise(query, Part::Query)?),
    };
    Ok(Target { path, query })
}

/// Checks a path and brings it into its one form.
pub fn check_path(path: &str) -> Result<Cow<'_, str>, Fault> {
    if !path.starts_with('/') {
        return Err(Fault::Form);
    }
    let path = normalise(path, Part::Path)?;
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        if segment.is_empty() && segments.peek().is_some() {
            return Err(Fault::EmptySegment);
        }
        if segment.starts_with('.') {
            // Servlet containers cut `;…` from a segment before they resolve the dots, some of them after decoding.
            let name = segment.split(';').next().unwrap_or_default();
            let name = name.split("%3B").next().unwrap_or_default();
            if name == "." || name == ".." {
                return Err(Fault::DotSegment);
            }
        }
    }
    Ok(path)
}

/// A literal part of a path template in the form that checked paths have; `None` when no checked path can hold it.
pub fn normalised_literal(literal: &str) -> Option<String> {
    if literal.contains('/') {
        return None;
    }
    let mut encoded = String::with_capacity(literal.len());
    for byte in literal.bytes() {
        match CLASS.get(usize::from(byte)) {
            Some(Class::Plain | Class::Percent) => encoded.push(char::from(byte)),
            Some(Class::Encode | Class::Refuse) | None => push_encoded(&mut encoded, byte),
            Some(Class::Backslash) => return None,
        }
    }
    normalise(&encoded, Part::Path).ok().map(Cow::into_owned)
}

/// What becomes of a byte of a target.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Stands for itself (RFC 3986 §3.3), or harmless and common in queries.
    Plain,
    /// Must be encoded, and often is not.
    Encode,
    /// `%`.
    Percent,
    /// `\`, a slash to some.
    Backslash,
    /// A control, a space, `#`, or a byte above 0x7e.
    Refuse,
}

static CLASS: [Class; 256] = classes();

const fn classes() -> [Class; 256] {
    let mut table = [Class::Refuse; 256];
    let mut byte = 0x21;
    while byte < 0x7f {
        #[expect(clippy::indexing_slicing, reason = "the index is below 0x7f; evaluated at compile time")]
        {
            table[byte] = match byte as u8 {
                b'%' => Class::Percent,
                b'\\' => Class::Backslash,
                b'#' => Class::Refuse,
                b'"' | b'<' | b'>' | b'^' | b'`' | b'{' | b'|' | b'}' => Class::Encode,
                _ => Class::Plain,
            };
        }
        byte += 1;
    }
    table
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Path,
    Query,
}

fn normalise(text: &str, part: Part) -> Result<Cow<'_, str>, Fault> {
    let plain = text.bytes().position(|byte| !matches!(CLASS.get(usize::from(byte)), Some(Class::Plain)));
    let Some(plain) = plain else {
        return Ok(Cow::Borrowed(text));
    };
    let (before, after) = text.split_at_checked(plain).ok_or(Fault::Character)?;
    let mut out = String::with_capacity(text.len() + 8);
    out.push_str(before);
    let mut bytes = after.bytes();
    while let Some(byte) = bytes.next() {
        match CLASS.get(usize::from(byte)).copied().unwrap_or(Class::Refuse) {
            Class::Plain => out.push(char::from(byte)),
            Class::Encode => push_encoded(&mut out, byte),
            Class::Refuse => return Err(Fault::Character),
            Class::Backslash if part == Part::Path => return Err(Fault::Character),
            Class::Backslash => push_encoded(&mut out, byte),
            Class::Percent => {
                let (Some(high), Some(low)) = (digit(bytes.next()), digit(bytes.next())) else {
                    return Err(Fault::Encoding);
                };
                push_decoded(&mut out, high * 16 + low, part)?;
            }
        }
    }
    Ok(Cow::Owned(out))
}

fn push_decoded(out: &mut String, byte: u8, part: Part) -> Result<(), Fault> {
    match byte {
        b'/' if part == Part::Path => return Err(Fault::EncodedSlash),
        b'\\' if part == Part::Path => return Err(Fault::EncodedBackslash),
        0 if part == Part::Path => return Err(Fault::EncodedZero),
        // Cut by some readers, an end of line to others (CWE-93).
        0x01..=0x1f | 0x7f if part == Part::Path => return Err(Fault::EncodedControl),
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
        _ => push_encoded(out, byte),
    }
    Ok(())
}

fn push_encoded(out: &mut String, byte: u8) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    out.push('%');
    for nibble in [byte >> 4, byte & 0x0f] {
        out.push(char::from(HEX.get(usize::from(nibble)).copied().unwrap_or(b'0')));
    }
}

fn digit(byte: Option<u8>) -> Option<u8> {
    match byte? {
        byte @ b'0'..=b'9' => Some(byte - b'0'),
        byte @ b'a'..=b'f' => Some(byte - b'a' + 10),
        byte @ b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// The host that the request names, as it is written; `None` for HTTP/1.0 without one.
pub fn named_host<'a>(
    version: Version,
    uri: &'a Uri,
    headers: &'a HeaderMap,
) -> Result<Option<&'a str>, Fault> {
    let mut fields = headers.get_all(HOST).iter();
    let field = match (fields.next(), fields.next()) {
        (_, Some(_)) => return Err(Fault::ManyHosts),
        (Some(value), None) => Some(value.to_str().map_err(|_| Fault::BadHost)?),
        (None, None) => None,
    };
    let authority = uri.authority().map(http::uri::Authority::as_str);
    match (authority, field) {
        (Some(authority), Some(field)) if !authority.eq_ignore_ascii_case(field) => Err(Fault::HostsDisagree),
        // HTTP/1.1 demands the field even beside a whole URL (RFC 9112 §3.2.2).
        (Some(_), None) if version == Version::HTTP_11 => Err(Fault::NoHost),
        (Some(named), _) | (None, Some(named)) => Ok(Some(named)),
        (None, None) if version < Version::HTTP_11 => Ok(None),
        (None, None) => Err(Fault::NoHost),
    }
}

/// A named host in the form of [`plain_authority`].
///
/// `server_name` is what the TLS session was made for; another host over it is misdirected (RFC 9110 §7.4).
pub fn check_host(named: &str, server_name: Option<&str>) -> Result<Box<str>, Fault> {
    let (host, port) = split_port(named).ok_or(Fault::BadHost)?;
    let host = plain_host(host).ok_or(Fault::BadHost)?;
    // Some clients end the name in a dot there too, though RFC 6066 §3 has none.
    if server_name.is_some_and(|name| plain_host(name).is_none_or(|name| name != host)) {
        return Err(Fault::Misdirected);
    }
    Ok([&*host, port].concat().into_boxed_str())
}

/// A host and its port in the form that is routed and forwarded: lower case, without the dot that makes a name
/// absolute (RFC 3986 §3.2.2), an IPv6 address in its shortest spelling. `None` when it is not a host.
pub fn plain_authority(text: &str) -> Option<String> {
    let (host, port) = split_port(text)?;
    Some([&*plain_host(host)?, port].concat())
}

/// The same for a host without port; addresses of IPv6 stand in brackets.
pub fn plain_host(host: &str) -> Option<Cow<'_, str>> {
    if let Some(rest) = host.strip_prefix('[') {
        let address: std::net::Ipv6Addr = rest.strip_suffix(']')?.parse().ok()?;
        return Some(format!("[{address}]").into());
    }
    let name = host.strip_suffix('.').unwrap_or(host);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let is_name =
        name.len() <= 253 && name.split('.').all(|label| !label.is_empty() && label.bytes().all(plain));
    let is_lower = !name.bytes().any(|byte| byte.is_ascii_uppercase());
    is_name.then(|| if is_lower { name.into() } else { name.to_ascii_lowercase().into() })
}

/// The host, and its port with the colon before it; `None` when the port is not one.
fn split_port(authority: &str) -> Option<(&str, &str)> {
    let at = match authority.strip_prefix('[') {
        Some(rest) => rest.find(']')? + 2,
        None => authority.find(':').unwrap_or(authority.len()),
    };
    let (host, port) = authority.split_at_checked(at)?;
    let good = match port.strip_prefix(':') {
        Some(digits) => digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.parse::<u16>().is_ok(),
        None => port.is_empty(),
    };
    good.then_some((host, port))
}

#[cfg(test)]
mod tests;
