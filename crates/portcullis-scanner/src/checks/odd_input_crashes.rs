//! Odd values make the service fail.

use std::sync::Arc;

use serde_json::{Value, json};

use super::probing::{Aim, slots};
use crate::{
    check::{Check, Info, Phase, Proof, Risk, Target, Verdict},
    finding::{Section, Severity, Shield},
    model::{Kind, Place},
    script::{Flow, Script},
    wire::{Answer, Outcome},
    world::World,
};

static INFO: Info = Info {
    id: "odd_input_crashes",
    title: "An odd value makes the service fail",
    section: Section::Contract,
    severity: Severity::Low,
    risk: Risk::Safe,
    phase: Phase::Probe,
    owasp: "API8:2023",
    cwe: 755,
    wfc: Some("F100"),
    remedy: "Check values against the description before they are used, and answer 400 where they do not fit.",
    oracle: "The service fails (5xx, or no answer at all) each of six times with the same kind of odd value, and answers \
             the good call each time in between.",
    requests_max: 30,
};

/// The check.
pub(super) struct OddInputCrashes;

/// How often it must fail: one call in seven that fails by chance does so six times in a row once in 117,649.
const FAILURES: usize = 6;

impl Check for OddInputCrashes {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn targets(&self, world: &World) -> Vec<Target> {
        slots(world, |_, _, slot| !matches!(slot.place, Place::Header(_) | Place::Cookie(_)))
    }

    fn run(&self, world: &World, target: &Target, script: &mut Script<'_>) -> Flow<Verdict> {
        let aim = Aim::take(world, target, script)?;
        let Some(slot) = world.slot(aim.index, &aim.place) else { return script.skip("no such slot") };
        for (words, value) in odd(slot.kind, &aim.place, script) {
            let (first, answer) = aim.send(script, value.clone())?;
            if !failed(&answer) {
                continue;
            }
            let Some(exchanges) = repeated(&aim, script, &value, first)? else { continue };
            let summary =
                format!("{words} at `{}` makes the service fail: status {}", aim.place, answer.status);
            let mut proof = Proof::confirmed(summary, exchanges, Shield::Schema);
            proof.severity = traces(&answer).then_some(Severity::Medium);
            return Ok(Verdict::Found(vec![proof]));
        }
        Ok(Verdict::Clean)
    }
}

fn failed(answer: &Answer) -> bool {
    matches!(answer.outcome, Outcome::Broken | Outcome::Unreached)
}

/// Whether the answer shows where in the code it failed.
fn traces(answer: &Answer) -> bool {
    let text = answer.text();
    ["Traceback (most recent call last)", "\n    at ", "\tat ", "stack trace", "goroutine ", "panicked at"]
        .iter()
        .any(|it| text.contains(it))
}

fn repeated(
    aim: &Aim<'_>,
    script: &mut Script<'_>,
    value: &Value,
    first: usize,
) -> Flow<Option<Vec<(usize, &'static str)>>> {
    let mut exchanges = vec![(first, "probe")];
    for round in 1..FAILURES {
        let (control, good): (usize, Arc<Answer>) = aim.send_good(script)?;
        if failed(&good) || good.outcome == Outcome::Limited {
            return Ok(None);
        }
        let (number, again) = aim.send(script, value.clone())?;
        if !failed(&again) {
            return Ok(None);
        }
        if round == 1 {
            exchanges.extend([(control, "control"), (number, "confirmation")]);
        }
    }
    Ok(Some(exchanges))
}

/// Odd values of a kind, those that fail most services first: another type, nothing, odd characters, an extreme, length.
fn odd(kind: Kind, place: &Place, script: &mut Script<'_>) -> Vec<(&'static str, Value)> {
    let word = script.word(6);
    let body = matches!(place, Place::Body(_));
    let mut values = Vec::new();
    match kind {
        Kind::Integer | Kind::Number => {
            values.push(("a number beyond 64 bits", json!(1e20)));
            values.push(("text in place of a number", Value::from(word)));
            values.push(("a negative number", json!(-1)));
        }
        Kind::Boolean => values.push(("text in place of a truth value", Value::from(word))),
        Kind::Text | Kind::Any | Kind::File => {
            if body {
                values.push(("a list in place of text", json!([word, {"a": 1}])));
            }
            values
                .push(("odd characters", Value::from(format!("{word}\u{0}%\u{feff}\u{1f9ea}\u{202e}\\'\""))));
            values.push(("a long text", Value::from("Aaaaa ".repeat(if body { 3_400 } else { 500 }))));
        }
        Kind::List | Kind::Record => values.push(("text in place of a list or object", Value::from(word))),
    }
    if body {
        values.push(("null", Value::Null));
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::Effect,
        script::rehearse::{Ask, Fake, Stage, answer, body},
    };

    fn trial(mut status: impl FnMut(&Value) -> u16) -> usize {
        let stage = Stage::new()
            .op("POST /notes", Effect::Creates, json!({"id": 1}))
            .slot(body("/text"), json!("Ida"));
        let mut fake = Fake::new(&stage.world, |ask: &Ask| {
            answer(status(ask.body.get("text").unwrap_or(&Value::Null)), json!({}))
        });
        fake.confirmed(&OddInputCrashes)
    }

    #[test]
    fn finds_values_that_fail_the_service() {
        assert_eq!(trial(|value| if value.is_array() { 500 } else { 201 }), 1);
        assert_eq!(
            trial(|value| if value.as_str().is_some_and(|it| it.contains('\0')) { 500 } else { 201 }),
            1
        );
        assert_eq!(trial(|value| if value.is_null() { 0 } else { 201 }), 1);
    }

    #[test]
    fn is_silent_on_refusals_and_moods() {
        assert_eq!(trial(|value| if value == "Ida" { 201 } else { 400 }), 0);
        assert_eq!(trial(|_| 500), 0);
        let mut state = 1_u64;
        let mut found = 0;
        for _ in 0..500 {
            found += trial(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                if (state >> 33).is_multiple_of(7) { 500 } else { 201 }
            });
        }
        assert!(found <= 1, "{found}");
    }
}
