//! Variables resolved when a rule asks: macros, and targets that no list holds.

use crate::engine::Context;
use crate::engine::state::{State, write_number};
use crate::program::{Reference, Segment, Selector, Source, Template};
use crate::syntax::{BodyProcessor, Collection, Variable};
use crate::values::{List, View};

/// The text of a template, its macros filled in, appended.
pub(crate) fn expand(context: &Context<'_>, state: &State, template: &Template, out: &mut Vec<u8>) {
    for segment in &template.0 {
        match segment {
            Segment::Text(text) => out.extend_from_slice(text),
            Segment::Macro(reference) => first(context, state, reference, out),
        }
    }
}

/// The same as a value of its own.
pub(crate) fn expanded(context: &Context<'_>, state: &State, template: &Template) -> Vec<u8> {
    let mut out = Vec::new();
    expand(context, state, template, &mut out);
    out
}

/// Appends the first value that a macro names; nothing where there is none.
fn first(context: &Context<'_>, state: &State, reference: &Reference, out: &mut Vec<u8>) {
    let values = context.values;
    let mut take = |list: List, view: View| {
        let found =
            values.list(list).iter().find(|entry| reference.selector.admits(values.bytes(entry.name)));
        if let Some(entry) = found {
            out.extend_from_slice(values.bytes(view.of(*entry)));
        }
        found.is_some()
    };
    match reference.source {
        Source::List(list) => {
            take(list, View::Value);
        }
        Source::Lists(lists, view) => {
            let _ = lists.iter().any(|list| take(*list, view));
        }
        Source::Dynamic => {
            let mut found = false;
            each_dynamic(context, state, reference.variable, &reference.selector, &mut |_, value| {
                if !found {
                    found = true;
                    value(out);
                }
            });
        }
    }
}

/// Writes a value when asked to.
type Write<'a> = &'a dyn Fn(&mut Vec<u8>);

/// Calls back with name and value of each selected value of a variable that is computed when asked. The name of a variable
/// with one value is empty.
pub(crate) fn each_dynamic(
    context: &Context<'_>,
    state: &State,
    variable: Variable,
    selector: &Selector,
    visit: &mut dyn FnMut(&[u8], Write<'_>),
) {
    let mut scalar = |bytes: &[u8]| visit(b"", &|out| out.extend_from_slice(bytes));
    match variable {
        Variable::MatchedVar => scalar(&state.matched_value),
        Variable::ReqbodyProcessor => scalar(state.processor.map_or("", BodyProcessor::name).as_bytes()),
        Variable::MatchedVarName => scalar(&state.matched_name),
        Variable::HighestSeverity => {
            let severity = state.highest_severity.map_or(255, i64::from);
            visit(b"", &|out| write_number(severity, out));
        }
        Variable::Tx => each_tx(context, state, selector, visit),
        Variable::MatchedVars => {
            for (name, value) in state.matched.iter().filter(|(name, _)| selector.admits(name)) {
                visit(name, &|out| out.extend_from_slice(value));
            }
        }
        Variable::MatchedVarsNames => {
            for (name, _) in state.matched.iter().filter(|(name, _)| selector.admits(name)) {
                visit(name, &|out| out.extend_from_slice(name));
            }
        }
        Variable::Env => {
            for (name, value) in state.environment.iter().filter(|(name, _)| selector.admits(name)) {
                visit(name, &|out| out.extend_from_slice(value));
            }
        }
        Variable::Geo => {
            for (name, value) in state.geo.iter().filter(|(name, _)| selector.admits(name.as_bytes())) {
                visit(name.as_bytes(), &|out| out.extend_from_slice(value));
            }
        }
        Variable::Ip => each_stored(state, Collection::Ip, selector, visit),
        Variable::Global => each_stored(state, Collection::Global, selector, visit),
        Variable::Resource => each_stored(state, Collection::Resource, selector, visit),
        Variable::Session => each_stored(state, Collection::Session, selector, visit),
        Variable::User => each_stored(state, Collection::User, selector, visit),
        Variable::SessionId => {
            scalar(state.instance(Collection::Session).map_or(b"", |instance| &instance.key))
        }
        Variable::UserId => scalar(state.instance(Collection::User).map_or(b"", |instance| &instance.key)),
        Variable::Rule => each_rule(context, state, selector, visit),
        Variable::Duration => {
            let now = context.ports.clock.unix_micros();
            visit(b"", &|out| write_number(now.saturating_sub(state.began) as i64, out));
        }
        _ => {
            let time = crate::engine::time::Time::of_unix_micros(state.began);
            visit(b"", &|out| time.write(variable, out));
        }
    }
}

fn each_tx(
    context: &Context<'_>,
    state: &State,
    selector: &Selector,
    visit: &mut dyn FnMut(&[u8], Write<'_>),
) {
    match selector {
        Selector::Slot(slot) => {
            if let (Some(value), Some(name)) = (state.tx(*slot), context.program.tx_names.get(*slot as usize))
            {
                visit(name, &|out| value.write(out));
            }
        }
        Selector::Key(key) => {
            if let Some(value) = state.tx_named(context.program, key) {
                visit(key, &|out| value.write(out));
            }
        }
        Selector::Regex(pattern) => {
            for (name, value) in state.tx_selected(context.program, pattern) {
                visit(name, &|out| value.write(out));
            }
        }
        Selector::All => {
            for (name, value) in state.tx_all(context.program) {
                visit(name, &|out| value.write(out));
            }
        }
    }
}

fn each_stored(
    state: &State,
    collection: Collection,
    selector: &Selector,
    visit: &mut dyn FnMut(&[u8], Write<'_>),
) {
    let Some(instance) = state.instance(collection) else { return };
    for stored in instance.variables.iter().filter(|stored| selector.admits(&stored.name)) {
        visit(&stored.name, &|out| out.extend_from_slice(&stored.value));
    }
}

fn each_rule(
    context: &Context<'_>,
    state: &State,
    selector: &Selector,
    visit: &mut dyn FnMut(&[u8], Write<'_>),
) {
    let Some(rule) = context.program.rules.get(state.current_rule as usize) else { return };
    let mut offer = |name: &str, write: Write<'_>| {
        if selector.admits(name.as_bytes()) {
            visit(name.as_bytes(), write);
        }
    };
    // `msg` and `logdata` may hold macros; those that ask for the rule again stay empty instead of going round.
    let text = |template: Option<&Template>| {
        let mut text = Vec::new();
        for segment in template.iter().flat_map(|template| &template.0) {
            match segment {
                Segment::Macro(reference) if reference.variable == Variable::Rule => {}
                Segment::Macro(reference) => first(context, state, reference, &mut text),
                Segment::Text(bytes) => text.extend_from_slice(bytes),
            }
        }
        text
    };
    offer("id", &|out| write_number(rule.id as i64, out));
    offer("rev", &|out| out.extend_from_slice(&rule.rev));
    if let Some(severity) = rule.severity {
        offer("severity", &|out| write_number(i64::from(severity), out));
    }
    offer("msg", &|out| out.extend(text(rule.links.iter().find_map(|link| link.msg.as_ref()))));
    offer("logdata", &|out| out.extend(text(rule.links.iter().find_map(|link| link.logdata.as_ref()))));
}
