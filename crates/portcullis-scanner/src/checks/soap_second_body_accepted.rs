//! A message may have a second body.

use super::parts::soap::{Letter, letters};
use crate::{
    check::{Check, Info, Phase, Proof, Risk, Target, Verdict},
    finding::{Section, Severity, Shield},
    script::{Flow, Script},
    world::World,
};

/// The check.
pub(super) struct SoapSecondBodyAccepted;

static INFO: Info = Info {
    id: "soap_second_body_accepted",
    title: "A SOAP message with two bodies is executed",
    section: Section::Security,
    severity: Severity::Medium,
    risk: Risk::Safe,
    phase: Phase::Probe,
    owasp: "API8:2023",
    cwe: 347,
    wfc: None,
    remedy: "Validate messages against the envelope's schema, and execute the very element that was verified, found by its place and not by its name or id (XML signature wrapping).",
    oracle: "A message with a second body is executed and the answer shows a word of ours out of one of them, twice with other words; with one body the word is shown too, and with a body of another name the message is refused.",
    requests_max: 8,
};

impl Check for SoapSecondBodyAccepted {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn targets(&self, world: &World) -> Vec<Target> {
        letters(world)
    }

    fn run(&self, world: &World, target: &Target, script: &mut Script<'_>) -> Flow<Verdict> {
        let letter = Letter::of(world, target, script)?;
        let plain = script.word(10);
        let (control, answer) = script.send(letter.call(&letter.envelope(&plain)?))?;
        if !answer.done() || !answer.holds(&plain) {
            return script.skip("the answer shows no text of the request");
        }
        let odd = letter.envelope(&plain)?.replace("soap:Body>", "soap:Bodies>");
        let (nothing, refused) = script.send(letter.call(&odd))?;
        if refused.done() && refused.holds(&plain) {
            return Ok(Verdict::Clean);
        }
        let mut exchanges = vec![(control, "control"), (nothing, "control")];
        for part in ["probe", "confirmation"] {
            let (first, second) = (script.word(10), script.word(11));
            let other = letter.envelope(&second)?;
            let body = other
                .find("<soap:Body>")
                .zip(other.find("</soap:Envelope>"))
                .and_then(|(from, to)| other.get(from..to));
            let doubled = letter
                .envelope(&first)?
                .replace("</soap:Envelope>", &format!("{}</soap:Envelope>", body.unwrap_or_default()));
            let (number, answer) = script.send(letter.call(&doubled))?;
            if !answer.done() || !(answer.holds(&first) || answer.holds(&second)) {
                return Ok(Verdict::Clean);
            }
            exchanges.push((number, part));
        }
        let mut proof =
            Proof::confirmed("a message with two bodies was executed".to_owned(), exchanges, Shield::Schema);
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
        Fake::new(&stage.world, serve).confirmed(&SoapSecondBodyAccepted)
    }

    #[test]
    fn finds_second_bodies_only_where_they_are_accepted() {
        let serve = |ask: &Ask, bodies_max: usize| {
            let sent = sent(ask);
            let bodies = sent.matches("<soap:Body>").count();
            if bodies == 0 || bodies > bodies_max {
                return fault("not valid");
            }
            text(200, "text/xml", &format!("<note>{}</note>", between(&sent, "<note>", "</note>")))
        };
        assert_eq!(check(|ask| serve(ask, 9)), 2);
        assert_eq!(check(|ask| serve(ask, 1)), 0);
        assert_eq!(check(|ask| answer(200, json!(sent(ask)))), 0);
    }
}
