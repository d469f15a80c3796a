//! The three levels resolved: what holds for one operation, and which line says so.

use std::{fmt, sync::Arc, time::Duration};

use portcullis_core::chain::Mode;

use crate::{
    model::{
        Api, AttackClass, Auth, Beyond, Config, Cors, ErrorBodies, HeadPolicy, HeaderEdit, IdentityHeaders,
        Login, OptionsPolicy, Paranoia, Retry, RuleSource, Settings, Switch, Upgrade,
    },
    read::Located,
    source::Origin,
    units::{Limit, OperationKey},
};

/// A value and where it comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct Effective<T> {
    /// The value that holds.
    pub value: T,
    /// The level that says so.
    pub level: Level,
    /// The line that says so; `None` for a built-in default.
    pub origin: Option<Origin>,
}

/// The level that a setting comes from, weakest first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Nobody said anything.
    BuiltIn,
    /// `defaults`.
    Defaults,
    /// The API.
    Api,
    /// The entry of this key in the API's `operations`.
    Operation(OperationKey),
}

/// The names of one operation, as the specification gives them.
#[derive(Clone, Copy, Debug)]
pub struct OperationNames<'a> {
    /// The `operationId`.
    pub id: Option<&'a str>,
    /// The method, upper case.
    pub method: &'a str,
    /// The path template as the specification writes it, without base path or prefix.
    pub path: &'a str,
    /// The tags.
    pub tags: &'a [&'a str],
}

/// Everything that holds for one operation.
#[derive(Clone, Debug, PartialEq)]
pub struct EffectiveSettings {
    /// Who may call.
    pub auth: Effective<Auth>,
    /// Roles of which the caller must have one; empty for no such demand.
    pub roles: Effective<Vec<Arc<str>>>,
    /// Scopes of which the caller must have all.
    pub scopes: Effective<Vec<Arc<str>>>,
    /// Limits. Count them over the level that set them: [`EffectiveSettings::limit_scope`] is a stable name.
    pub limit: Effective<Vec<Limit>>,
    /// Requests that do not conform.
    pub schema_request: Effective<Mode>,
    /// Answers that do not conform.
    pub schema_response: Effective<Mode>,
    /// Paths the specification does not know. Meaningful at an API's level.
    pub unknown_operations: Effective<Mode>,
    /// Methods the specification does not know. Meaningful at an API's level.
    pub unknown_methods: Effective<Mode>,
    /// Query parameters the specification does not know.
    pub unknown_parameters: Effective<Mode>,
    /// Body members the specification does not know.
    pub unknown_fields: Effective<Mode>,
    /// Attacks that the gate recognises by itself.
    pub attacks: Effective<Mode>,
    /// The sum of scores at which a call is an attack.
    pub attack_threshold: Effective<u64>,
    /// Classes of attack that are not looked for.
    pub attacks_ignored: Effective<Vec<AttackClass>>,
    /// Rules in the ModSecurity language.
    pub rules: Effective<Vec<RuleSource>>,
    /// What a rule's refusal does.
    pub rules_mode: Effective<Mode>,
    /// The paranoia level of the CRS.
    pub paranoia: Effective<Paranoia>,
    /// The anomaly score at which the CRS refuses a request.
    pub inbound_threshold: Effective<u64>,
    /// The anomaly score at which the CRS holds an answer back.
    pub outbound_threshold: Effective<u64>,
    /// How much of a request's body is looked at, in bytes.
    pub inspect_bytes_max: Effective<u64>,
    /// What becomes of a body beyond that.
    pub beyond: Effective<Beyond>,
    /// A request's body, in bytes.
    pub body_bytes_max: Effective<u64>,
    /// Levels of nesting in JSON.
    pub json_depth_max: Effective<u64>,
    /// Members and items in one JSON body.
    pub json_keys_max: Effective<u64>,
    /// Parts of a multipart body.
    pub parts_max: Effective<u64>,
    /// An answer's body where it is checked, in bytes.
    pub response_body_bytes_max: Effective<u64>,
    /// Calls from web pages of other origins; `None` for none.
    pub cors: Effective<Option<Cors>>,
    /// Header fields changed towards the upstream.
    pub request_headers: Effective<Option<HeaderEdit>>,
    /// Header fields changed towards clients.
    pub response_headers: Effective<Option<HeaderEdit>>,
    /// Whether `Server` and the like of the upstream reach clients.
    pub allow_server: Effective<bool>,
    /// What of the upstream's error bodies reaches clients.
    pub errors: Effective<ErrorBodies>,
    /// How the upstream is told who calls.
    pub identity_headers: Effective<Option<IdentityHeaders>>,
    /// For the head of the answer, in place of the upstream's own timeout.
    pub timeout_response: Effective<Option<Duration>>,
    /// For the whole exchange, in place of the upstream's own timeout.
    pub timeout_total: Effective<Option<Duration>>,
    /// Retries in place of the upstream's own policy; `Some(Switch::Off)` for none.
    pub retry: Effective<Option<Switch<Retry>>>,
    /// How HEAD is served.
    pub head: Effective<HeadPolicy>,
    /// How OPTIONS is served.
    pub options: Effective<OptionsPolicy>,
    /// All guards at once: see [`EffectiveSettings::mode_of`].
    pub mode: Effective<Mode>,
    /// Whether every call is refused.
    pub deny: Effective<bool>,
    /// Whether bodies pass through unseen.
    pub stream: Effective<bool>,
    /// Protocols a connection may be upgraded to.
    pub upgrade: Effective<Vec<Upgrade>>,
    /// Throttling of failed logins.
    pub login: Effective<Option<Login>>,
}

impl EffectiveSettings {
    /// The mode of a guard whose own mode is `own`: the overall mode can only weaken it.
    pub fn mode_of(&self, own: Mode) -> Mode {
        match (self.mode.value, own) {
            (Mode::Off, _) | (_, Mode::Off) => Mode::Off,
            (Mode::Report, _) | (_, Mode::Report) => Mode::Report,
            (Mode::Block, Mode::Block) => Mode::Block,
        }
    }

    /// The stable name under which this operation's limits are counted: those of `defaults` and of the API once for
    /// the whole API, those of an operation (or tag) for that.
    pub fn limit_scope(&self, api: &str) -> String {
        match &self.limit.level {
            Level::BuiltIn | Level::Defaults | Level::Api => api.to_owned(),
            Level::Operation(key) => format!("{api}/{key}"),
        }
    }
}

/// Resolves the levels for one operation of an API. An operation may be named by several keys; then its
/// `operationId` outweighs its `METHOD /path`, and that its tags, of which the last written in the specification wins.
pub fn effective(config: &Config, api: &Api, operation: &OperationNames<'_>) -> EffectiveSettings {
    let entry = |key: OperationKey| {
        let found = api.operations.0.get(&key)?;
        Some((Level::Operation(key), &found.settings))
    };
    let mut levels: Vec<(Level, &Settings)> = Vec::with_capacity(3);
    if !api.operations.0.is_empty() {
        levels.extend(operation.id.and_then(|id| entry(OperationKey::Id(id.into()))));
        levels.extend(entry(OperationKey::Route(operation.method.into(), operation.path.into())));
        levels.extend(operation.tags.iter().rev().filter_map(|tag| entry(OperationKey::Tag((*tag).into()))));
    }
    levels.push((Level::Api, &api.settings));
    levels.push((Level::Defaults, &config.defaults));
    resolve(&levels)
}

/// Resolves the levels for what belongs to no operation: unknown paths of an API.
pub fn effective_api(config: &Config, api: &Api) -> EffectiveSettings {
    resolve(&[(Level::Api, &api.settings), (Level::Defaults, &config.defaults)])
}

/// The first level, deepest first, that says something.
fn pick<T: Clone>(
    levels: &[(Level, &Settings)],
    said: impl Fn(&Settings) -> Option<&Located<T>>,
    built_in: T,
) -> Effective<T> {
    for (level, settings) in levels {
        if let Some(located) = said(settings) {
            let Located { value, origin } = located.clone();
            return Effective { value, level: level.clone(), origin: Some(origin) };
        }
    }
    Effective { value: built_in, level: Level::BuiltIn, origin: None }
}

impl<T> Effective<T> {
    /// The same place with another value.
    fn map<U>(self, change: impl FnOnce(T) -> U) -> Effective<U> {
        Effective { value: change(self.value), level: self.level, origin: self.origin }
    }
}

/// As [`pick`], for settings that have no built-in value.
fn pick_some<T: Clone>(
    levels: &[(Level, &Settings)],
    said: impl Fn(&Settings) -> Option<&Located<T>>,
) -> Effective<Option<T>> {
    for (level, settings) in levels {
        if let Some(located) = said(settings) {
            let Located { value, origin } = located.clone();
            return Effective { value: Some(value), level: level.clone(), origin: Some(origin) };
        }
    }
    Effective { value: None, level: Level::BuiltIn, origin: None }
}

fn switched<T>(it: Effective<Option<Switch<T>>>) -> Effective<Option<T>> {
    it.map(|switch| match switch {
        None | Some(Switch::Off) => None,
        Some(Switch::On(it)) => Some(it),
    })
}

fn resolve(levels: &[(Level, &Settings)]) -> EffectiveSettings {
    use crate::units::{Count, Size};
    const MIB: u64 = portcullis_core::units::MIB;
    EffectiveSettings {
        auth: pick(levels, |it| it.auth.as_ref(), Auth::Spec),
        roles: pick(levels, |it| it.roles.as_ref(), Vec::new()),
        scopes: pick(levels, |it| it.scopes.as_ref(), Vec::new()),
        limit: pick(levels, |it| it.limit.as_ref(), Vec::new()),
        schema_request: pick(levels, |it| it.schema.request.as_ref(), Mode::Block),
        schema_response: pick(levels, |it| it.schema.response.as_ref(), Mode::Report),
        unknown_operations: pick(levels, |it| it.schema.unknown_operations.as_ref(), Mode::Block),
        unknown_methods: pick(levels, |it| it.schema.unknown_methods.as_ref(), Mode::Block),
        unknown_parameters: pick(levels, |it| it.schema.unknown_parameters.as_ref(), Mode::Block),
        unknown_fields: pick(levels, |it| it.schema.unknown_fields.as_ref(), Mode::Off),
        attacks: pick(levels, |it| it.firewall.attacks.as_ref(), Mode::Block),
        attack_threshold: pick(levels, |it| it.firewall.threshold.as_ref(), Count(10)).map(|Count(it)| it),
        attacks_ignored: pick(levels, |it| it.firewall.ignore.as_ref(), Vec::new()),
        rules: pick(levels, |it| it.firewall.rules.as_ref(), Vec::new()),
        rules_mode: pick(levels, |it| it.firewall.rules_mode.as_ref(), Mode::Block),
        paranoia: pick(levels, |it| it.firewall.paranoia.as_ref(), Paranoia(1)),
        inbound_threshold: pick(levels, |it| it.firewall.inbound_threshold.as_ref(), Count(5))
            .map(|Count(it)| it),
        outbound_threshold: pick(levels, |it| it.firewall.outbound_threshold.as_ref(), Count(4))
            .map(|Count(it)| it),
        inspect_bytes_max: pick(levels, |it| it.firewall.inspect.as_ref(), Size(MIB)).map(|Size(it)| it),
        beyond: pick(levels, |it| it.firewall.beyond.as_ref(), Beyond::Refuse),
        body_bytes_max: pick(levels, |it| it.size.body.as_ref(), Size(MIB)).map(|Size(it)| it),
        json_depth_max: pick(levels, |it| it.size.json_depth.as_ref(), Count(64)).map(|Count(it)| it),
        json_keys_max: pick(levels, |it| it.size.json_keys.as_ref(), Count(100_000)).map(|Count(it)| it),
        parts_max: pick(levels, |it| it.size.parts.as_ref(), Count(100)).map(|Count(it)| it),
        response_body_bytes_max: pick(levels, |it| it.size.response_body.as_ref(), Size(8 * MIB))
            .map(|Size(it)| it),
        cors: switched(pick_some(levels, |it| it.cors.as_ref())),
        request_headers: pick_some(levels, |it| it.headers.request.as_ref()),
        response_headers: pick_some(levels, |it| it.headers.response.as_ref()),
        allow_server: pick(levels, |it| it.headers.allow_server.as_ref(), false),
        errors: pick(levels, |it| it.errors.as_ref(), ErrorBodies::Minimal),
        identity_headers: switched(pick_some(levels, |it| it.identity_headers.as_ref())),
        timeout_response: pick_some(levels, |it| it.timeout.response.as_ref()),
        timeout_total: pick_some(levels, |it| it.timeout.total.as_ref()),
        retry: pick_some(levels, |it| it.retry.as_ref()),
        head: pick(levels, |it| it.methods.head.as_ref(), HeadPolicy::Auto),
        options: pick(levels, |it| it.methods.options.as_ref(), OptionsPolicy::Auto),
        mode: pick(levels, |it| it.mode.as_ref(), Mode::Block),
        deny: pick(levels, |it| it.deny.as_ref(), false),
        stream: pick(levels, |it| it.stream.as_ref(), false),
        upgrade: pick(levels, |it| it.upgrade.as_ref(), Vec::new()),
        login: switched(pick_some(levels, |it| it.login.as_ref())),
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn => f.write_str("default"),
            Self::Defaults => f.write_str("defaults"),
            Self::Api => f.write_str("the API"),
            Self::Operation(key) => write!(f, "operations.{key}"),
        }
    }
}
