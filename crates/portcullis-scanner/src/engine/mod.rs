//! The engine: sends for checks, learns for them, and keeps a scan within what the operator allows.
//!
//! `Engine::scan` is the one function to read.

pub mod discover;
pub mod hosts;
mod knowing;
mod log;
mod outcome;
mod pace;
mod people;
mod people_by_file;
mod transport;
mod trial;

use std::{path::PathBuf, sync::Arc, time::Duration};

use aws_lc_rs::digest;
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng as _};

pub use self::{
    hosts::{BadTarget, Base, permit},
    log::{BadDirectory, Log},
    outcome::{Coverage, ScanOutcome, TrialRecord, Unfinished},
    pace::Budget,
    transport::TransportLimits,
};
use self::{pace::Pace, transport::Transport, trial::Awaited};
use crate::{
    call::{ANONYMOUS, Call, IdentityId},
    check::{Check, Phase, Risk, Target},
    checks,
    identity::{Identity, Session, discover::Doors, file::AuthEntry},
    listener::Listener as Visits,
    model::{Model, slots::leaf_slots},
    script::Listener,
    wire::{self, Answer, Outcome, Received},
    world::{Bounds, Sample, World},
};

/// How a scan is run.
pub struct Options {
    /// Where requests go; judged by [`permit`] before.
    pub base: Base,
    /// The seed: the same against a target that answers the same gives the same requests.
    pub seed: u64,
    /// What it may spend.
    pub budget: Budget,
    /// What bounds one exchange.
    pub limits: TransportLimits,
    /// What checks may do.
    pub bounds: Bounds,
    /// Users from a file; empty: register some, if the API lets.
    pub users: Vec<AuthEntry>,
    /// Hosts besides the target that a login may go to.
    pub allowed: Vec<String>,
    /// The moment the scan begins, in seconds since 1970 (for one-time passwords).
    pub unix_now: u64,
    /// Header fields that every request carries.
    pub headers: Vec<(String, String)>,
    /// Only these checks; empty: all.
    pub only: Vec<String>,
    /// Not these checks.
    pub skip: Vec<String>,
    /// Only these operations, by id; empty: all are tried, all are learnt anyway.
    pub operations: Vec<String>,
    /// Certificates that are trusted; `None`: no TLS.
    pub tls: Option<Arc<rustls::ClientConfig>>,
    /// Where the log and the trials are kept; `None`: nowhere.
    pub directory: Option<PathBuf>,
    /// Go on with what the directory says is done.
    pub resume: bool,
    /// Operations of which so many in a hundred must be answered well, or the scan failed.
    pub coverage_min: u32,
}

/// What an observer is told while a scan runs.
#[derive(Clone, Debug)]
pub enum Progress {
    /// A part has begun.
    Part(&'static str),
    /// Of this many steps of the part so many are done.
    Step {
        /// Done.
        done: usize,
        /// Of.
        of: usize,
        /// What is being done.
        what: String,
        /// Requests sent so far.
        requests: u64,
    },
    /// Something was found.
    Found(Box<crate::finding::Finding>),
    /// Something that the operator should know.
    Note(String),
}

/// A scan under way.
pub struct Engine<'a> {
    options: Options,
    transport: Transport,
    pace: Pace,
    pub(crate) world: World,
    /// Users made for one trial each; their numbers follow those of the world's.
    clones: Vec<Identity>,
    doors: Doors,
    listener: Option<Visits>,
    /// Tokens that nobody had called when the trial looked.
    awaited: Vec<Awaited>,
    log: Log,
    chance: ChaCha8Rng,
    tell: &'a mut dyn FnMut(Progress),
    notes: Vec<String>,
    /// Users that were lost and could not be replaced: what follows means little.
    lost: Option<Unfinished>,
    /// Secrets that are in use no more, with the names that stand for them.
    retired: Vec<(String, String)>,
    /// What is running, for the log.
    label: String,
}

impl<'a> Engine<'a> {
    /// Makes ready; nothing is sent yet.
    ///
    /// # Errors
    /// The directory cannot be used.
    pub fn new(
        model: Model,
        options: Options,
        listener: Option<(Visits, Listener)>,
        tell: &'a mut dyn FnMut(Progress),
    ) -> Result<Self, BadDirectory> {
        let slots: Vec<_> = model.operations.iter().map(|operation| leaf_slots(&model, operation)).collect();
        let doors = crate::identity::discover::find(&model, &slots);
        let log = Log::open(options.directory.as_deref(), options.resume)?;
        let (listener, address) = listener.unzip();
        let world = World {
            good: vec![None; model.operations.len()],
            slots,
            identities: vec![Identity::anonymous()],
            listener: address,
            bounds: options.bounds,
            secure: options.base.secure,
            model,
            ..World::default()
        };
        Ok(Self {
            transport: Transport::new(options.base.clone(), options.limits, options.tls.clone()),
            pace: Pace::new(options.budget),
            chance: ChaCha8Rng::seed_from_u64(options.seed),
            world,
            clones: Vec::new(),
            doors,
            listener,
            awaited: Vec::new(),
            log,
            tell,
            notes: Vec::new(),
            lost: None,
            retired: Vec::new(),
            label: String::new(),
            options,
        })
    }

    /// The whole scan: identities, one good call an operation, then every check by phase.
    pub async fn scan(mut self) -> ScanOutcome {
        (self.tell)(Progress::Part("identities"));
        self.meet_people().await;
        (self.tell)(Progress::Part("learning"));
        self.learn().await;
        let unfinished = self.too_little();
        (self.tell)(Progress::Part("checks"));
        self.try_checks().await;
        self.late_hits().await;
        self.finish(unfinished)
    }

    /// Tries every check on its targets, phase by phase.
    async fn try_checks(&mut self) {
        let mut chosen: Vec<&'static dyn Check> =
            checks::ALL.iter().copied().filter(|it| self.wants(*it)).collect();
        chosen.sort_by_key(|check| check.info().phase);
        let mut planned = Vec::new();
        let mut phase = None;
        for (at, check) in chosen.iter().enumerate() {
            // Targets of a phase are known when it begins: passive checks want the samples of all others.
            if phase != Some(check.info().phase) {
                phase = Some(check.info().phase);
                planned.clear();
                for same in chosen.iter().skip(at).take_while(|it| Some(it.info().phase) == phase) {
                    planned.extend(self.targets(*same).into_iter().map(|target| (*same, target)));
                }
                let of = planned.len();
                for (done, (check, target)) in std::mem::take(&mut planned).into_iter().enumerate() {
                    if let Some(why) = self.pace.exhausted() {
                        self.note(format!("{why}: what follows was not tried"));
                        return;
                    }
                    let requests = self.pace.requests;
                    (self.tell)(Progress::Step { done, of, what: check.info().id.to_owned(), requests });
                    self.pace.expects_limits = check.info().phase == Phase::Flood;
                    self.try_one(check, &target).await;
                }
            }
        }
    }

    fn wants(&self, check: &dyn Check) -> bool {
        let info = check.info();
        let named = |list: &[String]| list.iter().any(|own| own == info.id);
        (self.options.only.is_empty() || named(&self.options.only))
            && !named(&self.options.skip)
            && (!self.options.bounds.read_only || info.risk != Risk::Intrusive)
    }

    fn targets(&self, check: &dyn Check) -> Vec<Target> {
        let wanted = |target: &Target| {
            self.options.operations.is_empty()
                || target
                    .operation
                    .and_then(|it| self.world.model.operation(it))
                    .is_some_and(|operation| self.options.operations.iter().any(|own| **own == *operation.id))
        };
        check.targets(&self.world).into_iter().filter(wanted).collect()
    }

    /// Sends one call and remembers it.
    async fn call(&mut self, call: &Call) -> Arc<Answer> {
        let request = match wire::compose(&self.world.model, call, &self.session(call.by)) {
            Ok(request) => Arc::new(self.dressed(request)),
            Err(why) => return Arc::new(not_sent(why.to_string())),
        };
        if let Some(why) = self.pace.exhausted() {
            return Arc::new(not_sent(why));
        }
        self.pace.turn().await;
        let received = self.transport.send(&request).await;
        self.received(call, request, received)
    }

    /// Sends calls at the same time.
    async fn call_together(&mut self, calls: &[Call]) -> Vec<Arc<Answer>> {
        let mut requests = Vec::with_capacity(calls.len());
        for call in calls {
            match wire::compose(&self.world.model, call, &self.session(call.by)) {
                Ok(request) => requests.push(Arc::new(self.dressed(request))),
                Err(why) => return calls.iter().map(|_| Arc::new(not_sent(why.to_string()))).collect(),
            }
        }
        for _ in calls {
            self.pace.turn().await;
        }
        let received = self.transport.send_together(&requests).await;
        calls
            .iter()
            .zip(requests)
            .zip(received)
            .map(|((call, request), got)| self.received(call, request, got))
            .collect()
    }

    fn received(&mut self, call: &Call, request: Arc<wire::Request>, received: Received) -> Arc<Answer> {
        let answer = Arc::new(wire::read(&self.world.model, call, request, received));
        self.pace.learn(&answer);
        let by = self.name_of(call.by);
        let mut secrets = self.secrets();
        // What a login gives is a secret before anybody has taken it.
        let given = answer.json.as_ref().and_then(crate::identity::token::find).map(|(_, token)| token);
        let cookies =
            crate::identity::token::cookies(&answer).map(|session| session.cookies).unwrap_or_default();
        for secret in given.into_iter().chain(cookies.into_iter().map(|(_, value)| value)) {
            if secret.len() >= SECRET_LENGTH_MIN {
                secrets.push((secret, "$GIVEN_TOKEN".to_owned()));
            }
        }
        self.log.write(&self.label, &by, &secrets, &answer);
        self.sample(call, &answer);
        answer
    }

    fn dressed(&self, mut request: wire::Request) -> wire::Request {
        for (name, value) in &self.options.headers {
            if !request.headers.iter().any(|(own, _)| own == name) {
                request.headers.push((name.clone(), value.clone()));
            }
        }
        if !request.headers.iter().any(|(own, _)| own == "user-agent") {
            request.headers.push((
                "user-agent".to_owned(),
                concat!("portcullis-scan/", env!("CARGO_PKG_VERSION")).to_owned(),
            ));
        }
        // Only plain operations stand behind the base path; bare requests name the whole path themselves.
        if !self.options.base.path.is_empty() && !request.target.starts_with(&self.options.base.path) {
            request.target.insert_str(0, &self.options.base.path);
        }
        request
    }

    fn sample(&mut self, call: &Call, answer: &Arc<Answer>) {
        const OF_ONE_OUTCOME_MAX: usize = 3;
        const ALL_MAX: usize = 4_096;
        if answer.outcome == Outcome::Unreached || self.world.samples.len() >= ALL_MAX {
            return;
        }
        let like = |sample: &&Sample| {
            sample.call.operation == call.operation && sample.answer.status == answer.status
        };
        if self.world.samples.iter().filter(like).count() < OF_ONE_OUTCOME_MAX {
            self.world.samples.push(Sample { call: call.clone(), answer: Arc::clone(answer) });
        }
    }

    fn session(&self, id: IdentityId) -> Session {
        self.identity(id).map(|identity| identity.session.clone()).unwrap_or_default()
    }

    fn identity(&self, id: IdentityId) -> Option<&Identity> {
        self.world.identities.iter().chain(&self.clones).find(|identity| identity.id == id)
    }

    fn name_of(&self, id: IdentityId) -> String {
        if id == ANONYMOUS {
            return "anonymous".to_owned();
        }
        self.identity(id).map(|identity| identity.name.clone()).unwrap_or_else(|| format!("user {}", id.0))
    }

    /// Every secret with the name that stands for it in logs and reports: tokens, and passwords of users from a file.
    fn secrets(&self) -> Vec<(String, String)> {
        let all = self.world.identities.iter().chain(&self.clones);
        all.flat_map(|identity| {
            let name = shouted(&identity.name);
            let password = identity.text("password").unwrap_or_default();
            let cookies = identity.session.cookies.iter().map(|(_, value)| value.as_str());
            std::iter::once(identity.session.secret.as_str())
                .chain(cookies)
                .map(|secret| (secret.to_owned(), format!("${name}_TOKEN")))
                .chain(std::iter::once((password.to_owned(), format!("${name}_PASSWORD"))))
                .collect::<Vec<_>>()
        })
        .chain(self.retired.iter().cloned())
        .filter(|(secret, _)| secret.len() >= SECRET_LENGTH_MIN)
        .collect()
    }

    /// A session that ends: its token may live on, so it stays masked.
    fn retire(&mut self, identity: &Identity) {
        const RETIRED_MAX: usize = 256;
        let secret = &identity.session.secret;
        if secret.len() >= SECRET_LENGTH_MIN && self.retired.len() < RETIRED_MAX {
            self.retired.push((secret.clone(), format!("${}_OLD_TOKEN", shouted(&identity.name))));
        }
    }

    fn note(&mut self, text: String) {
        if !self.notes.contains(&text) {
            (self.tell)(Progress::Note(text.clone()));
            self.notes.push(text);
        }
    }

    /// The seed of one trial: of the scan's, the check and the target.
    fn seed_of(&self, check: &str, target: &Target) -> [u8; 32] {
        let mut text = self.options.seed.to_be_bytes().to_vec();
        text.extend_from_slice(self.key_of(check, target).as_bytes());
        let mut seed = [0; 32];
        seed.copy_from_slice(digest::digest(&digest::SHA256, &text).as_ref());
        seed
    }

    /// What names a trial between scans.
    fn key_of(&self, check: &str, target: &Target) -> String {
        let operation = target.operation.and_then(|it| self.world.model.operation(it)).map(|it| &*it.id);
        let slot = target.slot.as_ref().map(ToString::to_string).unwrap_or_default();
        format!("{check}\n{}\n{slot}\n{}", operation.unwrap_or_default(), target.variant)
    }
}

/// Shorter texts are no secrets worth masking: they would be masked wherever they stand by chance.
const SECRET_LENGTH_MIN: usize = 6;

/// A name as that of a shell variable.
fn shouted(name: &str) -> String {
    name.chars().map(|it| if it.is_ascii_alphanumeric() { it.to_ascii_uppercase() } else { '_' }).collect()
}

/// How long the engine waits for a visitor of the listener: a target beside us calls back while it answers.
const VISIT_WAIT: Duration = Duration::from_millis(60);

fn not_sent(why: String) -> Answer {
    let request = wire::Request {
        method: String::new(),
        target: String::new(),
        headers: Vec::new(),
        body: bytes::Bytes::new(),
        http2: false,
    };
    Answer {
        request: Arc::new(request),
        status: 0,
        headers: Vec::new(),
        body: bytes::Bytes::new(),
        truncated: false,
        json: None,
        outcome: Outcome::Unreached,
        micros: 0,
        fault: Some(why),
    }
}
