//! What an action list amounts to.

use crate::rules::{Disruption, Effect, Namespace, Sanitise};
use crate::source::{Located, Place};
use crate::syntax::{Action, Collection, Phase, Severity, Template};
use crate::transformations::Transformation;

/// An action list, sorted by what its actions concern; of those that exclude each other the last one counts.
#[derive(Debug, Default)]
pub(crate) struct Sorted {
    pub(crate) id: Option<Located<u64>>,
    pub(crate) phase: Option<Located<Phase>>,
    pub(crate) disruption: Option<Located<Choice>>,
    pub(crate) status: Option<Located<u16>>,
    pub(crate) skip: Option<Located<Jump>>,
    pub(crate) chain: Option<Place>,
    /// `log` and `nolog`.
    pub(crate) log: Option<bool>,
    /// `auditlog` and `noauditlog`; without them it follows `log`.
    pub(crate) audit_log: Option<bool>,
    pub(crate) capture: bool,
    pub(crate) multi_match: bool,
    /// Whether a `t:none` cuts off the defaults.
    pub(crate) has_none: bool,
    pub(crate) transformations: Vec<Transformation>,
    pub(crate) effects: Vec<Located<Effect>>,
    pub(crate) msg: Option<Template>,
    pub(crate) logdata: Option<Template>,
    pub(crate) tags: Vec<Template>,
    pub(crate) severity: Option<Located<Severity>>,
    pub(crate) rev: Option<Located<Box<[u8]>>>,
    pub(crate) ver: Option<Located<Box<[u8]>>>,
    pub(crate) maturity: Option<Located<u8>>,
    pub(crate) accuracy: Option<Located<u8>>,
    pub(crate) namespaces: Vec<Namespace>,
}

/// A disruptive action before `block` is looked up.
#[derive(Debug, Clone)]
pub(crate) enum Choice {
    /// What the phase's default says.
    Block,
    /// As it is.
    Own(Disruption),
}

/// A jump before its target is looked up.
#[derive(Debug, Clone)]
pub(crate) enum Jump {
    /// Over so many rules.
    Rules(u32),
    /// Behind a marker or rule.
    After(Box<[u8]>),
}

/// Sorts a list.
pub(crate) fn sort(actions: &[Located<Action>]) -> Sorted {
    let mut sorted = Sorted::default();
    for action in actions {
        sorted.add(&action.value, action.place);
    }
    sorted
}

impl Sorted {
    fn add(&mut self, action: &Action, place: Place) {
        match action {
            Action::Accuracy(value) => self.accuracy = Some(Located::new(*value, place)),
            Action::Allow(scope) => self.own(Disruption::Allow(*scope), place),
            Action::AuditLog => self.audit_log = Some(true),
            Action::Block => self.disruption = Some(Located::new(Choice::Block, place)),
            Action::Capture => self.capture = true,
            Action::Chain => self.chain = Some(place),
            Action::Deny => self.own(Disruption::Deny, place),
            Action::Drop => self.own(Disruption::Drop, place),
            Action::Id(id) => self.id = Some(Located::new(*id, place)),
            Action::Log => self.log = Some(true),
            Action::LogData(text) => self.logdata = Some(text.clone()),
            Action::Maturity(value) => self.maturity = Some(Located::new(*value, place)),
            Action::Msg(text) => self.msg = Some(text.clone()),
            Action::MultiMatch => self.multi_match = true,
            Action::NoAuditLog => self.audit_log = Some(false),
            Action::NoLog => self.log = Some(false),
            Action::Pass => self.own(Disruption::Pass, place),
            Action::Phase(phase) => self.phase = Some(Located::new(*phase, place)),
            Action::Redirect(to) => self.own(Disruption::Redirect(to.clone()), place),
            Action::Rev(text) => self.rev = Some(Located::new(text.clone(), place)),
            Action::Severity(severity) => self.severity = Some(Located::new(*severity, place)),
            Action::Skip(count) => self.skip = Some(Located::new(Jump::Rules(*count), place)),
            Action::SkipAfter(name) => self.skip = Some(Located::new(Jump::After(name.clone()), place)),
            Action::Status(status) => self.status = Some(Located::new(*status, place)),
            Action::Tag(text) => self.tags.push(text.clone()),
            Action::Transformation(Transformation::None) => {
                self.has_none = true;
                self.transformations.clear();
            }
            Action::Transformation(transformation) => self.transformations.push(*transformation),
            Action::Ver(text) => self.ver = Some(Located::new(text.clone(), place)),
            Action::Xmlns { prefix, uri } => {
                self.namespaces.push(Namespace { prefix: prefix.clone(), uri: uri.clone() })
            }
            Action::Ctl(_)
            | Action::DeprecateVar { .. }
            | Action::ExpireVar { .. }
            | Action::InitCol { .. }
            | Action::SanitiseArg(_)
            | Action::SanitiseMatched
            | Action::SanitiseMatchedBytes(..)
            | Action::SanitiseRequestHeader(_)
            | Action::SanitiseResponseHeader(_)
            | Action::SetEnv { .. }
            | Action::SetRsc(_)
            | Action::SetSid(_)
            | Action::SetUid(_)
            | Action::SetVar(_) => {
                self.effects.extend(effect(action).map(|effect| Located::new(effect, place)))
            }
        }
    }

    fn own(&mut self, disruption: Disruption, place: Place) {
        self.disruption = Some(Located::new(Choice::Own(disruption), place));
    }
}

/// The change that an action makes; none for those that make none.
fn effect(action: &Action) -> Option<Effect> {
    Some(match action.clone() {
        Action::Ctl(ctl) => Effect::Ctl(ctl),
        Action::DeprecateVar { collection, key, amount, period_secs } => {
            Effect::DeprecateVar { collection, key, amount, period_secs }
        }
        Action::ExpireVar { collection, key, seconds } => Effect::ExpireVar { collection, key, seconds },
        Action::InitCol { collection, key } => Effect::InitCol { collection, key },
        Action::SanitiseArg(name) => Effect::Sanitise(Sanitise::Arg(name)),
        Action::SanitiseMatched => Effect::Sanitise(Sanitise::Matched),
        Action::SanitiseMatchedBytes(first, last) => Effect::Sanitise(Sanitise::MatchedBytes(first, last)),
        Action::SanitiseRequestHeader(name) => Effect::Sanitise(Sanitise::RequestHeader(name)),
        Action::SanitiseResponseHeader(name) => Effect::Sanitise(Sanitise::ResponseHeader(name)),
        Action::SetEnv { name, value } => Effect::SetEnv { name, value },
        Action::SetRsc(key) => Effect::InitCol { collection: Collection::Resource, key },
        Action::SetSid(key) => Effect::InitCol { collection: Collection::Session, key },
        Action::SetUid(key) => Effect::InitCol { collection: Collection::User, key },
        Action::SetVar(set_var) => Effect::SetVar(set_var),
        _ => return None,
    })
}

/// Actions of which a rule has one: a later one takes the earlier one's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Single {
    Disruption,
    Status,
    Msg,
    LogData,
    Severity,
    Rev,
    Ver,
    Maturity,
    Accuracy,
    Skip,
}

/// Which of them an action is, if any.
pub(crate) const fn single(action: &Action) -> Option<Single> {
    match action {
        Action::Allow(_)
        | Action::Block
        | Action::Deny
        | Action::Drop
        | Action::Pass
        | Action::Redirect(_) => Some(Single::Disruption),
        Action::Status(_) => Some(Single::Status),
        Action::Msg(_) => Some(Single::Msg),
        Action::LogData(_) => Some(Single::LogData),
        Action::Severity(_) => Some(Single::Severity),
        Action::Rev(_) => Some(Single::Rev),
        Action::Ver(_) => Some(Single::Ver),
        Action::Maturity(_) => Some(Single::Maturity),
        Action::Accuracy(_) => Some(Single::Accuracy),
        Action::Skip(_) | Action::SkipAfter(_) => Some(Single::Skip),
        _ => None,
    }
}
