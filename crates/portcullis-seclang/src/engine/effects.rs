//! What a match changes.

use std::sync::Arc;

use crate::engine::Context;
use crate::engine::expand::expanded;
use crate::engine::state::{Instance, State, TxValue, leading_number};
use crate::ports::Collections;
use crate::program::{Change, Effect, Key, Segment, Selector, SetVar, Source, Template};
use crate::syntax::{Collection, Variable};

/// Names and values that one `setenv` may add in sum.
const ENVIRONMENT_MAX: usize = 1000;

/// Runs the `setvar` actions of a link.
pub(crate) fn set_vars(context: &Context<'_>, state: &mut State, set_vars: &[SetVar]) {
    for set_var in set_vars {
        match set_var.collection {
            Collection::Tx => set_tx(context, state, set_var),
            persistent => set_stored(context, state, persistent, set_var),
        }
    }
}

fn set_tx(context: &Context<'_>, state: &mut State, set_var: &SetVar) {
    let name = match &set_var.key {
        Key::Slot(_) => Vec::new(),
        Key::Name(template) => expanded(context, state, template).to_ascii_lowercase(),
    };
    let before = match &set_var.key {
        Key::Slot(slot) => state.tx(*slot),
        Key::Name(_) => state.tx_named(context.program, &name),
    };
    let number = || before.map_or(0, TxValue::number);
    let after = match &set_var.change {
        Change::Set(template) => Some(value_of(context, state, template)),
        Change::SetText(text) => Some(TxValue::Shared(Arc::clone(text))),
        Change::SetNumber(value) => Some(TxValue::Number(*value)),
        Change::AddNumber(delta) => Some(TxValue::Number(number().saturating_add(*delta))),
        Change::Add(template) => {
            Some(TxValue::Number(number().saturating_add(value_of(context, state, template).number())))
        }
        Change::Subtract(template) => {
            Some(TxValue::Number(number().saturating_sub(value_of(context, state, template).number())))
        }
        Change::Unset => None,
    };
    match &set_var.key {
        Key::Slot(slot) => state.set_tx(*slot, after),
        Key::Name(_) => state.set_tx_named(context.program, &name, after),
    }
}

/// The value of a template; where it is one `TX` macro, that variable's value as it is, numbers staying numbers.
fn value_of(context: &Context<'_>, state: &State, template: &Template) -> TxValue {
    if let [Segment::Macro(reference)] = template.0.as_slice()
        && let (Variable::Tx, Source::Dynamic, Selector::Slot(slot)) =
            (reference.variable, reference.source, &reference.selector)
    {
        return state.tx(*slot).cloned().unwrap_or(TxValue::Bytes(Vec::new()));
    }
    TxValue::Bytes(expanded(context, state, template))
}

fn set_stored(context: &Context<'_>, state: &mut State, collection: Collection, set_var: &SetVar) {
    let Some(port) = context.ports.collections.as_deref() else { return };
    let Key::Name(template) = &set_var.key else { return };
    let name = expanded(context, state, template).to_ascii_lowercase();
    let value = match &set_var.change {
        Change::Set(template) | Change::Add(template) | Change::Subtract(template) => {
            value_of(context, state, template)
        }
        Change::SetText(text) => TxValue::Shared(Arc::clone(text)),
        Change::SetNumber(number) | Change::AddNumber(number) => TxValue::Number(*number),
        Change::Unset => TxValue::Number(0),
    };
    let Some(instance) = state.instance_mut(collection) else { return };
    let text = match &set_var.change {
        Change::Unset => {
            instance.variables.retain(|stored| stored.name != name);
            return port.unset(collection.name(), &instance.key, &name);
        }
        Change::Add(_) | Change::AddNumber(_) => add(port, collection, instance, &name, value.number()),
        Change::Subtract(_) => add(port, collection, instance, &name, value.number().saturating_neg()),
        Change::Set(_) | Change::SetText(_) | Change::SetNumber(_) => {
            let mut text = Vec::new();
            value.write(&mut text);
            port.set(collection.name(), &instance.key, &name, &text);
            text
        }
    };
    instance.set(&name, text);
}

fn add(
    port: &dyn Collections,
    collection: Collection,
    instance: &Instance,
    name: &[u8],
    delta: i64,
) -> Vec<u8> {
    let sum = port.add(collection.name(), &instance.key, name, delta);
    sum.to_string().into_bytes()
}

/// Does what a full match asks for.
pub(crate) fn apply(context: &Context<'_>, state: &mut State, effect: &Effect) {
    match effect {
        Effect::InitCol { collection, key } => open(context, state, *collection, key),
        Effect::ExpireVar { collection, key, seconds } => expire(context, state, *collection, key, seconds),
        Effect::DeprecateVar { collection, key, amount, period_secs } => {
            deprecate(context, state, *collection, key, (*amount, *period_secs));
        }
        Effect::SetEnv { name, value } => {
            let name = expanded(context, state, name);
            let value = value.as_ref().map(|value| expanded(context, state, value));
            state.environment.retain(|(known, _)| *known != name);
            if let Some(value) = value
                && state.environment.len() < ENVIRONMENT_MAX
            {
                state.environment.push((name, value));
            }
        }
        Effect::RuleEngine(mode) => state.mode = Some(*mode),
        Effect::RequestBodyProcessor(processor) => state.processor = Some(*processor),
        Effect::RequestBodyAccess(access) => state.request_body_access = Some(*access),
        Effect::ResponseBodyAccess(access) => state.response_body_access = Some(*access),
        Effect::ForceRequestBodyVariable(force) => state.force_request_body = *force,
        Effect::ParseXmlIntoArgs(mode) => state.xml_into_args = Some(*mode),
        Effect::RemoveRules(number) => {
            if let Some(rules) = context.program.removals.get(*number as usize) {
                state.removed.union(rules);
            }
        }
        Effect::RemoveTarget(number) => {
            if !state.removed_targets.contains(number) {
                state.removed_targets.push(*number);
            }
        }
        Effect::Record(change) => state.note_record(change),
    }
}

fn open(context: &Context<'_>, state: &mut State, collection: Collection, key: &Template) {
    let Some(port) = context.ports.collections.as_deref() else { return };
    let key = expanded(context, state, key);
    let variables = port.load(collection.name(), &key);
    state.open(collection, Instance { key, variables });
}

fn expire(
    context: &Context<'_>,
    state: &mut State,
    collection: Collection,
    key: &Template,
    seconds: &Template,
) {
    let Some(port) = context.ports.collections.as_deref() else { return };
    let name = expanded(context, state, key).to_ascii_lowercase();
    let seconds = leading_number(&expanded(context, state, seconds)).max(0) as u64;
    let Some(instance) = state.instance_mut(collection) else { return };
    port.expire(collection.name(), &instance.key, &name, seconds);
}

/// Takes an amount away for each period that has passed, not below 0. When a period last ended is kept beside the variable.
fn deprecate(
    context: &Context<'_>,
    state: &mut State,
    collection: Collection,
    key: &Template,
    (amount, period_secs): (u64, u64),
) {
    let Some(port) = context.ports.collections.as_deref() else { return };
    let name = expanded(context, state, key).to_ascii_lowercase();
    let now = context.ports.clock.unix_micros() / 1_000_000;
    let Some(instance) = state.instance_mut(collection) else { return };
    let Some(stored) = instance.variable(&name) else { return };
    let before = leading_number(&stored.value);
    let mark_name = [b"deprecated-at:", name.as_slice()].concat();
    let mark = instance.variable(&mark_name).map_or(now, |mark| leading_number(&mark.value).max(0) as u64);
    let periods = now.saturating_sub(mark) / period_secs.max(1);
    let taken = i64::try_from(amount.saturating_mul(periods)).unwrap_or(i64::MAX);
    let after = before.saturating_sub(taken).max(before.min(0));
    let mark = mark.saturating_add(periods.saturating_mul(period_secs));
    for (name, number) in [(&name, after), (&mark_name, i64::try_from(mark).unwrap_or(i64::MAX))] {
        let text = number.to_string().into_bytes();
        port.set(collection.name(), &instance.key, name, &text);
        instance.set(name, text);
    }
}
