//! Whole calls put together of what a description shows: values of one name belong together.

use std::collections::{BTreeMap, BTreeSet};

use portcullis_spec::shown::{ShownContent, ShownOperation};
use serde_json::Value;

use super::{bodies::parsed, place};
use crate::model::{Example, Operation, Place};

/// Calls of one operation.
const CALLS_MAX: usize = 8;

/// The calls, named examples first. None, where nothing is shown or a path value is missing everywhere.
pub(super) fn calls(operation: &Operation, shown: &ShownOperation) -> Vec<Example> {
    let mut names: Vec<&str> = Vec::new();
    let mentioned = shown.bodies.iter().map(|it| it.example.as_str());
    for name in mentioned.chain(shown.parameters.iter().map(|it| it.example.as_str())) {
        if !names.contains(&name) && names.len() < CALLS_MAX {
            names.push(name);
        }
    }
    // Nameless ones are one call; named ones come first, being meant as whole calls.
    names.sort_by_key(|it| it.is_empty());
    if names.is_empty() && operation.body.as_ref().is_some_and(|it| !it.examples.is_empty()) {
        names.push("");
    }
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut calls: Vec<Example> = Vec::new();
    for name in names {
        let call = call(operation, shown, name);
        if call.parameters.is_empty() && call.body.is_none() {
            continue;
        }
        if seen.insert(format!("{:?} {:?}", call.parameters, call.body)) {
            calls.push(call);
        }
    }
    calls
}

fn call(operation: &Operation, shown: &ShownOperation, name: &str) -> Example {
    let mut parameters: BTreeMap<Place, Value> = BTreeMap::new();
    for wanted in [name, ""] {
        for it in shown.parameters.iter().filter(|it| it.example == wanted) {
            let place = place(it.location, &it.name);
            if operation.parameters.iter().any(|own| own.place == place) {
                parameters.entry(place).or_insert_with(|| it.value.clone());
            }
        }
    }
    // What must be there and is shown under another name, or by its schema only.
    for slot in operation.parameters.iter().filter(|it| it.required) {
        if let (false, Some(value)) = (parameters.contains_key(&slot.place), slot.examples.first()) {
            parameters.insert(slot.place.clone(), value.clone());
        }
    }
    let body = operation.body.as_ref();
    let own = |it: &&ShownContent| body.is_some_and(|body| body.media.contains(&it.media));
    let of = |wanted: &str| shown.bodies.iter().filter(own).find(|it| it.example == wanted);
    let chosen = of(name).or_else(|| of(""));
    let value = chosen.map(|it| parsed(&it.value, &it.media));
    Example {
        parameters,
        body: value.or_else(|| body?.examples.first().cloned()),
        media: chosen.map(|it| it.media.clone()),
        answer: answer(shown, name),
    }
}

/// The answer of the same name, or the first good one.
fn answer(shown: &ShownOperation, name: &str) -> Option<(u16, Value)> {
    let good = || {
        shown.answers.iter().filter_map(|(status, content)| {
            let status: u16 = status.parse().ok().filter(|it| (200..300).contains(it))?;
            Some((status, content))
        })
    };
    let same = good().find(|(_, content)| !name.is_empty() && content.example == name);
    let (status, content) = same.or_else(|| good().next())?;
    Some((status, parsed(&content.value, &content.media)))
}
