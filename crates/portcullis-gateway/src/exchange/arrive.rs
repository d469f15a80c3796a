//! The head: admitted, checked, routed.

use std::{
    borrow::Cow,
    net::IpAddr,
    sync::{Arc, OnceLock},
};

use bytes::Bytes;
use http::{
    HeaderValue, Method, Response, StatusCode,
    header::{ALLOW, HOST},
    request::Parts,
};
use portcullis_core::{
    chain::Mode,
    context::{Client, Context, Notes, Request},
    id::ReferenceId,
    verdict::{Denial, Place, Reason, RuleId, Severity},
};
use smallvec::SmallVec;

use super::{Exchange, Stop};
use crate::{
    chance,
    connection::Connection,
    cors,
    forwarded::{self, Hop, Trust},
    plan::{ApiPlan, Endpoint, ListenerPlan, OptionsPolicy},
    router::Routed,
    target,
};

impl Exchange {
    /// Takes the request in as it came, so that whatever is wrong with it can be recorded.
    pub(super) fn begin(connection: Arc<Connection>, plan: Arc<ListenerPlan>, head: Parts) -> Box<Self> {
        let world = &connection.listener.world;
        let now = world.clock.now();
        let reference = ReferenceId::new(now, chance::draw(&*world.entropy));
        connection.began();
        world.stats.exchanges.add();
        world.stats.in_flight.rise();
        let Parts { method, uri, version, headers, .. } = head;
        let ip = connection.peer.ip();
        let cx = Context {
            now,
            reference,
            client: Client {
                listener: Arc::clone(&connection.listener.name),
                peer: connection.peer,
                ip: ip.to_canonical(),
                tls: connection.tls.clone(),
            },
            operation: None,
            request: Request {
                method,
                version,
                host: Box::default(),
                path: Box::default(),
                query: None,
                headers,
                path_parameters: SmallVec::new(),
                body: None,
                parsed: None,
            },
            response: None,
            notes: Notes::default(),
        };
        Box::new(Self {
            cx,
            connection,
            plan,
            endpoint: None,
            api: None,
            target: uri.path_and_query().cloned(),
            uri,
            trust: Trust::None,
            intake: None,
            outcome: None,
            status: 0,
            tunnel_bytes: 0,
            response_bytes: 0,
            response_bytes_expected: None,
            upstream: None,
            upstream_micros: None,
            trace: None,
            reference: OnceLock::new(),
        })
    }

    /// Refuses what is over the listener's bound of exchanges at a time.
    pub(super) fn admit(&mut self, plan: &ListenerPlan) -> Result<(), Stop> {
        let listener = &self.connection.listener;
        if listener.in_flight.now() <= plan.limits.in_flight_max as u64 {
            return Ok(());
        }
        listener.world.stats.overloaded.add();
        self.remark(Reason::new(
            RuleId::new("listener/overloaded"),
            Severity::Medium,
            "more exchanges are under way than the listener allows",
        ));
        Err(Denial::Unavailable.into())
    }

    /// Brings target, host and header fields into the one form that is routed, checked and forwarded.
    pub(super) fn check_head(&mut self, plan: &ListenerPlan) -> Result<Hop, Stop> {
        let uri = std::mem::take(&mut self.uri);
        let checked = target::check(&self.cx.request.method, &uri, plan.limits.target_bytes_max);
        let target = match checked {
            Ok(target) => target,
            Err(fault) => {
                // The record shows what came, cut.
                self.cx.request.path = excerpt(uri.path());
                return Err(self.fault(fault));
            }
        };
        if !matches!(target.path, Cow::Borrowed(_)) || !matches!(target.query, None | Some(Cow::Borrowed(_)))
        {
            self.target = None;
        }
        let request = &mut self.cx.request;
        request.path = target.path.into();
        request.query = target.query.map(Into::into);

        let mut respelled = None;
        match target::named_host(request.version, &uri, &request.headers) {
            Ok(None) => {}
            Ok(Some(named)) => match self.connection.check_host(named) {
                Ok(host) => {
                    // The upstream is to choose by the same host as the gate: a dot at its end or another spelling of
                    // an address could lead it elsewhere. Letters keep their case, which nobody heeds.
                    respelled = (!host.eq_ignore_ascii_case(named))
                        .then(|| HeaderValue::from_str(&host).ok())
                        .flatten();
                    request.host = host;
                }
                Err(fault) => return Err(self.fault(fault)),
            },
            Err(fault) => return Err(self.fault(fault)),
        }

        let peer: IpAddr = self.connection.peer.ip();
        self.trust = forwarded::trust(peer, &plan.trusted_proxies);
        self.cx.client.ip = forwarded::client_ip(peer, self.trust, &request.headers, &plan.trusted_proxies);
        let hop = forwarded::strip_request(&mut request.headers, self.trust, &plan.identity_headers);
        if let Some(host) = respelled.filter(|_| request.headers.contains_key(HOST)) {
            request.headers.insert(HOST, host);
        }
        Ok(hop)
    }

    /// Finds the operation, or what answers in its place.
    pub(super) fn route<'a>(
        &mut self,
        plan: &'a ListenerPlan,
    ) -> Result<(&'a ApiPlan, &'a Arc<Endpoint>), Stop> {
        let request = &self.cx.request;
        let preflight = cors::is_preflight(&request.method, &request.headers);
        match plan.router.route(&request.host, &request.method, &request.path) {
            Routed::Operation(api, _, _) if preflight && api.cors.is_some() => Err(self.preflight(plan, api)),
            Routed::Operation(api, endpoint, parameters) => {
                self.cx.request.path_parameters = parameters;
                self.enter(endpoint);
                Ok((api, endpoint))
            }
            Routed::NoMethod(api, _) if preflight && api.cors.is_some() => Err(self.preflight(plan, api)),
            Routed::NoMethod(api, methods) => {
                let allow = allow(api, &methods);
                if request.method == Method::OPTIONS && api.options == OptionsPolicy::Answer {
                    let mut answer = Response::new(Bytes::new());
                    *answer.status_mut() = StatusCode::NO_CONTENT;
                    answer.headers_mut().insert(ALLOW, allow);
                    return Err(Stop::Answered(Box::new(answer)));
                }
                if request.method == Method::OPTIONS
                    && api.options == OptionsPolicy::Forward
                    && let Some(endpoint) = &api.unknown.endpoint
                {
                    self.enter(endpoint);
                    return Ok((api, endpoint));
                }
                let reason = Reason::new(
                    RuleId::new("route/unknown_method"),
                    Severity::Low,
                    "the path is known, the method is not",
                );
                let reason = reason.at(Place::Method, excerpt(request.method.as_str()));
                self.unknown(api, api.unknown.methods, reason, Stop::NoMethod(allow))
            }
            Routed::NoPath(api) => {
                let reason = Reason::new(
                    RuleId::new("route/unknown_operation"),
                    Severity::Low,
                    "the api has no such path",
                );
                self.unknown(api, api.unknown.paths, reason, Denial::NotFound.into())
            }
            Routed::NoApi => {
                self.remark(Reason::new(
                    RuleId::new("route/unknown_api"),
                    Severity::Low,
                    "no api is served at this host and path",
                ));
                Err(Denial::NotFound.into())
            }
        }
    }

    fn enter(&mut self, endpoint: &Arc<Endpoint>) {
        self.cx.operation = Some(Arc::clone(&endpoint.operation));
        self.endpoint = Some(Arc::clone(endpoint));
    }

    #[cold]
    fn unknown<'a>(
        &mut self,
        api: &'a ApiPlan,
        mode: Mode,
        mut reason: Reason,
        stop: Stop,
    ) -> Result<(&'a ApiPlan, &'a Arc<Endpoint>), Stop> {
        self.api = Some(Arc::clone(&api.name));
        match (mode, &api.unknown.endpoint) {
            (Mode::Block, _) | (Mode::Report | Mode::Off, None) => {
                self.remark(reason);
                Err(stop)
            }
            (Mode::Report, Some(endpoint)) => {
                reason.reported_only = true;
                self.remark(reason);
                self.enter(endpoint);
                Ok((api, endpoint))
            }
            (Mode::Off, Some(endpoint)) => {
                self.enter(endpoint);
                Ok((api, endpoint))
            }
        }
    }

    /// Answers a preflight by the methods that the path has.
    #[cold]
    fn preflight(&mut self, plan: &ListenerPlan, api: &ApiPlan) -> Stop {
        self.api = Some(Arc::clone(&api.name));
        let request = &self.cx.request;
        let mut answer = Response::new(Bytes::new());
        *answer.status_mut() = StatusCode::NO_CONTENT;
        let asked = request.headers.get(http::header::ACCESS_CONTROL_REQUEST_METHOD);
        let asked = asked.and_then(|value| Method::from_bytes(value.as_bytes()).ok());
        let known = asked.as_ref().is_some_and(|method| {
            matches!(plan.router.route(&request.host, method, &request.path), Routed::Operation(..))
        });
        let methods: SmallVec<[&str; 1]> = asked.iter().filter(|_| known).map(Method::as_str).collect();
        if let Some(cors) = &api.cors {
            cors.preflight(&request.headers, &methods, answer.headers_mut());
        }
        Stop::Answered(Box::new(answer))
    }

    #[cold]
    fn fault(&mut self, fault: target::Fault) -> Stop {
        let reason = fault.reason().at(Place::Path, excerpt(&self.cx.request.path));
        self.remark(reason);
        fault.denial().into()
    }
}

/// `Allow` for a path (RFC 9110 §10.2.1).
#[cold]
fn allow(api: &ApiPlan, methods: &[&str]) -> HeaderValue {
    let mut text = methods.join(", ");
    if methods.contains(&"GET") && !methods.contains(&"HEAD") && api.head == crate::plan::HeadPolicy::AsGet {
        text.push_str(", HEAD");
    }
    if api.options == OptionsPolicy::Answer && !methods.contains(&"OPTIONS") {
        text.push_str(", OPTIONS");
    }
    HeaderValue::from_maybe_shared(Bytes::from(text)).unwrap_or(HeaderValue::from_static(""))
}

/// As much of a text as a record needs.
pub(super) fn excerpt(text: &str) -> Box<str> {
    const BYTES_MAX: usize = 256;
    text.get(..text.floor_char_boundary(BYTES_MAX)).unwrap_or_default().into()
}
