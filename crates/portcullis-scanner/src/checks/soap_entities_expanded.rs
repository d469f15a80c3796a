//! Entities that a message declares are expanded.

use super::parts::soap::{Letter, letters};
use crate::{
    check::{Check, Info, Phase, Proof, Risk, Target, Verdict},
    finding::{Section, Severity, Shield},
    script::{Flow, Script},
    world::World,
};

/// The check.
pub(super) struct SoapEntitiesExpanded;

static INFO: Info = Info {
    id: "soap_entities_expanded",
    title: "A SOAP message may declare entities",
    section: Section::Security,
    severity: Severity::Medium,
    risk: Risk::Safe,
    phase: Phase::Probe,
    owasp: "API4:2023",
    cwe: 776,
    wfc: None,
    remedy: "Refuse any document type declaration in messages; SOAP forbids it (SOAP 1.1 §3, SOAP 1.2 §5).",
    oracle: "An entity made of eight copies of a word of ours, in the place of a text that the answer shows, comes back as eight copies; again with another word and nine copies. As plain text it comes back as it is.",
    requests_max: 8,
};

impl Check for SoapEntitiesExpanded {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn targets(&self, world: &World) -> Vec<Target> {
        letters(world)
    }

    fn run(&self, world: &World, target: &Target, script: &mut Script<'_>) -> Flow<Verdict> {
        let letter = Letter::of(world, target, script)?;
        let mut exchanges = Vec::new();
        let plain = script.word(10);
        let (control, answer) = script.send(letter.call(&letter.envelope(&plain)?))?;
        if !answer.done() || !answer.holds(&plain) {
            return script.skip("the answer shows no text of the request");
        }
        exchanges.push((control, "control"));
        for (copies, part) in [(8, "probe"), (9, "confirmation")] {
            let word = script.word(10);
            let entities = format!("<!ENTITY a \"{word}\"><!ENTITY b \"{}\">", "&a;".repeat(copies));
            let (number, answer) = script.send(letter.call(&letter.declared(&entities, "&b;")?))?;
            if !answer.holds(&word.repeat(copies)) {
                return Ok(Verdict::Clean);
            }
            exchanges.push((number, part));
        }
        let mut proof = Proof::confirmed(
            "an entity declared in the message was expanded, eight words for one reference".to_owned(),
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
    use crate::{
        script::rehearse::{
            Ask, Fake, answer,
            soap::{between, fault, sent, stage},
            text,
        },
        wire::Answer,
    };

    fn check(serve: impl FnMut(&Ask) -> Answer) -> usize {
        let stage = stage();
        Fake::new(&stage.world, serve).confirmed(&SoapEntitiesExpanded)
    }

    #[test]
    fn finds_expansion_only_where_it_is_done() {
        let serve = |ask: &Ask, expands: bool| {
            let sent = sent(ask);
            let note = between(&sent, "<note>", "</note>");
            if !sent.contains("<!DOCTYPE") {
                return text(200, "text/xml", &format!("<note>{note}</note>"));
            }
            if !expands {
                return fault("DTD is forbidden");
            }
            let word = between(&sent, "ENTITY a \"", "\"");
            let copies = sent.matches("&a;").count();
            text(200, "text/xml", &format!("<note>{}</note>", word.repeat(copies)))
        };
        assert_eq!(check(|ask| serve(ask, true)), 2);
        assert_eq!(check(|ask| serve(ask, false)), 0);
        // An echo of the message as it stands shows one word, not eight.
        assert_eq!(check(|ask| answer(200, json!(sent(ask)))), 0);
    }
}
