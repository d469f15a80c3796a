//! The service takes what its description forbids.

use super::probing::{Aim, keywords, outside, slots, validator};
use crate::{
    check::{Check, Info, Phase, Proof, Risk, Target, Verdict},
    finding::{Section, Severity, Shield},
    model::{Effect, Place},
    script::{Flow, Script},
    world::World,
};

static INFO: Info = Info {
    id: "forbidden_input_accepted",
    title: "The service takes what its description forbids",
    section: Section::Contract,
    severity: Severity::Info,
    risk: Risk::Safe,
    phase: Phase::Probe,
    owasp: "API8:2023",
    cwe: 20,
    wfc: Some("F102"),
    remedy: "Check values against the description where they come in, or widen the description to what is taken.",
    oracle: "A value that the slot's schema refuses is answered like a good one, twice.",
    requests_max: 4,
};

/// The check.
pub(super) struct ForbiddenInputAccepted;

impl Check for ForbiddenInputAccepted {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn targets(&self, world: &World) -> Vec<Target> {
        slots(world, |_, operation, slot| {
            let typed = matches!(slot.place, Place::Body(_));
            operation.effect != Effect::Changes
                && !matches!(slot.place, Place::Header(_) | Place::Cookie(_))
                && !outside(&keywords(&world.model.schemas, &slot.schema), typed, "word").is_empty()
        })
    }

    fn run(&self, world: &World, target: &Target, script: &mut Script<'_>) -> Flow<Verdict> {
        let aim = Aim::take(world, target, script)?;
        let Some(slot) = world.slot(aim.index, &aim.place) else { return script.skip("no such slot") };
        let Some(validator) = validator(&world.model.schemas, &slot.schema) else {
            return script.skip("its schema cannot be compiled");
        };
        let typed = matches!(aim.place, Place::Body(_));
        let word = script.word(8);
        let values = outside(&keywords(&world.model.schemas, &slot.schema), typed, &word);
        // The first stands for the slot: a service that checks one keyword checks them all, or is found at another slot.
        let Some((words, value)) = values.into_iter().find(|(_, value)| !validator.is_valid(value)) else {
            return Ok(Verdict::Clean);
        };
        let mut exchanges = Vec::new();
        for part in ["probe", "confirmation"] {
            let (number, answer) = aim.send(script, value.clone())?;
            if !answer.done() {
                return Ok(Verdict::Clean);
            }
            exchanges.push((number, part));
        }
        let summary = format!("`{}` takes {words}, which its description forbids", aim.place);
        Ok(Verdict::Found(vec![Proof::confirmed(summary, exchanges, Shield::Schema)]))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::script::rehearse::{Ask, Fake, Stage, answer, body};

    fn trial(takes: fn(i64) -> bool) -> usize {
        let mut stage = Stage::new()
            .op("POST /bookings", Effect::Creates, json!({"ok": true}))
            .slot(body("/seats"), json!(2));
        stage.world.slots[0][0].schema = json!({"type": "integer", "minimum": 1, "maximum": 8});
        let mut fake = Fake::new(&stage.world, |ask: &Ask| {
            let seats = ask.body.get("seats").and_then(serde_json::Value::as_i64).unwrap_or(-99);
            answer(if takes(seats) { 201 } else { 422 }, json!({"ok": true}))
        });
        fake.confirmed(&ForbiddenInputAccepted)
    }

    #[test]
    fn finds_what_is_taken_against_the_description() {
        assert_eq!(trial(|_| true), 1);
        assert_eq!(trial(|seats| (1..=8).contains(&seats)), 0);
    }

    #[test]
    fn is_not_tried_where_nothing_is_forbidden() {
        let stage = Stage::new().op("POST /a", Effect::Creates, json!(1)).slot(body("/b"), json!("c"));
        assert!(ForbiddenInputAccepted.targets(&stage.world).is_empty());
    }
}
