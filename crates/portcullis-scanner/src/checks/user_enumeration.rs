//! Answers tell whether a user exists.

use std::{collections::BTreeSet, sync::Arc};

use serde_json::Value;

use super::parts::{entrance::names_are_public, leaves::leaves, own};
use crate::{
    call::{ANONYMOUS, Call},
    check::{Check, Info, Phase, Proof, Risk, Target, Verdict},
    finding::{Section, Severity, Shield},
    identity::{Identity, Role},
    model::{OperationIndex, Place},
    script::{Flow, Script},
    wire::{Answer, Outcome},
    world::World,
};

/// The check.
pub(super) struct UserEnumeration;

static INFO: Info = Info {
    id: "user_enumeration",
    title: "Answers tell whether a user exists",
    section: Section::Security,
    severity: Severity::Low,
    risk: Risk::Intrusive,
    phase: Phase::Destroy,
    owasp: "API2:2023",
    cwe: 204,
    wfc: Some("F204"),
    remedy: "Answer alike whether the user exists or not: same status, text and work, and tell the owner by mail.",
    oracle: "An account made for the trial and names that nobody has are tried three times each in turn, with equal \
             wrong passwords. What was sent is taken out of the answers; then all answers of one kind must be alike \
             and the two kinds apart, by status, text or shape; a second account must fall on the same side. \
             Differences in time alone are only suspected.",
    requests_max: 30,
};

/// Words of operations that take a user's name before anybody is logged in.
const WORDS: &[&str] = &[
    "login",
    "signin",
    "recover",
    "recovery",
    "forgot",
    "reset",
    "challenge",
    "authenticate",
    "register",
    "signup",
];

impl Check for UserEnumeration {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn targets(&self, world: &World) -> Vec<Target> {
        let mut targets = Vec::new();
        for (index, operation) in world.model.all() {
            let login = world.login.as_ref();
            let entrance = login.is_some_and(|it| it.operation == index || it.register == Some(index));
            let worded = own::words(operation).iter().any(|word| WORDS.contains(&word.as_str()));
            let reads = operation.effect == crate::model::Effect::Reads;
            if (entrance || (worded && !own::demands(operation) && !reads))
                && world.good(index).is_some()
                && let Some((place, _)) = name_slot(world, index)
            {
                targets.push(Target::slot(index, place));
            }
        }
        targets
    }

    fn run(&self, world: &World, target: &Target, script: &mut Script<'_>) -> Flow<Verdict> {
        let (Some(index), Some(slot)) = (target.operation, &target.slot) else {
            return script.skip("no slot");
        };
        let register = registers(world, index);
        if register && names_are_public(world) {
            return Ok(Verdict::Clean);
        }
        let Some((_, key)) = name_slot(world, index) else { return script.skip("no slot for a name") };
        let user = script.fresh_identity(Role::A)?;
        let rounds = if register { 2 } else { 3 };
        let (mut known, mut absent) = (Vec::new(), Vec::new());
        let secret = format!("Zq9-{}", script.word(12));
        for _ in 0..rounds {
            known.push(ask(world, script, index, slot, user.values.get(key), &secret)?);
            let nobody = nobody_like(&user, key, script);
            absent.push(ask(world, script, index, slot, Some(&nobody), &secret)?);
        }
        let all: Vec<&Asked> = known.iter().chain(&absent).collect();
        if all.iter().any(|it| matches!(it.answer.outcome, Outcome::Limited | Outcome::Unreached)) {
            return script.skip("it limits how often one may ask");
        }
        let Some(by) = apart(&known, &absent) else {
            return Ok(slower(&known, &absent).map_or(Verdict::Clean, |proof| Verdict::Found(vec![proof])));
        };
        let second = script.fresh_identity(Role::B)?;
        let again = ask(world, script, index, slot, second.values.get(key), &secret)?;
        if (by.feature)(&again) != by.known {
            return Ok(Verdict::Clean);
        }
        let mut exchanges: Vec<(usize, &'static str)> = known.iter().map(|it| (it.number, "probe")).collect();
        exchanges.extend(absent.iter().map(|it| (it.number, "control")));
        exchanges.push((again.number, "confirmation"));
        let words = format!("the {} tells whether a name is known", by.words);
        let mut proof = Proof::confirmed(
            words,
            exchanges,
            Shield::None {
                words: "Answer alike in the service itself; a gate can only slow the asking down".to_owned(),
            },
        );
        if register {
            // Most services say at registration that a name is taken, and must say something.
            proof.certainty = crate::finding::Certainty::Suspected;
        }
        by.words.clone_into(&mut proof.variant);
        Ok(Verdict::Found(vec![proof]))
    }
}

/// The slot for a user's name or address, with the identity's value that goes there.
fn name_slot(world: &World, index: OperationIndex) -> Option<(Place, &'static str)> {
    if let Some(login) = world.login.as_ref().filter(|login| login.operation == index) {
        let mail = login.name.name().to_ascii_lowercase().contains("mail");
        return Some((login.name.clone(), if mail { "email" } else { "username" }));
    }
    let mut found: Vec<(u8, Place, &'static str)> = Vec::new();
    for slot in world.slots(index) {
        let name = slot.place.name().to_ascii_lowercase();
        if name.contains("username") || name == "user" || name == "login" || name == "user_name" {
            found.push((0, slot.place.clone(), "username"));
        } else if name.contains("email") || name == "mail" {
            found.push((1, slot.place.clone(), "email"));
        }
    }
    found.into_iter().min_by_key(|it| it.0).map(|(_, place, key)| (place, key))
}

fn registers(world: &World, index: OperationIndex) -> bool {
    world.login.as_ref().is_some_and(|login| login.register == Some(index))
        || world.model.operation(index).is_some_and(|it| {
            own::words(it).iter().any(|word| matches!(word.as_str(), "register" | "signup"))
        })
}

/// A name that nobody has, of the same length and look.
fn nobody_like(user: &Identity, key: &str, script: &mut Script<'_>) -> Value {
    let text = user.text(key).unwrap_or_default();
    match text.split_once('@') {
        Some((name, domain)) => Value::from(format!("{}@{domain}", script.word(name.chars().count().max(6)))),
        None => Value::from(script.word(text.chars().count().clamp(6, 40))),
    }
}

struct Asked {
    number: usize,
    answer: Arc<Answer>,
    /// Everything that was sent, to be taken out of the text.
    sent: Vec<String>,
}

fn ask(
    world: &World,
    script: &mut Script<'_>,
    index: OperationIndex,
    slot: &Place,
    name: Option<&Value>,
    secret: &str,
) -> Flow<Asked> {
    let (Some(good), Some(name)) = (world.good(index), name) else {
        return script.skip("no name to ask for");
    };
    let mut call: Call = crate::world::freshened(good.call.clone(), &good.fresh, world, script).by(ANONYMOUS);
    let body = call.body.clone().unwrap_or(Value::Null);
    for (pointer, value) in leaves(&body) {
        let place = Place::Body(pointer.into());
        if value.is_string() && place.name().to_ascii_lowercase().contains("pass") {
            call.set(&place, Value::from(secret));
        }
    }
    call.set(slot, name.clone());
    let sent = leaves(call.body.as_ref().unwrap_or(&Value::Null))
        .into_iter()
        .map(|(_, value)| value)
        .chain(call.parameters.values())
        .filter_map(|value| value.as_str().map(str::to_owned))
        .filter(|text| text.len() >= 4)
        .collect();
    let (number, answer) = script.send(call)?;
    Ok(Asked { number, answer, sent })
}

/// What of an answer may tell the kinds apart.
type Feature = fn(&Asked) -> String;

struct Apart {
    words: &'static str,
    known: String,
    feature: Feature,
}

/// The first feature by which all answers of one kind are alike, and the kinds apart.
fn apart(known: &[Asked], absent: &[Asked]) -> Option<Apart> {
    let features: [(&'static str, Feature); 3] = [("status", status), ("text", text), ("shape", shape)];
    features.into_iter().find_map(|(words, feature)| {
        let one: BTreeSet<String> = known.iter().map(feature).collect();
        let other: BTreeSet<String> = absent.iter().map(feature).collect();
        let single = one.len() == 1 && other.len() == 1 && one != other;
        single.then(|| Apart { words, known: one.into_iter().next().unwrap_or_default(), feature })
    })
}

fn status(asked: &Asked) -> String {
    asked.answer.status.to_string()
}

/// The body without what was sent.
fn text(asked: &Asked) -> String {
    let mut text = asked.answer.text().into_owned();
    for sent in &asked.sent {
        text = text.replace(sent.as_str(), "…");
    }
    text
}

/// The names in a JSON body with types and lengths; for other bodies their length.
fn shape(asked: &Asked) -> String {
    let Some(json) = &asked.answer.json else { return text(asked).len().to_string() };
    let mut shape = String::new();
    for (pointer, value) in leaves(json) {
        let length = match value {
            Value::String(it) if asked.sent.contains(it) => 0,
            Value::String(it) => it.chars().count(),
            _ => 0,
        };
        shape.push_str(&format!("{pointer}:{length};"));
    }
    shape
}

/// All answers of one kind are slower than all of the other, twice and by twenty milliseconds.
fn slower(known: &[Asked], absent: &[Asked]) -> Option<Proof> {
    let micros = |all: &[Asked]| all.iter().map(|it| it.answer.micros).collect::<Vec<_>>();
    let (one, other) = (micros(known), micros(absent));
    let apart = |slow: &[u64], fast: &[u64]| {
        let (Some(slow), Some(fast)) = (slow.iter().min(), fast.iter().max()) else { return false };
        *slow > fast.saturating_mul(2) && slow - fast > 20_000
    };
    if !(apart(&one, &other) || apart(&other, &one)) {
        return None;
    }
    let exchanges =
        known.iter().map(|it| (it.number, "probe")).chain(absent.iter().map(|it| (it.number, "control")));
    let words = "the time of the answer seems to tell whether a name is known";
    let mut proof = Proof::suspected(
        words,
        exchanges.collect(),
        Shield::None { words: "Do the same work whether the user exists or not".to_owned() },
    );
    "time".clone_into(&mut proof.variant);
    Some(proof)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        model::Effect,
        script::rehearse::{Ask, Fake, Stage, answer, body},
    };

    fn world() -> World {
        Stage::new()
            .op("POST /login", Effect::Acts, json!({"token": "t"}))
            .slot(body("/username"), json!("alice"))
            .slot(body("/password"), json!("pass-alice-1"))
            .login()
            .world
    }

    fn known(ask: &Ask) -> bool {
        ask.text("username").starts_with("clone1")
    }

    fn variants(service: impl FnMut(&Ask) -> Answer) -> Vec<String> {
        Fake::new(&world(), service).all(&UserEnumeration).into_iter().map(|it| it.variant).collect()
    }

    #[test]
    fn finds_a_difference_in_status_text_and_shape() {
        assert_eq!(variants(|ask| answer(if known(ask) { 401 } else { 404 }, json!({}))), ["status"]);
        let text =
            |ask: &Ask| answer(200, json!({"m": if known(ask) { "wrong password" } else { "no such user" }}));
        assert_eq!(variants(text), ["text"]);
        let mut n = 0;
        let shape = move |ask: &Ask| {
            n += 1;
            answer(200, json!({"c": format!("{n:032}").repeat(if known(ask) { 2 } else { 1 })}))
        };
        assert_eq!(variants(shape), ["shape"]);
    }

    #[test]
    fn is_silent_where_answers_are_alike_dynamic_or_echo_the_name() {
        assert!(variants(|_| answer(401, json!({"m": "wrong"}))).is_empty());
        let mut n = 0;
        let dynamic = move |_: &Ask| {
            n += 1;
            answer(401, json!({"m": "wrong", "request": "x".repeat(n)}))
        };
        assert!(variants(dynamic).is_empty());
        assert!(
            variants(|ask| answer(401, json!({"m": format!("wrong for {}", ask.text("username"))})))
                .is_empty()
        );
    }
}
