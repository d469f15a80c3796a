//! Header fields: those whose values reach applications are looked at, the protocol's own only when they are odd.

use super::pairs::{Plus, cut, decoded, text_of};
use crate::{
    decode::{Buffer, Layer, Layers},
    inspector::{Judging, Spot},
    leaf::{Field, Where},
};

/// What to do with a header field.
enum Handling {
    /// The protocol's own: it has a grammar in which payloads do not fit, so only values with odd bytes are looked at.
    Structural,
    /// Credentials, which are opaque unless odd.
    Credentials,
    Cookies,
    /// A URL whose parameters are looked at too.
    Address,
    /// Text that applications read.
    Text,
}

impl Judging<'_> {
    /// Looks at one header field.
    pub fn header(&mut self, name: &str, value: &[u8]) {
        let value = value.trim_ascii();
        let spot = Spot::named(Where::Header, name);
        if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')) {
            self.value(&Spot { at: Where::Name, ..spot }, name.as_bytes());
        }
        match handling(name) {
            Handling::Structural if !value.iter().any(is_odd) => {}
            Handling::Structural | Handling::Text => self.value(&spot, value),
            Handling::Credentials => self.credentials(&spot, value),
            Handling::Cookies => self.cookies(value),
            Handling::Address => {
                self.value(&spot, value);
                if let (_, Some(query)) = cut(value, b'?') {
                    self.address_parameters(query);
                }
            }
        }
    }

    /// The parameters of another page's URL, which was looked at as a whole: a payload that begins a value is plainer
    /// by itself.
    fn address_parameters(&mut self, query: &[u8]) {
        for pair in query.split(|byte| matches!(byte, b'&' | b'#')).take(ADDRESS_PARAMETERS_MAX) {
            if let (name, Some(value)) = cut(pair, b'=') {
                let spot =
                    Spot { declared: Some(Field::Referer), ..Spot::named(Where::Header, text_of(name)) };
                self.value(&spot, decoded(value, Plus::Space, &mut Buffer::new()));
            }
        }
    }

    /// `Basic` credentials (RFC 7617) are user and password, which applications look up; tokens are looked at only
    /// when they hold what no token does.
    fn credentials(&mut self, spot: &Spot<'_>, value: &[u8]) {
        let (scheme, token) = cut(value, b' ');
        if value.iter().any(is_odd) {
            self.value(spot, value);
        } else if let Some(token) = token.filter(|_| scheme.eq_ignore_ascii_case(b"basic")) {
            let Some(decoded) = crate::decode::base64_text(token.trim_ascii()) else { return };
            let layers = Layers::default().with(Layer::Base64);
            let (user, password) = cut(&decoded, b':');
            self.value(&Spot { layers, ..*spot }, user);
            self.value(&Spot { layers, ..*spot }, password.unwrap_or_default());
        }
    }
}

/// Parameters of an address looked at by themselves.
const ADDRESS_PARAMETERS_MAX: usize = 64;

fn handling(name: &str) -> Handling {
    let is_one_of = |names: &[&str]| names.iter().any(|other| name.eq_ignore_ascii_case(other));
    let starts = |prefix: &str| name.get(..prefix.len()).is_some_and(|it| it.eq_ignore_ascii_case(prefix));
    if is_one_of(&["cookie"]) {
        Handling::Cookies
    } else if is_one_of(&["authorization", "proxy-authorization"]) {
        Handling::Credentials
    } else if is_one_of(&["referer", "origin"]) {
        Handling::Address
    } else if starts("sec-") || starts("if-") || starts("access-control-") || is_one_of(STRUCTURAL) {
        Handling::Structural
    } else {
        Handling::Text
    }
}

const STRUCTURAL: &[&str] = &[
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "date",
    "dnt",
    "expect",
    "host",
    "keep-alive",
    "pragma",
    "priority",
    "range",
    "te",
    "traceparent",
    "tracestate",
    "transfer-encoding",
    "upgrade",
    "upgrade-insecure-requests",
    "via",
];

/// Bytes that do not occur in well-formed structural fields and credentials.
fn is_odd(byte: &u8) -> bool {
    matches!(byte, b'$' | b'{' | b'}' | b'<' | b'>' | b'\'' | b'`' | b'|' | b'\\' | b'%' | b'#' | 0..b' ' | 0x7f..)
}
