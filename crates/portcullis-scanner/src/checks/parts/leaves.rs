//! The scalars of a JSON value, and those that cannot stand in an answer by accident.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{
    call::{Call, escape},
    wire::Answer,
};

/// Scalars looked at in one value, at most: a larger answer is judged by its first ones.
const LEAVES_MAX: usize = 4_096;

/// The scalars with their JSON pointers, depth first. The parser bounds depth, so the walk is bounded too.
pub fn leaves(value: &Value) -> Vec<(String, &Value)> {
    let mut found = Vec::new();
    walk(value, &mut String::new(), &mut found);
    found
}

fn walk<'a>(value: &'a Value, at: &mut String, into: &mut Vec<(String, &'a Value)>) {
    if into.len() >= LEAVES_MAX {
        return;
    }
    let length = at.len();
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                at.push('/');
                at.push_str(&escape(key));
                walk(value, at, into);
                at.truncate(length);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                at.push('/');
                at.push_str(&index.to_string());
                walk(value, at, into);
                at.truncate(length);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => into.push((at.clone(), value)),
    }
}

/// A scalar as text, as it would stand in a URL.
pub fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Texts of a call long enough to be found in nobody's answer by accident: strings of eight characters, numbers of six
/// digits on.
pub fn marks(call: &Call) -> BTreeSet<String> {
    let body = call.body.iter().flat_map(|body| leaves(body).into_iter().map(|(_, value)| value));
    let all = call.parameters.values().chain(body);
    all.filter(|value| rare(value)).map(text_of).collect()
}

/// Whether a value is long enough to be told apart from others.
pub fn rare(value: &Value) -> bool {
    match value {
        Value::String(text) => text.chars().count() >= 8,
        Value::Number(number) => number.to_string().trim_start_matches('-').len() >= 6,
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => false,
    }
}

/// Marks of the calls that made something which its owner's answer holds and the reading call itself does not: an
/// answer that echoes its request does not hold them.
pub fn canaries<'a>(made: impl Iterator<Item = &'a Call>, read: &Call, answer: &Answer) -> Vec<String> {
    let asked = marks(read);
    let said = read.parameters.values().map(text_of).collect::<Vec<_>>();
    let made: BTreeSet<String> = made.flat_map(marks).collect();
    made.into_iter()
        .filter(|mark| !asked.contains(mark) && !said.iter().any(|it| it.contains(mark.as_str())))
        .filter(|mark| answer.holds(mark))
        .collect()
}

/// Whether a JSON answer has this value as one of its scalars, as text or number.
pub fn has_leaf(answer: &Answer, wanted: &Value) -> bool {
    let wanted = text_of(wanted);
    answer
        .json
        .as_ref()
        .is_some_and(|json| leaves(json).into_iter().any(|(_, value)| text_of(value) == wanted))
}

/// The innermost object that has one of these texts or numbers among its own members; the parser bounds depth.
pub fn entry_of<'a>(json: &'a Value, names: &[String]) -> Option<&'a Value> {
    match json {
        Value::Object(members) => members.values().find_map(|inner| entry_of(inner, names)).or_else(|| {
            let named =
                |value: &Value| (value.is_string() || value.is_number()) && names.contains(&text_of(value));
            members.values().any(named).then_some(json)
        }),
        Value::Array(items) => items.iter().find_map(|inner| entry_of(inner, names)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

/// Whether there is something in the answer: a JSON value with scalars other than `true`, `false`, null and one status
/// word, or text of some length.
pub fn substantial(answer: &Answer) -> bool {
    match &answer.json {
        Some(json) => {
            let leaves = leaves(json);
            let telling = leaves.iter().filter(|(_, it)| it.is_number() || it.is_string()).count();
            telling >= 2 || leaves.iter().any(|(_, it)| rare(it))
        }
        None => answer.body.len() >= 64,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        call::ANONYMOUS,
        model::OperationIndex,
        script::rehearse::{answer, body, path},
    };

    #[test]
    fn a_canary_is_what_the_maker_wrote_and_the_reader_did_not_ask_for() {
        let made = Call::of(OperationIndex(0), ANONYMOUS)
            .with(&body("/title"), json!("titletitle"))
            .with(&body("/secret"), json!("secretsecret"))
            .with(&body("/n"), json!(5));
        let read = Call::of(OperationIndex(1), ANONYMOUS).with(&path("title"), json!("titletitle"));
        let got = answer(200, json!({"title": "titletitle", "secret": "secretsecret", "n": 5}));
        assert_eq!(canaries([&made].into_iter(), &read, &got), ["secretsecret"]);
        assert!(canaries([&made].into_iter(), &read, &answer(404, json!("titletitle"))).is_empty());
    }

    #[test]
    fn a_status_word_is_nothing_substantial() {
        assert!(!substantial(&answer(200, json!({"status": "ok"}))));
        assert!(substantial(&answer(200, json!({"id": 1, "name": "x"}))));
    }
}
