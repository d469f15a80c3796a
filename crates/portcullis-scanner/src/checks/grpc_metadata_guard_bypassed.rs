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
    use super::*;
    use crate::{
        call::Call,
        script::rehearse::grpc::{proofs, status},
        wire::Answer,
    };

    fn check(serve: impl FnMut(&Call) -> Answer) -> usize {
        proofs(&GrpcMetadataGuardBypassed, serve).len()
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
