//! Rules resolved and checked: what the engine compiles. Immutable once loaded.

use std::sync::Arc;

use crate::diagnostic::Diagnostic;
use crate::source::{FileId, Located, Place};
use crate::syntax::{
    AllowScope, Collection, CookieFormat, Ctl, EngineMode, LimitAction, Operator, Phase, SetVar, Severity,
    Target, Template, XmlIntoArgs,
};
use crate::transformations::{Transformation, UnicodeMap};

/// A whole rule set: settings, and per phase what runs in order.
#[derive(Debug, Clone)]
pub struct RuleSet {
    /// What the engine is told beside the rules.
    pub settings: Settings,
    /// Rules and markers of the five phases in order; see [`RuleSet::phase`].
    pub phases: [Vec<Entry>; 5],
    /// Names of the sources, by [`FileId`].
    pub files: Vec<Arc<str>>,
    /// Warnings and notes of the load.
    pub notes: Vec<Diagnostic>,
}

impl RuleSet {
    /// What runs in a phase, in order.
    #[must_use]
    pub fn phase(&self, phase: Phase) -> &[Entry] {
        let [one, two, three, four, five] = &self.phases;
        match phase {
            Phase::RequestHeaders => one,
            Phase::RequestBody => two,
            Phase::ResponseHeaders => three,
            Phase::ResponseBody => four,
            Phase::Logging => five,
        }
    }

    /// The chains of all phases, phase by phase.
    pub fn chains(&self) -> impl Iterator<Item = &Chain> {
        self.phases.iter().flatten().filter_map(|entry| match entry {
            Entry::Chain(chain) => Some(chain.as_ref()),
            Entry::Marker(_) => None,
        })
    }

    /// Name of a source, for diagnostics of later stages; empty for a number that is not of this load.
    #[must_use]
    pub fn file_name(&self, file: FileId) -> &str {
        self.files.get(file.0 as usize).map_or("", |name| name.as_ref())
    }
}

/// One step of a phase.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    /// A rule, with the rules chained to it.
    Chain(Box<Chain>),
    /// A place that `skipAfter` jumps to. A marker stands in every phase.
    Marker(Arc<[u8]>),
}

/// A rule and the rules chained to it: the effects of each link happen when it matches, the disruptive action when all do.
#[derive(Debug, Clone, PartialEq)]
pub struct Chain {
    /// Its number, unique within the set.
    pub id: u64,
    /// When it runs.
    pub phase: Phase,
    /// Where it is written.
    pub place: Place,
    /// What is told of it (the starter's own message is in its link).
    pub metadata: Metadata,
    /// What happens when all links match.
    pub disruption: Disruption,
    /// Status of a denial (403 unless said) or redirect (302).
    pub status: Option<u16>,
    /// Whether a match is logged.
    pub log: bool,
    /// Whether a match makes the transaction relevant to the audit log.
    pub audit_log: bool,
    /// Where to go on after a full match.
    pub skip: Option<Skip>,
    /// The starter and the rules chained to it; at least one.
    pub links: Vec<Link>,
}

/// What is told of a rule.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Metadata {
    /// `severity`.
    pub severity: Option<Severity>,
    /// `tag`, in order: of the phase's default, of the starter, of the rules chained to it.
    pub tags: Vec<Template>,
    /// `rev`.
    pub rev: Option<Box<[u8]>>,
    /// `ver`.
    pub ver: Option<Box<[u8]>>,
    /// `maturity`, 1 to 9.
    pub maturity: Option<u8>,
    /// `accuracy`, 1 to 9.
    pub accuracy: Option<u8>,
}

/// The disruptive action, with `block` already replaced by what the phase's default says.
#[derive(Debug, Clone, PartialEq)]
pub enum Disruption {
    /// Nothing: go on.
    Pass,
    /// Refuse.
    Deny,
    /// Refuse and close.
    Drop,
    /// Send elsewhere.
    Redirect(Template),
    /// Let through without further rules.
    Allow(AllowScope),
}

/// A jump after a full match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Skip {
    /// Over the next rules (chains count once) of the phase.
    Rules(u32),
    /// To behind the marker, or the rule of that number, which comes later in the same phase.
    After(Arc<[u8]>),
}

/// One rule of a chain.
#[derive(Debug, Clone, PartialEq)]
pub struct Link {
    /// Where it is written.
    pub place: Place,
    /// What must match; none matches always (`SecAction`).
    pub condition: Option<Condition>,
    /// Transformations in order, defaults applied, everything up to the last `t:none` gone.
    pub transformations: Vec<Transformation>,
    /// Whether groups of the match go to `TX.0`–`TX.9`.
    pub capture: bool,
    /// Whether the operator judges after every transformation.
    pub multi_match: bool,
    /// What a match does, in the order written.
    pub effects: Vec<Located<Effect>>,
    /// What is said of a match.
    pub msg: Option<Template>,
    /// What is recorded of a match.
    pub logdata: Option<Template>,
    /// `xmlns` prefixes for XPath selectors.
    pub namespaces: Vec<Namespace>,
}

/// A prefix that XPath selectors use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Namespace {
    /// The prefix.
    pub prefix: Box<[u8]>,
    /// What it stands for.
    pub uri: Box<[u8]>,
}

/// A directive that the host may follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostSetting {
    /// The directive in the manual's spelling.
    pub name: &'static str,
    /// Its arguments as written.
    pub value: Box<[u8]>,
    /// Where it is written.
    pub place: Place,
}

/// Targets and operator of a rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// What is looked at, exclusions in a list of their own.
    pub targets: Vec<Target>,
    /// What is left out of `targets`.
    pub exclusions: Vec<Target>,
    /// How each value is judged.
    pub operator: Operator,
}

/// A change that a match makes, beside interrupting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// `setvar`.
    SetVar(SetVar),
    /// `expirevar`.
    ExpireVar {
        /// Which collection.
        collection: Collection,
        /// Which key.
        key: Template,
        /// Seconds from now.
        seconds: Template,
    },
    /// `deprecatevar`.
    DeprecateVar {
        /// Which collection.
        collection: Collection,
        /// Which key.
        key: Template,
        /// Taken away each period.
        amount: u64,
        /// The period, in seconds; never 0.
        period_secs: u64,
    },
    /// `initcol`, and `setsid`, `setuid`, `setrsc` for their collections.
    InitCol {
        /// Which collection; never `TX`.
        collection: Collection,
        /// Which of its instances.
        key: Template,
    },
    /// `setenv`.
    SetEnv {
        /// The name.
        name: Template,
        /// Its value; none takes it away.
        value: Option<Template>,
    },
    /// `ctl`.
    Ctl(Ctl),
    /// `sanitise…`: what the record must not show.
    Sanitise(Sanitise),
}

/// What the record of a transaction must not show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sanitise {
    /// The values of an argument.
    Arg(Box<[u8]>),
    /// The whole matched value.
    Matched,
    /// The matched bytes, but so many at both ends.
    MatchedBytes(u32, u32),
    /// The values of a request header.
    RequestHeader(Box<[u8]>),
    /// The values of a response header.
    ResponseHeader(Box<[u8]>),
}

/// Settings of the whole set; what the rules do not say is none, or the default named.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// `SecRuleEngine`. `On` unless said, where ModSecurity is off: who loads rules here wants them to run.
    pub rule_engine: EngineMode,
    /// `SecRequestBodyAccess`.
    pub request_body_access: bool,
    /// `SecResponseBodyAccess`.
    pub response_body_access: bool,
    /// Bytes of a request body that are read; none when not said.
    pub request_body_bytes_max: Option<u64>,
    /// The same without the files of a multipart body.
    pub request_body_no_files_bytes_max: Option<u64>,
    /// What happens to a longer one.
    pub request_body_limit_action: LimitAction,
    /// Depth of a JSON body.
    pub json_depth_max: Option<u32>,
    /// Bytes of an answer that are read.
    pub response_body_bytes_max: Option<u64>,
    /// What happens to a longer one.
    pub response_body_limit_action: LimitAction,
    /// Media types of answers that are read, lower case.
    pub response_body_mime_types: Vec<Box<[u8]>>,
    /// Arguments of a request.
    pub arguments_max: Option<u32>,
    /// Between arguments; `&` unless said.
    pub argument_separator: u8,
    /// Which cookies are read.
    pub cookie_format: CookieFormat,
    /// What `urlDecodeUni` makes of code points outside of ASCII.
    pub unicode_map: Option<UnicodeMap>,
    /// Seconds that persistent values live.
    pub collection_timeout_secs: Option<u64>,
    /// Files of a multipart body.
    pub upload_files_max: Option<u32>,
    /// Leaves of XML bodies as arguments.
    pub parse_xml_into_args: XmlIntoArgs,
    /// Rule sets that name themselves.
    pub component_signatures: Vec<Box<[u8]>>,
    /// `SecServerSignature`.
    pub server_signature: Option<Box<[u8]>>,
    /// `WEBAPPID`.
    pub web_app_id: Option<Box<[u8]>>,
    /// What the host owns: directive and its words, in order.
    pub host: Vec<HostSetting>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            rule_engine: EngineMode::On,
            request_body_access: false,
            response_body_access: false,
            request_body_bytes_max: None,
            request_body_no_files_bytes_max: None,
            request_body_limit_action: LimitAction::Reject,
            json_depth_max: None,
            response_body_bytes_max: None,
            response_body_limit_action: LimitAction::Reject,
            response_body_mime_types: Vec::new(),
            arguments_max: None,
            argument_separator: b'&',
            cookie_format: CookieFormat::Netscape,
            unicode_map: None,
            collection_timeout_secs: None,
            upload_files_max: None,
            parse_xml_into_args: XmlIntoArgs::Off,
            component_signatures: Vec::new(),
            server_signature: None,
            web_app_id: None,
            host: Vec::new(),
        }
    }
}
