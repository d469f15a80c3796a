//! A stored value is read as a part of an SQL statement by another operation.

use serde_json::Value;

use super::probing::text_like;
use crate::{
    call::{Call, IdentityId},
    check::{Check, Info, Phase, Proof, Risk, Target, Verdict},
    finding::{Section, Severity, Shield},
    identity::Role,
    model::{Effect, OperationIndex, Place},
    script::{Flow, Script},
    wire::Outcome,
    world::World,
};

static INFO: Info = Info {
    id: "sql_injected_later",
    title: "A stored value becomes a part of a later SQL statement",
    section: Section::Security,
    severity: Severity::High,
    risk: Risk::Intrusive,
    phase: Phase::Destroy,
    owasp: "API8:2023",
    cwe: 89,
    wfc: Some("F200"),
    remedy: "Bind values that come out of the store like those that come from a caller: what is stored is input too.",
    oracle: "After a value with an odd number of quotes was stored by a user of the scan's own, an operation that answered \
             well fails; after one with an even number it answers again; three times over with fresh words.",
    requests_max: 60,
};

/// Rounds that must agree.
const ROUNDS: usize = 3;
/// Reading operations that are looked at after each store.
const READS_MAX: usize = 12;

/// The check.
pub(super) struct SqlInjectedLater;

impl Check for SqlInjectedLater {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn targets(&self, world: &World) -> Vec<Target> {
        if world.bounds.read_only {
            return Vec::new();
        }
        let storing = world.reached().filter(|(index, operation, good)| {
            operation.effect == Effect::Changes && good.recipe.is_empty() && !texts(world, *index).is_empty()
        });
        storing.map(|(index, _, _)| Target::operation(index)).collect()
    }

    fn run(&self, world: &World, target: &Target, script: &mut Script<'_>) -> Flow<Verdict> {
        let Some((index, good)) = target.operation.and_then(|index| Some((index, world.good(index)?))) else {
            return script.skip("no good call of it is known");
        };
        // Somebody of the trial's own: what is stored here may break everything that this one reads afterwards.
        let who = script.fresh_identity(Role::A)?.id;
        let places = texts(world, index);
        let store = |text: &str| {
            places.iter().fold(good.call.clone().by(who), |call, place| call.with(place, Value::from(text)))
        };
        let word = script.word(8);
        let (_, answer) = script.send(store(&format!("{word}''{word}")))?;
        if !answer.done() {
            return script.skip("it does not store quotes");
        }
        let reads = reading(world, script, who)?;
        let word = script.word(8);
        let (stored, answer) = script.send(store(&format!("{word}'{word}")))?;
        if !answer.done() {
            return Ok(Verdict::Clean);
        }
        for call in reads {
            let (broken, answer) = script.send(call.clone())?;
            if answer.outcome != Outcome::Broken {
                continue;
            }
            let Some(control) = agrees(script, &store, &call)? else { continue };
            let name = call.operation.and_then(|it| world.model.operation(it)).map(|it| it.id.to_string());
            let summary =
                format!("a quote stored here makes the statement of `{}` fail", name.unwrap_or_default());
            let exchanges = vec![(stored, "probe"), (broken, "read back"), (control, "control")];
            let mut proof = Proof::confirmed(summary, exchanges, Shield::AttackRule);
            proof.slot = places.first().cloned().filter(|_| places.len() == 1);
            // Another slot's text was stored beside it: which of them it is, each alone will tell.
            for place in places.iter().filter(|_| places.len() > 1) {
                let word = script.word(8);
                let even =
                    store(&format!("{word}''{word}")).with(place, Value::from(format!("{word}'{word}")));
                script.send(even)?;
                if script.send(call.clone())?.1.outcome == Outcome::Broken {
                    proof.slot = Some(place.clone());
                    break;
                }
            }
            return Ok(Verdict::Found(vec![proof]));
        }
        Ok(Verdict::Clean)
    }
}

/// Whether even and odd quotes make the read answer and fail, each round; the number of an answer that did.
fn agrees(script: &mut Script<'_>, store: &dyn Fn(&str) -> Call, read: &Call) -> Flow<Option<usize>> {
    let mut control = 0;
    for _ in 0..ROUNDS {
        let word = script.word(8);
        script.send(store(&format!("{word}''{word}")))?;
        let (number, even) = script.send(read.clone())?;
        control = number;
        script.send(store(&format!("{word}'{word}")))?;
        let (_, odd) = script.send(read.clone())?;
        if !even.done() || odd.outcome != Outcome::Broken {
            return Ok(None);
        }
    }
    Ok(Some(control))
}

/// Where text is stored.
fn texts(world: &World, index: OperationIndex) -> Vec<Place> {
    let slots = world.slots(index).iter().filter(|slot| {
        let name = slot.place.name().to_ascii_lowercase();
        let format = slot.schema.get("format").and_then(Value::as_str);
        text_like(slot)
            && matches!(slot.place, Place::Body(_))
            && ["enum", "pattern"].iter().all(|key| slot.schema.get(*key).is_none())
            && !matches!(format, Some("uri" | "email" | "uuid"))
            && !["password", "token", "url", "mail"].iter().any(|word| name.contains(word))
    });
    slots.map(|slot| slot.place.clone()).collect()
}

/// Calls that read what belongs to the caller and answer well now.
fn reading(world: &World, script: &mut Script<'_>, who: IdentityId) -> Flow<Vec<Call>> {
    let candidates = world.reached().filter(|(_, operation, good)| {
        let guarded = operation
            .security
            .as_ref()
            .is_none_or(|any| any.iter().all(|all| !all.is_empty()) && !any.is_empty());
        operation.effect == Effect::Reads
            && guarded
            && good.call.parameters.keys().all(|place| !matches!(place, Place::Path(_)))
    });
    let mut calls = Vec::new();
    for call in candidates.map(|(_, _, good)| good.call.clone().by(who)).take(READS_MAX) {
        if script.send(call.clone())?.1.done() {
            calls.push(call);
        }
    }
    Ok(calls)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::script::rehearse::{Ask, Fake, Stage, answer, body};

    fn trial(reads: impl Fn(&str) -> u16) -> usize {
        let stage = Stage::new()
            .op("PATCH /me", Effect::Changes, json!({"ok": true}))
            .slot(body("/display_name"), json!("Ida"))
            .slot(body("/motto"), json!("Ahoy"))
            .op("GET /me/recommendations", Effect::Reads, json!([]));
        let mut name = String::new();
        let mut fake = Fake::new(&stage.world, move |ask: &Ask| {
            assert!(ask.by.0 >= 100, "the scan's own users are left alone");
            if ask.operation.starts_with("PATCH") {
                name = ask.text("display_name");
                return answer(200, json!({"ok": true}));
            }
            answer(reads(&name), json!([]))
        });
        let found = fake.all(&SqlInjectedLater);
        assert!(found.iter().all(|proof| proof.slot == Some(body("/display_name"))));
        found.len()
    }

    #[test]
    fn finds_a_later_statement_that_fails_for_a_quote() {
        assert_eq!(trial(|name| if name.matches('\'').count() % 2 == 1 { 500 } else { 200 }), 1);
    }

    #[test]
    fn is_silent_where_quotes_are_text_or_always_wrong() {
        assert_eq!(trial(|_| 200), 0);
        assert_eq!(trial(|name| if name.contains('\'') { 500 } else { 200 }), 0);
        assert_eq!(trial(|_| 500), 0);
    }
}
