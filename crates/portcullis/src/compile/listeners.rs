//! `listeners:` → listener plans, each with the router of the APIs served there.

use std::{collections::BTreeMap, sync::Arc};

use http::{HeaderName, HeaderValue};
use portcullis_config::{
    Outside, effective_api,
    model::{self, Config, Protocol},
};
use portcullis_gateway::{
    plan::{ListenerLimits, ListenerPlan, Protocols},
    router::{Router, RouterError},
};

use super::{
    World,
    api::BuiltApi,
    chain,
    problem::{Problem, Weight},
    tls,
};

/// Builds every listener.
pub(crate) fn compile(
    config: &Config,
    apis: &BTreeMap<Arc<str>, BuiltApi>,
    outside: &dyn Outside,
    world: &World,
    problems: &mut Vec<Problem>,
) -> BTreeMap<Arc<str>, Arc<ListenerPlan>> {
    let identity = identity_headers(config);
    let mut plans = BTreeMap::new();
    for (name, written) in &config.listeners {
        let served: Vec<&BuiltApi> =
            apis.values().filter(|it| it.listeners.is_empty() || it.listeners.contains(name)).collect();
        let Some(router) = router(name, &served, problems) else { continue };
        let tls = match tls::compile(name, written, outside, world) {
            Ok(tls) => tls,
            Err(found) => {
                problems.extend(found);
                continue;
            }
        };
        let plan = ListenerPlan {
            address: written.address.0,
            protocols: protocols(&written.protocols),
            tls,
            router,
            limits: limits(&written.limits),
            trusted_proxies: written.trusted_proxies.clone().into(),
            identity_headers: identity.clone().into(),
            hsts: written.hsts().and_then(|it| hsts(&it)),
        };
        plans.insert(Arc::clone(name), Arc::new(plan));
    }
    plans
}

/// The router of a listener. A path template that cannot be routed costs its own operation and nothing else.
fn router(name: &Arc<str>, served: &[&BuiltApi], problems: &mut Vec<Problem>) -> Option<Router> {
    let errors = match Router::new(served.iter().map(|it| it.plan(&[])).collect()) {
        Ok(router) => return Some(router),
        Err(errors) => errors,
    };
    let mut left_out = Vec::new();
    for error in &errors {
        let subject = format!("listener {name}");
        match error {
            RouterError::Template { api, template, .. } => {
                let mut problem = Problem::of(format!("api {api}"), error);
                problem.severity = Weight::Warning;
                problems.push(problem.hint("this operation is not served"));
                left_out.push((Arc::clone(api), Arc::clone(template)));
            }
            RouterError::Twice { .. } | RouterError::OutsidePrefix { .. } | RouterError::Host { .. } => {
                problems.push(Problem::of(subject, error));
            }
        }
    }
    if left_out.len() < errors.len() {
        return None;
    }
    match Router::new(served.iter().map(|it| it.plan(&left_out)).collect()) {
        Ok(router) => Some(router),
        Err(errors) => {
            problems.extend(errors.iter().map(|it| Problem::of(format!("listener {name}"), it)));
            None
        }
    }
}

/// Every field by which some upstream is told who calls: stripped from all requests, whatever API they are for.
fn identity_headers(config: &Config) -> Vec<HeaderName> {
    // The field that an upstream will look into once it is told anything must not be open before.
    let mut names = vec![HeaderName::from_static("x-portcullis-identity")];
    for api in config.apis.values() {
        names.extend(chain::identity_fields(&effective_api(config, api)));
        for operation in api.operations.0.values() {
            if let Some(model::Switch::On(written)) =
                operation.settings.identity_headers.as_ref().map(|it| &it.value)
            {
                names.extend(chain::identity_names(written));
            }
        }
    }
    names.sort_by(|a, b| a.as_str().cmp(b.as_str()));
    names.dedup();
    names
}

pub(crate) fn protocols(written: &[Protocol]) -> Protocols {
    match (written.contains(&Protocol::H1), written.contains(&Protocol::H2)) {
        (true, false) => Protocols::H1,
        (false, true) => Protocols::H2,
        (true, true) | (false, false) => Protocols::Both,
    }
}

fn limits(written: &model::ListenerLimits) -> ListenerLimits {
    let places = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
    let narrow = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
    ListenerLimits {
        connections_max: places(written.connections.0),
        connections_per_address_max: narrow(written.connections_per_ip.0),
        in_flight_max: places(written.requests_in_flight.0),
        head_bytes_max: places(written.header_bytes.0),
        headers_max: places(written.headers.0),
        streams_max: narrow(written.h2_streams.0),
        header_timeout: written.header_timeout,
        idle_timeout: written.idle_timeout,
        body_timeout: written.body_timeout,
        ..ListenerLimits::default()
    }
}

fn hsts(policy: &model::HstsPolicy) -> Option<HeaderValue> {
    let mut text = format!("max-age={}", policy.max_age.as_secs());
    if policy.include_subdomains {
        text.push_str("; includeSubDomains");
    }
    HeaderValue::from_str(&text).ok()
}
