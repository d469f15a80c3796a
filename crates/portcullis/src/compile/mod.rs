//! Configuration → plan. Pure but for reading the files that the configuration names: `check`, `explain`, `diff`
//! and the running gate use the same code, and nothing here binds, connects or changes what is in force.

pub(crate) mod access;
pub(crate) mod api;
mod chain;
mod exceptions;
pub(crate) mod firewall;
pub(crate) mod identity;
mod limits;
mod listeners;
pub(crate) mod problem;
pub(crate) mod spec_texts;
pub(crate) mod specs;
mod tls;
pub(crate) mod upstreams;

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use portcullis_auth::{
    internal_token::SigningKey,
    jose::refresh::Refresher,
    revocation::{RevocationList, Revocations},
};
use portcullis_config::{EffectiveSettings, Outside, model::Config};
use portcullis_core::{
    clock::{Clock, Entropy},
    ports::{Bans, Counters, Keys},
};
use portcullis_gateway::plan::{Endpoint, Plan};

use self::{
    identity::{SigningKeyRing, SigningKeysByName},
    problem::Problem,
    spec_texts::SpecTexts,
    specs::Specs,
    upstreams::Upstreams,
};

/// What the plan is built with: everything that outlives it.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) counters: Arc<dyn Counters>,
    pub(crate) bans: Arc<dyn Bans>,
    pub(crate) keys: Arc<dyn Keys>,
    pub(crate) revoked: Arc<RevocationList>,
    pub(crate) ring: Arc<SigningKeyRing>,
    pub(crate) refresher: Option<Arc<dyn Refresher>>,
    /// The gate's own key for telling upstreams who calls.
    pub(crate) identity_key: Arc<SigningKey>,
    /// Where the local certificate authority is kept; `None` where nothing may be written.
    pub(crate) data: Option<PathBuf>,
    pub(crate) threads: usize,
    /// What rules keep and are told.
    pub(crate) rules: firewall::RuleWorld,
}

/// A compiled configuration.
pub(crate) struct Compiled {
    /// What the data plane does.
    pub(crate) plan: Plan,
    /// Operations of every API, for `explain` and `diff`.
    pub(crate) apis: Arc<ApiViews>,
    /// Taken over by the next load where unchanged.
    pub(crate) upstreams: Upstreams,
    /// Taken over by the next load where unchanged.
    pub(crate) specs: Specs,
    /// Taken over by the next load where unchanged.
    pub(crate) engines: firewall::Engines,
    /// The rules of every operation, for `rules test`.
    pub(crate) books: firewall::Books,
    /// The texts of the specifications, for comparing them with those of the next load.
    pub(crate) sources: SpecTexts,
    /// Put in force together with the plan.
    pub(crate) revocations: Revocations,
    /// Put in force together with the plan.
    pub(crate) signing_keys: SigningKeysByName,
}

/// Operations of every API.
pub(crate) type ApiViews = BTreeMap<Arc<str>, ApiView>;

/// An API as compiled.
#[derive(Clone, Default)]
pub(crate) struct ApiView {
    /// Its operations.
    pub(crate) operations: Vec<OperationView>,
}

/// An operation as compiled.
#[derive(Clone)]
pub(crate) struct OperationView {
    /// What serves it.
    pub(crate) endpoint: Arc<Endpoint>,
    /// Its settings, each with the line it comes from.
    pub(crate) settings: Arc<EffectiveSettings>,
    /// Who may call, in words.
    pub(crate) access: access::Access,
}

/// Compiles a checked configuration. `Err` when anything forbids to put it in force; warnings are in both.
pub(crate) fn compile(
    config: &Config,
    outside: &dyn Outside,
    world: &World,
    before: Option<&Compiled>,
    generation: u64,
) -> (Option<Compiled>, Vec<Problem>) {
    let mut problems = Vec::new();
    let none = (Upstreams::new(), Specs::new());
    let (upstreams_before, specs_before) = before.map_or((&none.0, &none.1), |it| (&it.upstreams, &it.specs));

    let upstreams = upstreams::compile(
        &config.upstreams,
        upstreams_before,
        world.threads,
        outside,
        &*world.entropy,
        &mut problems,
    );
    let surroundings = identity::Surroundings {
        outside,
        clock: &*world.clock,
        entropy: &*world.entropy,
        keys: Arc::clone(&world.keys),
        revoked: Arc::clone(&world.revoked),
        ring: &world.ring,
        refresher: world.refresher.clone(),
    };
    let (providers, signing_keys) = identity::compile(&config.identity, &surroundings, &mut problems);
    let revocations = identity::revocations(&config.identity, outside, &mut problems);

    let no_engines = firewall::Engines::default();
    let engines_before = before.map_or(&no_engines, |it| &it.engines);
    let firewalls = firewall::Firewalls::new(config, outside, &world.rules, engines_before);
    let building = api::Building {
        config,
        outside,
        world,
        upstreams: &upstreams,
        providers: &providers,
        specs_before,
        firewalls: &firewalls,
    };
    let texts_before = before.map(|it| &it.sources);
    let (apis, specs, sources) = building.apis(texts_before, &mut problems);
    let (engines, books, found) = firewalls.into_engines();
    problems.extend(found);
    let listeners = listeners::compile(config, &apis, outside, world, &mut problems);
    if let Some(Err(error)) = config.admin.token.as_ref().map(|it| it.resolve(outside)) {
        // Fetched when the admin listener is bound; told here, so that `check` knows too.
        problems.push(problem::Problem::of("admin.token", &error));
    }
    for spec in specs.values() {
        spec.drop_source();
    }

    let refused = problems.iter().any(|it| it.severity == problem::Weight::Error);
    let compiled = (!refused).then(|| Compiled {
        plan: Plan { generation, listeners },
        apis: Arc::new(apis.into_iter().map(|(name, it)| (name, it.view)).collect()),
        engines,
        books,
        sources,
        upstreams,
        specs,
        revocations,
        signing_keys,
    });
    (compiled, problems)
}
