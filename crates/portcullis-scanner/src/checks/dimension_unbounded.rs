//! The work that a call makes grows with numbers that the caller names, without bound.

use serde_json::Value;

use super::probing::{Sizes, grows, keywords, named, number_like};
use crate::{
    call::Call,
    check::{Check, Info, Phase, Proof, Risk, Target, Verdict},
    finding::{Section, Severity, Shield},
    model::{Effect, OperationIndex, Place},
    script::{Flow, Script},
    world::{World, freshened},
};

static INFO: Info = Info {
    id: "dimension_unbounded",
    title: "Work grows with numbers that a caller names, without bound",
    section: Section::Security,
    severity: Severity::Medium,
    risk: Risk::Safe,
    phase: Phase::Flood,
    owasp: "API4:2023",
    cwe: 1284,
    wfc: None,
    remedy: "Hold dimensions, factors and counts to a maximum in the service, before the work is begun.",
    oracle: "With all of an operation's dimensions doubled, beyond what is declared, the answer takes more than twice as \
             long, over four sizes, twice, while small ones stay quick.",
    requests_max: 24,
};

const SIZES: Sizes = Sizes { steps: [2_500, 5_000, 10_000, 20_000], factor: 2.6 };

/// The check.
pub(super) struct DimensionUnbounded;

impl Check for DimensionUnbounded {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn targets(&self, world: &World) -> Vec<Target> {
        let working = world.reached().filter(|(index, operation, _)| {
            matches!(operation.effect, Effect::Reads | Effect::Acts) && dimensions(world, *index).len() >= 2
        });
        working.map(|(index, _, _)| Target::operation(index)).collect()
    }

    fn run(&self, world: &World, target: &Target, script: &mut Script<'_>) -> Flow<Verdict> {
        let Some((index, good)) = target.operation.and_then(|index| Some((index, world.good(index)?))) else {
            return script.skip("no good call of it is known");
        };
        let places = dimensions(world, index);
        let call = |size: usize, script: &mut Script<'_>| -> Call {
            let call = freshened(good.call.clone(), &good.fresh, world, script);
            places.iter().fold(call, |call, place| call.with(place, Value::from(size as u64)))
        };
        let small = |size: usize, script: &mut Script<'_>| call(1 + size % 7, script);
        let Some(exchanges) = grows(script, SIZES, &call, &small)? else { return Ok(Verdict::Clean) };
        let names: Vec<&str> = places.iter().map(Place::name).collect();
        let summary = format!("the work grows with `{}` without bound", names.join("` and `"));
        Ok(Verdict::Found(vec![Proof::confirmed(summary, exchanges, Shield::Schema)]))
    }
}

/// Slots that name dimensions.
fn dimensions(world: &World, index: OperationIndex) -> Vec<Place> {
    const WORDS: &[&str] =
        &["width", "height", "depth", "scale", "dpi", "zoom", "resolution", "columns", "rows"];
    let slots = world.slots(index).iter().filter(|slot| {
        let keywords = keywords(&world.model.schemas, &slot.schema);
        number_like(slot) && named(slot, WORDS) && !keywords.contains_key("enum")
    });
    slots.map(|slot| slot.place.clone()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::script::rehearse::{Ask, Fake, Stage, answer, query};

    fn trial(most: u64) -> usize {
        let stage = Stage::new()
            .op("GET /thumbnails", Effect::Reads, json!({"sum": 1}))
            .slot(query("width"), json!(80))
            .slot(query("height"), json!(60));
        let mut fake = Fake::new(&stage.world, |ask: &Ask| {
            let size = |name: &str| ask.text(name).parse::<u64>().unwrap().min(most);
            let mut answer = answer(200, json!({"sum": 1}));
            answer.micros = 500 + size("width") * size("height") / 1_000;
            answer
        });
        fake.confirmed(&DimensionUnbounded)
    }

    #[test]
    fn finds_work_without_bound_alone() {
        assert_eq!(trial(100_000), 1);
        assert_eq!(trial(1_000), 0);
    }
}
