//! A running gate: everything that outlives a plan, and the plan's replacement.

mod control;
mod reload;

use std::{
    collections::BTreeSet,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::Context as _;
use portcullis_admin::LastReload;
use portcullis_auth::{
    internal_token::SigningKey,
    revocation::{RevocationList, Revocations},
};
use portcullis_config::{
    model::{self, Config},
    units::FilePath,
};
use portcullis_core::{
    clock::{Clock as _, Timestamp},
    ports::Keys,
};
use portcullis_events::{
    log::Policy,
    metrics::Metrics,
    record::{self, Tap, Writer},
    redact::Redactor,
    sign,
};
use portcullis_gateway::{Gateway, Options, plan::Plan};
use portcullis_store::{
    counters::{Capacity, ProcessCounters},
    keeper::{self, State},
    keys::KeyStore,
};

use crate::{
    commands::default_data_directory,
    compile::{
        Compiled, World,
        firewall::RuleWorld,
        identity::{SigningKeyRing, SigningKeysByName},
    },
    fetch,
    jwks::JwksFetcher,
    load::{self, Refused},
    outside::Remembering,
    system::{SystemClock, SystemEntropy},
};

/// How a gate is started.
pub(crate) struct Start {
    /// The configuration file.
    pub(crate) config: PathBuf,
    /// The disk.
    pub(crate) outside: Arc<Remembering>,
    /// The data directory, in place of the configuration's.
    pub(crate) data: Option<PathBuf>,
    /// Data threads.
    pub(crate) threads: NonZeroUsize,
    /// Where admin tasks, fetches and health checks run.
    pub(crate) runtime: tokio::runtime::Handle,
    /// Who looks at events after redaction.
    pub(crate) taps: Vec<Tap>,
}

/// A running gate.
pub(crate) struct Gate {
    config: PathBuf,
    outside: Arc<Remembering>,
    data: PathBuf,
    world: World,
    gateway: Gateway,
    keys: Arc<KeyStore>,
    writer: Arc<Writer>,
    metrics: Arc<Metrics>,
    counters: Arc<ProcessCounters>,
    /// Kept for its thread, which writes counters and bans to disk.
    keeper: keeper::Keeper,
    runtime: tokio::runtime::Handle,
    started: Timestamp,
    /// What only a start reads, as written: a reload that changes it must say that it has no effect.
    at_start: AtStart,
    state: Mutex<InForce>,
}

/// The settings that hold from start to end.
struct AtStart {
    admin: model::Admin,
    data: Option<FilePath>,
    record: model::Record,
}

impl AtStart {
    fn of(config: &Config) -> Self {
        Self { admin: config.admin.clone(), data: config.data.clone(), record: config.record.clone() }
    }

    /// The keys that are written differently now.
    fn changed(&self, config: &Config) -> Vec<&'static str> {
        let changes = [
            ("admin", self.admin != config.admin),
            ("data", self.data != config.data),
            ("record", self.record != config.record),
        ];
        changes.into_iter().filter(|(_, changed)| *changed).map(|(key, _)| key).collect()
    }
}

/// What a reload replaces.
struct InForce {
    generation: u64,
    config: Arc<Config>,
    compiled: Compiled,
    tls: BTreeSet<Arc<str>>,
    admin: Option<std::net::SocketAddr>,
    last_rejected: Option<String>,
    last_reload: Option<LastReload>,
    draining: bool,
}

/// What the start leaves to the caller.
pub(crate) struct Started {
    /// The gate.
    pub(crate) gate: Arc<Gate>,
    /// The configuration in force, for the admin listener.
    pub(crate) config: Config,
    /// Warnings, rendered.
    pub(crate) warnings: String,
}

impl Gate {
    /// Loads the configuration and begins to serve. `Err(Refused)` is in the error when the configuration is at fault.
    pub(crate) fn start(start: Start) -> anyhow::Result<Started> {
        let (clock, entropy) = (Arc::new(SystemClock), Arc::new(SystemEntropy));
        let now = clock.now();
        start.outside.begin();
        let loaded = load::read(&start.config, &*start.outside, now)?;
        let data = start.data.clone().or_else(|| loaded.config.data.as_ref().map(|it| it.0.clone()));
        let data = data.unwrap_or_else(default_data_directory);
        load::make_private(&data)?;

        let provider = load::api_key_provider(&loaded.config);
        let keys = Arc::new(KeyStore::open(&data, &provider).context("the key store cannot be opened")?);
        let State { counters, bans, keeper } =
            keeper::open(&data, Capacity::default(), Arc::clone(&clock) as _, &*entropy)
                .context("the state in the data directory cannot be opened")?;
        let ring = Arc::new(SigningKeyRing::default());
        let fetcher = Arc::new(JwksFetcher {
            ring: Arc::clone(&ring),
            runtime: start.runtime.clone(),
            clock: Arc::clone(&clock) as _,
            tls: fetch::tls(load::extra_authorities()?.as_deref())?,
        });
        let rules = RuleWorld::new(Arc::clone(&clock) as _, Arc::clone(&entropy) as _);
        let world = World {
            rules,
            clock: Arc::clone(&clock) as _,
            entropy: Arc::clone(&entropy) as _,
            counters: Arc::clone(&counters) as _,
            bans,
            keys: Arc::clone(&keys) as Arc<dyn Keys>,
            revoked: RevocationList::empty(),
            ring,
            refresher: Some(Arc::clone(&fetcher) as _),
            identity_key: Arc::new(identity_key(&data)?),
            data: Some(data.clone()),
            threads: start.threads.get(),
        };
        let compiled = load::compile(&loaded, &*start.outside, &world, None, 1)?;
        let metrics = Arc::new(Metrics::new());
        let writer = Arc::new(record(&data, &loaded.config, &metrics, start.taps)?);

        let options = Options {
            threads: start.threads,
            backlog: 1024,
            clock: Arc::clone(&clock) as _,
            entropy: Arc::clone(&entropy) as _,
            recorder: Arc::clone(&writer) as _,
        };
        let load::Loaded { config, warnings } = loaded;
        let Split { plan, compiled, revocations, signing_keys } = compiled.split();
        world.revoked.replace(revocations);
        world.ring.replace(signing_keys);
        let tls = with_tls(&plan);
        let gateway = Gateway::start(plan, options)?;
        for upstream in compiled.upstreams.values() {
            upstream.start_checks(&start.runtime);
        }
        start.runtime.spawn(fetcher.keep_fresh());
        metrics.config_loaded(1);

        let at_start = AtStart::of(&config);
        let state = InForce {
            generation: 1,
            config: Arc::new(config.clone()),
            compiled,
            tls,
            admin: None,
            last_rejected: None,
            last_reload: None,
            draining: false,
        };
        let gate = Arc::new(Self {
            config: start.config,
            outside: start.outside,
            data,
            world,
            gateway,
            keys,
            writer,
            metrics,
            counters,
            keeper,
            runtime: start.runtime,
            started: now,
            at_start,
            state: Mutex::new(state),
        });
        gate.register_values();
        gate.runtime.spawn(keep_keys(Arc::downgrade(&gate)));
        Ok(Started { gate, config, warnings })
    }

    /// The data directory.
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// The data plane.
    pub(crate) fn gateway(&self) -> &Gateway {
        &self.gateway
    }

    /// The key store.
    pub(crate) fn keys(&self) -> &KeyStore {
        &self.keys
    }

    /// Every file and folder that the configuration in force was read from.
    pub(crate) fn watched(&self) -> BTreeSet<PathBuf> {
        self.outside.asked()
    }

    /// Tells the status where the admin listener stands.
    pub(crate) fn admin_listens(&self, address: Option<std::net::SocketAddr>) {
        self.in_force().admin = address;
    }

    /// Stops accepting, lets calls end, then writes out what is left. How many connections were cut.
    pub(crate) async fn end(&self, grace: Duration) -> usize {
        self.in_force().draining = true;
        let cut = self.gateway.drain(grace).await;
        self.writer.close();
        self.keeper.flush();
        if let Err(error) = self.keys.flush_uses() {
            tracing::warn!(%error, "when keys were last used could not be written");
        }
        cut
    }

    fn in_force(&self) -> MutexGuard<'_, InForce> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Another process may have changed the keys; and when keys were used is written down now and then.
async fn keep_keys(gate: std::sync::Weak<Gate>) {
    let mut second = tokio::time::interval(Duration::from_secs(1));
    for seconds in 1u64.. {
        second.tick().await;
        let Some(gate) = gate.upgrade() else { return };
        let kept = tokio::task::spawn_blocking(move || {
            gate.keys.refresh()?;
            if seconds.is_multiple_of(60) { gate.keys.flush_uses().map(|_| ()) } else { Ok(()) }
        });
        if let Ok(Err(error)) = kept.await {
            tracing::warn!(%error, "the key store cannot be read; the keys known stay in force");
        }
    }
}

/// The key that signs what upstreams are told about callers; made at the first start.
fn identity_key(data: &Path) -> anyhow::Result<SigningKey> {
    let path = data.join("identity.key");
    match std::fs::read_to_string(&path) {
        Ok(pem) => SigningKey::from_pem(&pem).with_context(|| format!("`{}` is not usable", path.display())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let (key, pem) = load::new_identity_key()?;
            load::write_private(&path, pem.reveal().as_bytes())?;
            std::fs::write(data.join("identity.jwks.json"), key.jwks())?;
            Ok(key)
        }
        Err(error) => Err(error).with_context(|| format!("cannot read `{}`", path.display())),
    }
}

fn record(data: &Path, config: &Config, metrics: &Arc<Metrics>, taps: Vec<Tap>) -> anyhow::Result<Writer> {
    let directory = data.join("record");
    load::make_private(&directory)?;
    let key = sign::SigningKey::open(&directory, &SystemEntropy)
        .context("the record's signing key cannot be used")?;
    let policy = Policy {
        segment_bytes_max: config.record.rotate_size.0,
        segment_age_max: config.record.rotate_age,
        keep_files_max: Some(usize::try_from(config.record.keep.0).unwrap_or(usize::MAX)),
        ..Policy::default()
    };
    let redactor = Redactor::new(config.record.redact.iter().map(|it| &**it));
    let calls = match config.record.calls {
        model::RecordedCalls::All => record::Calls::All,
        model::RecordedCalls::Refused => record::Calls::Refused,
    };
    let options = record::Options { directory, policy, queue_max: 65_536, redactor, calls };
    Writer::start(options, key, Arc::new(SystemClock), Arc::clone(metrics), taps)
        .context("the record cannot be written (does another gate run with this data directory?)")
}

/// Whether an error of [`Gate::start`] is the configuration's fault.
pub(crate) fn is_refused(error: &anyhow::Error) -> bool {
    error.is::<Refused>()
}

/// Used by commands that compile without running.
pub(crate) fn detached_world(keys: Arc<dyn Keys>) -> anyhow::Result<World> {
    let entropy = Arc::new(SystemEntropy);
    Ok(World {
        rules: RuleWorld::new(Arc::new(SystemClock), Arc::clone(&entropy) as _),
        clock: Arc::new(SystemClock),
        counters: Arc::new(ProcessCounters::new(Capacity { rates_max: 1024, quotas_max: 1024 }, &*entropy)),
        bans: Arc::new(portcullis_store::bans::ProcessBans::default()),
        keys,
        revoked: RevocationList::empty(),
        ring: Arc::default(),
        refresher: None,
        identity_key: Arc::new(SigningKey::generate(&*entropy)?),
        entropy,
        data: None,
        threads: 1,
    })
}

/// The listeners that speak TLS.
fn with_tls(plan: &Plan) -> BTreeSet<Arc<str>> {
    plan.listeners.iter().filter(|(_, it)| it.tls.is_some()).map(|(name, _)| Arc::clone(name)).collect()
}

/// A compiled configuration taken apart: what goes into force, and what is kept for the next load.
struct Split {
    plan: Plan,
    compiled: Compiled,
    revocations: Revocations,
    signing_keys: SigningKeysByName,
}

impl Compiled {
    fn split(mut self) -> Split {
        let plan = std::mem::take(&mut self.plan);
        let revocations = std::mem::take(&mut self.revocations);
        let signing_keys = std::mem::take(&mut self.signing_keys);
        Split { plan, compiled: self, revocations, signing_keys }
    }
}
