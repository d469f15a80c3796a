//! Sorts directives: which rules belong together, and what is said about them elsewhere.

use crate::diagnostic::{Level, Report};
use crate::parser::Item;
use crate::source::Located;
use crate::syntax::{Action, Directive, RuleDirective, RuleSelection, Setting, Target};

/// Everything that was said, in order, by kind.
#[derive(Debug, Default)]
pub(crate) struct Collected {
    /// Rules with those chained to them, and markers.
    pub(crate) drafts: Vec<Draft>,
    /// `SecDefaultAction`.
    pub(crate) defaults: Vec<Located<Vec<Located<Action>>>>,
    /// `SecRuleUpdateTarget…`.
    pub(crate) target_updates: Vec<Located<(RuleSelection, Vec<Target>)>>,
    /// `SecRuleUpdateActionById`: number, link, actions.
    pub(crate) action_updates: Vec<Located<ActionUpdate>>,
    /// `SecRuleRemove…`.
    pub(crate) removals: Vec<Located<RuleSelection>>,
    /// Settings.
    pub(crate) settings: Vec<Located<Setting>>,
}

/// `SecRuleUpdateActionById`.
#[derive(Debug)]
pub(crate) struct ActionUpdate {
    pub(crate) id: u64,
    pub(crate) link: u32,
    pub(crate) actions: Vec<Located<Action>>,
}

/// A step before it is built.
#[derive(Debug)]
pub(crate) enum Draft {
    /// A rule and those chained to it; never empty.
    Rules(Vec<Located<RuleDirective>>),
    /// A marker.
    Marker(Box<[u8]>),
}

/// Sorts all directives. A chain that does not go on is reported.
pub(crate) fn collect(items: Vec<Located<Item>>, report: &mut Report) -> Collected {
    let mut collected = Collected::default();
    let mut open: Vec<Located<RuleDirective>> = Vec::new();
    let mut open_is_broken = false;
    for Located { value, place } in items {
        let value = match value {
            Item::Directive(Directive::Rule(rule)) if open_is_broken => {
                open_is_broken = goes_on(&rule);
                continue;
            }
            Item::Directive(directive) => directive,
            Item::BrokenRule { goes_on } => {
                open.clear();
                open_is_broken = goes_on;
                continue;
            }
        };
        let continues = matches!(value, Directive::Rule(_) | Directive::Setting(_));
        if !continues && !open.is_empty() {
            unfinished(&mut collected, &mut open, report);
        }
        match value {
            Directive::Rule(rule) => {
                let goes_on = goes_on(&rule);
                open.push(Located::new(*rule, place));
                if !goes_on {
                    collected.drafts.push(Draft::Rules(std::mem::take(&mut open)));
                }
            }
            Directive::Marker(name) => collected.drafts.push(Draft::Marker(name)),
            Directive::DefaultAction(actions) => collected.defaults.push(Located::new(actions, place)),
            Directive::UpdateTarget(selection, targets) => {
                collected.target_updates.push(Located::new((selection, targets), place))
            }
            Directive::UpdateAction { id, link, actions } => {
                collected.action_updates.push(Located::new(ActionUpdate { id, link, actions }, place));
            }
            Directive::Remove(selection) => collected.removals.push(Located::new(selection, place)),
            Directive::Setting(setting) => collected.settings.push(Located::new(setting, place)),
        }
    }
    if !open.is_empty() {
        unfinished(&mut collected, &mut open, report);
    }
    collected
}

fn goes_on(rule: &RuleDirective) -> bool {
    rule.actions.iter().any(|action| action.value == Action::Chain)
}

fn unfinished(collected: &mut Collected, open: &mut Vec<Located<RuleDirective>>, report: &mut Report) {
    let place = open
        .last()
        .and_then(|rule| rule.value.actions.iter().find(|action| action.value == Action::Chain))
        .map(|action| action.place)
        .unwrap_or_default();
    report.push(
        Level::Error,
        place,
        b"chain",
        "no rule follows that the chain could go on with".to_owned(),
        "",
    );
    collected.drafts.push(Draft::Rules(std::mem::take(open)));
}
