//! Places in which a call names its own caller: a user name in the path, an address in the body.

use serde_json::Value;

use super::leaves::text_of;
use crate::{
    call::Call,
    identity::{Identity, Role},
    model::{Operation, OperationIndex, Place, Wire},
    world::{Good, World},
};

/// Names of slots that name a user, with the identity's value that goes there.
const NAMES: &[(&str, &str)] = &[
    ("username", "username"),
    ("user_name", "username"),
    ("login", "username"),
    ("email", "email"),
    ("user_email", "email"),
    ("useremail", "email"),
    ("mail", "email"),
    ("user_id", "id"),
    ("userid", "id"),
    ("account_id", "id"),
    ("accountid", "id"),
    ("uid", "id"),
    ("customer_id", "id"),
    ("customerid", "id"),
    ("owner_id", "id"),
    ("ownerid", "id"),
    ("member_id", "id"),
    ("author_id", "id"),
];

/// Where a call names its caller, with the name of the identity's value that stands there; passwords are left out.
pub fn named(world: &World, call: &Call) -> Vec<(Place, String)> {
    let Some(index) = call.operation else { return Vec::new() };
    let caller = world.identity(call.by);
    let body = crate::checks::parts::leaves::leaves(call.body.as_ref().unwrap_or(&Value::Null))
        .into_iter()
        .map(|(pointer, value)| (Place::Body(pointer.into()), value));
    let parameters = call.parameters.iter().map(|(place, value)| (place.clone(), value));
    let mut found: Vec<(Place, String)> = Vec::new();
    if let Some(good) = world.good(index) {
        let known = good.own.iter().filter(|(place, key)| key != "password" && call.value(place).is_some());
        found.extend(known.cloned());
    }
    for (place, value) in parameters.chain(body).take(256) {
        if found.iter().any(|(own, _)| *own == place) {
            continue;
        }
        let by_value = caller.and_then(|who| {
            let mut values = who.values.iter().filter(|(key, _)| *key != "password");
            values.find(|(key, own)| text_of(own) == text_of(value) && telling(&place, key, own))
        });
        let by_name = || {
            let name = place.name().to_ascii_lowercase().replace('-', "_");
            let known = matches!(place, Place::Path(_) | Place::Query(_)) && !fed(world, index, &place);
            NAMES.iter().find(|(own, _)| known && *own == name).map(|(_, key)| (*key).to_owned())
        };
        if let Some(key) = by_value.map(|(key, _)| key.clone()).or_else(by_name) {
            found.push((place, key));
        }
    }
    found
}

/// Whether an equal value says that the place means the caller: a short number does so only where the place's name does.
fn telling(place: &Place, key: &str, value: &Value) -> bool {
    let name = place.name().to_ascii_lowercase();
    text_of(value).chars().count() >= 4 || (key == "id" && name.ends_with("id"))
}

/// Whether a recipe feeds this slot of an operation's good call.
fn fed(world: &World, index: OperationIndex, place: &Place) -> bool {
    world.good(index).is_some_and(|good| {
        let to = good.recipe.len();
        good.recipe.iter().any(|it| it.feeds.iter().any(|feed| feed.to == to && feed.slot == *place))
    })
}

/// The call in somebody's name: what named its caller names this one.
pub fn rename(world: &World, call: &mut Call, who: &Identity) {
    if call.by == who.id {
        return;
    }
    for (place, key) in named(world, call) {
        if let Some(value) = who.values.get(&key) {
            call.set(&place, value.clone());
        }
    }
}

/// The slots of a good call that stand for something made before by a call that creates it.
pub fn made_slots(world: &World, good: &Good) -> Vec<Place> {
    slots_fed(world, good, |effect| effect.changes_state())
}

/// The slots of a good call that stand for something found in an answer to a call that reads.
pub fn found_slots(world: &World, good: &Good) -> Vec<Place> {
    slots_fed(world, good, |effect| !effect.changes_state())
}

fn slots_fed(world: &World, good: &Good, by: impl Fn(crate::model::Effect) -> bool) -> Vec<Place> {
    let to = good.recipe.len();
    let made =
        good.recipe.iter().filter(|it| it.call.operation.and_then(|at| world.effect(at)).is_some_and(&by));
    made.flat_map(|it| it.feeds.iter().filter(|feed| feed.to == to).map(|feed| feed.slot.clone())).collect()
}

/// Whether the description asks for a credential, whatever the call.
pub fn demands(operation: &Operation) -> bool {
    operation.security.as_ref().is_some_and(|any| !any.is_empty() && any.iter().all(|all| !all.is_empty()))
}

/// Whether nobody at all was answered well there.
pub fn open_to_all(world: &World, index: OperationIndex) -> bool {
    world.samples.iter().any(|sample| {
        sample.call.operation == Some(index)
            && sample.call.by == crate::call::ANONYMOUS
            && sample.call.edits.is_empty()
            && sample.answer.done()
    })
}

/// Whether the operation is how one registers, logs in or out.
pub fn is_entrance(world: &World, index: OperationIndex) -> bool {
    world.login.as_ref().is_some_and(|login| {
        login.operation == index || login.register == Some(index) || login.logout == Some(index)
    })
}

/// Two ordinary users who are strangers to each other: owner and stranger.
pub fn strangers(world: &World) -> Option<(&Identity, &Identity)> {
    Some((world.who(Role::B)?, world.who(Role::A)?))
}

/// Texts that only answers about this identity hold: its address, name, telephone number; never its password.
pub fn private_texts(who: &Identity) -> Vec<String> {
    let keys = ["email", "username", "phone", "phone_number", "mobile"];
    let texts = keys.iter().filter_map(|key| who.values.get(*key)).map(text_of);
    texts.filter(|text| text.chars().count() >= 4).collect()
}

/// Words of an operation, lower case: of its path or field, name, tags and description, split at everything that is no
/// letter and at capitals.
pub fn words(operation: &Operation) -> Vec<String> {
    let place = match &operation.wire {
        Wire::Rest { path, .. } => path.clone(),
        Wire::GraphQl { field, .. } => field.clone(),
        Wire::Grpc { service, method, .. } => format!("{service} {method}"),
        Wire::Soap { element, .. } => element.clone(),
    };
    let mut words = Vec::new();
    for text in
        [place.as_str(), &operation.name].into_iter().chain(operation.words.iter().map(String::as_str))
    {
        let mut word = String::new();
        let mut before_small = false;
        for letter in text.chars() {
            if (!letter.is_alphabetic() || (letter.is_uppercase() && before_small)) && !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
            if letter.is_alphabetic() {
                word.extend(letter.to_lowercase());
            }
            before_small = letter.is_lowercase();
        }
        if !word.is_empty() {
            words.push(word);
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        model::Effect,
        script::rehearse::{A, B, Stage, body, path},
    };

    #[test]
    fn names_another_caller_where_a_call_named_its_own() {
        let stage = Stage::new()
            .op("PUT /users/{username}/mail", Effect::Changes, json!({}))
            .slot(path("username"), json!("alice"))
            .slot(body("/to"), json!("alice@mail.example"))
            .slot(body("/note"), json!("x"));
        let mut call = stage.world.good(OperationIndex(0)).unwrap().call.clone();
        assert_eq!(call.by, A);
        rename(&stage.world, &mut call, stage.world.identity(B).unwrap());
        assert_eq!(call.value(&path("username")), Some(&json!("bobby")));
        assert_eq!(call.body, Some(json!({"to": "bobby@mail.example", "note": "x"})));
    }

    #[test]
    fn splits_words_at_capitals() {
        let stage = Stage::new().op("GET /adminUsers/{id}", Effect::Reads, json!({}));
        let words = words(stage.world.model.operation(OperationIndex(0)).unwrap());
        assert_eq!(words, ["admin", "users", "id"]);
    }
}
