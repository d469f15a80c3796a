//! A page repeats a value as markup.

use super::probing::{Aim, forbids_script, handles, is_page, markup_payload, slots, text_like};
use crate::{
    check::{Check, Info, Phase, Proof, Risk, Target, Verdict},
    finding::{Section, Severity, Shield},
    model::{OperationIndex, Place},
    script::{Flow, Script},
    world::World,
};

static INFO: Info = Info {
    id: "script_reflected",
    title: "A page repeats a value so that a browser runs it",
    section: Section::Security,
    severity: Severity::High,
    risk: Risk::Safe,
    phase: Phase::Probe,
    owasp: "API8:2023",
    cwe: 79,
    wfc: Some("F201"),
    remedy: "Write values into pages through a template engine that escapes for the place they stand in, answer data as \
             `application/json` with `X-Content-Type-Options: nosniff`, and forbid inline script by a content security \
             policy.",
    oracle: "The answer is a page, and read as a browser reads it, one of its elements has an event handler of ours; \
             twice with fresh words. Where the page's own policy forbids inline script it is only suspected.",
    requests_max: 6,
};

/// The check.
pub(super) struct ScriptReflected;

impl Check for ScriptReflected {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn targets(&self, world: &World) -> Vec<Target> {
        slots(world, |index, _, slot| {
            text_like(slot)
                && answers_pages(world, index)
                && !matches!(slot.place, Place::Header(_) | Place::Cookie(_))
        })
    }

    fn run(&self, world: &World, target: &Target, script: &mut Script<'_>) -> Flow<Verdict> {
        let aim = Aim::take(world, target, script)?;
        let mut exchanges = Vec::new();
        let mut forbidden = false;
        for part in ["probe", "confirmation"] {
            let word = script.word(12);
            let (number, answer) = aim.send(script, markup_payload(&word))?;
            if !is_page(&answer) || !handles(&answer.text(), &word) {
                return Ok(Verdict::Clean);
            }
            forbidden |= forbids_script(&answer);
            exchanges.push((number, part));
        }
        let summary = format!("the page repeats `{}` as markup, and a browser runs it", aim.place);
        let proof = if forbidden {
            Proof::suspected(format!("{summary} but for the page's policy"), exchanges, Shield::AttackRule)
        } else {
            Proof::confirmed(summary, exchanges, Shield::AttackRule)
        };
        Ok(Verdict::Found(vec![proof]))
    }
}

/// Whether anything that the operation was seen to answer is a page.
pub(super) fn answers_pages(world: &World, index: OperationIndex) -> bool {
    world.good(index).is_some_and(|good| is_page(&good.answer))
        || world.samples.iter().any(|it| it.call.operation == Some(index) && is_page(&it.answer))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::{
        model::Effect,
        script::rehearse::{Ask, Fake, Stage, answer, query, text},
        wire::Answer,
    };

    fn trial(serve: fn(&Ask) -> Answer) -> (usize, usize) {
        let mut stage = Stage::new().op("GET /page", Effect::Reads, json!(1)).slot(query("q"), json!("lamp"));
        stage.world.good[0].as_mut().unwrap().answer = Arc::new(text(200, "text/html", "<p>lamp</p>"));
        let mut fake = Fake::new(&stage.world, serve);
        let found = fake.confirmed(&ScriptReflected);
        (found, fake.calls)
    }

    #[test]
    fn finds_markup_and_leaves_escaped_text_and_data_alone() {
        let raw = |ask: &Ask| text(200, "text/html", &format!("<p>{}</p>", ask.text("q")));
        assert_eq!(trial(raw), (1, 2));
        let escaped = |ask: &Ask| {
            let safe = ask.text("q").replace('<', "&lt;").replace('"', "&quot;").replace('\'', "&#39;");
            text(200, "text/html", &format!("<input value=\"{safe}\">"))
        };
        assert_eq!(trial(escaped), (0, 1));
        assert_eq!(trial(|ask: &Ask| answer(200, json!({"q": ask.text("q")}))), (0, 1));
        assert_eq!(trial(|_| text(200, "text/html", "<svg onload=other>")), (0, 1));
    }

    #[test]
    fn costs_nothing_where_no_page_was_seen() {
        let stage = Stage::new().op("GET /data", Effect::Reads, json!(1)).slot(query("q"), json!("lamp"));
        assert!(ScriptReflected.targets(&stage.world).is_empty());
    }
}
