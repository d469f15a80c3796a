//! `SecRuleUpdate…` and `SecRuleRemove…`.

use super::actions::{Single, single};
use super::build::{Built, Step};
use super::chains::{ActionUpdate, Collected, Draft};
use crate::diagnostic::{Level, Report, shown};
use crate::rules::Chain;
use crate::source::{Located, Place};
use crate::syntax::{Action, RuleSelection, TargetMode};
use crate::transformations::Transformation;

/// Changes the actions of rules, before anything is built from them.
pub(crate) fn update_actions(collected: &mut Collected, report: &mut Report) {
    for update in std::mem::take(&mut collected.action_updates) {
        let ActionUpdate { id, link, actions } = update.value;
        let chain = collected.drafts.iter_mut().find_map(|draft| match draft {
            Draft::Rules(rules) if starter_id(rules.first()?.value.actions.as_slice()) == Some(id) => {
                Some(rules)
            }
            Draft::Rules(_) | Draft::Marker(_) => None,
        });
        let Some(rules) = chain else {
            let message = format!("no rule {id} is there to be updated");
            report.push(Level::Warning, update.place, id.to_string().as_bytes(), message, "");
            continue;
        };
        let count = rules.len();
        match rules.get_mut(link as usize) {
            Some(rule) => {
                actions.into_iter().for_each(|action| apply(&mut rule.value.actions, action, report))
            }
            None => {
                let message = format!("rule {id} is a chain of {count}; there is no link {link}");
                report.push(
                    Level::Error,
                    update.place,
                    id.to_string().as_bytes(),
                    message,
                    "the first rule is link 0",
                );
            }
        }
    }
}

fn starter_id(actions: &[Located<Action>]) -> Option<u64> {
    actions.iter().rev().find_map(|action| match action.value {
        Action::Id(id) => Some(id),
        _ => None,
    })
}

/// One new action: it takes the place of those it excludes; `t:none` that of all transformations.
fn apply(actions: &mut Vec<Located<Action>>, new: Located<Action>, report: &mut Report) {
    let fixed = match new.value {
        Action::Id(_) => Some("id"),
        Action::Phase(_) => Some("phase"),
        Action::Chain => Some("chain"),
        _ => None,
    };
    if let Some(name) = fixed {
        report.push(
            Level::Error,
            new.place,
            name.as_bytes(),
            format!("`{name}` of a rule cannot be updated"),
            "",
        );
        return;
    }
    let kind: Option<Single> = single(&new.value);
    if kind.is_some() {
        actions.retain(|old| single(&old.value) != kind);
    }
    if new.value == Action::Transformation(Transformation::None) {
        actions.retain(|old| !matches!(old.value, Action::Transformation(_)));
    }
    actions.push(new);
}

/// Adds targets to rules, or leaves them out.
pub(crate) fn update_targets(collected: &Collected, steps: &mut [Step], report: &mut Report) {
    for Located { value: (selection, targets), place } in &collected.target_updates {
        let mut has_match = false;
        for built in chosen(steps, selection) {
            has_match = true;
            let starter = built.chain.links.first_mut().and_then(|link| link.condition.as_mut());
            let Some(condition) = starter else {
                let message =
                    format!("rule {} looks at nothing, so it has no targets to update", built.chain.id);
                report.push(Level::Warning, *place, built.chain.id.to_string().as_bytes(), message, "");
                continue;
            };
            for target in targets {
                match target.mode {
                    TargetMode::Exclude => condition.exclusions.push(target.clone()),
                    TargetMode::Value | TargetMode::Count => condition.targets.push(target.clone()),
                }
            }
        }
        if !has_match {
            unmatched(report, *place, selection);
        }
    }
}

/// Marks the rules that were removed.
pub(crate) fn remove(collected: &Collected, steps: &mut [Step], report: &mut Report) {
    for Located { value: selection, place } in &collected.removals {
        let mut has_match = false;
        for built in chosen(steps, selection) {
            has_match = true;
            built.is_removed = true;
        }
        if !has_match {
            unmatched(report, *place, selection);
        }
    }
}

fn chosen<'s>(steps: &'s mut [Step], selection: &'s RuleSelection) -> impl Iterator<Item = &'s mut Built> {
    steps.iter_mut().filter_map(move |step| match step {
        Step::Chain(built) if selects(selection, &built.chain) => Some(&mut **built),
        Step::Chain(_) | Step::Marker(_) => None,
    })
}

/// Whether a rule is meant. Tags and messages are compared as a whole, as ModSecurity v3 does.
fn selects(selection: &RuleSelection, chain: &Chain) -> bool {
    match selection {
        RuleSelection::Ids(ranges) => ranges.iter().any(|range| range.contains(chain.id)),
        RuleSelection::Tag(tag) => chain.metadata.tags.iter().any(|own| own.as_literal() == Some(tag)),
        RuleSelection::Msg(msg) => {
            let own = chain.links.first().and_then(|link| link.msg.as_ref());
            own.is_some_and(|own| own.as_literal() == Some(msg))
        }
    }
}

/// Warns of a selection that chose nothing.
fn unmatched(report: &mut Report, place: Place, selection: &RuleSelection) {
    let (text, message) = match selection {
        RuleSelection::Ids(ranges) => {
            let written: Vec<String> =
                ranges.iter().map(|range| format!("{}-{}", range.first, range.last)).collect();
            (written.join(" ").into_bytes(), "no rule has such a number".to_owned())
        }
        RuleSelection::Tag(tag) => (tag.to_vec(), format!("no rule has the tag `{}`", shown(tag))),
        RuleSelection::Msg(msg) => (msg.to_vec(), format!("no rule has the message `{}`", shown(msg))),
    };
    report.push(Level::Warning, place, &text, message, hint(selection));
}

/// Tags and messages of ModSecurity 2 are expressions.
const fn hint(selection: &RuleSelection) -> &'static str {
    match selection {
        RuleSelection::Ids(_) => "",
        RuleSelection::Tag(_) | RuleSelection::Msg(_) => "it is compared as a whole, not as an expression",
    }
}
