//! The upstream's side: the request rebuilt from its checked form, sent, and its answer's head taken.

use std::sync::Arc;

use base64::Engine as _;
use bytes::{BufMut, BytesMut};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Version,
    header::{ACCEPT_ENCODING, CONNECTION, HOST, TE, UPGRADE},
    uri::PathAndQuery,
};
use portcullis_core::{
    chain::Phase,
    event::UpstreamFault,
    verdict::{Denial, Reason, RuleId, Severity},
};

use super::{Exchange, Stop};
use crate::{
    chance,
    forwarded::{self, Changes, Hop, X_REQUEST_ID},
    intake::IntakeFault,
    plan::{Endpoint, HostPolicy, Upgrades},
    upstream::{Answer, Asking, CallOptions, OutBody, Patience, Side},
};

const SEC_WEBSOCKET_KEY: HeaderName = HeaderName::from_static("sec-websocket-key");
const SEC_WEBSOCKET_VERSION: HeaderName = HeaderName::from_static("sec-websocket-version");

/// A WebSocket handshake that may be passed on (RFC 6455 §4.2.1).
pub(super) struct Handshake;

impl Exchange {
    /// Judges a wish to upgrade. One that the operation does not allow is not passed on, and the rest of the request
    /// is served as if it had not been there (RFC 9110 §7.8).
    pub(super) fn handshake(&mut self, endpoint: &Endpoint, hop: &Hop) -> Result<Option<Handshake>, Stop> {
        let Some(upgrade) = &hop.upgrade else {
            return Ok(None);
        };
        match endpoint.upgrades {
            Upgrades::Refused => return Ok(None),
            Upgrades::WebSocket => {}
        }
        if !upgrade.as_bytes().eq_ignore_ascii_case(b"websocket") || !self.is_http1() {
            return Ok(None);
        }
        let request = &self.cx.request;
        let version = request.headers.get(SEC_WEBSOCKET_VERSION).map(HeaderValue::as_bytes);
        let mut keys = request.headers.get_all(SEC_WEBSOCKET_KEY).iter();
        let key = keys.next().map(|key| base64::engine::general_purpose::STANDARD.decode(key.as_bytes()));
        let good_key = matches!(key, Some(Ok(bytes)) if bytes.len() == 16) && keys.next().is_none();
        let bodiless = self.intake.is_none();
        if request.method == Method::GET
            && request.version == Version::HTTP_11
            && version == Some(b"13")
            && good_key
            && bodiless
        {
            return Ok(Some(Handshake));
        }
        self.remark(Reason::new(
            RuleId::new("upgrade/bad_handshake"),
            Severity::Medium,
            "the websocket handshake is not that of rfc 6455",
        ));
        Err(Denial::Malformed.into())
    }

    /// Sends the request on and waits for the head of the answer.
    pub(super) async fn ask_upstream(
        &mut self,
        endpoint: &Endpoint,
        body: OutBody,
        hop: &Hop,
        handshake: Option<&Handshake>,
    ) -> Result<Answer, Stop> {
        let target = self.upstream_target(endpoint).ok_or(Stop::Denied(Denial::Malformed))?;
        let (host, changes) = self.changes(endpoint, hop, handshake);
        let endless = CallOptions { total: Patience::Endless, idle: Patience::Endless, ..endpoint.call };
        let options = if handshake.is_some() { &endless } else { &endpoint.call };
        let transformed;
        let request = &self.cx.request;
        let (method, target) = (&request.method, Some(&target));
        let asking = if endpoint.chain.transforms() {
            transformed = self.transformed(endpoint, host, changes);
            Asking { method, target, host: transformed.get(HOST), headers: &transformed, changes: &[] }
        } else {
            Asking { method, target, host: host.as_ref(), headers: &request.headers, changes: &changes }
        };
        match endpoint.upstream.call_with(asking, body, options, endpoint.retry.as_deref()).await {
            Ok(answer) => {
                self.upstream = Some(Arc::clone(&answer.server));
                self.upstream_micros = Some(answer.upstream_micros);
                Ok(answer)
            }
            Err(failure) => {
                self.upstream.clone_from(&failure.server);
                if failure.side == Side::RequestBody {
                    let fault = self.intake.as_ref().and_then(|intake| intake.fault());
                    return Err(self.intake_failed(fault.unwrap_or(IntakeFault::Broken)));
                }
                self.remark(Reason::new(
                    RuleId::new(rule(failure.fault)),
                    Severity::Medium,
                    failure.to_string(),
                ));
                Err(Stop::Failed(failure.fault))
            }
        }
    }

    /// The `Host` that the upstream is asked for, and by what else its request differs from the client's.
    fn changes(
        &mut self,
        endpoint: &Endpoint,
        hop: &Hop,
        handshake: Option<&Handshake>,
    ) -> (Option<HeaderValue>, Changes) {
        let headers = &self.cx.request.headers;
        let mut changes = Changes::new();
        let asked = match headers.get(HOST) {
            Some(host) => Some(host.clone()),
            None => HeaderValue::from_str(&self.cx.request.host).ok().filter(|host| !host.is_empty()),
        };
        let scheme = if self.connection.tls.is_some() { "https" } else { "http" };
        let peer = &self.connection.peer_text;
        forwarded::speak_for(headers, &mut changes, self.trust, peer, scheme, asked.as_ref());
        let reference = self.cx.reference;
        let span = chance::draw(&*self.connection.listener.world.entropy);
        self.trace = Some(forwarded::trace(headers, &mut changes, reference, span));
        changes.push((X_REQUEST_ID, Some(self.reference_text())));
        if hop.trailers {
            changes.push((TE, Some(HeaderValue::from_static("trailers"))));
        }
        if !endpoint.chain.steps(Phase::ResponseBody).is_empty() {
            // Guards read what they are to judge; a compressed answer would pass unread.
            changes.push((ACCEPT_ENCODING, Some(HeaderValue::from_static("identity"))));
        }
        if handshake.is_some() {
            changes.push((CONNECTION, Some(HeaderValue::from_static("upgrade"))));
            changes.push((UPGRADE, Some(HeaderValue::from_static("websocket"))));
        }
        let host = match &endpoint.host {
            HostPolicy::Fixed(host) => Some(host.clone()),
            HostPolicy::Client => asked,
            // Without one, the server's own authority is sent.
            HostPolicy::Server => None,
        };
        (host, changes)
    }

    /// All fields that the upstream is sent, after the operation's transforms had them.
    fn transformed(&self, endpoint: &Endpoint, host: Option<HeaderValue>, mut changes: Changes) -> HeaderMap {
        let mut headers = self.cx.request.headers.clone();
        headers.reserve(changes.len() + 1);
        changes.push((HOST, host));
        forwarded::apply(changes, &mut headers);
        endpoint.chain.transform_request(&self.cx, &mut headers);
        headers
    }

    /// The checked path, moved below the upstream's base path.
    fn upstream_target(&self, endpoint: &Endpoint) -> Option<PathAndQuery> {
        let (request, rewrite) = (&self.cx.request, &endpoint.rewrite);
        match &self.target {
            Some(target) if rewrite.strip == 0 && rewrite.prepend.is_empty() => Some(target.clone()),
            Some(_) | None => {
                let rest = request.path.get(rewrite.strip..)?;
                let query = request.query.as_deref();
                let query_len = query.map_or(0, |query| query.len() + 1);
                let mut text = BytesMut::with_capacity(rewrite.prepend.len() + rest.len() + 1 + query_len);
                text.put_slice(rewrite.prepend.as_bytes());
                if !rest.starts_with('/') {
                    text.put_u8(b'/');
                }
                text.put_slice(rest.as_bytes());
                if let Some(query) = query {
                    text.put_u8(b'?');
                    text.put_slice(query.as_bytes());
                }
                PathAndQuery::from_maybe_shared(text.freeze()).ok()
            }
        }
    }
}

const fn rule(fault: UpstreamFault) -> &'static str {
    match fault {
        UpstreamFault::NoServer => "upstream/no_server",
        UpstreamFault::Connect => "upstream/connect",
        UpstreamFault::Tls => "upstream/tls",
        UpstreamFault::Timeout => "upstream/timeout",
        UpstreamFault::Reset => "upstream/reset",
        UpstreamFault::Nonsense => "upstream/nonsense",
        UpstreamFault::CutOff => "upstream/cut_off",
        UpstreamFault::Overloaded => "upstream/overloaded",
    }
}
