//! The rules that a configuration loads, as a list for people: what `portcullis rules list` shows.

use std::{collections::BTreeMap, sync::Arc};

use portcullis_config::{
    EffectiveSettings, OperationNames, Outside, effective, effective_api,
    model::{Api, Config, Exception},
    units::OperationKey,
};
use portcullis_seclang::{RuleOverview, diagnostic::Diagnostic};

use super::{EngineKey, exclusions, facts, rules_mode, texts::RuleTexts};
use crate::compile::problem::Problem;

/// What the sources that the gate itself adds are called.
const OWN: &str = "portcullis";

/// One set of rules, and who uses it.
pub(crate) struct Loadout {
    /// `shop`, or `shop createOrder` where an operation has settings of its own.
    pub(crate) users: Vec<String>,
    /// The APIs among them.
    apis: Vec<Arc<str>>,
    /// Its rules, but for those of the gate itself.
    pub(crate) rules: Vec<RuleOverview>,
    /// What the loader remarked.
    pub(crate) notes: Vec<Diagnostic>,
}

/// An exception of the configuration that speaks of a rule.
pub(crate) struct Exempted<'c> {
    /// The API that makes it.
    pub(crate) api: &'c str,
    /// What it says.
    pub(crate) exception: &'c Exception,
}

impl Loadout {
    /// The exceptions that speak of a rule, of the APIs that use this set.
    pub(crate) fn exceptions<'c>(&self, config: &'c Config, rule: &RuleOverview) -> Vec<Exempted<'c>> {
        let users = config.apis.iter().filter(|(name, _)| self.apis.contains(*name));
        let all = users.flat_map(|(name, api)| api.except.iter().map(move |it| (&**name, it)));
        let here = all.filter(|(_, exception)| {
            let what = exception.rule.strip_prefix("rules/");
            what.is_some_and(|what| exclusions::speaks_of(what, rule.id, &rule.tags))
        });
        here.map(|(api, exception)| Exempted { api, exception }).collect()
    }
}

/// A set of rules that is to be loaded.
struct Wanted {
    users: Vec<String>,
    apis: Vec<Arc<str>>,
    settings: EffectiveSettings,
}

/// Loads every set of rules of these APIs once. The problems are errors.
pub(crate) fn loadouts(
    config: &Config,
    only: Option<&str>,
    outside: &dyn Outside,
) -> Result<Vec<Loadout>, Vec<Problem>> {
    let mut sets: BTreeMap<EngineKey, Wanted> = BTreeMap::new();
    for (name, api) in config.apis.iter().filter(|(name, _)| only.is_none_or(|only| only == &***name)) {
        for (user, settings) in subjects(config, name, api) {
            if rules_mode(&settings).is_none() {
                continue;
            }
            let wanted = sets.entry(EngineKey::of(&settings)).or_insert_with(|| Wanted {
                users: Vec::new(),
                apis: Vec::new(),
                settings,
            });
            wanted.users.push(user);
            if !wanted.apis.contains(name) {
                wanted.apis.push(Arc::clone(name));
            }
        }
    }
    let mut problems = Vec::new();
    let exclusions = exclusions::text(config, &mut problems);
    let mut loadouts = Vec::new();
    for (key, Wanted { users, apis, settings }) in sets {
        let texts = RuleTexts::read(&settings.rules.value, &key, &exclusions, outside, &mut problems);
        match texts.map(|texts| texts.rules(outside)) {
            Some(Ok(set)) => {
                let rules = set.overview(facts::NAMES).into_iter().filter(|it| &*it.file != OWN).collect();
                loadouts.push(Loadout { users, apis, rules, notes: set.notes });
            }
            Some(Err(found)) => problems.extend(found),
            None => (),
        }
    }
    if problems.is_empty() { Ok(loadouts) } else { Err(problems) }
}

/// The API as a whole, and every operation that has other rules than it.
fn subjects(config: &Config, name: &str, api: &Api) -> Vec<(String, EffectiveSettings)> {
    let whole = effective_api(config, api);
    let key = (EngineKey::of(&whole), rules_mode(&whole).is_some());
    let operations = api.operations.0.keys().filter_map(|operation| {
        let settings = match operation {
            OperationKey::Id(id) => named(config, api, Some(id), ("", ""), &[]),
            OperationKey::Route(method, path) => named(config, api, None, (method, path), &[]),
            OperationKey::Tag(tag) => named(config, api, None, ("", ""), &[tag]),
        };
        let is_other = (EngineKey::of(&settings), rules_mode(&settings).is_some()) != key;
        is_other.then(|| (format!("{name} {operation}"), settings))
    });
    let operations: Vec<_> = operations.collect();
    [(name.to_owned(), whole)].into_iter().chain(operations).collect()
}

fn named(
    config: &Config,
    api: &Api,
    id: Option<&str>,
    (method, path): (&str, &str),
    tags: &[&str],
) -> EffectiveSettings {
    effective(config, api, &OperationNames { id, method, path, tags })
}
