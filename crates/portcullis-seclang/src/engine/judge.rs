//! One rule judged: its targets gathered, transformed, put to the operator; what follows from a match.

use std::borrow::Cow;
use std::sync::Arc;

use crate::engine::Context;
use crate::engine::effects;
use crate::engine::expand::{each_dynamic, expand, expanded};
use crate::engine::state::{State, TxValue, write_number};
use crate::operators::Compiled;
use crate::program::{Condition, Disruption, Judge, Link, Rule, Selector, Source, Tag, Target};
use crate::syntax::{EngineMode, Variable};
use crate::transformations::Transformation;
use crate::values::{List, View};
use crate::verdict::{self, Intervention, RuleMatch};

/// A stored value that a scan in bulk found worth judging.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Hit {
    pub(crate) list: List,
    pub(crate) view: View,
    pub(crate) index: u32,
}

/// A value to judge.
#[derive(Debug)]
enum Occurrence {
    Stored { variable: Variable, hit: Hit },
    Computed { variable: Variable, name: Vec<u8>, value: Vec<u8> },
}

/// Room that judging reuses.
#[derive(Debug, Default)]
pub(crate) struct Room {
    occurrences: Vec<Occurrence>,
    name: Vec<u8>,
    value: Vec<u8>,
    argument: Vec<u8>,
}

/// Judges a rule with its chain; whether all of it matched. `hits` are the values that the first link need be put to;
/// without them it looks at all of its targets.
pub(crate) fn judge(
    context: &Context<'_>,
    state: &mut State,
    room: &mut Room,
    number: u32,
    hits: Option<&[Hit]>,
) -> bool {
    let Some(rule) = context.program.rules.get(number as usize) else { return false };
    state.current_rule = number;
    state.matched.clear();
    let mut hits = hits;
    for link in &rule.links {
        if !judge_link(context, state, room, rule, link, hits.take()) {
            return false;
        }
    }
    follow(context, state, rule);
    true
}

fn judge_link(
    context: &Context<'_>,
    state: &mut State,
    room: &mut Room,
    rule: &Rule,
    link: &Link,
    hits: Option<&[Hit]>,
) -> bool {
    let Some(condition) = &link.condition else {
        effects::set_vars(context, state, &link.set_vars);
        return true;
    };
    if is_plainly_false(context, state, room, link, condition) {
        return false;
    }
    let mut occurrences = std::mem::take(&mut room.occurrences);
    gather(context, state, condition, hits, &mut occurrences);
    if occurrences.is_empty() {
        room.occurrences = occurrences;
        return false;
    }
    let argument = match &condition.judge {
        Judge::Compiled(_) => Vec::new(),
        Judge::Expanded(_, template) => expanded(context, state, template),
    };
    let mut matched = false;
    for occurrence in occurrences.drain(..) {
        let value = match &occurrence {
            Occurrence::Stored { hit, .. } => context.stored(*hit),
            Occurrence::Computed { value, .. } => value,
        };
        let mut found = |state: &mut State, value: &[u8]| {
            if !is_match(condition, &argument, value) {
                return;
            }
            if link.capture && !condition.negated {
                capture(state, condition, &argument, value);
            }
            room.name.clear();
            write_name(context, &occurrence, &mut room.name);
            state.note_match(&room.name, value);
            note_outside_facts(state, condition, value);
            effects::set_vars(context, state, &link.set_vars);
            if link.multi_match && rule.links.len() == 1 && rule.log {
                report(context, state, rule);
            }
            matched = true;
        };
        let mut current = Cow::Borrowed(value);
        if link.multi_match {
            found(state, &current);
        }
        for transformation in &link.transformations {
            let next = match transformation.apply_mapped(&current, context.unicode_map()) {
                Cow::Borrowed(same) if same.len() == current.len() => continue,
                Cow::Borrowed(part) => part.to_vec(),
                Cow::Owned(next) => next,
            };
            if link.multi_match && *next != *current {
                found(state, &next);
            }
            current = Cow::Owned(next);
        }
        if !link.multi_match {
            found(state, &current);
        }
    }
    room.occurrences = occurrences;
    matched
}

/// Whether a condition on one `TX` variable or one count does not hold: so it is for most of them in most exchanges, and
/// then there is nothing to gather.
fn is_plainly_false(
    context: &Context<'_>,
    state: &State,
    room: &mut Room,
    link: &Link,
    condition: &Condition,
) -> bool {
    let [target] = condition.targets.as_slice() else { return false };
    let asks_the_world = match &condition.judge {
        Judge::Compiled(operator) => matches!(&*operator.0, Compiled::Outside(..)),
        Judge::Expanded(..) => false,
    };
    let is_whole = condition.exclusions.is_empty() && state.removed_targets.is_empty();
    if asks_the_world || !is_whole || link.transformations.iter().any(|each| *each != Transformation::None) {
        return false;
    }
    room.value.clear();
    match (target.count, target.source, &target.selector) {
        (true, ..) => write_number(count(context, state, condition, target) as i64, &mut room.value),
        (false, Source::Dynamic, Selector::Slot(slot)) if target.variable == Variable::Tx => {
            let Some(value) = state.tx(*slot) else { return true };
            value.write(&mut room.value);
        }
        _ => return false,
    }
    room.argument.clear();
    if let Judge::Expanded(_, template) = &condition.judge {
        expand(context, state, template, &mut room.argument);
    }
    !is_match(condition, &room.argument, &room.value)
}

fn is_match(condition: &Condition, argument: &[u8], value: &[u8]) -> bool {
    let matches = match &condition.judge {
        Judge::Compiled(operator) => operator.matches(value),
        Judge::Expanded(kind, _) => kind.matches_expanded(argument, value),
    };
    matches != condition.negated
}

fn capture(state: &mut State, condition: &Condition, argument: &[u8], value: &[u8]) {
    let captures = match &condition.judge {
        Judge::Compiled(operator) => operator.captures(value),
        Judge::Expanded(kind, _) => kind.captures_expanded(argument, value),
    };
    for slot in 0..10 {
        state.set_tx(slot, None);
    }
    for (number, bytes) in captures {
        if number < 10 {
            state.set_tx(number as u32, Some(TxValue::Bytes(bytes.into_owned())));
        }
    }
}

/// What an operator that asks the world learnt, for `GEO`.
fn note_outside_facts(state: &mut State, condition: &Condition, value: &[u8]) {
    if let Judge::Compiled(operator) = &condition.judge {
        let facts = operator.facts(value);
        if !facts.is_empty() {
            state.geo = facts;
        }
    }
}

fn gather(
    context: &Context<'_>,
    state: &State,
    condition: &Condition,
    hits: Option<&[Hit]>,
    out: &mut Vec<Occurrence>,
) {
    for target in &condition.targets {
        if target.count {
            let number = count(context, state, condition, target);
            let name = selector_text(target);
            out.push(Occurrence::Computed {
                variable: target.variable,
                name,
                value: number.to_string().into_bytes(),
            });
            continue;
        }
        each_value(context, state, condition, target, hits, &mut |occurrence| out.push(occurrence));
    }
}

fn count(context: &Context<'_>, state: &State, condition: &Condition, target: &Target) -> usize {
    if let (Selector::Slot(slot), true) = (&target.selector, condition.exclusions.is_empty()) {
        return usize::from(state.tx(*slot).is_some());
    }
    let mut number = 0;
    if condition.exclusions.is_empty() && state.removed_targets.is_empty() {
        let single;
        let lists = match target.source {
            Source::Lists(lists, _) => lists,
            Source::List(list) => {
                single = [list];
                &single[..]
            }
            Source::Dynamic => &[],
        };
        for entry in lists.iter().flat_map(|list| context.values.list(*list)) {
            number += usize::from(target.selector.admits(context.values.bytes(entry.name)));
        }
        if target.source != Source::Dynamic {
            return number;
        }
    }
    each_value(context, state, condition, target, None, &mut |_| number += 1);
    number
}

fn each_value(
    context: &Context<'_>,
    state: &State,
    condition: &Condition,
    target: &Target,
    hits: Option<&[Hit]>,
    visit: &mut dyn FnMut(Occurrence),
) {
    let variable = target.variable;
    let admits = |source: Source, name: &[u8]| {
        !condition.exclusions.iter().any(|exclusion| exclusion.covers(variable, source, name))
            && (state.removed_targets.is_empty() || !is_removed(context, state, variable, source, name))
    };
    let single;
    let (lists, view) = match target.source {
        Source::Lists(lists, view) => (lists, view),
        Source::List(list) => {
            single = [list];
            (&single[..], View::Value)
        }
        Source::Dynamic => {
            each_dynamic(context, state, variable, &target.selector, &mut |name, write| {
                if admits(Source::Dynamic, name) {
                    let mut value = Vec::new();
                    write(&mut value);
                    visit(Occurrence::Computed { variable, name: name.to_vec(), value });
                }
            });
            return;
        }
    };
    let mut offer = |list: List, index: u32| {
        let Some(entry) = context.values.entry(list, index) else { return };
        let name = context.values.bytes(entry.name);
        if target.selector.admits(name) && admits(target.source, name) {
            visit(Occurrence::Stored { variable, hit: Hit { list, view, index } });
        }
    };
    match hits {
        Some(hits) => {
            for hit in hits.iter().filter(|hit| hit.view == view && lists.contains(&hit.list)) {
                offer(hit.list, hit.index);
            }
        }
        None => {
            for list in lists {
                for index in 0..context.values.list(*list).len() {
                    offer(*list, index as u32);
                }
            }
        }
    }
}

/// Whether a `ctl:ruleRemoveTarget…` of this exchange takes a value away from the current rule.
fn is_removed(context: &Context<'_>, state: &State, variable: Variable, source: Source, name: &[u8]) -> bool {
    state.removed_targets.iter().any(|number| {
        let removal = context.program.target_removals.get(*number as usize);
        removal.is_some_and(|(rules, target)| {
            rules.contains(state.current_rule as usize) && target.covers(variable, source, name)
        })
    })
}

fn selector_text(target: &Target) -> Vec<u8> {
    match &target.selector {
        Selector::Key(key) => key.to_vec(),
        Selector::All | Selector::Regex(_) | Selector::Slot(_) => Vec::new(),
    }
}

fn write_name(context: &Context<'_>, occurrence: &Occurrence, out: &mut Vec<u8>) {
    let (variable, name) = match occurrence {
        Occurrence::Stored { variable, hit } => {
            let name = context.values.entry(hit.list, hit.index).map(|entry| entry.name).unwrap_or_default();
            (*variable, context.values.bytes(name))
        }
        Occurrence::Computed { variable, name, .. } => (*variable, name.as_slice()),
    };
    out.extend_from_slice(variable.name().as_bytes());
    if !name.is_empty() {
        out.push(b':');
        out.extend_from_slice(name);
    }
}

/// What follows when a whole chain has matched.
fn follow(context: &Context<'_>, state: &mut State, rule: &Rule) {
    for link in rule.links.iter().rev() {
        for effect in &link.effects {
            effects::apply(context, state, effect);
        }
    }
    if let Some(severity) = rule.severity {
        state.highest_severity = Some(state.highest_severity.map_or(severity, |known| known.min(severity)));
    }
    let is_reported_each_time = rule.links.len() == 1 && rule.links.iter().any(|link| link.multi_match);
    if rule.log && !is_reported_each_time {
        report(context, state, rule);
    }
    if context.mode(state) == EngineMode::On {
        disrupt(context, state, rule);
    }
}

fn report(context: &Context<'_>, state: &mut State, rule: &Rule) {
    let text = |template| expanded(context, state, template);
    let message = rule.links.iter().find_map(|link| link.msg.as_ref()).map(text).unwrap_or_default();
    let logdata = rule.links.iter().find_map(|link| link.logdata.as_ref()).map(text).unwrap_or_default();
    let tags = rule.tags.iter().map(|tag| match tag {
        Tag::Text(text) => Arc::clone(text),
        Tag::Template(template) => Arc::from(text(template)),
    });
    let is_disruptive = !matches!(rule.disruption, Disruption::Pass | Disruption::Allow(_));
    let report = RuleMatch {
        id: rule.id,
        phase: context.phase,
        message,
        logdata,
        tags: tags.collect(),
        severity: rule.severity,
        variable: state.matched_name.clone(),
        value: state.matched_value.clone(),
        disruptive: is_disruptive && context.phase < 5 && context.mode(state) == EngineMode::On,
        infrastructure: rule.is_infrastructure,
    };
    state.report(report);
}

fn disrupt(context: &Context<'_>, state: &mut State, rule: &Rule) {
    let disruption = match &rule.disruption {
        Disruption::Pass => return,
        Disruption::Allow(scope) => {
            state.allowed = Some(*scope);
            return;
        }
        Disruption::Deny => verdict::Disruption::Deny,
        Disruption::Drop => verdict::Disruption::Drop,
        Disruption::Redirect(location) => verdict::Disruption::Redirect(expanded(context, state, location)),
    };
    // In the last phase everything has been sent; its rules can only be logged.
    if context.phase < 5 {
        state.intervention =
            Some(Intervention { disruption, status: rule.status, rule: rule.id, phase: context.phase });
    }
}
