//! A message makes the server fetch an address.

use super::parts::soap::{Letter, letters};
use crate::script::Planted;
use crate::{
    check::{Check, Info, Phase, Proof, Risk, Target, Verdict},
    finding::{Section, Severity, Shield},
    script::{Flow, Script},
    world::World,
};

/// The check.
pub(super) struct SoapExternalEntityResolved;

static INFO: Info = Info {
    id: "soap_external_entity_resolved",
    title: "A SOAP message may refer to external entities",
    section: Section::Security,
    severity: Severity::High,
    risk: Risk::Safe,
    phase: Phase::Probe,
    owasp: "API7:2023",
    cwe: 611,
    wfc: Some("F202"),
    remedy: "Refuse any document type declaration in messages, and switch external entities off in the reader.",
    oracle: "The out-of-band listener is called with a token of ours that stood in an external entity's address, twice with two tokens; a word that we lay down there may come back as well. A token that was sent as plain text is not called.",
    requests_max: 8,
};

impl Check for SoapExternalEntityResolved {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn targets(&self, world: &World) -> Vec<Target> {
        letters(world)
    }

    fn run(&self, world: &World, target: &Target, script: &mut Script<'_>) -> Flow<Verdict> {
        let letter = Letter::of(world, target, script)?;
        let Some((idle, address)) = script.token() else {
            return script.skip("there is no out-of-band listener");
        };
        let (control, _) = script.send(letter.call(&letter.envelope(&address)?))?;
        let mut exchanges = vec![(control, "control")];
        let mut read = false;
        for part in ["probe", "confirmation"] {
            let Some((token, url)) = script.token() else { return Ok(Verdict::Clean) };
            let word = script.word(14);
            script.plant(&token, Planted { status: 200, headers: Vec::new(), body: word.clone() })?;
            let (number, answer) = script
                .send(letter.call(&letter.declared(&format!("<!ENTITY e SYSTEM \"{url}\">"), "&e;")?))?;
            if script.hits(&token)?.is_empty() {
                return Ok(Verdict::Clean);
            }
            read = answer.holds(&word);
            exchanges.push((number, part));
        }
        if !script.hits(&idle)?.is_empty() {
            return Ok(Verdict::Clean);
        }
        let more = if read { ", and what stood there came back" } else { "" };
        let mut proof = Proof::confirmed(
            format!("the server fetched an address out of the message's document type{more}"),
            exchanges,
            Shield::AttackRule,
        );
        proof.slot = Some(letter.slot);
        Ok(Verdict::Found(vec![proof]))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::script::rehearse::{
        Ask, Fake, answer,
        soap::{between, fault, sent, stage},
    };

    #[test]
    fn finds_fetches_only_where_they_are_made() {
        let stage = stage();
        for (resolves, expected) in [(true, 1), (false, 0)] {
            let visits = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
            let seen = std::rc::Rc::clone(&visits);
            let mut fake = Fake::new(&stage.world, move |ask: &Ask| {
                let sent = sent(ask);
                if sent.contains("<!DOCTYPE") && resolves {
                    let token =
                        between(&sent, "SYSTEM \"", "\"").rsplit('/').next().unwrap_or_default().to_owned();
                    seen.borrow_mut().push((token, "GET /".to_owned()));
                    return answer(200, json!({}));
                }
                fault("no")
            });
            // The aid hands visits over before the trial: the tokens are the same each time it is told.
            let target = letters(&stage.world).remove(0);
            let _ = fake.trial(&SoapExternalEntityResolved, &target);
            for _ in 0..2 {
                fake.visits = visits.borrow().clone();
                let _ = fake.trial(&SoapExternalEntityResolved, &target);
            }
            fake.visits = visits.borrow().clone();
            let found = matches!(fake.trial(&SoapExternalEntityResolved, &target), Verdict::Found(_));
            assert_eq!(usize::from(found), expected);
        }
    }
}
