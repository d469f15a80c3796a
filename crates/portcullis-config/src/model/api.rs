//! An API: a specification and an upstream.

use std::{collections::BTreeMap, sync::Arc};

use schemars::{Schema, SchemaGenerator};

use super::{
    auth::Auth, exception::Exception, operation::Operations, settings::Settings, upstream::Upstream,
};
use crate::{
    codes,
    read::{Fields, ListenerName, ProviderName, Read, Reader, UpstreamName, keys, text_schema, words},
    units::{FilePath, HostPattern, PathPrefix},
    yaml::Node,
};

keys! {
    /// An API: a specification and an upstream. What the specification does not know is refused.
    pub struct Api {
        /// The OpenAPI document (3.1, 3.0 or Swagger 2.0, JSON or YAML); `none` proxies every path below `path`.
        spec: Spec => "specs/orders.openapi.yaml";
        /// The hosts served; all when none are given.
        host: Vec<HostPattern> => "[api.example.com]";
        /// The path that all operations stand below.
        path: PathPrefix = "/";
        /// Whether `path` is taken off before forwarding.
        strip_prefix: bool = "false";
        /// Whether the base paths in the specification's `servers` are part of the paths clients see.
        servers: ApiServers = "use";
        /// The listeners it is served at; all when none are given.
        listener: Vec<ListenerName> => "[public]";
        /// Which provider stands for which security scheme of the specification, by the scheme's name, where the names
        /// differ.
        schemes: BTreeMap<Arc<str>, ProviderName> => "{ ApiKeyAuth: api_keys }";
        /// What does the work: the name of an upstream, or the URL of a server.
        upstream: ApiUpstream => "http://127.0.0.1:9000";
        /// Settings for single operations, by `operationId`, `METHOD /path` or `tag:NAME`.
        operations: Operations => "{ createOrder: { limit: 2/s per consumer }, \"tag:internal\": { deny: true } }";
        /// Rules that do not apply somewhere.
        except: Vec<Exception> => "[{ rule: schema/maxLength, field: /note, why: free text, until: 2027-03-01 }]";
        ..
        /// What can be set at every level.
        settings: Settings;
    }
    later LATER;
    check check;
}

/// Kinds of API, and keys of APIs, that belong to later work.
const LATER: &[&str] = &[
    "graphql",
    "grpc",
    "soap",
    "compose",
    "objects",
    "mask",
    "fields",
    "cache",
    "idempotency",
    "handoff",
    "step_up",
];

/// The specification of an API.
#[derive(Clone, Debug, PartialEq)]
pub enum Spec {
    /// There is none, by explicit word: every path below the API's is forwarded.
    None,
    /// An OpenAPI document.
    File(FilePath),
}

words! {
    /// What the specification's `servers` are good for.
    pub enum ApiServers {
        /// Their base paths are part of the paths that clients see and that are forwarded.
        Use = "use",
        /// They are ignored.
        Ignore = "ignore",
    }
}

/// What does the work of an API. A URL becomes an upstream of that name with all defaults.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiUpstream(pub UpstreamName);

impl Read for Spec {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        match node.scalar() {
            Some("none") => Some(Self::None),
            _ => FilePath::read(node, reader).map(Self::File),
        }
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        text_schema("a file, or `none`", None)
    }
}

impl Read for ApiUpstream {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let text = reader.scalar(node, "the name of an upstream or a URL")?;
        if !text.contains("://") {
            return UpstreamName::read(node, reader).map(Self);
        }
        let upstream = Upstream::of_url(node, reader)?;
        let name: String = text.to_owned();
        if !reader.inline_upstreams.iter().any(|(known, _)| *known == name) {
            reader.inline_upstreams.push((name.clone(), upstream));
        }
        Some(Self(UpstreamName(name.into())))
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        text_schema("the name of an upstream or a URL", None)
    }
}

fn check(api: &Api, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    let spec_auth = api.settings.auth.as_ref().is_some_and(|auth| auth.value == Auth::Spec);
    if api.spec == Spec::None && spec_auth {
        let message = "`auth: spec` needs a specification";
        let hint = "name a provider, or write `auth: anonymous`";
        reader.advise(&codes::CONFLICT, fields.place("auth"), message, hint);
    }
    if api.strip_prefix && api.path.0.is_empty() {
        let message = "`strip_prefix` has no effect without a `path`";
        reader.note(&codes::CONFLICT, fields.place("strip_prefix"), message);
    }
}
