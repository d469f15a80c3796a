//! The upstream's side: the request rebuilt from its checked form, sent, and its answer's head taken.

use std::sync::Arc;

use base64::Engine as _;
use bytes::{BufMut, BytesMut};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, Version,
    header::{ACCEPT, ACCEPT_ENCODING, CONNECTION, CONTENT_TYPE, HOST, TE, UPGRADE},
    request::Parts,
    uri::PathAndQuery,
};
use portcullis_core::{
    chain::Phase,
    event::UpstreamFault,
    verdict::{Denial, Reason, RuleId, Severity},
};

use super::{Exchange, Stop};
use crate::{
    chance, denied,
    forwarded::{self, Hop, TRACEPARENT, X_REQUEST_ID},
    intake::IntakeFault,
    plan::{Endpoint, HostPolicy, Upgrades},
    upstream::{Answer, CallOptions, OutBody, Patience, Side},
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
        let head = self.upstream_head(endpoint, hop, handshake)?;
        let endless = CallOptions { total: Patience::Endless, idle: Patience::Endless, ..endpoint.call };
        let quiet = handshake.is_some() || self.is_grpc() || self.asks_for_events();
        let options = if quiet { &endless } else { &endpoint.call };
        match endpoint.upstream.call_with(head, body, options, endpoint.retry.as_deref()).await {
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

    fn upstream_head(
        &mut self,
        endpoint: &Endpoint,
        hop: &Hop,
        handshake: Option<&Handshake>,
    ) -> Result<Parts, Stop> {
        let (mut head, ()) = Request::new(()).into_parts();
        head.method = self.cx.request.method.clone();
        head.uri = self.upstream_uri(endpoint).ok_or(Stop::Denied(Denial::Malformed))?;
        let mut headers = self.cx.request.headers.clone();
        headers.reserve(8);
        self.speak_for_client(&mut headers, endpoint);
        if hop.trailers {
            headers.insert(TE, HeaderValue::from_static("trailers"));
        }
        if !endpoint.chain.steps(Phase::ResponseBody).is_empty() {
            // Guards read what they are to judge; a compressed answer would pass unread.
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        }
        if handshake.is_some() {
            headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
            headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        }
        endpoint.chain.transform_request(&self.cx, &mut headers);
        head.headers = headers;
        Ok(head)
    }

    fn speak_for_client(&mut self, headers: &mut HeaderMap, endpoint: &Endpoint) {
        let asked = match headers.get(HOST) {
            Some(host) => Some(host.clone()),
            None => HeaderValue::from_str(&self.cx.request.host).ok().filter(|host| !host.is_empty()),
        };
        let scheme = if self.connection.tls.is_some() { "https" } else { "http" };
        forwarded::speak_for(headers, self.trust, &self.connection.peer_text, scheme, asked.as_ref());
        match (&endpoint.host, asked) {
            (HostPolicy::Fixed(host), _) => {
                headers.insert(HOST, host.clone());
            }
            (HostPolicy::Client, Some(host)) => {
                headers.insert(HOST, host);
            }
            // Without one, the server's own authority is sent.
            (HostPolicy::Server, _) => {
                headers.remove(HOST);
            }
            (HostPolicy::Client, None) => {}
        }
        let reference = self.cx.reference;
        let span = chance::draw(&*self.connection.listener.world.entropy);
        let trace = forwarded::trace(headers, reference, span);
        headers.insert(TRACEPARENT, trace.parent);
        self.trace = Some(trace.id);
        headers.insert(X_REQUEST_ID, self.reference_text());
    }

    /// The checked path, moved below the upstream's base path.
    fn upstream_uri(&self, endpoint: &Endpoint) -> Option<Uri> {
        let (request, rewrite) = (&self.cx.request, &endpoint.rewrite);
        let target = match &self.target {
            Some(target) if rewrite.strip == 0 && rewrite.prepend.is_empty() => target.clone(),
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
                PathAndQuery::from_maybe_shared(text.freeze()).ok()?
            }
        };
        let mut parts = http::uri::Parts::default();
        parts.path_and_query = Some(target);
        Uri::from_parts(parts).ok()
    }

    /// Server-sent events may be silent for as long as nothing happens.
    fn asks_for_events(&self) -> bool {
        let accept = self.cx.request.headers.get(ACCEPT);
        accept.is_some_and(|value| value.as_bytes().starts_with(b"text/event-stream"))
    }

    /// Whether this is a gRPC call: the media type alone is any client's to write.
    fn is_grpc(&self) -> bool {
        let request = &self.cx.request;
        request.version == Version::HTTP_2
            && request.method == Method::POST
            && request.headers.get(CONTENT_TYPE).is_some_and(denied::is_grpc)
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
