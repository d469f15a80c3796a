//! A body of any size is read.

use serde_json::Value;

use crate::{
    call::{Call, Edit},
    check::{Check, Info, Phase, Proof, Risk, Target, Verdict},
    finding::{Section, Severity, Shield},
    model::{Effect, Wire},
    script::{Flow, Script},
    world::{Good, World, freshened},
};

static INFO: Info = Info {
    id: "body_unbounded",
    title: "A body a thousand times as large as it need be is read",
    section: Section::Security,
    severity: Severity::Info,
    risk: Risk::Safe,
    phase: Phase::Flood,
    owasp: "API4:2023",
    cwe: 400,
    wfc: None,
    remedy: "Refuse bodies beyond what an operation needs with 413, before they are read.",
    oracle: "The good body with so much white space behind it that it reaches the scan's bound is taken like the good \
             body, twice. Only suspected: how much is too much is the service's to say.",
    requests_max: 3,
};

/// The check.
pub(super) struct BodyUnbounded;

impl Check for BodyUnbounded {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn targets(&self, world: &World) -> Vec<Target> {
        // One operation stands for all: the bound is the server's, and one large body is enough to see it.
        let taking = world.reached().filter(|(_, operation, good)| {
            matches!(operation.wire, Wire::Rest { .. })
                && matches!(operation.effect, Effect::Reads | Effect::Acts | Effect::Creates)
                && matches!(good.call.body, Some(Value::Object(_)))
                && operation.body.as_ref().is_some_and(|it| it.media.iter().any(|it| it.contains("json")))
        });
        taking.take(1).map(|(index, _, _)| Target::operation(index)).collect()
    }

    fn run(&self, world: &World, target: &Target, script: &mut Script<'_>) -> Flow<Verdict> {
        let Some(good) = target.operation.and_then(|index| world.good(index)) else {
            return script.skip("no good call of it is known");
        };
        let mut exchanges = Vec::new();
        for part in ["probe", "confirmation"] {
            let sent = padded(world, good, script);
            let (number, answer) = script.send(sent)?;
            if !answer.done() {
                return Ok(Verdict::Clean);
            }
            exchanges.push((number, part));
        }
        let summary = format!("a body of {} bytes is taken like the good one", world.bounds.body_bytes_max);
        Ok(Verdict::Found(vec![Proof::suspected(summary, exchanges, Shield::Cost)]))
    }
}

fn padded(world: &World, good: &Good, script: &mut Script<'_>) -> Call {
    let call = freshened(good.call.clone(), &good.fresh, world, script);
    let mut body = call.body.as_ref().map(Value::to_string).unwrap_or_default().into_bytes();
    body.resize(world.bounds.body_bytes_max.max(body.len()), b' ');
    call.edited(Edit::SetHeader("content-type".to_owned(), "application/json".to_owned()))
        .edited(Edit::RawBody(body))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::script::rehearse::{Ask, Fake, Stage, answer, body};

    #[test]
    fn suspects_a_service_that_takes_it_and_leaves_one_that_refuses() {
        let stage =
            Stage::new().op("POST /notes", Effect::Creates, json!({"id": 1})).slot(body("/text"), json!("a"));
        let mut taking = Fake::new(&stage.world, |_: &Ask| answer(201, json!({"id": 1})));
        assert_eq!((taking.all(&BodyUnbounded).len(), taking.confirmed(&BodyUnbounded)), (1, 0));
        let mut refusing = Fake::new(&stage.world, |_: &Ask| answer(413, json!({})));
        assert!(refusing.all(&BodyUnbounded).is_empty());
        assert_eq!(refusing.calls, 1);
    }
}
