//! Server-side request forgery and remote file inclusion (CWE-918, CWE-98).
//!
//! Every address in a value is read as a client would read it: its scheme, who it pretends to be for, the host in
//! whatever spelling numbers allow. An address of the world is what APIs are made of; one of the machine itself, of its
//! network or of its cloud's metadata is not.

mod host;
mod outbound;

use super::Detector;
use crate::{
    class::Class,
    hit::{Hit, Hits},
    leaf::{Field, Where},
    view::View,
};

/// Finds addresses that only the server can reach, and those that only a test would name.
pub(super) struct Ssrf;

impl Detector for Ssrf {
    fn class(&self) -> Class {
        Class::Ssrf
    }

    fn literals(&self) -> &'static [&'static str] {
        &[
            "://",
            ":\\\\",
            "///",
            "169.254",
            "metadata",
            "oast",
            "burpcollab",
            "dnslog",
            "interact",
            "ceye",
            "\\\\",
            "//",
            "ldap:",
            "gopher:",
            "dict:",
            "localhost",
            "127.0.0.1",
            "requestbin",
            "bxss",
            "canarytokens",
            "collaborator",
        ]
    }

    fn inspect(&self, view: &View<'_>, hits: &mut Hits) {
        let mut best: Option<Hit> = None;
        let mut keep = |hit: Option<Hit>| {
            if let Some(hit) = hit
                && best.as_ref().is_none_or(|best| best.score < hit.score)
            {
                best = Some(hit);
            }
        };
        for at in memchr::memmem::find_iter(view.lower, b"//").take(ADDRESSES_MAX) {
            keep(address(view, at));
        }
        keep(outbound::find(view));
        keep(share(view));
        hits.extend(best);
    }
}

/// Addresses looked at in one value.
const ADDRESSES_MAX: usize = 64;

/// The longest authority read.
const AUTHORITY_BYTES_MAX: usize = 256;

/// Blanks, quotes and slashes before an address that is a whole value.
const LEADING_BYTES_MAX: usize = 8;

/// What an address shows of itself.
struct Danger {
    rule: &'static str,
    why: &'static str,
    strength: u8,
}

/// Judges the address whose `//` stands there.
fn address(view: &View<'_>, at: usize) -> Option<Hit> {
    let before = view.lower.get(..at)?;
    let scheme = before.strip_suffix(b":").map(|before| {
        let length = before
            .iter()
            .rev()
            .take(20)
            .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'.' | b'-'))
            .count();
        before.get(before.len() - length..).unwrap_or_default()
    });
    // `//host` by itself is an address only where the value begins with it.
    if scheme.is_none()
        && at > 0
        && (at > LEADING_BYTES_MAX || !before.iter().all(|byte| matches!(byte, b'/' | b'\\' | b' ')))
    {
        return None;
    }
    let start = at - scheme.map_or(0, |scheme| scheme.len() + 1);
    let after = view.lower.get(at + 2..)?;
    let slashes = after.iter().take_while(|byte| matches!(byte, b'/' | b'\\')).count();
    let after = after.get(slashes..)?;
    let length = after.iter().take(AUTHORITY_BYTES_MAX).position(|byte| ends_authority(*byte));
    let authority = after.get(..length.unwrap_or(after.len().min(AUTHORITY_BYTES_MAX)))?;
    let (user, host_port) = match authority.iter().rposition(|byte| *byte == b'@') {
        Some(sign) => (authority.get(..sign), authority.get(sign + 1..).unwrap_or_default()),
        None => (None, authority),
    };
    let is_whole = start <= LEADING_BYTES_MAX
        && before
            .get(..start)
            .is_some_and(|ahead| ahead.iter().all(|byte| matches!(byte, b' ' | b'"' | b'\'' | b'@')));
    let end = at + 2 + slashes + authority.len();
    let path = view.lower.get(end..).unwrap_or_default();
    let is_page = scheme.is_none_or(|scheme| matches!(scheme, b"http" | b"https"));
    let danger = of_scheme(scheme.unwrap_or_default())
        .or_else(|| {
            of_host(view, host::read(host_port)).map(|danger| milder(danger, scheme, host_port, path))
        })
        .or_else(|| has_enclosed_letters(host_port).then_some(ENCLOSED))
        .or_else(|| of_user(user?, host_port))
        .or_else(|| matches!(path, [b'#' | b'\\', b'@', ..]).then_some(CUT))
        .or_else(|| {
            // A line of slashes divides texts.
            let names_host = host_port.iter().any(u8::is_ascii_alphanumeric);
            (is_page && slashes > 0 && is_whole && scheme.is_none() && names_host).then_some(SLASHES)
        })
        .or_else(|| inclusion(view, is_whole, scheme.unwrap_or_default(), path))?;
    let score = weigh(view, danger.strength, is_whole, danger.rule);
    (score > 0).then_some(Hit {
        class: Class::Ssrf,
        rule: danger.rule,
        score,
        span: start..end,
        why: danger.why,
    })
}

const SLASHES: Danger = Danger {
    rule: "ambiguous_address",
    why: "more slashes than an address has, which clients and checks read differently",
    strength: 10,
};

const CUT: Danger = Danger {
    rule: "pretended_host",
    why: "an address that names one host to a reader and another to a client",
    strength: 10,
};

const ENCLOSED: Danger =
    Danger { rule: "odd_address", why: "an address in a spelling that only evades", strength: 10 };

/// Letters and digits in circles (U+2460 to U+24FF), which clients normalise.
fn has_enclosed_letters(host: &[u8]) -> bool {
    host.windows(2).any(|two| matches!(two, [0xe2, 0x91..=0x93]))
}

fn ends_authority(byte: u8) -> bool {
    matches!(
        byte,
        b'/' | b'?' | b'#' | b'\\' | b'"' | b'\'' | b'<' | b'>' | b',' | b'|' | b'`' | b')' | b';' | 0..=b' '
    )
}

/// Schemes whose clients speak to services that were never meant to hear from outside.
fn of_scheme(scheme: &[u8]) -> Option<Danger> {
    let strength = match scheme {
        b"gopher" | b"dict" | b"netdoc" | b"tftp" | b"smb" | b"cifs" | b"corba" | b"iiop" | b"corbaname" => {
            10
        }
        b"ldap" | b"ldaps" | b"rmi" | b"sftp" | b"nis" | b"imap" | b"smtp" | b"telnet" => 9,
        b"dns" => 6,
        _ => return None,
    };
    Some(Danger {
        rule: "forging_scheme",
        why: "a scheme that makes the server speak to another service",
        strength,
    })
}

/// The bare address of a port above the well-known ones is how one's own services are configured; and what speaks
/// another protocol than HTTP is no page to fetch.
fn milder(danger: Danger, scheme: Option<&[u8]>, host_port: &[u8], path: &[u8]) -> Danger {
    let is_loopback = danger.rule == "loopback_address";
    let has_high_port = host_port.rsplit(|byte| *byte == b':').next().is_some_and(|port| port.len() >= 4);
    let is_bare = matches!(path, [] | [b'/']);
    let is_fetched = scheme.is_none_or(|scheme| matches!(scheme, b"http" | b"https" | b"ftp" | b"ws"));
    let strength = match danger.strength {
        10 if is_loopback && !is_fetched => 6,
        10 if is_loopback && has_high_port && is_bare => 7,
        other => other,
    };
    Danger { strength, ..danger }
}

fn of_host(view: &View<'_>, host: host::Host) -> Option<Danger> {
    let (rule, why, strength) = match host {
        host::Host::World => return None,
        host::Host::Metadata => {
            ("cloud_metadata", "the address of a cloud's metadata service, which hands out credentials", 10)
        }
        host::Host::Odd => ("odd_address", "an address in a spelling that only evades", 10),
        host::Host::OddLocal => {
            ("odd_local_address", "an address of the server's own network in a spelling that only evades", 10)
        }
        host::Host::Rebinding => ("rebinding_domain", "a domain whose names resolve to local addresses", 10),
        host::Host::Loopback => ("loopback_address", "an address of the server itself", 10),
        host::Host::Private => ("private_address", "an address of a private network (RFC 1918)", 6),
    };
    let is_return = matches!(host, host::Host::Loopback | host::Host::Private) && is_for_clients(view);
    // Where a browser comes from says nothing of where the server goes.
    let is_origin = is_return && (view.leaf.field == Field::Referer || view.leaf.at == Where::Header);
    (!is_origin).then_some(Danger { rule, why, strength: if is_return { 3 } else { strength } })
}

/// Addresses that a browser or an app goes back to, and that name the developer's own machine while he develops.
fn is_for_clients(view: &View<'_>) -> bool {
    let name = view.leaf.name.as_bytes();
    let holds = |word: &[u8]| name.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word));
    matches!(view.leaf.field, Field::Referer)
        || (view.leaf.at == Where::Header)
        || [
            &b"redirect_uri"[..],
            b"callback",
            b"origin",
            b"return",
            b"homepage",
            b"referer",
            b"referrer",
            b"base_url",
        ]
        .iter()
        .any(|word| holds(word))
}

/// `http://good.example@evil.example`: the part before `@` is no host.
fn of_user(user: &[u8], host: &[u8]) -> Option<Danger> {
    let looks_like_host = user.contains(&b'.') && !user.contains(&b':') && host.contains(&b'.');
    let is_cut = user.ends_with(b"#") || user.ends_with(b"\\") || user.contains(&b'%');
    (looks_like_host || is_cut).then_some(Danger {
        rule: "pretended_host",
        why: "an address that names one host to a reader and another to a client",
        strength: if is_cut { 10 } else { 8 },
    })
}

/// An address of code where a name of a file is expected.
fn inclusion(view: &View<'_>, is_whole: bool, scheme: &[u8], path: &[u8]) -> Option<Danger> {
    if !is_whole || !matches!(scheme, b"http" | b"https" | b"ftp" | b"") || scheme.is_empty() {
        return None;
    }
    const ENDINGS: [&[u8]; 12] = [
        b".php", b".txt", b".jsp", b".asp", b".aspx", b".pl", b".sh", b".inc", b".phtml", b".dtd", b".exe",
        b".jar",
    ];
    let is_open = path.ends_with(b"?") || path.ends_with(b"%00") || path.ends_with(b"\0");
    let bare = path.split(|byte| matches!(byte, b'?' | b'%' | 0)).next().unwrap_or_default();
    let is_code = ENDINGS.iter().any(|ending| bare.ends_with(ending));
    let names_file = [
        "file", "page", "include", "inc", "path", "template", "tpl", "dir", "doc", "document", "view",
        "module", "lang",
    ]
    .iter()
    .any(|name| view.leaf.name.eq_ignore_ascii_case(name));
    let strength = match (is_code, is_open, names_file) {
        (true, true, _) => 10,
        (true, false, true) => 10,
        (false, true, true) => 8,
        (true, false, false) if view.leaf.field != Field::Url => 5,
        _ => return None,
    };
    Some(Danger {
        rule: "remote_inclusion",
        why: "an address of code in the place of a file's name",
        strength,
    })
}

/// `\\host\share`: Windows hands its user's hash to whoever owns the host.
fn share(view: &View<'_>) -> Option<Hit> {
    let rest = view.lower.strip_prefix(b"\\\\")?;
    let host = rest.split(|byte| *byte == b'\\').next()?;
    let path = rest.get(host.len() + 1..)?;
    let is_host = host.len() >= 3
        && host.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'@'));
    let is_share = path.first().is_some_and(u8::is_ascii_alphanumeric);
    if !(is_host && is_share && (host.contains(&b'.') || host.contains(&b'@'))) {
        return None;
    }
    let score = if matches!(view.leaf.field, Field::Code | Field::Prose | Field::Markup) { 3 } else { 8 };
    let why = "a share on a host of the sender's choice";
    Some(Hit { class: Class::Ssrf, rule: "network_share", score, span: 0..host.len() + 2, why })
}

fn weigh(view: &View<'_>, strength: u8, is_whole: bool, rule: &str) -> u8 {
    // An address' parameter is never the place where a directory service is configured.
    let strength = if rule == "forging_scheme" && view.leaf.at == Where::Query { 10 } else { strength };
    let is_about_machines = matches!(rule, "loopback_address" | "private_address");
    match view.leaf.field {
        Field::Prose | Field::Markup if is_whole && view.text.len() < 200 => strength.min(8),
        Field::Prose | Field::Markup | Field::Query => strength.min(4),
        Field::Code => strength.min(2),
        Field::UserAgent => strength.min(6),
        Field::Unknown | Field::Token | Field::Url | Field::File | Field::Opaque | Field::Referer
            if is_whole =>
        {
            strength
        }
        // In the middle of a text an address of the developer's machine is an example.
        Field::Unknown | Field::Token | Field::Url | Field::File | Field::Opaque | Field::Referer
            if is_about_machines =>
        {
            strength.min(5)
        }
        Field::Unknown | Field::Token | Field::Url | Field::File | Field::Opaque | Field::Referer => strength,
    }
}

#[cfg(test)]
#[path = "ssrf/tests.rs"]
mod tests;
