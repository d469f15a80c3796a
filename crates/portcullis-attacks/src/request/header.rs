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
    let mut lower = [0; NAME_BYTES_MAX];
    let Some(lower) = lower.get_mut(..name.len()) else {
        // No name of those below is so long, but for what begins like one.
        return if is_structural_family(name.as_bytes()) { Handling::Structural } else { Handling::Text };
    };
    lower.copy_from_slice(name.as_bytes());
    lower.make_ascii_lowercase();
    match &*lower {
        b"cookie" => Handling::Cookies,
        b"authorization" | b"proxy-authorization" => Handling::Credentials,
        b"referer" | b"origin" => Handling::Address,
        b"accept"
        | b"accept-charset"
        | b"accept-encoding"
        | b"accept-language"
        | b"cache-control"
        | b"connection"
        | b"content-encoding"
        | b"content-length"
        | b"content-type"
        | b"date"
        | b"dnt"
        | b"expect"
        | b"host"
        | b"keep-alive"
        | b"pragma"
        | b"priority"
        | b"range"
        | b"te"
        | b"traceparent"
        | b"tracestate"
        | b"transfer-encoding"
        | b"upgrade"
        | b"upgrade-insecure-requests"
        | b"via" => Handling::Structural,
        other if is_structural_family(other) => Handling::Structural,
        _ => Handling::Text,
    }
}

/// Longer names are of no field that is known here.
const NAME_BYTES_MAX: usize = 32;

/// Fetch metadata, conditions, and cross-origin questions: browsers write all of them.
fn is_structural_family(name: &[u8]) -> bool {
    [&b"sec-"[..], b"if-", b"access-control-"]
        .iter()
        .any(|family| name.get(..family.len()).is_some_and(|it| it.eq_ignore_ascii_case(family)))
}

/// Bytes that do not occur in well-formed structural fields and credentials.
fn is_odd(byte: &u8) -> bool {
    matches!(byte, b'$' | b'{' | b'}' | b'<' | b'>' | b'\'' | b'`' | b'|' | b'\\' | b'%' | b'#' | 0..b' ' | 0x7f..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_known_in_either_case_and_at_any_length() {
        let is_structural = |name: &str| matches!(handling(name), Handling::Structural);
        assert!(is_structural("ACCEPT-Encoding") && is_structural("Sec-Fetch-Mode"));
        assert!(is_structural(&format!("If-{}", "x".repeat(NAME_BYTES_MAX))));
        assert!(
            !is_structural("x-accept")
                && !is_structural(&"x".repeat(NAME_BYTES_MAX + 1))
                && !is_structural("")
        );
        assert!(matches!(handling("Cookie"), Handling::Cookies));
        assert!(matches!(handling("Proxy-Authorization"), Handling::Credentials));
        assert!(matches!(handling("REFERER"), Handling::Address));
    }
}
