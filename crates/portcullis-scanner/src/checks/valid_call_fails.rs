//! A call within the description makes the service fail.

use serde_json::Value;

use super::probing::{Aim, inside, keywords, slots};
use crate::{
    check::{Check, Info, Phase, Proof, Risk, Target, Verdict},
    finding::{Section, Severity, Shield},
    model::{Effect, Operation, OperationIndex, Slot},
    script::{Flow, Script},
    wire::Outcome,
    world::World,
};

static INFO: Info = Info {
    id: "valid_call_fails",
    title: "A call within the description makes the service fail",
    section: Section::Contract,
    severity: Severity::Low,
    risk: Risk::Safe,
    phase: Phase::Contract,
    owasp: "API8:2023",
    cwe: 755,
    wfc: Some("F100"),
    remedy: "Handle every value that the description allows, or narrow the description to what is handled.",
    oracle: "A value that the description allows, at the edge of it, is answered 5xx each of six times, and the good call \
             is not, in between.",
    requests_max: 40,
};

/// How often it must fail: six failures in a row come by chance once in 117,649 where one call in seven fails.
const FAILURES: usize = 6;

/// The check.
pub(super) struct ValidCallFails;

impl Check for ValidCallFails {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn targets(&self, world: &World) -> Vec<Target> {
        slots(world, |_: OperationIndex, operation: &Operation, slot: &Slot| {
            operation.effect == Effect::Reads
                && !inside(&keywords(&world.model.schemas, &slot.schema)).is_empty()
        })
    }

    fn run(&self, world: &World, target: &Target, script: &mut Script<'_>) -> Flow<Verdict> {
        let aim = Aim::take(world, target, script)?;
        let Some(slot) = world.slot(aim.index, &aim.place) else { return script.skip("no such slot") };
        for value in inside(&keywords(&world.model.schemas, &slot.schema)) {
            if written(&value) == aim.text {
                continue;
            }
            let (first, answer) = aim.send(script, value.clone())?;
            if answer.outcome != Outcome::Broken {
                continue;
            }
            let mut exchanges = vec![(first, "probe")];
            let mut always = true;
            for round in 1..FAILURES {
                let (control, good) = aim.send_good(script)?;
                let (number, again) = aim.send(script, value.clone())?;
                always &= again.outcome == Outcome::Broken && good.done();
                if !always {
                    break;
                }
                if round == 1 {
                    exchanges.extend([(control, "control"), (number, "confirmation")]);
                }
            }
            if always {
                let summary = format!(
                    "`{}` = `{}` is allowed and answered {}",
                    aim.place,
                    written(&value),
                    answer.status
                );
                return Ok(Verdict::Found(vec![Proof::confirmed(summary, exchanges, words())]));
            }
        }
        Ok(Verdict::Clean)
    }
}

fn written(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn words() -> Shield {
    Shield::None { words: "the service must handle what its description allows".to_owned() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::script::rehearse::{Ask, Fake, Stage, answer, query};

    fn trial(mut status: impl FnMut(u64) -> u16) -> usize {
        let mut stage = Stage::new()
            .op("GET /calendar", Effect::Reads, json!({"days": 31}))
            .slot(query("month"), json!(3));
        stage.world.slots[0][0].schema = json!({"type": "integer", "minimum": 1, "maximum": 12});
        let mut fake = Fake::new(&stage.world, |ask: &Ask| {
            answer(status(ask.text("month").parse().unwrap()), json!({"days": 31}))
        });
        fake.confirmed(&ValidCallFails)
    }

    #[test]
    fn finds_an_allowed_value_that_fails_and_no_mood() {
        assert_eq!(trial(|month| if month == 2 { 500 } else { 200 }), 1);
        assert_eq!(trial(|_| 200), 0);
        let mut number = 0;
        let moody = trial(|_| {
            number += 1;
            if number % 7 == 0 { 500 } else { 200 }
        });
        assert_eq!(moody, 0);
    }
}
