//! The SOAPAction may name another operation than the body.

use super::parts::soap::{Letter, letters};
use crate::model::Wire;
use crate::{
    call::{ANONYMOUS, Edit},
    model::SoapVersion,
};
use crate::{
    check::{Check, Info, Phase, Proof, Risk, Target, Verdict},
    finding::{Section, Severity, Shield},
    script::{Flow, Script},
    world::World,
};

/// The check.
pub(super) struct SoapActionSpoofed;

static INFO: Info = Info {
    id: "soap_action_spoofed",
    title: "SOAPAction and body may name different operations",
    section: Section::Security,
    severity: Severity::Low,
    risk: Risk::Safe,
    phase: Phase::Probe,
    owasp: "API5:2023",
    cwe: 345,
    wfc: Some("F206"),
    remedy: "Take the operation from the body, refuse a SOAPAction that names another, and guard the operation that is executed.",
    oracle: "A message of one operation is executed under the SOAPAction of another, two times; under its own it is executed as well, and a message of no operation is refused. Where an anonymous caller is refused under its own action and served under the other's, the guard itself is passed.",
    requests_max: 10,
};

impl Check for SoapActionSpoofed {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn targets(&self, world: &World) -> Vec<Target> {
        letters(world)
    }

    fn run(&self, world: &World, target: &Target, script: &mut Script<'_>) -> Flow<Verdict> {
        let letter = Letter::of(world, target, script)?;
        let Wire::Soap { path, version, action, .. } = letter.wire else { return Ok(Verdict::Clean) };
        let other = world.model.all().find_map(|(index, operation)| match &operation.wire {
            Wire::Soap { path: its, action: other, .. }
                if Some(index) != target.operation && its == path && other != action && !other.is_empty() =>
            {
                Some(other.clone())
            }
            _ => None,
        });
        let Some(other) = other else { return script.skip("no other operation of the port has an action") };
        let spoofed = |call: crate::call::Call| match version {
            SoapVersion::V11 => call.edited(Edit::SetHeader("soapaction".to_owned(), format!("\"{other}\""))),
            SoapVersion::V12 => call.edited(Edit::SetHeader(
                "content-type".to_owned(),
                format!("application/soap+xml; charset=utf-8; action=\"{other}\""),
            )),
        };
        let odd = letter.envelope("x")?.replace(letter.element, &script.word(10));
        let (nothing, refused) = script.send(spoofed(letter.call(&odd)))?;
        let (control, own) = script.send(letter.good.call.clone())?;
        if refused.done() || !own.done() {
            return Ok(Verdict::Clean);
        }
        let (anonymous, turned_away) = script.send(letter.good.call.clone().by(ANONYMOUS))?;
        let guarded = turned_away.denied();
        let by = if guarded { ANONYMOUS } else { letter.good.call.by };
        let mut exchanges = vec![(nothing, "control"), (control, "control"), (anonymous, "control")];
        for part in ["probe", "confirmation"] {
            let (number, answer) = script.send(spoofed(letter.good.call.clone().by(by)))?;
            if !answer.done() {
                return Ok(Verdict::Clean);
            }
            exchanges.push((number, part));
        }
        let summary = if guarded {
            format!("an anonymous caller was served under the action `{other}` and is refused under its own")
        } else {
            format!("the message was executed under the action `{other}` of another operation")
        };
        let mut proof = Proof::confirmed(summary, exchanges, Shield::Schema);
        proof.severity = guarded.then_some(Severity::High);
        Ok(Verdict::Found(vec![proof]))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        script::rehearse::{
            Ask, Fake, answer,
            soap::{fault, stage},
        },
        wire::Answer,
    };

    fn check(serve: impl FnMut(&Ask) -> Answer) -> Vec<Proof> {
        let stage = stage();
        Fake::new(&stage.world, serve).all(&SoapActionSpoofed)
    }

    fn serve(ask: &Ask, binds: bool, guards: bool) -> Answer {
        let action = ask.header("soapaction").map(str::to_owned);
        if ask.body.is_string() {
            return fault("no such operation");
        }
        let own = if ask.operation == "soap Get" { "urn:Get" } else { "urn:List" };
        let spoofed = action.is_some_and(|it| it.trim_matches('"') != own);
        if spoofed && binds {
            return fault("action does not fit");
        }
        if guards && !spoofed && ask.credential.is_none() {
            answer(401, json!({}))
        } else {
            answer(200, json!({"note": "a"}))
        }
    }

    #[test]
    fn finds_spoofed_actions_only_where_they_are_accepted() {
        assert_eq!(check(|ask| serve(ask, false, false)).len(), 2);
        let guarded = check(|ask| serve(ask, false, true));
        assert_eq!(guarded.iter().filter(|it| it.severity == Some(Severity::High)).count(), 2);
        assert!(check(|ask| serve(ask, true, true)).is_empty());
        // A server that accepts anything has no operations to tell apart.
        assert!(check(|_| answer(200, json!({}))).is_empty());
    }
}
