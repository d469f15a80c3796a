//! A body that nests deeply costs out of proportion, or fells the reader.

use serde_json::Value;

use super::probing::{Sizes, grows};
use crate::{
    call::{Call, Edit},
    check::{Check, Info, Phase, Proof, Risk, Target, Verdict},
    finding::{Section, Severity, Shield},
    model::{Effect, Wire},
    script::{Flow, Script},
    wire::Outcome,
    world::{World, freshened},
};

static INFO: Info = Info {
    id: "nesting_costly",
    title: "A body that nests deeply costs out of proportion",
    section: Section::Security,
    severity: Severity::Medium,
    risk: Risk::Safe,
    phase: Phase::Flood,
    owasp: "API4:2023",
    cwe: 674,
    wfc: None,
    remedy: "Bound the depth of what is read, before it is read; thirty levels are plenty for JSON.",
    oracle: "Twice the depth costs more than twice the time over four depths, twice; or the service fails each of five \
             times at a depth whose flat twin of the same length it takes.",
    requests_max: 40,
};

const DEPTHS: Sizes = Sizes { steps: [2_500, 5_000, 10_000, 20_000], factor: 2.6 };

/// Operations that are tried although their bodies have a fixed shape: they share the reader.
const FIXED_MAX: usize = 2;

/// The check.
pub(super) struct NestingCostly;

impl Check for NestingCostly {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn targets(&self, world: &World) -> Vec<Target> {
        let mut fixed = 0;
        let bodies = world.reached().filter(|(_, operation, good)| {
            matches!(operation.wire, Wire::Rest { .. })
                && matches!(good.call.body, Some(Value::Object(_)))
                && operation.effect != Effect::Deletes
                && operation.body.as_ref().is_some_and(|it| it.media.iter().any(|it| it.contains("json")))
        });
        let mut targets = Vec::new();
        for (index, operation, _) in bodies {
            let any_shape = operation
                .body
                .as_ref()
                .is_some_and(|it| it.schema.get("properties").is_none() && it.schema.get("$ref").is_none());
            if !any_shape {
                fixed += 1;
            }
            if any_shape || fixed <= FIXED_MAX {
                targets.push(Target::operation(index));
            }
        }
        targets
    }

    fn run(&self, world: &World, target: &Target, script: &mut Script<'_>) -> Flow<Verdict> {
        let Some(good) = target.operation.and_then(|index| world.good(index)) else {
            return script.skip("no good call of it is known");
        };
        let call = |inner: String, script: &mut Script<'_>| -> Call {
            let call = freshened(good.call.clone(), &good.fresh, world, script);
            let body = call.body.as_ref().map(Value::to_string).unwrap_or_default();
            let body = match body.strip_suffix('}') {
                Some("{") | None => format!("{{\"deep\":{inner}}}"),
                Some(head) => format!("{head},\"deep\":{inner}}}"),
            };
            call.edited(Edit::SetHeader("content-type".to_owned(), "application/json".to_owned()))
                .edited(Edit::RawBody(body.into_bytes()))
        };
        let deep = |size: usize, script: &mut Script<'_>| {
            call(format!("{}{}", "[".repeat(size), "]".repeat(size)), script)
        };
        let flat =
            |size: usize, script: &mut Script<'_>| call(format!("[{}1]", "1,".repeat(size - 1)), script);
        if let Some(exchanges) = grows(script, DEPTHS, &deep, &flat)? {
            let summary = "the time of the answer grows with the square of the body's depth";
            return Ok(Verdict::Found(vec![Proof::confirmed(summary, exchanges, Shield::Cost)]));
        }
        let mut exchanges = Vec::new();
        for round in 0..5 {
            let sent = deep(10_000 + round, script);
            let (probe, answer) = script.send(sent)?;
            if !matches!(answer.outcome, Outcome::Broken | Outcome::Unreached) {
                return Ok(Verdict::Clean);
            }
            let sent = flat(10_000 + round, script);
            let (control, answer) = script.send(sent)?;
            if matches!(answer.outcome, Outcome::Broken | Outcome::Unreached | Outcome::Limited) {
                return Ok(Verdict::Clean);
            }
            if round < 2 {
                exchanges.extend([
                    (probe, if round == 0 { "probe" } else { "confirmation" }),
                    (control, "control"),
                ]);
            }
        }
        let summary = "a body ten thousand levels deep fails the service, its flat twin does not";
        // It fails the one call and goes on: a fault, not yet a way to take the service down.
        let proof =
            Proof { severity: Some(Severity::Low), ..Proof::suspected(summary, exchanges, Shield::Cost) };
        Ok(Verdict::Found(vec![proof]))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        script::rehearse::{Ask, Fake, Stage, answer, body},
        wire::Answer,
    };

    fn trial(serve: impl Fn(usize) -> Answer) -> (usize, usize) {
        let stage = Stage::new()
            .op("POST /configs", Effect::Acts, json!({"ok": true}))
            .slot(body("/colour"), json!("white"));
        let mut fake = Fake::new(&stage.world, |ask: &Ask| {
            // A body that nests beyond the reader of the rehearsal is text there.
            let text = ask.body.as_str().map_or_else(|| ask.body.to_string(), str::to_owned);
            serve(text.bytes().take_while(|it| *it != b']').filter(|it| *it == b'[').count())
        });
        let found = fake.all(&NestingCostly).len();
        (found, fake.calls)
    }

    #[test]
    fn finds_depth_that_costs_or_fells() {
        let square = |depth: usize| {
            let mut answer = answer(200, json!({}));
            answer.micros = 500 + (depth * depth / 2_000) as u64;
            answer
        };
        assert_eq!(trial(square).0, 1);
        assert_eq!(trial(|depth| answer(if depth > 500 { 500 } else { 200 }, json!({}))).0, 1);
    }

    #[test]
    fn is_silent_where_depth_is_refused_or_costs_its_length() {
        assert_eq!(trial(|depth| answer(if depth > 32 { 400 } else { 200 }, json!({}))), (0, 3));
        assert_eq!(trial(|_| answer(200, json!({}))).0, 0);
        assert_eq!(trial(|_| answer(500, json!({}))).0, 0);
    }
}
