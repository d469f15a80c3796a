//! One operation from all calls of it that were seen.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Observed, id_of, register};
use crate::model::{
    Body, DeclaredAnswer, Example, Model, Operation, Place, Requirement, Slot, Style, Wire, effect,
    infer::{schema, schema_of_texts, value_of_text},
    kind,
    template::Templated,
};

/// Whole calls kept.
const CALLS_MAX: usize = 10;
/// Values kept of one slot.
const VALUES_MAX: usize = 10;

/// The operation. The group is never empty.
pub(super) fn operation(
    model: &mut Model,
    method: &str,
    template: &str,
    group: &[(&Observed, &Templated)],
) -> Operation {
    let name = group.iter().map(|(it, _)| it.name.as_str()).find(|it| !it.is_empty()).unwrap_or_default();
    let mut words: Vec<String> = Vec::new();
    for word in group.iter().flat_map(|(it, _)| &it.words) {
        if words.len() < 64 && !words.contains(word) {
            words.push(word.clone());
        }
    }
    Operation {
        id: id_of(method, template),
        name: name.to_owned(),
        wire: Wire::Rest { method: method.to_owned(), path: template.to_owned() },
        effect: effect::of_rest(method, template, ""),
        parameters: parameters(model, group),
        body: body(group),
        answers: answers(group),
        security: security(model, group),
        examples: examples(group),
        links: Vec::new(),
        words,
        deprecated: false,
    }
}

/// Values of one parameter, and in how many calls it was.
#[derive(Default)]
struct Values {
    texts: Vec<String>,
    calls: usize,
    /// It came several times in one call.
    repeated: bool,
}

fn parameters(model: &Model, group: &[(&Observed, &Templated)]) -> Vec<Slot> {
    let mut order: Vec<Place> = Vec::new();
    let mut seen: BTreeMap<Place, Values> = BTreeMap::new();
    for (call, templated) in group {
        let mut here: BTreeSet<Place> = BTreeSet::new();
        let path = templated
            .values
            .iter()
            .map(|(name, value)| (Place::Path(name.as_str().into()), value.as_deref()));
        for (place, text) in path.chain(placed(call).map(|(place, text)| (place, Some(text)))) {
            let values = seen.entry(place.clone()).or_insert_with(|| {
                order.push(place.clone());
                Values::default()
            });
            if here.insert(place) {
                values.calls += 1;
            } else {
                values.repeated = true;
            }
            values.texts.extend(text.map(str::to_owned));
        }
    }
    // Path parameters first, as they stand in the template.
    order.sort_by_key(|it| !matches!(it, Place::Path(_)));
    let slot = |place: Place| {
        let values = seen.get(&place)?;
        let one = schema_of_texts(values.texts.iter().map(String::as_str));
        let schema = if values.repeated { serde_json::json!({"type": "array", "items": one}) } else { one };
        let mut examples: Vec<Value> = Vec::new();
        for value in values.texts.iter().map(|it| value_of_text(it)) {
            if examples.len() < VALUES_MAX && !examples.contains(&value) {
                examples.push(value);
            }
        }
        if values.repeated {
            examples = vec![Value::Array(examples)];
        }
        let required = matches!(place, Place::Path(_)) || (values.calls == group.len() && group.len() > 1);
        Some(Slot {
            kind: kind::of(model, &schema),
            place,
            schema,
            required,
            style: Style::default(),
            examples,
        })
    };
    order.into_iter().filter_map(slot).collect()
}

/// What a call has outside of path and body.
fn placed(call: &Observed) -> impl Iterator<Item = (Place, &str)> {
    let query = call.query.iter().map(|(name, value)| (Place::Query(name.as_str().into()), value.as_str()));
    let headers =
        call.headers.iter().map(|(name, value)| (Place::Header(name.as_str().into()), value.as_str()));
    let cookies =
        call.cookies.iter().map(|(name, value)| (Place::Cookie(name.as_str().into()), value.as_str()));
    query.chain(headers).chain(cookies)
}

fn body(group: &[(&Observed, &Templated)]) -> Option<Body> {
    let mut media: Vec<String> = Vec::new();
    let bodies: Vec<&(String, Value)> = group.iter().filter_map(|(it, _)| it.body.as_ref()).collect();
    for (one, _) in &bodies {
        if !media.contains(one) {
            media.push(one.clone());
        }
    }
    let first = media.first()?.clone();
    // Values of another media type would blur the type of the first.
    media.retain(|it| *it == first || bodies.iter().any(|(own, value)| own == it && value.is_object()));
    let mut examples: Vec<Value> = Vec::new();
    for (_, value) in &bodies {
        if examples.len() < VALUES_MAX && !examples.contains(value) {
            examples.push(value.clone());
        }
    }
    let required = bodies.len() == group.len();
    Some(Body { media, schema: schema(bodies.iter().map(|(_, value)| value)), required, examples })
}

fn answers(group: &[(&Observed, &Templated)]) -> Vec<DeclaredAnswer> {
    let mut statuses: BTreeMap<u16, (Vec<String>, Vec<&Value>)> = BTreeMap::new();
    for seen in group.iter().filter_map(|(it, _)| it.answer.as_ref()) {
        let (media, values) = statuses.entry(seen.status).or_default();
        if !seen.media.is_empty() && !media.contains(&seen.media) {
            media.push(seen.media.clone());
        }
        values.extend(&seen.json);
    }
    statuses
        .into_iter()
        .map(|(status, (media, values))| DeclaredAnswer {
            status: status.to_string(),
            media,
            schema: (!values.is_empty()).then(|| schema(values)),
            headers: Vec::new(),
        })
        .collect()
}

/// Credentials seen with calls that went well; anonymous ones that did make them optional.
fn security(model: &mut Model, group: &[(&Observed, &Templated)]) -> Option<Vec<Vec<Requirement>>> {
    let went_well = |it: &Observed| it.answer.as_ref().is_none_or(|seen| seen.status < 400);
    let mut alternatives: Vec<Vec<Requirement>> = Vec::new();
    for schemes in group.iter().filter(|(it, _)| went_well(it)).filter_map(|(it, _)| it.presents.as_ref()) {
        let all: Vec<Requirement> = schemes
            .iter()
            .map(|it| Requirement { scheme: register(model, it), scopes: Vec::new() })
            .collect();
        if !alternatives.contains(&all) {
            alternatives.push(all);
        }
    }
    (!alternatives.is_empty()).then_some(alternatives)
}

/// Calls that went well first.
fn examples(group: &[(&Observed, &Templated)]) -> Vec<Example> {
    let mut ordered: Vec<&(&Observed, &Templated)> = group.iter().collect();
    ordered.sort_by_key(|(it, _)| match &it.answer {
        Some(seen) if (200..300).contains(&seen.status) => 0,
        None => 1,
        Some(_) => 2,
    });
    let mut examples: Vec<Example> = Vec::new();
    for (call, templated) in ordered {
        let mut parameters: BTreeMap<Place, Value> = BTreeMap::new();
        for (name, value) in &templated.values {
            if let Some(value) = value {
                parameters.insert(Place::Path(name.as_str().into()), value_of_text(value));
            }
        }
        for (place, text) in placed(call) {
            match parameters.get_mut(&place) {
                Some(Value::Array(items)) => items.push(value_of_text(text)),
                Some(one) => *one = Value::Array(vec![one.take(), value_of_text(text)]),
                None => drop(parameters.insert(place, value_of_text(text))),
            }
        }
        let example = Example {
            parameters,
            body: call.body.as_ref().map(|(_, value)| value.clone()),
            media: call.body.as_ref().map(|(media, _)| media.clone()),
            answer: call.answer.as_ref().map(|it| (it.status, it.json.clone().unwrap_or(Value::Null))),
        };
        let same = |it: &Example| it.parameters == example.parameters && it.body == example.body;
        if examples.len() < CALLS_MAX && !examples.iter().any(same) {
            examples.push(example);
        }
    }
    examples
}
