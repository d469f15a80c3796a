//! Builds chains: actions of the starter, of the links, and the defaults of the phase put together.

use std::collections::HashMap;
use std::sync::Arc;

use super::actions::{Choice, Jump, Sorted, sort};
use super::chains::{Collected, Draft};
use super::defaults::{Defaults, PhaseDefault, of};
use crate::diagnostic::{Level, Report};
use crate::rules::{Chain, Condition, Disruption, Link, Metadata, Skip};
use crate::source::{Located, Place};
use crate::syntax::{Phase, RuleDirective, TargetMode};

/// A step of the set, before the phases are told apart.
#[derive(Debug)]
pub(crate) enum Step {
    /// A chain, with the texts that rules are selected by and the place of its jump.
    Chain(Box<Built>),
    /// A marker.
    Marker(Arc<[u8]>),
}

/// A chain and what is still needed of its text.
#[derive(Debug)]
pub(crate) struct Built {
    pub(crate) chain: Chain,
    /// Where `skipAfter` stands.
    pub(crate) skip_place: Place,
    /// Whether a removal chose it.
    pub(crate) is_removed: bool,
}

/// Builds everything; what cannot be built is reported and left out.
pub(crate) fn steps(collected: &Collected, defaults: &Defaults, report: &mut Report) -> Vec<Step> {
    let mut ids: HashMap<u64, Place> = HashMap::new();
    let mut steps = Vec::with_capacity(collected.drafts.len());
    for draft in &collected.drafts {
        match draft {
            Draft::Marker(name) => steps.push(Step::Marker(Arc::from(&**name))),
            Draft::Rules(rules) => {
                let Some(built) = chain(rules, defaults, report) else { continue };
                if let Some(first) = ids.get(&built.chain.id) {
                    let message =
                        format!("rule {} is there already, at {}", built.chain.id, report.describe(*first));
                    report.push(
                        Level::Error,
                        built.chain.place,
                        built.chain.id.to_string().as_bytes(),
                        message,
                        "numbers are unique in a rule set",
                    );
                    continue;
                }
                ids.insert(built.chain.id, built.chain.place);
                steps.push(Step::Chain(Box::new(built)));
            }
        }
    }
    steps
}

fn chain(rules: &[Located<RuleDirective>], defaults: &Defaults, report: &mut Report) -> Option<Built> {
    let (first, more) = rules.split_first()?;
    let starter = sort(&first.value.actions);
    let phase = starter.phase.as_ref().map_or(Phase::RequestBody, |phase| phase.value);
    let default = of(defaults, phase);
    let links_sorted: Vec<Sorted> = more.iter().map(|rule| sort(&rule.value.actions)).collect();
    for sorted in &links_sorted {
        starter_only(sorted, report);
    }
    let Some(id) = &starter.id else {
        report.push(
            Level::Error,
            first.place,
            spelling(first),
            "rule has no number".to_owned(),
            "add `id:NUMBER`",
        );
        return None;
    };
    if starter.phase.is_none() {
        let message = format!("rule {} names no phase; it runs in phase 2", id.value);
        report.push(Level::Note, first.place, spelling(first), message, "");
    }
    let links: Vec<Link> = std::iter::once(&starter)
        .chain(&links_sorted)
        .zip(rules)
        .map(|(sorted, rule)| link(sorted, rule, default, report))
        .collect();
    let all = || std::iter::once(&default.actions).chain(std::iter::once(&starter)).chain(&links_sorted);
    let (log, audit_log) = logging(all());
    let mut chain = Chain {
        id: id.value,
        phase,
        place: first.place,
        metadata: metadata(&starter, &links_sorted, default),
        disruption: disruption(&starter, default),
        status: starter.status.as_ref().or(default.actions.status.as_ref()).map(|status| status.value),
        log,
        audit_log,
        skip: starter.skip.as_ref().map(|jump| match &jump.value {
            Jump::Rules(count) => Skip::Rules(*count),
            Jump::After(name) => Skip::After(Arc::from(&**name)),
        }),
        links,
    };
    // A default's effects happen on a full match, so they stand before those of the last link.
    if let Some(last) = chain.links.last_mut() {
        last.effects.splice(0..0, default.actions.effects.iter().cloned());
    }
    Some(Built {
        chain,
        skip_place: starter.skip.map(|jump| jump.place).unwrap_or_default(),
        is_removed: false,
    })
}

/// The directive's own name.
const fn spelling(rule: &Located<RuleDirective>) -> &'static [u8] {
    match rule.value.condition {
        Some(_) => b"SecRule",
        None => b"SecAction",
    }
}

/// What only the first rule of a chain may say.
fn starter_only(sorted: &Sorted, report: &mut Report) {
    let mut refuse = |place: Option<Place>, name: &str| {
        if let Some(place) = place {
            let message = format!("{name} belongs to the first rule of a chain");
            report.push(Level::Error, place, name.trim_matches('`').as_bytes(), message, "");
        }
    };
    refuse(sorted.id.as_ref().map(|action| action.place), "`id`");
    refuse(sorted.phase.as_ref().map(|action| action.place), "`phase`");
    refuse(sorted.disruption.as_ref().map(|action| action.place), "a disruptive action");
    refuse(sorted.status.as_ref().map(|action| action.place), "`status`");
    refuse(sorted.skip.as_ref().map(|action| action.place), "`skip`");
    refuse(sorted.severity.as_ref().map(|action| action.place), "`severity`");
    refuse(sorted.rev.as_ref().map(|action| action.place), "`rev`");
    refuse(sorted.ver.as_ref().map(|action| action.place), "`ver`");
    refuse(sorted.maturity.as_ref().map(|action| action.place), "`maturity`");
    refuse(sorted.accuracy.as_ref().map(|action| action.place), "`accuracy`");
}

fn link(sorted: &Sorted, rule: &Located<RuleDirective>, default: &PhaseDefault, report: &mut Report) -> Link {
    let condition = rule.value.condition.as_ref().map(|(targets, operator)| {
        let (exclusions, targets): (Vec<_>, Vec<_>) =
            targets.iter().cloned().partition(|target| target.mode == TargetMode::Exclude);
        if targets.is_empty() {
            let message = "rule looks at nothing: all its variables are exclusions";
            report.push(Level::Warning, rule.place, spelling(rule), message.to_owned(), "");
        }
        Condition { targets, exclusions, operator: operator.clone() }
    });
    let inherited: &[_] = if sorted.has_none { &[] } else { &default.actions.transformations };
    Link {
        place: rule.place,
        condition,
        transformations: inherited.iter().chain(&sorted.transformations).copied().collect(),
        capture: sorted.capture || default.actions.capture,
        multi_match: sorted.multi_match || default.actions.multi_match,
        effects: sorted.effects.clone(),
        msg: sorted.msg.clone(),
        logdata: sorted.logdata.clone(),
        namespaces: sorted.namespaces.clone(),
    }
}

fn metadata(starter: &Sorted, more: &[Sorted], default: &PhaseDefault) -> Metadata {
    let lists = [&default.actions, starter].into_iter().chain(more);
    Metadata {
        severity: starter.severity.as_ref().map(|severity| severity.value),
        tags: lists.flat_map(|list| &list.tags).cloned().collect(),
        rev: starter.rev.as_ref().map(|rev| rev.value.clone()),
        ver: starter.ver.as_ref().map(|ver| ver.value.clone()),
        maturity: starter.maturity.as_ref().map(|maturity| maturity.value),
        accuracy: starter.accuracy.as_ref().map(|accuracy| accuracy.value),
    }
}

/// The rule's own disruptive action; `block` is what the default says, and nothing when it says nothing.
fn disruption(starter: &Sorted, default: &PhaseDefault) -> Disruption {
    match &starter.disruption {
        Some(Located { value: Choice::Own(own), .. }) => own.clone(),
        Some(Located { value: Choice::Block, .. }) => default.disruption.clone().unwrap_or(Disruption::Pass),
        None => Disruption::Pass,
    }
}

/// Whether a match is logged and recorded: the last word counts, and where a list speaks of the log alone, the record
/// follows it.
fn logging<'a>(lists: impl Iterator<Item = &'a Sorted>) -> (bool, bool) {
    lists.fold((true, true), |(log, audit_log), list| {
        (list.log.unwrap_or(log), list.audit_log.or(list.log).unwrap_or(audit_log))
    })
}
