//! What can only be seen when all is read: definitions nobody uses, settings that do not fit together.

use std::collections::BTreeSet;

use crate::{
    codes,
    diagnostic::Severity,
    model::{Api, Auth, ClientCertificateMode, Config, Provider, Settings},
    read::Reader,
    source::Span,
    yaml::Node,
};

pub(super) fn check(config: &Config, root: &Node, reader: &mut Reader<'_>) {
    if config.version != 1 {
        let span = key_span(root, &["version"]);
        reader.note(
            &codes::VERSION,
            span,
            format!("version {} of the language is not known", config.version),
        );
    }
    names(root, reader);
    auth(config, root, reader);
    client_certificates(config, root, reader);
    consumers(config, root, reader);
    // Behind a mistake a definition only seems unused.
    if !reader.diagnostics.iter().any(|it| it.severity() == Severity::Error) {
        unused(config, root, reader);
        nothing_served(config, root, reader);
    }
}

/// Ids of different providers are different people, whatever they are called.
fn consumers(config: &Config, root: &Node, reader: &mut Reader<'_>) {
    let of_keys = |provider: &Provider| matches!(provider, Provider::ApiKeys(_));
    // Every provider of API keys reads the one store.
    let mut issuers: Vec<_> =
        config.identity.providers.iter().filter(|(_, it)| !of_keys(it)).map(|(name, _)| name).collect();
    issuers.extend(config.identity.providers.iter().find(|(_, it)| of_keys(it)).map(|(name, _)| name));
    if issuers.len() < 2 {
        return;
    }
    let names: Vec<_> = issuers.iter().map(|it| format!("`{it}`")).collect();
    for (id, _) in config.consumers.iter().filter(|(_, it)| it.provider.is_none()) {
        let message = format!("`{id}` may be an id of {}, and it is not said of which", names.join(" or "));
        // A provider written in place has a path for its name, which nothing can refer to.
        let hint = match issuers.iter().find(|it| it.contains('.')) {
            None => "add `provider:` with one of them".to_owned(),
            Some(inline) => format!(
                "add `provider:` with one of them; move `{inline}` below `identity.providers` for a name of its own"
            ),
        };
        reader.advise(&codes::CONSUMER_OF_ANY, key_span(root, &["consumers", id]), message, hint);
    }
}

fn nothing_served(config: &Config, root: &Node, reader: &mut Reader<'_>) {
    if config.apis.is_empty() {
        let hint = "add one: `apis: { orders: { spec: openapi.yaml, upstream: \"http://127.0.0.1:9000\" } }`";
        let message = "no API is configured: every call would be answered with 404";
        reader.advise(&codes::NOTHING_SERVED, key_span(root, &["apis"]), message, hint);
    }
}

/// Names must be usable in paths, metrics and logs.
fn names(root: &Node, reader: &mut Reader<'_>) {
    for path in [&["listeners"][..], &["identity", "providers"], &["plans"], &["upstreams"], &["apis"]] {
        let entries =
            path.iter().try_fold(root, |node, key| node.key(key)).and_then(Node::map).unwrap_or_default();
        for entry in entries {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
            if entry.key.is_empty() || entry.key.len() > 64 || !entry.key.bytes().all(plain) {
                let message = "a name has 1 to 64 letters, digits, `_` and `-`";
                reader.note(&codes::BAD_VALUE, entry.key_span, message);
            }
        }
    }
}

/// Every API must say who may call, by itself or by its specification.
fn auth(config: &Config, root: &Node, reader: &mut Reader<'_>) {
    let open = config.defaults.auth.as_ref().is_some_and(|auth| auth.value == Auth::Anonymous);
    if open {
        let span = key_span(root, &["defaults", "auth"]);
        let message = "every API that says nothing is open to everybody";
        reader.advise(&codes::ANONYMOUS_DEFAULT, span, message, "say it at the API that is meant to be open");
    }
    let by_default = config.defaults.auth.as_ref().is_some_and(|auth| auth.value != Auth::Spec);
    for (name, api) in &config.apis {
        if api.spec == crate::model::Spec::None && api.settings.auth.is_none() && !by_default {
            let message = format!("without a specification `{name}` must say who may call");
            let hint = "add `auth:` with a provider, or `auth: anonymous`";
            reader.advise(&codes::MISSING_KEY, key_span(root, &["apis", name]), message, hint);
        }
    }
}

/// An `mtls` provider needs a listener that asks for certificates.
fn client_certificates(config: &Config, root: &Node, reader: &mut Reader<'_>) {
    for (name, provider) in &config.identity.providers {
        let Provider::Mtls(mtls) = provider else { continue };
        let asks = config.listeners.iter().any(|(listener, it)| {
            let meant = mtls.listener.as_ref().is_none_or(|only| only.0 == *listener);
            let mode = it.tls.on().map(|tls| tls.client_certificates.mode);
            meant && !matches!(mode, None | Some(ClientCertificateMode::Off))
        });
        if !asks {
            let message = format!("no listener asks for the client certificates that `{name}` needs");
            let hint =
                "set `tls: { client_certificates: { mode: optional, ca: file:/path } }` at the listener";
            let span = key_span(root, &["identity", "providers", name]);
            reader.advise(&codes::NO_CERTIFICATES, span, message, hint);
        }
    }
}

/// Definitions nobody refers to.
fn unused(config: &Config, root: &Node, reader: &mut Reader<'_>) {
    let mut providers = BTreeSet::new();
    let mut upstreams = BTreeSet::new();
    // With the specification's own security any provider may be meant.
    let mut any_provider = false;
    let mut note = |settings: &Settings| match settings.auth.as_ref().map(|auth| &auth.value) {
        Some(Auth::Any { of, .. } | Auth::All { of }) => providers.extend(of.iter().map(|it| it.0.clone())),
        Some(Auth::Spec) => any_provider = true,
        Some(Auth::Anonymous) | None => {}
    };
    note(&config.defaults);
    for api in config.apis.values() {
        let Api { settings, operations, upstream, .. } = api;
        note(settings);
        operations.0.values().for_each(|operation| note(&operation.settings));
        upstreams.insert(upstream.0.0.clone());
    }
    let said = |settings: &Settings| settings.auth.is_some();
    any_provider |= !said(&config.defaults) && config.apis.values().any(|api| !said(&api.settings));
    for api in config.apis.values() {
        providers.extend(api.schemes.values().map(|it| it.0.clone()));
    }
    providers.extend(config.consumers.values().filter_map(|it| it.provider.as_ref()).map(|it| it.0.clone()));
    if !any_provider {
        for name in config.identity.providers.keys().filter(|name| !providers.contains(*name)) {
            let span = key_span(root, &["identity", "providers", name]);
            reader.note(&codes::UNUSED, span, format!("the provider `{name}` is not used"));
        }
    }
    for name in config.upstreams.keys().filter(|name| !upstreams.contains(*name)) {
        let span = key_span(root, &["upstreams", name]);
        reader.note(&codes::UNUSED, span, format!("the upstream `{name}` is not used"));
    }
}

/// Where the last of some nested keys stands.
fn key_span(root: &Node, path: &[&str]) -> Span {
    let mut node = root;
    let mut span = root.span;
    for key in path {
        let Some(entry) = node.map().and_then(|entries| entries.iter().find(|entry| entry.key == *key))
        else {
            return span;
        };
        span = entry.key_span;
        node = &entry.value;
    }
    span
}
