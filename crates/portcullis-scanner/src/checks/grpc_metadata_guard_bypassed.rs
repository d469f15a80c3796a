//! A credential that is none opens a method.

use crate::{
    call::{ANONYMOUS, Edit},
    model::Wire,
    wire::{Answer, Outcome},
};
use crate::{
    check::{Check, Info, Phase, Proof, Risk, Target, Verdict},
    finding::{Section, Severity, Shield},
    script::{Flow, Script},
    world::World,
};

/// The check.
pub(super) struct GrpcMetadataGuardBypassed;

static INFO: Info = Info {
    id: "grpc_metadata_guard_bypassed",
    title: "A method's guard accepts metadata without a credential",
    section: Section::Security,
    severity: Severity::High,
    risk: Risk::Safe,
    phase: Phase::Read,
    owasp: "API2:2023",
    cwe: 287,
    wfc: Some("F207"),
    remedy: "Verify the credential itself in one interceptor for all methods, and deny where it is missing, empty, or of another form than expected.",
    oracle: "Without metadata the method is refused; with an empty, shortened or made-up credential, or under another spelling of the key, it answers as it does to its user. Shown twice, refused in between.",
    requests_max: 24,
};

impl Check for GrpcMetadataGuardBypassed {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn targets(&self, world: &World) -> Vec<Target> {
        let reached = world.reached().filter(|(_, operation, good)| {
            matches!(operation.wire, Wire::Grpc { .. })
                && good.call.by != ANONYMOUS
                && !operation.effect.changes_state()
        });
        reached.map(|(index, _, _)| Target::operation(index)).collect()
    }

    fn run(&self, world: &World, target: &Target, script: &mut Script<'_>) -> Flow<Verdict> {
        let Some(good) = target.operation.and_then(|index| world.good(index)) else {
            return Ok(Verdict::Clean);
        };
        let own = world
            .identity(good.call.by)
            .and_then(|it| it.session.headers.first().map(|(name, _)| name.to_lowercase()));
        let key = own.unwrap_or_else(|| "authorization".to_owned());
        let bare = good.call.clone().by(ANONYMOUS);
        let (control, refused) = script.send(bare.clone())?;
        if !matches!(refused.outcome, Outcome::Unauthenticated | Outcome::Forbidden) {
            return Ok(Verdict::Clean);
        }
        let odd = script.word(16);
        let mut tries: Vec<(String, String)> =
            ["", "Bearer", "Bearer null", "Bearer undefined", "Basic Og=="]
                .map(|value| (key.clone(), value.to_owned()))
                .to_vec();
        tries.push((key.clone(), format!("Bearer {odd}")));
        tries.push((key.clone(), format!("bearer {odd}")));
        tries.push((key.replace('-', "_"), odd.clone()));
        tries.push((format!("{key}-bin"), "AA==".to_owned()));
        tries.push(("x-forwarded-user".to_owned(), "admin".to_owned()));
        for (name, value) in tries {
            let call = || bare.clone().edited(Edit::SetHeader(name.clone(), value.clone()));
            let (probe, answer) = script.send(call())?;
            if !opened(&answer) {
                continue;
            }
            let (still, refused) = script.send(bare.clone())?;
            let (again, answer) = script.send(call())?;
            if refused.done() || !opened(&answer) {
                return Ok(Verdict::Clean);
            }
            let exchanges =
                vec![(control, "control"), (probe, "probe"), (still, "control"), (again, "confirmation")];
            let shown = value.replace(&odd, "(random)");
            let summary = format!("with `{name}: {shown}` the method answers, and without it refuses");
            return Ok(Verdict::Found(vec![Proof::confirmed(summary, exchanges, Shield::Token)]));
        }
        Ok(Verdict::Clean)
    }
}

/// Whether the method was executed: the guard let it through.
fn opened(answer: &Answer) -> bool {
    answer.done() && answer.json.is_some()
}

#[cfg(test)]
mod tests {
    const CHECK: GrpcMetadataGuardBypassed = GrpcMetadataGuardBypassed;

    use serde_json::json;

    use super::*;
    use crate::{
        call::Call,
        model::Effect,
        script::rehearse::{Stage, answer},
        wire::Answer,
    };

    /// One unary method with a good call by A.
    fn stage() -> Stage {
        let proto = "syntax = \"proto3\"; package s; message M { string note = 1; } service S { rpc Get(M) returns (M); }";
        let source = portcullis_spec::openapi::MemorySource::default().with("s.proto", proto);
        let mut stage = Stage::new().op("POST /s", Effect::Reads, json!({"note": "ann"}));
        stage.world.model.operations = crate::model::grpc::from_proto("s.proto", &source).unwrap().operations;
        stage
    }

    fn status(code: &str, message: &str, body: Vec<u8>) -> Answer {
        let mut answer = answer(200, json!(null));
        answer.headers = vec![
            ("grpc-status".to_owned(), code.to_owned()),
            ("grpc-message".to_owned(), message.to_owned()),
        ];
        answer.outcome = match code {
            "0" => Outcome::Done,
            "16" => Outcome::Unauthenticated,
            "12" => Outcome::NotOffered,
            "8" => Outcome::Limited,
            _ => Outcome::Broken,
        };
        answer.json = (code == "0").then(|| json!({"note": "ann"}));
        answer.body = body.into();
        answer
    }

    /// Runs a trial against a closure over whole calls: what is made of bytes does not show in the aid's questions.
    fn check(mut serve: impl FnMut(&Call) -> Answer) -> usize {
        let stage = stage();
        let mut found = 0;
        for target in CHECK.targets(&stage.world) {
            let mut trace = crate::script::Trace::default();
            loop {
                match crate::script::next(&CHECK, &stage.world, &target, [5; 32], &trace) {
                    crate::script::Next::Step(crate::script::Step::Send(call)) => {
                        let answer = std::sync::Arc::new(serve(&call));
                        trace.outcomes.push(crate::script::StepOutcome::Answer(answer));
                    }
                    crate::script::Next::Done(Verdict::Found(proofs)) => {
                        found += proofs.len();
                        break;
                    }
                    crate::script::Next::Done(_) => break,
                    crate::script::Next::Step(_) => panic!(),
                }
            }
        }
        found
    }

    fn header(call: &Call, name: &str) -> Option<String> {
        call.edits.iter().rev().find_map(|edit| match edit {
            Edit::SetHeader(own, value) if own == name => Some(value.clone()),
            _ => None,
        })
    }

    #[test]
    fn finds_guards_that_any_metadata_passes() {
        let serve = |call: &Call, sloppy: bool| match header(call, "authorization") {
            Some(value) if sloppy && value.to_lowercase().starts_with("bearer") => {
                status("0", "", Vec::new())
            }
            _ => status("16", "no token", Vec::new()),
        };
        assert_eq!(check(|call| serve(call, true)), 1);
        assert_eq!(check(|call| serve(call, false)), 0);
        // Open to anybody: the check of missing credentials says so.
        assert_eq!(check(|_| status("0", "", Vec::new())), 0);
    }
}
