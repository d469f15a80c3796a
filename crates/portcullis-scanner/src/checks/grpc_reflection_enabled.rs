//! The server tells anybody what it offers.

use crate::{
    call::{ANONYMOUS, Call, Edit},
    model::{
        Wire,
        grpc::reflection::{self, Version},
    },
    wire::{Outcome, grpc},
};
use crate::{
    check::{Check, Info, Phase, Proof, Risk, Target, Verdict},
    finding::{Section, Severity, Shield},
    script::{Flow, Script},
    world::World,
};

/// The check.
pub(super) struct GrpcReflectionEnabled;

static INFO: Info = Info {
    id: "grpc_reflection_enabled",
    title: "gRPC server reflection is on",
    section: Section::Security,
    severity: Severity::Info,
    risk: Risk::Safe,
    phase: Phase::Read,
    owasp: "API8:2023",
    cwe: 200,
    wfc: None,
    remedy: "Switch reflection off outside of development, or allow it to developers only.",
    oracle: "An anonymous caller asks by reflection for the services and is told names, two times; a method of reflection that nobody has is not offered.",
    requests_max: 8,
};

impl Check for GrpcReflectionEnabled {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn targets(&self, world: &World) -> Vec<Target> {
        let first = world.model.all().find(|(_, operation)| matches!(operation.wire, Wire::Grpc { .. }));
        first.map(|(index, _)| Target::operation(index)).into_iter().collect()
    }

    fn run(&self, _world: &World, target: &Target, script: &mut Script<'_>) -> Flow<Verdict> {
        let Some(index) = target.operation else { return Ok(Verdict::Clean) };
        let message = grpc::frame(&reflection::list_services());
        let ask = |path: &str| {
            Call::of(index, ANONYMOUS)
                .edited(Edit::Target(path.to_owned()))
                .edited(Edit::RawBody(message.clone()))
        };
        for version in [Version::V1, Version::V1Alpha] {
            let (probe, answer) = script.send(ask(version.path()))?;
            let services = reflection::read(&answer.body).services;
            if services.is_empty() {
                continue;
            }
            let absent = format!("{}{}", version.path(), script.word(8));
            let (control, refused) = script.send(ask(&absent))?;
            let (again, answer) = script.send(ask(version.path()))?;
            if refused.outcome == Outcome::Done || reflection::read(&answer.body).services != services {
                return Ok(Verdict::Clean);
            }
            let mut proof = Proof::confirmed(
                format!(
                    "reflection told an anonymous caller of {} services: {}",
                    services.len(),
                    services.join(", ")
                ),
                vec![(control, "control"), (probe, "probe"), (again, "confirmation")],
                Shield::MethodDeny { method: "POST".to_owned(), path: version.path().to_owned() },
            );
            proof.variant = version.path().to_owned();
            return Ok(Verdict::Found(vec![proof]));
        }
        Ok(Verdict::Clean)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        script::rehearse::grpc::{proofs, status},
        wire::Answer,
    };

    fn check(serve: impl FnMut(&Call) -> Answer) -> usize {
        proofs(&GrpcReflectionEnabled, serve).len()
    }

    fn services() -> Answer {
        let mut answer = status("0", "", grpc::frame(&[0x32, 5, 0x0a, 3, 0x0a, 1, b'S']));
        answer.json = None;
        answer
    }

    fn path(call: &Call) -> String {
        call.edits
            .iter()
            .find_map(|it| if let Edit::Target(path) = it { Some(path.clone()) } else { None })
            .unwrap()
    }

    #[test]
    fn finds_reflection_only_where_it_is_on() {
        let on = |call: &Call| {
            if path(call) == Version::V1Alpha.path() { services() } else { status("12", "", Vec::new()) }
        };
        assert_eq!(check(on), 1);
        assert_eq!(check(|_| status("12", "", Vec::new())), 0);
        assert_eq!(check(|_| services()), 0);
    }
}
