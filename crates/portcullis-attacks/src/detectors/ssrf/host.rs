//! The host of an address, in all the spellings that resolvers take.

/// Where a host is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Host {
    /// Anywhere else.
    World,
    /// The machine itself.
    Loopback,
    /// RFC 1918, unique local, shared (RFC 6598).
    Private,
    /// A cloud's metadata service, or another link-local address.
    Metadata,
    /// A public address in an unusual spelling.
    Odd,
    /// One of the machine's own or its network's in an unusual spelling.
    OddLocal,
    /// A domain made to resolve to local addresses.
    Rebinding,
}

/// Reads `host`, `host:port`, `[v6]:port`, in lower case.
pub(super) fn read(host_port: &[u8]) -> Host {
    if let Some(inside) = host_port.strip_prefix(b"[") {
        let end = inside.iter().position(|byte| *byte == b']').unwrap_or(inside.len());
        return six(inside.get(..end).unwrap_or_default());
    }
    let host = host_port.split(|byte| *byte == b':').next().unwrap_or_default();
    let host = host.strip_suffix(b".").unwrap_or(host);
    match host {
        b"localhost" | b"localhost.localdomain" | b"ip6-localhost" | b"127.0.0.1" => return Host::Loopback,
        b"metadata"
        | b"metadata.google.internal"
        | b"instance-data"
        | b"metadata.tencentyun.com"
        | b"metadata.azure.internal" => {
            return Host::Metadata;
        }
        b"kubernetes.default"
        | b"kubernetes.default.svc"
        | b"host.docker.internal"
        | b"gateway.docker.internal" => {
            return Host::Private;
        }
        _ => {}
    }
    if host.ends_with(b".localhost") {
        return Host::Loopback;
    }
    if REBINDING
        .iter()
        .any(|domain| host.strip_suffix(*domain).is_some_and(|rest| rest.is_empty() || rest.ends_with(b".")))
    {
        return Host::Rebinding;
    }
    four(host)
}

/// Public services that answer any name with the address in it, or with the loopback.
const REBINDING: [&[u8]; 10] = [
    b"nip.io",
    b"xip.io",
    b"sslip.io",
    b"localtest.me",
    b"lvh.me",
    b"vcap.me",
    b"lacolhost.com",
    b"rbndr.us",
    b"1u.ms",
    b"yoogle.com",
];

/// An IPv4 address as `inet_aton` reads it: one to four parts, each decimal, octal or hexadecimal.
fn four(host: &[u8]) -> Host {
    let mut parts = [0_u64; 4];
    let mut count = 0;
    let mut is_odd = false;
    for part in host.split(|byte| *byte == b'.') {
        let Some((value, odd)) = number(part) else { return Host::World };
        let Some(place) = parts.get_mut(count) else { return Host::World };
        *place = value;
        is_odd |= odd;
        count += 1;
    }
    let [a, b, c, d] = parts;
    // Parts that overflow wrap around in careless readers: `425.510.425.510` is `169.254.169.254`.
    let is_wrapped = count == 4 && parts.iter().any(|part| *part > 255);
    let address = match count {
        1 => a,
        2 => (a & 255) << 24 | (b & 0xff_ffff),
        3 => (a & 255) << 24 | (b & 255) << 16 | (c & 0xffff),
        _ => (a & 255) << 24 | (b & 255) << 16 | (c & 255) << 8 | (d & 255),
    };
    is_odd |= count < 4 || is_wrapped;
    // `0` and `1` by themselves are numbers, and so are versions: only what fills an address is one.
    if count == 1 && !(a == 0 || is_odd_number(host) || (0x0100_0000..=0xffff_ffff).contains(&a)) {
        return Host::World;
    }
    of_address(u32::try_from(address & 0xffff_ffff).unwrap_or(0), is_odd)
}

fn is_odd_number(part: &[u8]) -> bool {
    part.starts_with(b"0x") || (part.len() > 1 && part.starts_with(b"0"))
}

/// The value of one part and whether its spelling is unusual.
fn number(part: &[u8]) -> Option<(u64, bool)> {
    let (digits, radix) = match part {
        [b'0', b'x', digits @ ..] if !digits.is_empty() => (digits, 16),
        [b'0', digits @ ..] if !digits.is_empty() => (digits, 8),
        digits => (digits, 10),
    };
    if digits.is_empty() || digits.len() > 16 {
        return None;
    }
    let text = std::str::from_utf8(digits).ok()?;
    let value = u64::from_str_radix(text, radix).ok()?;
    Some((value, radix != 10))
}

fn of_address(address: u32, is_odd: bool) -> Host {
    let [a, b, ..] = address.to_be_bytes();
    let place = match (a, b) {
        (127 | 0, _) => Host::Loopback,
        (169, 254) => Host::Metadata,
        (10, _) | (192, 168) | (172, 16..=31) => Host::Private,
        (100, 100) if address.to_be_bytes() == [100, 100, 100, 200] => Host::Metadata,
        (100, 64..=127) => Host::Private,
        (192, 0) if address.to_be_bytes() == [192, 0, 0, 192] => Host::Metadata,
        _ => Host::World,
    };
    match (place, is_odd) {
        (Host::World, true) => Host::Odd,
        (_, true) => Host::OddLocal,
        (place, false) => place,
    }
}

/// An IPv6 address, with an IPv4 one inside it or not (RFC 4291 §2.5.5).
fn six(text: &[u8]) -> Host {
    let text = text.split(|byte| *byte == b'%').next().unwrap_or_default();
    let Ok(address) = std::str::from_utf8(text).unwrap_or_default().parse::<std::net::Ipv6Addr>() else {
        return Host::World;
    };
    if address.is_loopback() || address.is_unspecified() {
        return Host::Loopback;
    }
    let segments = address.segments();
    if segments == [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254]
        || segments.first().is_some_and(|first| first & 0xffc0 == 0xfe80)
    {
        return Host::Metadata;
    }
    if segments.first().is_some_and(|first| first & 0xfe00 == 0xfc00) {
        return Host::Private;
    }
    match (address.to_ipv4(), segments) {
        (Some(inside), _) => of_address(u32::from(inside), true),
        // NAT64 and 6to4 carry one too.
        (None, [0x64, 0xff9b, 0, 0, 0, 0, high, low]) | (None, [0x2002, high, low, ..]) => {
            of_address(u32::from(high) << 16 | u32::from(low), true)
        }
        (None, _) => Host::World,
    }
}
