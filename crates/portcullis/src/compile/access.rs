//! `auth:` and the specification's `security` → who may call an operation.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use portcullis_auth::authenticator::{Anonymous, Provider, Requirement};
use portcullis_config::model::{Api, Auth, Spec};
use portcullis_core::{principal::Mechanism, verdict::Place};
use portcullis_spec::{
    compiled::CompiledOperation,
    model::{ParameterLocation, SecurityRequirement, SecurityScheme},
};
use serde::Serialize;

use super::{identity::Providers, problem::Problem};

/// Who may call an operation, in words: for `explain` and `diff`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Access {
    /// Alternatives of which one must hold; each is all of these providers with their scopes.
    pub(crate) alternatives: Vec<BTreeMap<Arc<str>, Vec<Arc<str>>>>,
    /// Whether calls without any credential pass.
    pub(crate) anonymous: bool,
}

/// Who may call an operation, as the authenticator takes it.
pub(crate) struct Alternatives {
    pub(crate) alternatives: Vec<Vec<Requirement>>,
    pub(crate) anonymous: Anonymous,
}

impl Alternatives {
    /// The same in words.
    pub(crate) fn view(&self) -> Access {
        let words = |alternative: &Vec<Requirement>| {
            alternative.iter().map(|it| (Arc::clone(it.provider.name()), it.scopes.clone())).collect()
        };
        Access {
            alternatives: self.alternatives.iter().map(words).collect(),
            anonymous: self.anonymous == Anonymous::Allowed,
        }
    }

    /// Where credentials of this operation's callers are.
    pub(crate) fn places(&self) -> Vec<(Mechanism, Place)> {
        let providers = self.alternatives.iter().flatten().map(|it| &it.provider);
        providers.map(|it| (it.mechanism(), it.place())).collect()
    }

    /// Whether everybody passes without any check.
    pub(crate) fn everybody(&self) -> bool {
        self.alternatives.is_empty() && self.anonymous == Anonymous::Allowed
    }
}

/// Resolves who may call. `declared` is `None` for an API without a specification.
pub(crate) fn resolve(
    name: &str,
    api: &Api,
    auth: &Auth,
    declared: Option<(&CompiledOperation, &BTreeMap<String, SecurityScheme>)>,
    providers: &Providers,
) -> Result<Alternatives, Problem> {
    let named = |name: &str| providers.get(name).map(|it| Requirement::from(Arc::clone(it)));
    match auth {
        Auth::Anonymous => Ok(Alternatives { alternatives: Vec::new(), anonymous: Anonymous::Allowed }),
        Auth::Any { of, or_anonymous } => Ok(Alternatives {
            // A provider that could not be built has its own problem already.
            alternatives: of.iter().filter_map(|it| named(it)).map(|it| vec![it]).collect(),
            anonymous: if *or_anonymous { Anonymous::Allowed } else { Anonymous::Refused },
        }),
        Auth::All { of } => Ok(Alternatives {
            alternatives: vec![of.iter().filter_map(|it| named(it)).collect()],
            anonymous: Anonymous::Refused,
        }),
        Auth::Spec => match declared {
            Some((operation, schemes)) => by_specification(name, api, operation, schemes, providers),
            None => Err(Problem::error(format!("api {name}"), "nobody said who may call")
                .hint("name a provider in `auth:`, or write `auth: anonymous` for everybody")),
        },
    }
}

/// Who may call what the specification does not declare: whoever is vouched for by one of those whom it asks for
/// elsewhere in the API. `/orders/` must not be open where `/orders` is not.
pub(crate) fn undeclared<'a>(
    declared: impl Iterator<Item = &'a Access>,
    providers: &Providers,
) -> Alternatives {
    let names: BTreeSet<&Arc<str>> =
        declared.flat_map(|it| &it.alternatives).flat_map(BTreeMap::keys).collect();
    let known = names.into_iter().filter_map(|name| providers.get(name));
    let alternatives: Vec<_> = known.map(|it| vec![Requirement::from(Arc::clone(it))]).collect();
    let anonymous = if alternatives.is_empty() { Anonymous::Allowed } else { Anonymous::Refused };
    Alternatives { alternatives, anonymous }
}

fn by_specification(
    name: &str,
    api: &Api,
    operation: &CompiledOperation,
    schemes: &BTreeMap<String, SecurityScheme>,
    providers: &Providers,
) -> Result<Alternatives, Problem> {
    let subject = || format!("api {name}");
    if operation.security.is_empty() {
        let message = format!(
            "nobody said who may call `{}`: the specification has no `security` for it",
            operation.id
        );
        return Err(Problem::error(subject(), message)
            .at(place(api, operation))
            .hint("name a provider in `auth:`, or write `auth: anonymous` for everybody"));
    }
    let mut alternatives = Vec::new();
    let mut anonymous = Anonymous::Refused;
    for alternative in &operation.security {
        if alternative.is_empty() {
            anonymous = Anonymous::Allowed;
            continue;
        }
        let requirements: Result<Vec<_>, _> =
            alternative.iter().map(|it| requirement(api, it, schemes, providers)).collect();
        match requirements {
            Ok(requirements) => alternatives.push(requirements),
            Err((message, hint)) => {
                return Err(Problem::error(subject(), message).at(place(api, operation)).hint(hint));
            }
        }
    }
    Ok(Alternatives { alternatives, anonymous })
}

fn place(api: &Api, operation: &CompiledOperation) -> String {
    match &api.spec {
        Spec::File(path) => format!("{} {}", path.0.display(), operation.pointer),
        Spec::None => operation.pointer.clone(),
    }
}

fn requirement(
    api: &Api,
    written: &SecurityRequirement,
    schemes: &BTreeMap<String, SecurityScheme>,
    providers: &Providers,
) -> Result<Requirement, (String, String)> {
    let provider = provider(api, &written.scheme, schemes, providers)?;
    Ok(Requirement { provider, scopes: written.scopes.iter().map(|it| it.as_str().into()).collect() })
}

/// The provider that stands for a scheme: named by `schemes:`, of the same name, or the only one of its kind.
fn provider(
    api: &Api,
    scheme: &str,
    schemes: &BTreeMap<String, SecurityScheme>,
    providers: &Providers,
) -> Result<Arc<Provider>, (String, String)> {
    if let Some(name) = api.schemes.get(scheme) {
        let missing = || (format!("provider `{name}` cannot be used"), "mend the provider".to_owned());
        return providers.get(&**name).cloned().ok_or_else(missing);
    }
    if let Some(known) = providers.get(scheme) {
        return Ok(Arc::clone(known));
    }
    let Some(declared) = schemes.get(scheme) else {
        let message =
            format!("the specification asks for the security scheme `{scheme}` and does not define it");
        return Err((message, "mend the specification, or set `auth:`".to_owned()));
    };
    let mut fitting = providers.values().filter(|it| fits(declared, it));
    match (fitting.next(), fitting.next()) {
        (Some(only), None) => Ok(Arc::clone(only)),
        (Some(_), Some(_)) => {
            let message = format!("several providers could stand for the security scheme `{scheme}`");
            Err((message, format!("say which: `schemes: {{ {scheme}: PROVIDER }}`")))
        }
        (None, _) => {
            let message = format!("no provider stands for the security scheme `{scheme}`");
            Err((message, suggestion(scheme, declared)))
        }
    }
}

fn fits(declared: &SecurityScheme, provider: &Provider) -> bool {
    use portcullis_auth::mechanisms::api_key::KeyPlace;
    match (declared, provider) {
        (SecurityScheme::ApiKey { location: ParameterLocation::Header, name }, Provider::ApiKey(it)) => {
            matches!(it.key_place(), KeyPlace::Header(header) if header.as_str().eq_ignore_ascii_case(name))
        }
        (SecurityScheme::Http { scheme, .. }, Provider::ApiKey(it)) => {
            scheme == "bearer" && matches!(it.key_place(), KeyPlace::Bearer)
        }
        (SecurityScheme::Http { scheme, .. }, Provider::Basic(_)) => scheme == "basic",
        (SecurityScheme::Http { scheme, .. }, Provider::Jwt(_)) => scheme == "bearer",
        (SecurityScheme::OAuth2 { .. } | SecurityScheme::OpenIdConnect { .. }, Provider::Jwt(_)) => true,
        (SecurityScheme::MutualTls, Provider::Mtls(_)) => true,
        (
            SecurityScheme::ApiKey { .. }
            | SecurityScheme::Http { .. }
            | SecurityScheme::OAuth2 { .. }
            | SecurityScheme::OpenIdConnect { .. }
            | SecurityScheme::MutualTls,
            Provider::ApiKey(_) | Provider::Basic(_) | Provider::Jwt(_) | Provider::Mtls(_),
        ) => false,
    }
}

fn suggestion(scheme: &str, declared: &SecurityScheme) -> String {
    let provider = match declared {
        SecurityScheme::ApiKey { location: ParameterLocation::Header, name } => {
            format!("{{ api_keys: {{ header: {name} }} }}")
        }
        SecurityScheme::ApiKey { .. } => {
            return "keys in queries and cookies are not taken: set `auth:` to a provider of your own"
                .to_owned();
        }
        SecurityScheme::Http { scheme, .. } if scheme == "basic" => {
            "{ basic: { users: file:users.argon2 } }".to_owned()
        }
        SecurityScheme::Http { .. } | SecurityScheme::OAuth2 { .. } => {
            "{ oidc: https://login.example.com, audience: NAME }".to_owned()
        }
        SecurityScheme::OpenIdConnect { url } => {
            let issuer = url.trim_end_matches("/.well-known/openid-configuration");
            format!("{{ oidc: {issuer}, audience: NAME }}")
        }
        SecurityScheme::MutualTls => "{ mtls: {} }".to_owned(),
    };
    format!("add `identity: {{ providers: {{ {scheme}: {provider} }} }}`, or set `auth:`")
}
