//! `firewall:` → detectors and rule engines. What is alike is made once and shared: an engine holds megabytes.

mod exclusions;
mod facts;
mod files;
mod listing;
mod ports;
mod texts;

use std::{cell::RefCell, collections::BTreeMap, sync::Arc};

use portcullis_attacks::{Class, Inspector, Settings};
use portcullis_config::{
    EffectiveSettings, Outside,
    model::{self, AttackClass, Config, RuleSourceKind},
};
use portcullis_core::chain::{Guard, Mode, Phase};
use portcullis_guards::{
    AttackWatch, Attacks, Beyond, Excepted, Exceptions, Inspection, Opaque, Parts, RuleBook, Rules,
};
use portcullis_seclang::Engine;
use portcullis_spec::compiled::CompiledOperation;

use self::texts::{Made, RuleTexts};
pub(crate) use self::{
    listing::{Exempted, Loadout, loadouts},
    ports::RuleWorld,
};
use super::{chain::Subject, problem::Problem};

/// What one engine is made of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct EngineKey {
    sources: Vec<RuleSourceKind>,
    paranoia: u8,
    inbound_threshold: u64,
    outbound_threshold: u64,
}

/// An engine with what it was made from.
#[derive(Clone)]
struct Loaded {
    texts: Arc<RuleTexts>,
    made: Arc<Made>,
}

/// Engines by what they are made of, taken over by the next load where their texts are the same.
#[derive(Clone, Default)]
pub(crate) struct Engines(BTreeMap<EngineKey, Loaded>);

/// The rules of every operation that has any, by API and operation: what `rules test` judges by.
pub(crate) type Books = BTreeMap<(Arc<str>, Arc<str>), (Mode, Arc<RuleBook>)>;

/// Detectors by what is left out.
type Inspectors = BTreeMap<(Vec<AttackClass>, u64), Arc<Inspector>>;

/// What firewalls are built from, and what was built.
pub(crate) struct Firewalls<'a> {
    config: &'a Config,
    outside: &'a dyn Outside,
    world: &'a RuleWorld,
    before: &'a Engines,
    inspectors: RefCell<Inspectors>,
    /// `None` for what cannot be loaded, which was told once.
    engines: RefCell<BTreeMap<EngineKey, Option<Loaded>>>,
    books: RefCell<Books>,
    problems: RefCell<Vec<Problem>>,
}

impl EngineKey {
    fn of(settings: &EffectiveSettings) -> Self {
        Self {
            sources: settings.rules.value.iter().map(|it| it.kind.clone()).collect(),
            paranoia: settings.paranoia.value.0,
            inbound_threshold: settings.inbound_threshold.value,
            outbound_threshold: settings.outbound_threshold.value,
        }
    }
}

/// How an operation's rules refuse; `None` where it has none.
fn rules_mode(settings: &EffectiveSettings) -> Option<Mode> {
    let mode = settings.mode_of(settings.rules_mode.value);
    (!settings.rules.value.is_empty() && mode != Mode::Off).then_some(mode)
}

impl<'a> Firewalls<'a> {
    pub(crate) fn new(
        config: &'a Config,
        outside: &'a dyn Outside,
        world: &'a RuleWorld,
        before: &'a Engines,
    ) -> Self {
        Self {
            config,
            outside,
            world,
            before,
            inspectors: RefCell::default(),
            engines: RefCell::default(),
            books: RefCell::default(),
            problems: RefCell::default(),
        }
    }

    /// What was built, and what was wrong with it.
    pub(crate) fn into_engines(self) -> (Engines, Books, Vec<Problem>) {
        let engines = self.engines.into_inner().into_iter();
        let engines = engines.filter_map(|(key, loaded)| loaded.map(|loaded| (key, loaded)));
        (Engines(engines.collect()), self.books.into_inner(), self.problems.into_inner())
    }

    /// Adds the firewall of one operation.
    pub(crate) fn guard(&self, parts: &mut Parts, subject: &Subject<'_>, exceptions: &Exceptions) {
        let settings = subject.settings;
        let inspection = inspection(subject);
        let attacks = settings.mode_of(settings.attacks.value);
        if attacks != Mode::Off {
            let watch = Arc::new(AttackWatch {
                inspector: self.inspector(settings),
                threshold: u32::try_from(settings.attack_threshold.value).unwrap_or(u32::MAX),
                proof: proof(subject, exceptions),
                exceptions: exceptions.clone(),
                inspection,
            });
            parts.attacks_in_head = Some((attacks, Arc::new(Attacks::in_head(Arc::clone(&watch)))));
            if !settings.stream.value {
                let guard: Arc<dyn Guard> = Arc::new(Attacks::in_body(watch));
                parts.attacks_in_body = Some((attacks, Excepted::wrap(guard, exceptions)));
            }
        }
        let Some((mode, book)) = self.book(subject) else { return };
        let guard = |phase| -> Arc<dyn Guard> { Arc::new(Rules::new(Arc::clone(&book), phase)) };
        parts.rules_in_head = Some((mode, guard(Phase::RequestHead)));
        parts.rules_in_response = vec![(mode, guard(Phase::ResponseHead))];
        if !settings.stream.value {
            // Fields are left out by the engine, which sees all of them; a reason names only a few.
            let exceptions = exceptions.everywhere();
            parts.rules_in_body = Some((mode, Excepted::wrap(guard(Phase::RequestBody), &exceptions)));
            parts.rules_in_response.push((mode, guard(Phase::ResponseBody)));
        }
    }

    /// The rules as one operation uses them; `None` where it has none, or they cannot be loaded.
    pub(crate) fn book(&self, subject: &Subject<'_>) -> Option<(Mode, Arc<RuleBook>)> {
        let mode = rules_mode(subject.settings)?;
        let engine = self.engine(subject.settings)?;
        let facts = facts::of(subject, &exclusions::numbers(self.config, subject));
        let book = Arc::new(RuleBook { engine, facts, inspection: inspection(subject) });
        let key = (Arc::clone(&subject.operation.api), Arc::clone(&subject.operation.id));
        self.books.borrow_mut().insert(key, (mode, Arc::clone(&book)));
        Some((mode, book))
    }

    fn inspector(&self, settings: &EffectiveSettings) -> Arc<Inspector> {
        let key = (settings.attacks_ignored.value.clone(), settings.attack_threshold.value);
        let mut inspectors = self.inspectors.borrow_mut();
        let made = inspectors.entry(key).or_insert_with_key(|(ignored, threshold)| {
            Arc::new(Inspector::new(&Settings {
                threshold: u32::try_from(*threshold).unwrap_or(u32::MAX),
                off: ignored.iter().copied().map(class).collect(),
            }))
        });
        Arc::clone(made)
    }

    /// The engine for these settings; `None` when its rules cannot be loaded.
    fn engine(&self, settings: &EffectiveSettings) -> Option<Engine> {
        let key = EngineKey::of(settings);
        if let Some(known) = self.engines.borrow().get(&key) {
            return known.as_ref().map(|it| it.made.engine.clone());
        }
        let loaded = self.load(&key, settings);
        let engine = loaded.as_ref().map(|it| it.made.engine.clone());
        self.engines.borrow_mut().insert(key, loaded);
        engine
    }

    fn load(&self, key: &EngineKey, settings: &EffectiveSettings) -> Option<Loaded> {
        let mut problems = self.problems.borrow_mut();
        let exclusions = exclusions::text(self.config, &mut problems);
        let texts = RuleTexts::read(&settings.rules.value, key, &exclusions, self.outside, &mut problems)?;
        if let Some(before) = self.before.0.get(key)
            && *before.texts == texts
            && before.made.is_fresh(self.outside)
        {
            return Some(before.clone());
        }
        let (made, found) = texts.compile(self.world, self.outside);
        problems.extend(found);
        Some(Loaded { texts: Arc::new(texts), made: Arc::new(made?) })
    }
}

/// The operation whose schemas prove something: they must have been enforced without an exception.
fn proof(subject: &Subject<'_>, exceptions: &Exceptions) -> Option<Arc<CompiledOperation>> {
    let enforced = subject.settings.mode_of(subject.settings.schema_request.value) == Mode::Block;
    let declared = subject.declared.filter(|_| enforced && !exceptions.speak_of("schema/"));
    declared.map(|declared| Arc::clone(&declared.operation))
}

fn inspection(subject: &Subject<'_>) -> Inspection {
    let settings = subject.settings;
    Inspection {
        bytes_max: usize::try_from(settings.inspect_bytes_max.value).unwrap_or(usize::MAX),
        beyond: match settings.beyond.value {
            model::Beyond::Refuse => Beyond::Refuse,
            model::Beyond::Prefix => Beyond::Prefix,
            model::Beyond::SchemaOnly => Beyond::SchemaOnly,
        },
        opaque: if subject.declared.is_some() { Opaque::Streams } else { Opaque::Held },
    }
}

const fn class(written: AttackClass) -> Class {
    match written {
        AttackClass::Sql => Class::Sql,
        AttackClass::Nosql => Class::Nosql,
        AttackClass::Shell => Class::Shell,
        AttackClass::Script => Class::Script,
        AttackClass::Path => Class::Path,
        AttackClass::Template => Class::Template,
        AttackClass::Code => Class::Code,
        AttackClass::Deserialization => Class::Deserialization,
        AttackClass::Xxe => Class::Xxe,
        AttackClass::Ssrf => Class::Ssrf,
        AttackClass::Ldap => Class::Ldap,
        AttackClass::Xpath => Class::Xpath,
        AttackClass::Crlf => Class::Crlf,
        AttackClass::Prototype => Class::Prototype,
        AttackClass::Graphql => Class::Graphql,
        AttackClass::Fingerprint => Class::Fingerprint,
        AttackClass::Smuggling => Class::Smuggling,
    }
}
