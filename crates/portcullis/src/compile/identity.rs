//! `identity:` → providers that can vouch for callers. Key sets live outside the plan and survive a reload.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use portcullis_auth::{
    authenticator::Provider,
    jose::{
        algorithm::Algorithm,
        claims::{Audience, ClaimMap, ClaimPath},
        refresh::{CALL_INTERVAL_DEFAULT, JwksState, Refresher},
    },
    mechanisms::{
        api_key::{ApiKeyProvider, KeyPlace, KeyPrefix},
        basic::{BasicProvider, BasicSettings, Users},
        jwt::{JwtProvider, JwtSettings, TokenTypes},
        mtls::{CertificateField, MtlsProvider, MtlsSettings},
    },
    revocation::{RevocationList, Revocations},
};
use portcullis_config::{
    Outside,
    model::{self, KeySource},
    units,
};
use portcullis_core::{
    clock::{Clock, Entropy, Timestamp},
    ports::Keys,
};

use super::problem::Problem;

/// Providers by name.
pub(crate) type Providers = BTreeMap<Arc<str>, Arc<Provider>>;

/// Where a provider's signing keys are fetched from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum KeyOrigin {
    /// By OpenID Connect discovery from this issuer.
    Issuer(Arc<str>),
    /// From this URL.
    Url(Arc<str>),
}

/// The signing keys of one provider, kept across reloads.
#[derive(Clone)]
pub(crate) struct SigningKeys {
    pub(crate) origin: KeyOrigin,
    pub(crate) state: Arc<JwksState>,
    pub(crate) every: Duration,
    pub(crate) age_max: Duration,
}

impl SigningKeys {
    /// Whether there are keys, and not too old ones.
    pub(crate) fn are_believed(&self, now: Timestamp) -> bool {
        self.state.keys().is_some() && !self.state.is_older_than(self.age_max, now)
    }
}

/// Signing keys by provider, as a configuration has them.
pub(crate) type SigningKeysByName = BTreeMap<Arc<str>, SigningKeys>;

/// All signing keys in force. Shared by the plans and by what refreshes them.
#[derive(Default)]
pub(crate) struct SigningKeyRing(Mutex<SigningKeysByName>);

impl SigningKeyRing {
    /// Puts the keys of a configuration in force, once nothing else of it is refused: what refreshes keys must go on
    /// with those that the plan in force reads.
    pub(crate) fn replace(&self, keys: SigningKeysByName) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = keys;
    }

    /// The keys of one provider.
    pub(crate) fn find(&self, provider: &str) -> Option<SigningKeys> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(provider).cloned()
    }

    /// All of them.
    pub(crate) fn all(&self) -> Vec<SigningKeys> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }
}

/// What providers are built with.
pub(crate) struct Surroundings<'a> {
    pub(crate) outside: &'a dyn Outside,
    pub(crate) clock: &'a dyn Clock,
    pub(crate) entropy: &'a dyn Entropy,
    pub(crate) keys: Arc<dyn Keys>,
    pub(crate) revoked: Arc<RevocationList>,
    pub(crate) ring: &'a SigningKeyRing,
    pub(crate) refresher: Option<Arc<dyn Refresher>>,
}

/// Where signing keys are fetched from, and how often and how long.
struct Fetching {
    origin: KeyOrigin,
    every: Duration,
    age_max: Duration,
}

/// Builds every provider.
pub(crate) fn compile(
    written: &model::Identity,
    with: &Surroundings<'_>,
    problems: &mut Vec<Problem>,
) -> (Providers, SigningKeysByName) {
    let (mut providers, mut keys) = (Providers::new(), SigningKeysByName::new());
    for (name, written) in &written.providers {
        match provider(name, written, with, &mut keys) {
            Ok(provider) => {
                providers.insert(Arc::clone(name), Arc::new(provider));
            }
            Err(found) => problems.extend(found),
        }
    }
    (providers, keys)
}

/// The keys of a provider: those in force, or new ones when the provider is new or fetches from elsewhere now.
fn fetched(
    provider: &Arc<str>,
    fetching: Fetching,
    with: &Surroundings<'_>,
    keys: &mut SigningKeysByName,
) -> Arc<JwksState> {
    let Fetching { origin, every, age_max } = fetching;
    let known = with.ring.find(provider).filter(|it| it.origin == origin);
    let state =
        known.map_or_else(|| JwksState::new(Arc::clone(provider), CALL_INTERVAL_DEFAULT), |it| it.state);
    let kept = SigningKeys { origin, state: Arc::clone(&state), every, age_max };
    keys.insert(Arc::clone(provider), kept);
    state
}

/// Reads the revocation file, if there is one. It is put in force by the caller, once everything else is good.
pub(crate) fn revocations(
    written: &model::Identity,
    outside: &dyn Outside,
    problems: &mut Vec<Problem>,
) -> Revocations {
    let Some(path) = &written.revocations else {
        return Revocations::default();
    };
    let subject = "identity.revocations";
    match outside.read(&path.0) {
        Err(error) => {
            problems.push(Problem::error(subject, format!("cannot read `{}`: {error}", path.0.display())));
            Revocations::default()
        }
        Ok(text) => Revocations::parse(&text).unwrap_or_else(|errors| {
            let place = |line| format!("{}:{line}", path.0.display());
            problems.extend(errors.iter().map(|it| Problem::error(subject, it.what).at(place(it.line))));
            Revocations::default()
        }),
    }
}

fn provider(
    name: &Arc<str>,
    written: &model::Provider,
    with: &Surroundings<'_>,
    keys: &mut SigningKeysByName,
) -> Result<Provider, Vec<Problem>> {
    match written {
        model::Provider::ApiKeys(written) => api_keys(name, written, with),
        model::Provider::Basic(written) => basic(name, written, with),
        model::Provider::Mtls(written) => Ok(mtls(name, written)),
        model::Provider::Oidc(written) => {
            let issuer = Arc::clone(&written.oidc.written);
            let fetching = Fetching {
                origin: KeyOrigin::Issuer(Arc::clone(&issuer)),
                every: written.refresh,
                age_max: written.keys_max_age,
            };
            let state = fetched(name, fetching, with, keys);
            let settings = JwtSettings {
                algorithms: written.algorithms.iter().map(|it| algorithm(*it)).collect(),
                types: types(&written.typ),
                leeway: written.leeway.0,
                keys_age_max: Some(written.keys_max_age),
                map: claims(name, &written.map)?,
                ..JwtSettings::new(Arc::clone(name), &issuer, audience(&written.audience))
            };
            only_authorization(name, &written.header)?;
            let provider =
                JwtProvider::new(settings, state, with.refresher.clone(), Arc::clone(&with.revoked));
            Ok(Provider::Jwt(provider))
        }
        model::Provider::Jwt(written) => jwt(name, written, with, keys),
    }
}

fn jwt(
    name: &Arc<str>,
    written: &model::JwtProvider,
    with: &Surroundings<'_>,
    keys: &mut SigningKeysByName,
) -> Result<Provider, Vec<Problem>> {
    only_authorization(name, &written.header)?;
    let (state, refresher, keys_age_max) = match &written.jwks {
        KeySource::Url(url) => {
            let fetching = Fetching {
                origin: KeyOrigin::Url(Arc::clone(&url.written)),
                every: written.refresh,
                age_max: written.keys_max_age,
            };
            (fetched(name, fetching, with, keys), with.refresher.clone(), Some(written.keys_max_age))
        }
        KeySource::File(path) => {
            let text = read(name, &path.0, with.outside)?;
            let state = JwksState::new(Arc::clone(name), CALL_INTERVAL_DEFAULT);
            state
                .install(text.as_bytes(), with.clock.now())
                .map_err(|error| vec![Problem::of(subject(name), &error).at(path.0.display().to_string())])?;
            // A file is watched: what it says now is what holds now.
            (state, None, None)
        }
    };
    let settings = JwtSettings {
        algorithms: written.algorithms.iter().map(|it| algorithm(*it)).collect(),
        types: types(&written.typ),
        leeway: written.leeway.0,
        keys_age_max,
        map: claims(name, &written.map)?,
        ..JwtSettings::new(Arc::clone(name), &written.issuer, audience(&written.audience))
    };
    Ok(Provider::Jwt(JwtProvider::new(settings, state, refresher, Arc::clone(&with.revoked))))
}

fn api_keys(
    name: &Arc<str>,
    written: &model::ApiKeysProvider,
    with: &Surroundings<'_>,
) -> Result<Provider, Vec<Problem>> {
    let prefix = KeyPrefix::new(&written.prefix).map_err(|error| vec![Problem::of(subject(name), &error)])?;
    let place = if written.bearer { KeyPlace::Bearer } else { KeyPlace::Header(written.header.clone()) };
    Ok(Provider::ApiKey(ApiKeyProvider::new(Arc::clone(name), place, prefix, Arc::clone(&with.keys))))
}

fn basic(
    name: &Arc<str>,
    written: &model::BasicProvider,
    with: &Surroundings<'_>,
) -> Result<Provider, Vec<Problem>> {
    let text = read(name, &written.users.0, with.outside)?;
    let users = Users::parse(&text).map_err(|errors| {
        let path = written.users.0.display();
        errors.iter().map(|it| Problem::of(subject(name), it).at(path.to_string())).collect::<Vec<_>>()
    })?;
    let settings =
        BasicSettings { name: Arc::clone(name), remember: written.cache, plan: None, scopes: Vec::new() };
    Ok(Provider::Basic(BasicProvider::new(settings, users, with.entropy)))
}

fn mtls(name: &Arc<str>, written: &model::MtlsProvider) -> Provider {
    Provider::Mtls(MtlsProvider::new(MtlsSettings {
        name: Arc::clone(name),
        id: field(written.id),
        tenant: written.tenant.map(field),
        only: Vec::new(),
        roles: Vec::new(),
        scopes: Vec::new(),
        plan: None,
    }))
}

fn read(name: &str, path: &std::path::Path, outside: &dyn Outside) -> Result<String, Vec<Problem>> {
    outside.read(path).map_err(|error| {
        vec![Problem::error(subject(name), format!("cannot read `{}`: {error}", path.display()))]
    })
}

fn subject(name: &str) -> String {
    format!("provider {name}")
}

/// Tokens in other fields are refused until the gate can also strip and challenge them there.
fn only_authorization(name: &str, header: &http::HeaderName) -> Result<(), Vec<Problem>> {
    if header == http::header::AUTHORIZATION {
        return Ok(());
    }
    let message = format!("tokens in `{header}` are not supported yet; they come as `Authorization: Bearer`");
    Err(vec![Problem::error(subject(name), message)])
}

fn types(written: &[Arc<str>]) -> TokenTypes {
    let usual =
        written.len() == 2 && ["at+jwt", "JWT"].iter().all(|it| written.iter().any(|typ| &**typ == *it));
    if usual { TokenTypes::Usual } else { TokenTypes::Only(written.iter().map(|it| (**it).into()).collect()) }
}

fn audience(written: &[Arc<str>]) -> Audience {
    Audience::OneOf(written.iter().map(|it| (**it).into()).collect())
}

fn claims(name: &str, written: &model::ClaimMap) -> Result<ClaimMap, Vec<Problem>> {
    let path = |path: &units::ClaimPath| {
        let text = path.0.join(".");
        ClaimPath::new(&text)
            .ok_or_else(|| vec![Problem::error(subject(name), format!("`{text}` names no claim"))])
    };
    Ok(ClaimMap {
        id: path(&written.id)?,
        tenant: written.tenant.as_ref().map(path).transpose()?,
        roles: Some(path(&written.roles)?),
        scopes: path(&written.scopes)?,
        plan: written.plan.as_ref().map(path).transpose()?,
    })
}

const fn algorithm(written: model::Algorithm) -> Algorithm {
    match written {
        model::Algorithm::Rs256 => Algorithm::Rs256,
        model::Algorithm::Rs384 => Algorithm::Rs384,
        model::Algorithm::Rs512 => Algorithm::Rs512,
        model::Algorithm::Ps256 => Algorithm::Ps256,
        model::Algorithm::Ps384 => Algorithm::Ps384,
        model::Algorithm::Ps512 => Algorithm::Ps512,
        model::Algorithm::Es256 => Algorithm::Es256,
        model::Algorithm::Es384 => Algorithm::Es384,
        model::Algorithm::EdDsa => Algorithm::EdDsa,
    }
}

const fn field(written: model::CertificateField) -> CertificateField {
    match written {
        model::CertificateField::Subject => CertificateField::Subject,
        model::CertificateField::CommonName => CertificateField::CommonName,
        model::CertificateField::Organisation => CertificateField::Organisation,
        model::CertificateField::SanUri => CertificateField::SanUri,
        model::CertificateField::SanDns => CertificateField::SanDns,
        model::CertificateField::SanEmail => CertificateField::SanEmail,
        model::CertificateField::Fingerprint => CertificateField::Fingerprint,
    }
}
