//! Which operation's rules judge a request.

use std::sync::Arc;

use http::Method;
use portcullis_config::{model::Config, units::HostPattern};
use portcullis_core::chain::Mode;
use portcullis_ftw::front::Received;
use portcullis_gateway::{router::Routed, target};
use portcullis_guards::RuleBook;

use crate::compile::{Compiled, api::UNDECLARED};

/// The operations of one API, found as the gate finds them.
pub(super) struct Routing<'c> {
    compiled: &'c Compiled,
    api: &'c Arc<str>,
    /// A host that the API answers for: cases are written for any.
    host: String,
}

impl<'c> Routing<'c> {
    pub(super) fn new(compiled: &'c Compiled, config: &Config, api: &'c Arc<str>) -> Self {
        let host = config.apis.get(api).and_then(|it| it.host.first());
        let host = match host {
            Some(HostPattern::Exact(name)) => name.to_string(),
            Some(HostPattern::Under(name)) => format!("test.{name}"),
            None => "localhost".to_owned(),
        };
        Self { compiled, api, host }
    }

    /// The rules of the operation that takes the request, or of what no operation takes.
    pub(super) fn book(&self, request: &Received) -> Option<&'c (Mode, Arc<RuleBook>)> {
        let book = |operation: Arc<str>| self.compiled.books.get(&(Arc::clone(self.api), operation));
        match self.operation(request) {
            Some(operation) => book(operation),
            // An API without a specification has one operation alone.
            None => book(UNDECLARED.into()).or_else(|| book("*".into())),
        }
    }

    fn operation(&self, request: &Received) -> Option<Arc<str>> {
        let method = Method::from_bytes(&request.method).ok()?;
        let text = str::from_utf8(&request.target).ok()?;
        let path = target::check_path(text.split('?').next().unwrap_or_default()).ok()?;
        self.compiled.plan.listeners.values().find_map(|listener| {
            match listener.router.route(&self.host, &method, &path) {
                Routed::Operation(api, endpoint, _) if api.name == *self.api => {
                    Some(Arc::clone(&endpoint.operation.id))
                }
                _ => None,
            }
        })
    }
}
