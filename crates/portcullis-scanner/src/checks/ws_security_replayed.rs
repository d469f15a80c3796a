//! A message with a nonce may be sent again.

use super::parts::soap::{Letter, letters};
use crate::wire::soap::{name_and_password, security_header, wants_username_token};
use crate::{
    check::{Check, Info, Phase, Proof, Risk, Target, Verdict},
    finding::{Section, Severity, Shield},
    script::{Flow, Script},
    world::World,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};

/// The check.
pub(super) struct WsSecurityReplayed;

static INFO: Info = Info {
    id: "ws_security_replayed",
    title: "A WS-Security message can be replayed",
    section: Section::Security,
    severity: Severity::Medium,
    risk: Risk::Safe,
    phase: Phase::Probe,
    owasp: "API2:2023",
    cwe: 294,
    wfc: None,
    remedy: "Remember nonces for as long as their times are accepted, refuse those seen before, and refuse times too long ago (UsernameToken Profile 1.1 §3.1).",
    oracle: "The same message with the same nonce and time is executed twice, for two nonces. One with a wrong password is refused, so the token is looked at.",
    requests_max: 8,
};

impl Check for WsSecurityReplayed {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn targets(&self, world: &World) -> Vec<Target> {
        letters(world)
            .into_iter()
            .filter(|it| {
                let operation = it.operation.and_then(|index| world.model.operation(index));
                operation.is_some_and(|it| wants_username_token(&world.model, it))
            })
            .collect()
    }

    fn run(&self, world: &World, target: &Target, script: &mut Script<'_>) -> Flow<Verdict> {
        let letter = Letter::of(world, target, script)?;
        let session = world.identity(letter.good.call.by).map(|it| &it.session);
        let Some((name, password)) = session.and_then(name_and_password) else {
            return script.skip("the caller has no name and password");
        };
        // The server's own clock: the trial has none.
        let Some(created) = letter.good.answer.header("date").and_then(instant) else {
            return script.skip("the server does not say what time it is");
        };
        let mut exchanges = Vec::new();
        let wrong = script.word(12);
        let more = more(&script.word(16), &created);
        let (control, refused) =
            script.send(letter.call(&letter.with_header(&security_header(&name, &wrong, &more))?))?;
        if refused.done() {
            return script.skip("the token is not looked at");
        }
        exchanges.push((control, "control"));
        for part in ["probe", "confirmation"] {
            let more = self::more(&script.word(16), &created);
            let message = letter.with_header(&security_header(&name, &password, &more))?;
            let (first, answer) = script.send(letter.call(&message))?;
            let (second, again) = script.send(letter.call(&message))?;
            if !answer.done() || !again.done() {
                return Ok(Verdict::Clean);
            }
            exchanges.push((first, "baseline"));
            exchanges.push((second, part));
        }
        Ok(Verdict::Found(vec![Proof::confirmed(
            "a message was executed a second time with the same nonce".to_owned(),
            exchanges,
            Shield::None { words: "nonces must be remembered where messages are verified".to_owned() },
        )]))
    }
}

const WSU: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd";
const BASE64: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary";

/// The nonce and the time of a token.
fn more(nonce: &str, created: &str) -> String {
    format!(
        "<wsse:Nonce EncodingType=\"{BASE64}\">{}</wsse:Nonce><wsu:Created xmlns:wsu=\"{WSU}\">{created}</wsu:Created>",
        STANDARD.encode(nonce)
    )
}

/// A date of HTTP (RFC 9110 §5.6.7) as XML Schema has it.
fn instant(date: &str) -> Option<String> {
    let zoned = jiff::fmt::rfc2822::parse(date).ok()?;
    Some(zoned.timestamp().strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
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

    use crate::model::{Requirement, Scheme};

    fn check(serve: impl FnMut(&Ask) -> Answer) -> usize {
        let mut stage = stage();
        stage.world.model.schemes.insert("UsernameToken".to_owned(), Scheme::UsernameToken);
        let requirement = Requirement { scheme: "UsernameToken".to_owned(), scopes: Vec::new() };
        stage.world.model.operations[0].security = Some(vec![vec![requirement]]);
        let basic = format!("Basic {}", STANDARD.encode("ann:secret"));
        stage.world.identities[1].session.headers = vec![("authorization".to_owned(), basic)];
        let mut good = answer(200, json!({}));
        good.headers.push(("date".to_owned(), "Tue, 24 Nov 2026 22:00:00 GMT".to_owned()));
        stage.world.good[0].as_mut().unwrap().answer = std::sync::Arc::new(good);
        Fake::new(&stage.world, serve).confirmed(&WsSecurityReplayed)
    }

    #[test]
    fn finds_replay_only_where_nonces_are_not_remembered() {
        let run = |remembers: bool, looks: bool| {
            let mut seen = Vec::new();
            check(move |ask| {
                let sent = sent(ask);
                let nonce = between(&sent, "<wsse:Nonce", "</wsse:Nonce>").to_owned();
                assert!(sent.contains("2026-11-24T22:00:00Z"), "{sent}");
                if looks && !sent.contains(">secret</wsse:Password>") {
                    return fault("wrong password");
                }
                if remembers && seen.contains(&nonce) {
                    return fault("nonce was used");
                }
                seen.push(nonce);
                text(200, "text/xml", "<note>a</note>")
            })
        };
        assert_eq!(run(false, true), 1);
        assert_eq!(run(true, true), 0);
        assert_eq!(run(false, false), 0);
    }
}
