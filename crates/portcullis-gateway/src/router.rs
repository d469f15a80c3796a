//! Which operation a request is: host, then path, then method, by the precedence of the Kubernetes Gateway API.
//!
//! The most exact host wins (exact, then the wildcard with most labels, then any), a path without parameters
//! before any other, then the API with the longest prefix, and within it literal segments before parameters.
//!
//! A path whose operation would be another one if it were read as some upstream may read it (see `reading`) has none:
//! the guards of the one would judge what the other serves.

mod reading;
mod segment;
mod template;
mod walk;

use std::{borrow::Cow, ops::Range, sync::Arc};

use hashbrown::HashMap;
use http::Method;
use smallvec::SmallVec;

use crate::{
    plan::{ApiPlan, Endpoint, HeadPolicy},
    target,
};
pub use template::TemplateError;
use template::Templates;
use walk::{Reading, Walk};

/// Path parameters by name, as ranges into the path routed.
pub type PathParameters = SmallVec<[(Arc<str>, Range<usize>); 4]>;

/// The routes of a listener.
#[derive(Default)]
pub struct Router {
    apis: Vec<Api>,
    exact: HashMap<Box<str>, Site>,
    /// By what follows `*.`; searched label by label from the left.
    wildcard: HashMap<Box<str>, Site>,
    any: Site,
}

/// The routes of one host name.
#[derive(Default)]
struct Site {
    /// Paths without parameters: indexes into [`Router::apis`].
    literal: HashMap<Box<str>, SmallVec<[usize; 1]>>,
    /// Indexes into [`Router::apis`], longest prefix first.
    apis: Vec<usize>,
    /// Whether an API has a path without parameters below the prefix of another one: it could be meant by what the
    /// other one takes.
    has_overlap: bool,
}

struct Api {
    plan: ApiPlan,
    /// The prefix as [`reading::folded`].
    folded_prefix: Box<str>,
    templates: Templates,
}

/// Where a request belongs.
pub enum Routed<'a> {
    /// An operation of an API.
    Operation(&'a ApiPlan, &'a Arc<Endpoint>, PathParameters),
    /// The API has the path, not the method; the methods it has, `HEAD` and `OPTIONS` not counted in.
    NoMethod(&'a ApiPlan, SmallVec<[&'a str; 8]>),
    /// The path belongs to the API, which does not know it.
    NoPath(&'a ApiPlan),
    /// No API has this host and path.
    NoApi,
}

/// A route that cannot be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RouterError {
    /// The template is not a path template.
    #[error("path template `{template}` of api `{api}` cannot be routed")]
    Template {
        /// The API's name.
        api: Arc<str>,
        /// The template.
        template: Arc<str>,
        /// What is wrong with it.
        source: TemplateError,
    },
    /// Two operations claim the same calls.
    #[error("`{method} {template}` of api `{api}` is routed twice: `{first}` and `{second}`")]
    Twice {
        /// The API's name.
        api: Arc<str>,
        /// The method.
        method: Arc<str>,
        /// The template.
        template: Arc<str>,
        /// The operation that was there.
        first: Arc<str>,
        /// The operation that came later.
        second: Arc<str>,
    },
    /// The template does not begin with the API's prefix.
    #[error("path template `{template}` does not begin with the path `{prefix}` of api `{api}`")]
    OutsidePrefix {
        /// The API's name.
        api: Arc<str>,
        /// The template.
        template: Arc<str>,
        /// The API's prefix.
        prefix: Box<str>,
    },
    /// The host is not a name, an address, or `*.` before a name.
    #[error("`{host}` of api `{api}` is not a host name (expected `api.example.com` or `*.example.com`)")]
    Host {
        /// The API's name.
        api: Arc<str>,
        /// The host as written.
        host: Box<str>,
    },
}

impl Router {
    /// Builds the tables; every mistake found is reported, not the first alone.
    pub fn new(plans: Vec<ApiPlan>) -> Result<Self, Vec<RouterError>> {
        let mut router = Self::default();
        let mut errors = Vec::new();
        for plan in plans {
            match Api::new(plan) {
                Ok(api) => router.apis.push(api),
                Err(mut some) => errors.append(&mut some),
            }
        }
        for (index, api) in router.apis.iter().enumerate() {
            if api.plan.hosts.is_empty() {
                router.any.add(index, api);
            }
            for host in &api.plan.hosts {
                let Some(host) = normalised_host(host) else {
                    errors.push(RouterError::Host { api: Arc::clone(&api.plan.name), host: host.clone() });
                    continue;
                };
                let site = match host.strip_prefix("*.") {
                    Some(parent) => router.wildcard.entry(Box::from(parent)).or_default(),
                    None => router.exact.entry(Box::from(&*host)).or_default(),
                };
                site.add(index, api);
            }
        }
        let apis = &router.apis;
        for site in router.exact.values_mut().chain(router.wildcard.values_mut()).chain([&mut router.any]) {
            site.apis.sort_by_key(|index| {
                std::cmp::Reverse(apis.get(*index).map_or(0, |api| api.plan.prefix.len()))
            });
            site.has_overlap = site.overlaps(apis);
        }
        if errors.is_empty() { Ok(router) } else { Err(errors) }
    }

    /// Finds the operation. `host` is lower case, with or without a port; `path` is the checked path.
    pub fn route<'a>(&'a self, host: &str, method: &Method, path: &str) -> Routed<'a> {
        let mut walk = Walk::new(path);
        let found = self.search(host, method, &mut walk);
        let Routed::Operation(api, endpoint, _) = &found else {
            return found;
        };
        if !walk.is_ambiguous {
            return found;
        }
        walk.reading = Reading::Forgiving;
        match self.search(host, method, &mut walk) {
            Routed::Operation(_, other, _) if Arc::ptr_eq(endpoint, other) => found,
            Routed::Operation(..) | Routed::NoMethod(..) | Routed::NoPath(_) | Routed::NoApi => {
                Routed::NoPath(api)
            }
        }
    }

    fn search<'a>(&'a self, host: &str, method: &Method, walk: &mut Walk<'_>) -> Routed<'a> {
        let host = without_port(host);
        let mut best = Routed::NoApi;
        if let Some(site) = self.exact.get(host)
            && let Some(found) = self.search_site(site, method, walk, &mut best)
        {
            return found;
        }
        if !self.wildcard.is_empty() {
            let mut rest = host;
            while let Some((_, parent)) = rest.split_once('.') {
                if let Some(site) = self.wildcard.get(parent)
                    && let Some(found) = self.search_site(site, method, walk, &mut best)
                {
                    return found;
                }
                rest = parent;
            }
        }
        self.search_site(&self.any, method, walk, &mut best).unwrap_or(best)
    }

    /// The APIs of this listener.
    pub fn apis(&self) -> impl Iterator<Item = &ApiPlan> {
        self.apis.iter().map(|api| &api.plan)
    }

    fn search_site<'a>(
        &'a self,
        site: &'a Site,
        method: &Method,
        walk: &mut Walk<'_>,
        best: &mut Routed<'a>,
    ) -> Option<Routed<'a>> {
        for index in site.literal.get(walk.path).into_iter().flatten() {
            let routed = self.apis.get(*index)?.route(method, walk);
            if let Routed::Operation(..) = routed {
                return Some(routed);
            }
        }
        match walk.reading {
            Reading::Written => walk.is_ambiguous = walk.is_ambiguous || site.has_overlap,
            Reading::Forgiving | Reading::ForgivingLiteral => {
                if let Some(found) = self.search_literals(site, method, walk) {
                    return Some(found);
                }
            }
        }
        let mut length = None;
        for api in site.apis.iter().filter_map(|index| self.apis.get(*index)) {
            let prefix = &*api.plan.prefix;
            if length.is_some_and(|length| length != prefix.len()) {
                break;
            }
            if !within(walk.path, prefix) {
                if !walk.is_within(&api.folded_prefix) {
                    continue;
                }
                if walk.reading == Reading::Written {
                    walk.is_ambiguous = true;
                    continue;
                }
            }
            length = Some(prefix.len());
            let routed = api.route(method, walk);
            if let Routed::Operation(..) = routed {
                return Some(routed);
            }
            keep_closer(best, routed);
        }
        None
    }

    /// A path without parameters goes before any other however it is read.
    fn search_literals<'a>(
        &'a self,
        site: &Site,
        method: &Method,
        walk: &mut Walk<'_>,
    ) -> Option<Routed<'a>> {
        walk.reading = Reading::ForgivingLiteral;
        let mut found = site.apis.iter().filter_map(|index| self.apis.get(*index)?.operation(method, walk));
        let found = found.next();
        walk.reading = Reading::Forgiving;
        found
    }
}

impl Site {
    fn add(&mut self, index: usize, api: &Api) {
        self.apis.push(index);
        for endpoint in &api.plan.endpoints {
            if let Some(literal) = template::literal(&endpoint.operation.template) {
                let indexes = self.literal.entry(literal.into()).or_default();
                if !indexes.contains(&index) {
                    indexes.push(index);
                }
            }
        }
    }

    fn overlaps(&self, apis: &[Api]) -> bool {
        let prefix = |index: &usize| apis.get(*index).map_or("", |api| &*api.folded_prefix);
        self.literal.iter().any(|(path, owners)| {
            let own = owners.iter().map(|it| prefix(it).len()).min().unwrap_or(0);
            let mut walk = Walk::new(path);
            self.apis.iter().map(prefix).any(|other| other.len() > own && walk.is_within(other))
        })
    }
}

impl Api {
    fn new(plan: ApiPlan) -> Result<Self, Vec<RouterError>> {
        let mut templates = Templates::default();
        let mut errors = Vec::new();
        for (index, endpoint) in plan.endpoints.iter().enumerate() {
            let operation = &endpoint.operation;
            let template = &operation.template;
            if !within(template, &plan.prefix) {
                errors.push(RouterError::OutsidePrefix {
                    api: Arc::clone(&plan.name),
                    template: Arc::clone(template),
                    prefix: plan.prefix.clone(),
                });
                continue;
            }
            match templates.add(template, &operation.method, index) {
                Ok(None) => {}
                Ok(Some(first)) => errors.push(RouterError::Twice {
                    api: Arc::clone(&plan.name),
                    method: Arc::clone(&operation.method),
                    template: Arc::clone(template),
                    first: plan
                        .endpoints
                        .get(first)
                        .map(|it| Arc::clone(&it.operation.id))
                        .unwrap_or_default(),
                    second: Arc::clone(&operation.id),
                }),
                Err(source) => errors.push(RouterError::Template {
                    api: Arc::clone(&plan.name),
                    template: Arc::clone(template),
                    source,
                }),
            }
        }
        let folded_prefix = reading::folded(&plan.prefix).into();
        if errors.is_empty() { Ok(Self { plan, folded_prefix, templates }) } else { Err(errors) }
    }

    fn operation(&self, method: &Method, walk: &mut Walk<'_>) -> Option<Routed<'_>> {
        let routed = self.route(method, walk);
        matches!(routed, Routed::Operation(..)).then_some(routed)
    }

    fn route(&self, method: &Method, walk: &mut Walk<'_>) -> Routed<'_> {
        let mut allowed: SmallVec<[&str; 8]> = SmallVec::new();
        let head_as_get = *method == Method::HEAD && self.plan.head == HeadPolicy::AsGet;
        let found = self.templates.find(walk, &mut |methods| {
            let index = methods.find(method.as_str());
            let index = index.or_else(|| if head_as_get { methods.find("GET") } else { None });
            if index.is_none() {
                for name in methods.names() {
                    if !allowed.contains(&name) {
                        allowed.push(name);
                    }
                }
            }
            index
        });
        let endpoint = found.and_then(|(leaf, index)| Some((leaf, self.plan.endpoints.get(index)?)));
        match endpoint {
            Some((names, endpoint)) => {
                let parameters = names.iter().cloned().zip(walk.values.drain(..)).collect();
                Routed::Operation(&self.plan, endpoint, parameters)
            }
            None if allowed.is_empty() => Routed::NoPath(&self.plan),
            None => Routed::NoMethod(&self.plan, allowed),
        }
    }
}

/// Keeps the miss that tells the client more.
fn keep_closer<'a>(best: &mut Routed<'a>, other: Routed<'a>) {
    let closeness = |routed: &Routed<'_>| match routed {
        Routed::NoApi => 0,
        Routed::NoPath(_) => 1,
        Routed::NoMethod(..) => 2,
        Routed::Operation(..) => 3,
    };
    if closeness(&other) > closeness(best) {
        *best = other;
    }
}

/// Whether the path is the prefix or lies below it, whole segments compared: `/v1` is not above `/v10`.
fn within(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || prefix.ends_with('/'))
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') && port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

/// A configured host in the form of [`target::check_host`].
fn normalised_host(host: &str) -> Option<String> {
    if let Some(parent) = host.strip_prefix("*.") {
        let parent = target::plain_host(parent).filter(|parent| !parent.starts_with('['))?;
        return Some(format!("*.{parent}"));
    }
    // In configuration an address needs no brackets, for no port follows it.
    let address = host.parse::<std::net::Ipv6Addr>().map(|address| format!("[{address}]"));
    address.ok().or_else(|| target::plain_host(host).map(Cow::into_owned))
}

#[cfg(test)]
mod tests;
