//! Directives: the lines of a rule file.

use super::action::Action;
use super::ctl::RuleSelection;
use super::operator::Operator;
use super::setting::Setting;
use super::target::Target;
use crate::source::Located;

/// One directive. `Include` is not among them: the parser reads what it names in its stead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Directive {
    /// `SecRule` and `SecAction`.
    Rule(Box<RuleDirective>),
    /// `SecMarker`.
    Marker(Box<[u8]>),
    /// `SecDefaultAction`.
    DefaultAction(Vec<Located<Action>>),
    /// `SecRuleUpdateTargetById/ByTag/ByMsg`: targets added, or left out when their mode is exclusion.
    UpdateTarget(RuleSelection, Vec<Target>),
    /// `SecRuleUpdateActionById ID[:link]`.
    UpdateAction {
        /// Which rule.
        id: u64,
        /// Which rule of the chain, the starter being 0.
        link: u32,
        /// What it shall do.
        actions: Vec<Located<Action>>,
    },
    /// `SecRuleRemoveById/ByTag/ByMsg`.
    Remove(RuleSelection),
    /// Everything else.
    Setting(Setting),
}

/// A rule as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleDirective {
    /// What it looks at and how; none for `SecAction`, which always matches.
    pub condition: Option<(Vec<Target>, Operator)>,
    /// What it does, in order.
    pub actions: Vec<Located<Action>>,
}
