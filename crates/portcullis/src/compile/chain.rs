//! Settings of one operation → its endpoint: guards, transforms, bounds.

use std::sync::{Arc, LazyLock};

use http::{HeaderName, HeaderValue};
use portcullis_auth::{
    authenticator::{Authenticator, Provider},
    internal_token::{InternalTokenSettings, InternalTokens, SigningKey},
    mechanisms::api_key::KeyPlace,
};
use portcullis_config::{
    EffectiveSettings,
    model::{self, Api, Config, ErrorBodies, Fact, HeaderText, IdentityHeaders as WrittenIdentity, Switch},
    units::{LoginSubject, Origins as WrittenOrigins},
};
use portcullis_core::{
    chain::{Guard, Mode, Transform},
    context::Operation,
};
use portcullis_gateway::{
    cors::{Cors, Credentials, Origins},
    plan::{Endpoint, ErrorPolicy, HostPolicy, MakersMarks, PathRewrite, Timeouts, Upgrades},
    upstream::{CallOptions, Patience, RetryOverride, RetrySettings},
};
use portcullis_guards::{
    Authenticate, Authorize, Ban, ConfiguredHeaders, ConsumedCredentials, ConsumerProfile, ConsumerProfiles,
    Demand, Excepted, HeaderEdits, IdentityFact, IdentityForm, IdentityHeaders, LoginAttempts, LoginSettings,
    Moded, Parts, PasswordLane, PlaintextCredentials, RequestBody, RequestParameters, ResponseSchema,
};
use portcullis_spec::compiled::CompiledOperation;

use super::{access::Alternatives, api::Building, exceptions, limits, problem::Problem, upstreams};

/// Password hashes are worked out by a few threads at a time; argon2 takes tens of megabytes each.
static PASSWORDS: LazyLock<Arc<PasswordLane>> = LazyLock::new(|| Arc::new(PasswordLane::new(2, 64)));

/// An operation in the variants its settings ask for.
pub(crate) struct Declared {
    /// What is enforced.
    pub(crate) operation: Arc<CompiledOperation>,
    /// What is only reported, where that is more.
    pub(crate) reported: Option<Arc<CompiledOperation>>,
}

/// What an endpoint is built for.
pub(crate) struct Subject<'a> {
    pub(crate) name: &'a Arc<str>,
    pub(crate) api: &'a Api,
    pub(crate) operation: Operation,
    pub(crate) settings: &'a EffectiveSettings,
    pub(crate) declared: Option<&'a Declared>,
}

impl Subject<'_> {
    fn problem(&self, message: impl Into<String>) -> Problem {
        Problem::error(format!("api {}", self.name), message)
    }

    fn moded(&self, own: Mode, guard: Arc<dyn Guard>) -> Moded {
        (self.settings.mode_of(own), guard)
    }
}

/// Builds the endpoint of one operation.
pub(crate) fn endpoint(
    building: &Building<'_>,
    subject: &Subject<'_>,
    access: Alternatives,
) -> Result<Endpoint, Problem> {
    let (config, settings) = (building.config, subject.settings);
    let upstream_name = &subject.api.upstream.0.0;
    let missing = || subject.problem(format!("upstream `{upstream_name}` cannot be used"));
    let upstream = building.upstreams.get(upstream_name).ok_or_else(missing)?;
    let written = config.upstreams.get(upstream_name).ok_or_else(missing)?;

    let mut endpoint = Endpoint::new(subject.operation.clone(), Arc::clone(upstream));
    endpoint.chain = parts(building, subject, access)?.into_chain();
    endpoint.rewrite = PathRewrite {
        strip: if subject.api.strip_prefix { subject.api.path.0.len() } else { 0 },
        prepend: Box::default(),
    };
    endpoint.host = match &written.host {
        model::HostPolicy::Preserve => HostPolicy::Client,
        model::HostPolicy::Upstream => HostPolicy::Server,
        model::HostPolicy::Name(name) => HostPolicy::Fixed(
            HeaderValue::from_str(name)
                .map_err(|_| subject.problem(format!("`{name}` cannot be sent as `Host`")))?,
        ),
    };
    endpoint.body_bytes_max = settings.body_bytes_max.value;
    endpoint.response_body_bytes_max = settings.response_body_bytes_max.value;
    endpoint.timeouts = Timeouts::default();
    endpoint.call = CallOptions {
        response_head: settings.timeout_response.value.map_or(Patience::AsConfigured, Patience::For),
        total: settings.timeout_total.value.map_or(Patience::AsConfigured, Patience::For),
        ..CallOptions::default()
    };
    endpoint.retry = match &settings.retry.value {
        None => None,
        Some(Switch::Off) => Some(RetrySettings { attempts: 0, ..RetrySettings::default() }),
        Some(Switch::On(retry)) => Some(upstreams::retry(retry)),
    }
    .map(|it| Arc::new(RetryOverride::new(&it)));
    endpoint.errors = match settings.errors.value {
        ErrorBodies::Minimal => ErrorPolicy::Minimal,
        ErrorBodies::Pass => ErrorPolicy::Pass,
    };
    if settings.allow_server.value {
        endpoint.makers_marks = MakersMarks::Kept;
    }
    if settings.upgrade.value.contains(&model::Upgrade::Websocket) {
        endpoint.upgrades = Upgrades::WebSocket;
    }
    Ok(endpoint)
}

fn parts(building: &Building<'_>, subject: &Subject<'_>, access: Alternatives) -> Result<Parts, Problem> {
    let (config, world, settings) = (building.config, building.world, subject.settings);
    let exceptions = exceptions::of(subject)?;
    let excepted = |mode: Mode, guard: Arc<dyn Guard>| (mode, Excepted::wrap(guard, &exceptions));

    let mut parts = Parts::default();
    let key_fields: Vec<HeaderName> = building.providers.values().filter_map(|it| key_field(it)).collect();
    let open = config
        .listeners
        .iter()
        .filter(|(_, it)| it.plaintext_credentials == model::PlaintextCredentials::Allow);
    let open = open.map(|(name, _)| Arc::clone(name)).collect();
    let plaintext = PlaintextCredentials::new(key_fields, Vec::new()).allowed_at(open);
    parts.plaintext_credentials = Some(subject.moded(Mode::Block, Arc::new(plaintext)));
    parts.address_ban =
        Some(subject.moded(Mode::Block, Arc::new(Ban::of_addresses(Arc::clone(&world.bans)))));
    parts.principal_ban =
        Some(subject.moded(Mode::Block, Arc::new(Ban::of_principals(Arc::clone(&world.bans)))));

    let (early, late) = limits::of(config, subject, &world.counters);
    let block = settings.mode_of(Mode::Block);
    parts.early_limits = early.into_iter().map(|it| excepted(block, it)).collect();
    let passwords_checked_here =
        access.alternatives.iter().flatten().any(|it| matches!(&*it.provider, Provider::Basic(_)));
    if let (Some(written), true) = (&settings.login.value, passwords_checked_here) {
        // Behind authentication a spent guesser would still learn right from wrong.
        let by_address = LoginSettings { per_username: None, username: None, ..login(subject, written) };
        parts
            .early_limits
            .push(excepted(block, Arc::new(LoginAttempts::new(by_address, Arc::clone(&world.counters)))));
    }
    parts.limits = late.into_iter().map(|it| excepted(block, it)).collect();

    let places = access.places();
    if !access.everybody() {
        let authenticator = Authenticator::new(subject.name, access.alternatives, access.anonymous)
            .map_err(|error| Problem::of(format!("api {}", subject.name), &error))?;
        let guard = Authenticate::new(Arc::new(authenticator), Arc::clone(&PASSWORDS));
        parts.authenticate = Some((block, Arc::new(guard)));
        parts.consumer_profile = consumer_profiles(config).map(|it| (block, Arc::new(it) as _));
    }
    parts.authorize = demand(settings)
        .map(|it| subject.moded(Mode::Block, Arc::new(Authorize::new(it).with_places(places))));
    if let Some(declared) = subject.declared {
        specification(&mut parts, subject, declared, &exceptions);
    }
    building.firewalls.guard(&mut parts, subject, &exceptions);
    parts.login_attempts = settings.login.value.as_ref().map(|written| {
        let guard = LoginAttempts::new(login(subject, written), Arc::clone(&world.counters));
        excepted(block, Arc::new(guard))
    });
    parts.consumed_credentials = consumed_credentials(building, subject).map(|it| {
        let it = if passwords_checked_here { it.with_passwords() } else { it };
        Arc::new(it) as _
    });
    parts.identity_headers = identity_headers(building, subject)?.map(|it| Arc::new(it) as _);
    parts.configured_headers = configured_headers(building, subject)?;
    Ok(parts)
}

/// The guards that hold messages to the specification.
fn specification(
    parts: &mut Parts,
    subject: &Subject<'_>,
    declared: &Declared,
    exceptions: &portcullis_guards::Exceptions,
) {
    let settings = subject.settings;
    let mode = settings.mode_of(settings.schema_request.value);
    let reported = if mode == Mode::Off { Mode::Off } else { Mode::Report };
    let mut variants = vec![(mode, &declared.operation)];
    variants.extend(declared.reported.as_ref().map(|it| (reported, it)));
    for (mode, operation) in variants {
        let guard: Arc<dyn Guard> = Arc::new(RequestParameters::new(Arc::clone(operation)));
        parts.request_parameters.push((mode, Excepted::wrap(guard, exceptions)));
        if !settings.stream.value {
            let guard: Arc<dyn Guard> = Arc::new(RequestBody::new(Arc::clone(operation)));
            parts.request_body.push((mode, Excepted::wrap(guard, exceptions)));
        }
    }
    if !settings.stream.value {
        let guard: Arc<dyn Guard> = Arc::new(ResponseSchema::new(Arc::clone(&declared.operation)));
        let mode = settings.mode_of(settings.schema_response.value);
        parts.response_schema = Some((mode, Excepted::wrap(guard, exceptions)));
    }
}

fn demand(settings: &EffectiveSettings) -> Option<Demand> {
    if settings.deny.value {
        return Some(Demand::Nobody);
    }
    let (roles_any, scopes_all) = (settings.roles.value.clone(), settings.scopes.value.clone());
    (!roles_any.is_empty() || !scopes_all.is_empty()).then_some(Demand::Caller { roles_any, scopes_all })
}

fn consumer_profiles(config: &Config) -> Option<ConsumerProfiles> {
    let profiles = config.consumers.iter().map(|(id, written)| {
        let profile = ConsumerProfile {
            provider: written.provider.as_ref().map(|it| Arc::clone(&it.0)),
            plan: written.plan.as_ref().map(|it| Arc::clone(&it.0)),
            roles: written.roles.clone(),
            scopes: written.scopes.clone(),
            tenant: written.tenant.clone(),
        };
        (Arc::clone(id), profile)
    });
    let profiles = ConsumerProfiles::new(profiles.collect());
    (!profiles.is_empty()).then_some(profiles)
}

fn login(subject: &Subject<'_>, written: &model::Login) -> LoginSettings {
    let rate = |wanted| written.attempts.iter().find(|it| it.per == wanted).map(|it| it.rate);
    LoginSettings {
        name: format!("{}/{}", subject.name, subject.operation.id).into(),
        per_address: rate(LoginSubject::Ip),
        per_username: rate(LoginSubject::Username),
        username: written.username_field.as_ref().map(|it| (*it.0).into()),
        failure_statuses: written.failure.iter().filter_map(|it| u16::try_from(*it).ok()).collect(),
    }
}

fn key_field(provider: &Provider) -> Option<HeaderName> {
    match provider {
        Provider::ApiKey(it) => match it.key_place() {
            KeyPlace::Header(name) => Some(name.clone()),
            KeyPlace::Bearer | KeyPlace::Cookie(_) => None,
        },
        Provider::Basic(_) | Provider::Jwt(_) | Provider::Mtls(_) => None,
    }
}

/// Credentials end at the gate, unless nobody here checks them: then they are the upstream's own business.
fn consumed_credentials(building: &Building<'_>, subject: &Subject<'_>) -> Option<ConsumedCredentials> {
    if subject.settings.auth.value == model::Auth::Anonymous {
        return None;
    }
    let fields = building.providers.values().filter_map(|it| key_field(it)).collect();
    let prefixes = building.config.identity.providers.values().filter_map(|it| match it {
        model::Provider::ApiKeys(written) => Some(Arc::clone(&written.prefix)),
        model::Provider::Basic(_)
        | model::Provider::Mtls(_)
        | model::Provider::Oidc(_)
        | model::Provider::Jwt(_) => None,
    });
    Some(ConsumedCredentials::new(fields).with_key_prefixes(prefixes.collect()))
}

/// `None` where the upstream is not told who calls.
fn identity_headers(
    building: &Building<'_>,
    subject: &Subject<'_>,
) -> Result<Option<IdentityHeaders>, Problem> {
    let form = match &subject.settings.identity_headers.value {
        None => return Ok(None),
        Some(WrittenIdentity::Named(pairs)) => {
            IdentityForm::Fields(pairs.iter().map(|(name, it)| (name.clone(), fact(*it))).collect())
        }
        Some(WrittenIdentity::Jwt(written)) => {
            let key = signing_key(building, subject, written)?;
            let settings = InternalTokenSettings {
                issuer: Arc::clone(&written.issuer),
                audience: written.audience.clone().unwrap_or_else(|| Arc::clone(subject.name)),
                life: written.ttl,
            };
            let tokens = InternalTokens::new(key, settings)
                .map_err(|error| Problem::of(format!("api {}", subject.name), &error))?;
            IdentityForm::Token(written.header.clone(), Arc::new(tokens))
        }
    };
    Ok(Some(IdentityHeaders::new(form)))
}

fn signing_key(
    building: &Building<'_>,
    subject: &Subject<'_>,
    written: &model::IdentityJwt,
) -> Result<Arc<SigningKey>, Problem> {
    let Some(reference) = &written.key else {
        return Ok(Arc::clone(&building.world.identity_key));
    };
    let problem =
        |error: &dyn std::error::Error| Problem::of(format!("api {}: identity_headers", subject.name), error);
    let pem = reference.resolve(building.outside).map_err(|error| problem(&error))?;
    SigningKey::from_pem(pem.reveal()).map(Arc::new).map_err(|error| problem(&error))
}

const fn fact(written: Fact) -> IdentityFact {
    match written {
        Fact::Id => IdentityFact::Id,
        Fact::Tenant => IdentityFact::Tenant,
        Fact::Roles => IdentityFact::Roles,
        Fact::Scopes => IdentityFact::Scopes,
        Fact::Plan => IdentityFact::Plan,
        Fact::Provider => IdentityFact::Provider,
    }
}

/// The fields in which an API tells its upstream who calls: never taken from outside.
pub(crate) fn identity_fields(settings: &EffectiveSettings) -> Vec<HeaderName> {
    settings.identity_headers.value.as_ref().map(identity_names).unwrap_or_default()
}

/// The fields of one `identity_headers:`.
pub(crate) fn identity_names(written: &WrittenIdentity) -> Vec<HeaderName> {
    match written {
        WrittenIdentity::Named(pairs) => pairs.iter().map(|(name, _)| name.clone()).collect(),
        WrittenIdentity::Jwt(written) => vec![written.header.clone()],
    }
}

fn configured_headers(
    building: &Building<'_>,
    subject: &Subject<'_>,
) -> Result<Option<Arc<dyn Transform>>, Problem> {
    let edits = |written: &Option<model::HeaderEdit>| -> Result<HeaderEdits, Problem> {
        let Some(written) = written else { return Ok(HeaderEdits::default()) };
        let value = |text: &HeaderText| match text {
            HeaderText::Plain(value) => Ok(value.clone()),
            HeaderText::Reference(reference) => {
                let secret = reference.resolve(building.outside);
                let secret =
                    secret.map_err(|error| Problem::of(format!("api {}: headers", subject.name), &error))?;
                let mut value = HeaderValue::from_str(secret.reveal())
                    .map_err(|_| subject.problem(format!("{reference} cannot stand in a header field")))?;
                value.set_sensitive(true);
                Ok(value)
            }
        };
        let set: Result<Vec<_>, Problem> =
            written.set.0.iter().map(|(name, text)| value(text).map(|it| (name.clone(), it))).collect();
        Ok(HeaderEdits { remove: written.remove.clone(), set: set? })
    };
    let request = edits(&subject.settings.request_headers.value)?;
    let response = edits(&subject.settings.response_headers.value)?;
    if request.is_empty() && response.is_empty() {
        return Ok(None);
    }
    let transform = ConfiguredHeaders::new(request, response)
        .map_err(|error| Problem::of(format!("api {}: headers", subject.name), &error))?;
    Ok(Some(Arc::new(transform)))
}

/// `cors:` for the router.
pub(crate) fn cors(written: &model::Cors) -> Cors {
    let exposed: Vec<&str> = written.expose.iter().map(HeaderName::as_str).collect();
    Cors {
        origins: match &written.origins {
            WrittenOrigins::Any => Origins::Any,
            WrittenOrigins::List(origins) => {
                Origins::Listed(origins.iter().filter_map(|it| HeaderValue::from_str(it).ok()).collect())
            }
        },
        headers: written.headers.clone().into(),
        exposed: (!exposed.is_empty()).then(|| HeaderValue::from_str(&exposed.join(", ")).ok()).flatten(),
        credentials: if written.credentials { Credentials::Include } else { Credentials::Omit },
        max_age_secs: u32::try_from(written.max_age.as_secs()).unwrap_or(u32::MAX),
    }
}
