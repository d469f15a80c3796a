//! One small request keeps the server busy for long.

use crate::{
    call::Call,
    model::{Effect, OperationIndex},
    wire::Answer,
};
use crate::{
    check::{Check, Info, Phase, Proof, Risk, Target, Verdict},
    finding::{Section, Severity, Shield},
    script::{Flow, Script},
    world::World,
};

/// The check.
pub(super) struct OperationOccupiesServer;

static INFO: Info = Info {
    id: "operation_occupies_server",
    title: "A single request occupies the server for seconds",
    section: Section::Security,
    severity: Severity::Medium,
    risk: Risk::Safe,
    phase: Phase::Timing,
    owasp: "API4:2023",
    cwe: 400,
    wfc: None,
    remedy: "Do such work outside of the request, once for all callers; bound how often a caller may start it and how long it may take.",
    oracle: "A call that was slow when it was learnt is slow twice more, ten times slower than a small call made before and a second and a half at least; no size of the request explains it.",
    requests_max: 5,
};

impl Check for OperationOccupiesServer {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn targets(&self, world: &World) -> Vec<Target> {
        let mut targets: Vec<Target> = Vec::new();
        for sample in &world.samples {
            let reads = sample.call.operation.is_some_and(|index| world.effect(index) == Some(Effect::Reads));
            if let Some(index) =
                sample.call.operation.filter(|_| reads && took(&sample.answer) >= SLOW_MICROS)
            {
                let target = Target::operation(index);
                if !targets.contains(&target) {
                    targets.push(target);
                }
            }
        }
        targets
    }

    fn run(&self, world: &World, target: &Target, script: &mut Script<'_>) -> Flow<Verdict> {
        let Some(slow) = target.operation.and_then(|index| call(world, index)) else {
            return Ok(Verdict::Clean);
        };
        let quick = world.reached().filter(|(index, _, _)| {
            Some(*index) != target.operation && world.effect(*index) == Some(Effect::Reads)
        });
        let Some((_, _, quick)) = quick.min_by_key(|(_, _, good)| good.answer.micros) else {
            return script.skip("no other call is known to compare with");
        };
        let mut exchanges = Vec::new();
        let mut least = u64::MAX;
        for part in ["probe", "confirmation"] {
            let (control, usual) = script.send(quick.call.clone())?;
            let (probe, answer) = script.send(slow.clone())?;
            // A server that is slow for everybody, or that is gone, shows nothing.
            if usual.fault.is_some() || took(&answer) < SLOW_MICROS.max(usual.micros * 10) {
                return Ok(Verdict::Clean);
            }
            least = least.min(took(&answer));
            exchanges.push((control, "control"));
            exchanges.push((probe, part));
        }
        let summary =
            format!("each call takes {} seconds or more while another takes none", least / 1_000_000);
        Ok(Verdict::Found(vec![Proof::confirmed(summary, exchanges, Shield::Limit)]))
    }
}

/// From when on a call is slow.
const SLOW_MICROS: u64 = 1_500_000;

/// How long a call took; one that was given up for taking too long took what it took.
fn took(answer: &Answer) -> u64 {
    let given_up = answer.fault.as_ref().is_some_and(|why| {
        let why = why.to_lowercase();
        why.contains("time") || why.contains("elapsed")
    });
    if answer.fault.is_some() && !given_up { 0 } else { answer.micros }
}

/// The slow call: the good one, or the one that was given up.
fn call(world: &World, index: OperationIndex) -> Option<Call> {
    let slow =
        world.samples.iter().find(|it| it.call.operation == Some(index) && took(&it.answer) >= SLOW_MICROS);
    slow.map(|it| it.call.clone())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::script::rehearse::{A, Ask, Fake, Stage, answer};

    fn check(serve: impl FnMut(&Ask) -> Answer) -> usize {
        let mut slow = answer(200, json!("done"));
        slow.micros = 4_000_000;
        let stage = Stage::new()
            .op("GET /quick", Effect::Reads, json!({}))
            .op("GET /report", Effect::Reads, json!({}))
            .sample(A, slow);
        Fake::new(&stage.world, serve).confirmed(&OperationOccupiesServer)
    }

    fn timed(micros: u64) -> Answer {
        Answer { micros, ..answer(200, json!({})) }
    }

    #[test]
    fn finds_what_is_slow_by_itself_each_time() {
        assert_eq!(check(|ask| timed(if ask.path == "/report" { 3_000_000 } else { 1_000 })), 1);
        // Slow only once, and slow for everybody.
        assert_eq!(check(|_| timed(2_000)), 0);
        assert_eq!(check(|_| timed(3_000_000)), 0);
        let mut first = true;
        assert_eq!(
            check(move |ask| timed(if ask.path == "/report" && std::mem::take(&mut first) {
                3_000_000
            } else {
                1_000
            })),
            0
        );
    }
}
