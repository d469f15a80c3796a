//! A message may be of any length.

use crate::{
    call::{Call, Edit},
    model::Wire,
    wire::{Answer, Outcome, grpc},
};
use crate::{
    check::{Check, Info, Phase, Proof, Risk, Target, Verdict},
    finding::{Section, Severity, Shield},
    script::{Flow, Script},
    world::World,
};

/// The check.
pub(super) struct GrpcMessageUnlimited;

static INFO: Info = Info {
    id: "grpc_message_unlimited",
    title: "gRPC messages are not limited in length",
    section: Section::Security,
    severity: Severity::Medium,
    risk: Risk::Safe,
    phase: Phase::Flood,
    owasp: "API4:2023",
    cwe: 770,
    wfc: None,
    remedy: "Set the largest message that a method takes (servers have 4 MiB unless it is lifted), and refuse by the length in the frame before the rest is read.",
    oracle: "A frame that says 64 MiB and brings a few bytes is refused as cut off, as one that says a byte too many is, and not for its length: the bound is above what it says. Two times for two lengths; the same message with its true length is executed.",
    requests_max: 10,
};

impl Check for GrpcMessageUnlimited {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn targets(&self, world: &World) -> Vec<Target> {
        let reached = world.reached().filter(|(_, operation, _)| {
            matches!(operation.wire, Wire::Grpc { .. }) && !operation.effect.changes_state()
        });
        reached.map(|(index, _, _)| Target::operation(index)).take(3).collect()
    }

    fn run(&self, world: &World, target: &Target, script: &mut Script<'_>) -> Flow<Verdict> {
        let Some(good) = target.operation.and_then(|index| world.good(index)) else {
            return Ok(Verdict::Clean);
        };
        let (control, served) = script.send(good.call.clone())?;
        if !served.done() {
            return Ok(Verdict::Clean);
        }
        let (cut, little) = script.send(framed(&good.call, 24))?;
        if little.outcome == Outcome::Unreached || little.done() || too_long(&little) {
            return script.skip("a message that is cut off is not told apart");
        }
        let mut exchanges = vec![(control, "control"), (cut, "control")];
        for (length, part) in [(64 << 20, "probe"), (80 << 20, "confirmation")] {
            let (number, answer) = script.send(framed(&good.call, length))?;
            let same = answer.outcome == little.outcome
                && answer.header("grpc-status") == little.header("grpc-status");
            if !same || too_long(&answer) {
                return Ok(Verdict::Clean);
            }
            exchanges.push((number, part));
        }
        Ok(Verdict::Found(vec![Proof::confirmed(
            "a message that says it is 64 MiB long was waited for".to_owned(),
            exchanges,
            Shield::Cost,
        )]))
    }
}

/// A frame that says another length than it has: a few bytes of an unknown field.
fn framed(call: &Call, length: u32) -> Call {
    let mut bytes = vec![0];
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(&[0xfa, 0x3f, 0x01, b'x']);
    call.clone().edited(Edit::RawBody(bytes))
}

/// Whether a message was refused for its length.
fn too_long(answer: &Answer) -> bool {
    let words = grpc::status_message(answer).to_lowercase();
    answer.outcome == Outcome::Limited
        || ["larg", "exceed", "limit", "too long", "max"].iter().any(|it| words.contains(it))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        script::rehearse::grpc::{proofs, status},
        wire::Answer,
    };

    fn check(serve: impl FnMut(&Call) -> Answer) -> usize {
        proofs(&GrpcMessageUnlimited, serve).len()
    }

    #[test]
    fn finds_lengths_only_where_they_are_not_bounded() {
        let serve = |call: &Call, bound: u32| {
            let Some(Edit::RawBody(bytes)) = call.edits.last() else { return status("0", "", Vec::new()) };
            let length = u32::from_be_bytes([bytes[1], bytes[2], bytes[3], bytes[4]]);
            if length > bound {
                return status("8", "Received message larger than max", Vec::new());
            }
            status("13", "Unexpected EOF", Vec::new())
        };
        assert_eq!(check(|call| serve(call, u32::MAX)), 1);
        assert_eq!(check(|call| serve(call, 4 << 20)), 0);
        assert_eq!(check(|_| status("0", "", Vec::new())), 0);
        assert_eq!(check(|_| status("11", "decoded message length too large", Vec::new())), 0);
    }
}
