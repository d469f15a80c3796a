//! A credential that came over cleartext has been read by whoever sits in between (CWE-319): the call is refused,
//! so that the mistake is noticed at once, and the operator is told to change the credential.

use std::{net::IpAddr, sync::Arc};

use http::{HeaderName, header};
use portcullis_core::{
    chain::{Guard, Phase},
    context::Context,
    verdict::{Denial, Place, Reason, RuleId, Severity, Verdict},
};

/// The rule.
const OVER_CLEARTEXT: RuleId = RuleId::new("plaintext_credentials/credential_over_cleartext");

/// Addresses that share the first bits of one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerRange {
    address: IpAddr,
    prefix_bits: u8,
}

impl PeerRange {
    /// The range of that address and prefix length; `None` when the prefix is longer than the address.
    pub fn new(address: IpAddr, prefix_bits: u8) -> Option<Self> {
        let bits = if address.is_ipv4() { 32 } else { 128 };
        (prefix_bits <= bits).then_some(Self { address, prefix_bits })
    }

    fn contains(self, peer: IpAddr) -> bool {
        let cut = |value: u128, bits: u32| value.checked_shr(bits - u32::from(self.prefix_bits)).unwrap_or(0);
        match (self.address, peer) {
            (IpAddr::V4(a), IpAddr::V4(b)) => cut(u32::from(a).into(), 32) == cut(u32::from(b).into(), 32),
            (IpAddr::V6(a), IpAddr::V6(b)) => cut(a.into(), 128) == cut(b.into(), 128),
            _ => false,
        }
    }
}

/// Refuses credentials over cleartext, except from this machine and from peers named by the operator.
#[derive(Clone, Debug)]
pub struct PlaintextCredentials {
    fields: Vec<HeaderName>,
    trusted_peers: Vec<PeerRange>,
    open_listeners: Vec<Arc<str>>,
}

impl PlaintextCredentials {
    /// A guard that knows `Authorization`, `Cookie` and the fields in which the providers of the route expect
    /// their keys. Connections from `trusted_peers` may be cleartext: a TLS-terminating proxy, for one.
    pub fn new(key_fields: impl IntoIterator<Item = HeaderName>, trusted_peers: Vec<PeerRange>) -> Self {
        let mut fields = vec![header::AUTHORIZATION, header::COOKIE];
        for field in key_fields {
            if !fields.contains(&field) {
                fields.push(field);
            }
        }
        Self { fields, trusted_peers, open_listeners: Vec::new() }
    }

    /// Lets credentials over cleartext pass at these listeners, by the operator's explicit word.
    #[must_use]
    pub fn allowed_at(mut self, listeners: Vec<Arc<str>>) -> Self {
        self.open_listeners = listeners;
        self
    }
}

impl Guard for PlaintextCredentials {
    fn name(&self) -> &'static str {
        "plaintext_credentials"
    }

    fn phase(&self) -> Phase {
        Phase::RequestHead
    }

    fn check(&self, cx: &mut Context) -> Verdict {
        if cx.client.tls.is_some() || self.open_listeners.contains(&cx.client.listener) {
            return Verdict::Pass;
        }
        let Some(field) = self.fields.iter().find(|field| cx.request.headers.contains_key(*field)) else {
            return Verdict::Pass;
        };
        // The peer, not the client: what a proxy says about the client does not protect the last stretch.
        let peer = cx.client.peer.ip().to_canonical();
        if peer.is_loopback() || self.trusted_peers.iter().any(|range| range.contains(peer)) {
            return Verdict::Pass;
        }
        Reason::new(
            OVER_CLEARTEXT,
            Severity::High,
            "a credential came over cleartext; whoever sent it should change it",
        )
        .at(Place::Header(field.as_str().into()), "")
        .deny(Denial::Forbidden)
    }
}

#[cfg(test)]
mod tests {
    use portcullis_core::context::TlsSession;

    use super::*;
    use crate::authenticate::test_context::context;

    fn check(fields: &[(&'static str, &str)], peer: &str, over_tls: Option<TlsSession>) -> String {
        let range = PeerRange::new("10.1.0.0".parse().unwrap(), 16).unwrap();
        let guard = PlaintextCredentials::new([HeaderName::from_static("x-api-key")], vec![range]);
        let mut cx = context(fields);
        cx.client.peer = peer.parse().unwrap();
        cx.client.tls = over_tls.map(Arc::new);
        match guard.check(&mut cx) {
            Verdict::Pass => "pass".into(),
            Verdict::Flag(_) => "flag".into(),
            Verdict::Deny(denial, reason) => format!("{} {:?}", denial.status(), reason.evidence[0].place),
        }
    }

    #[test]
    fn refuses_credentials_over_cleartext() {
        let far = "192.0.2.1:9";
        for (fields, peer, expected) in [
            (&[][..], far, "pass"),
            (&[("authorization", "Bearer x")], far, "403 Header(\"authorization\")"),
            (&[("cookie", "a=b")], far, "403 Header(\"cookie\")"),
            (&[("x-api-key", "x")], far, "403 Header(\"x-api-key\")"),
            (&[("x-api-key", "x")], "127.0.0.9:9", "pass"),
            (&[("x-api-key", "x")], "[::1]:9", "pass"),
            (&[("x-api-key", "x")], "[::ffff:127.0.0.1]:9", "pass"),
            (&[("x-api-key", "x")], "10.1.255.255:9", "pass"),
            (&[("x-api-key", "x")], "10.2.0.0:9", "403 Header(\"x-api-key\")"),
            (&[("x-api-key", "x")], "[2001:db8::1]:9", "403 Header(\"x-api-key\")"),
        ] {
            assert_eq!(check(fields, peer, None), expected, "{fields:?} {peer}");
        }
        assert_eq!(check(&[("authorization", "x")], far, Some(TlsSession::default())), "pass");
    }

    #[test]
    fn a_trusted_proxy_in_front_does_not_vouch_for_the_last_stretch() {
        let mut cx = context(&[("authorization", "x")]);
        cx.client.peer = "192.0.2.1:9".parse().unwrap();
        cx.client.ip = "127.0.0.1".parse().unwrap();
        assert!(matches!(PlaintextCredentials::new([], vec![]).check(&mut cx), Verdict::Deny(..)));
    }

    #[test]
    fn an_open_listener_is_the_operators_word() {
        let mut cx = context(&[("authorization", "x")]);
        cx.client.peer = "192.0.2.1:9".parse().unwrap();
        let open = vec![Arc::clone(&cx.client.listener)];
        assert_eq!(PlaintextCredentials::new([], vec![]).allowed_at(open).check(&mut cx), Verdict::Pass);
    }

    #[test]
    fn ranges_know_their_bounds() {
        let range = |address: &str, bits| PeerRange::new(address.parse().unwrap(), bits);
        assert!(range("10.0.0.0", 33).is_none());
        assert!(range("::", 129).is_none());
        assert!(range("0.0.0.0", 0).unwrap().contains("203.0.113.9".parse().unwrap()));
        assert!(range("::", 0).unwrap().contains("2001:db8::1".parse().unwrap()));
        assert!(!range("::", 0).unwrap().contains("203.0.113.9".parse().unwrap()));
        assert!(range("10.0.0.7", 32).unwrap().contains("10.0.0.7".parse().unwrap()));
        assert!(!range("10.0.0.7", 32).unwrap().contains("10.0.0.6".parse().unwrap()));
    }
}
