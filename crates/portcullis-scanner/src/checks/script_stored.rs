//! A stored value comes back as markup in a page of another operation.

use super::{
    probing::{Aim, forbids_script, handles, is_page, markup_payload, slots, text_like},
    script_reflected::answers_pages,
};
use crate::{
    check::{Check, Info, Phase, Proof, Risk, Target, Verdict},
    finding::{Section, Severity, Shield},
    model::{Effect, OperationIndex, Place},
    script::{Flow, Script},
    world::World,
};

static INFO: Info = Info {
    id: "script_stored",
    title: "A stored value is shown so that a browser runs it",
    section: Section::Security,
    severity: Severity::High,
    risk: Risk::Intrusive,
    phase: Phase::Probe,
    owasp: "API8:2023",
    cwe: 79,
    wfc: Some("F201"),
    remedy: "Escape stored values where they are written into pages, for the place they stand in; do not rely on what was \
             refused when they came in.",
    oracle: "After a value was stored by one operation, a page of another has an event handler of ours, read as a browser \
             reads it; twice with fresh words.",
    requests_max: 20,
};

/// Pages that are read after each store.
const PAGES_MAX: usize = 6;

/// The check.
pub(super) struct ScriptStored;

impl Check for ScriptStored {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn targets(&self, world: &World) -> Vec<Target> {
        if world.bounds.read_only || pages(world).is_empty() {
            return Vec::new();
        }
        slots(world, |_, operation, slot| {
            text_like(slot)
                && matches!(operation.effect, Effect::Creates | Effect::Changes | Effect::Acts)
                && matches!(slot.place, Place::Body(_) | Place::Query(_))
        })
    }

    fn run(&self, world: &World, target: &Target, script: &mut Script<'_>) -> Flow<Verdict> {
        let aim = Aim::take(world, target, script)?;
        let word = script.word(12);
        let (stored, answer) = aim.send(script, markup_payload(&word))?;
        if !answer.done() {
            return Ok(Verdict::Clean);
        }
        for page in pages(world) {
            let Some((shown, forbidden)) = shows(world, script, page, &word)? else { continue };
            let word = script.word(12);
            let (again, _) = aim.send(script, markup_payload(&word))?;
            let Some((second, _)) = shows(world, script, page, &word)? else { continue };
            let name = world.model.operation(page).map(|it| it.id.to_string()).unwrap_or_default();
            let summary = format!("what `{}` stores is markup in the page of `{name}`", aim.place);
            let exchanges =
                vec![(stored, "probe"), (shown, "read back"), (again, "confirmation"), (second, "read back")];
            let proof = if forbidden {
                Proof::suspected(summary, exchanges, Shield::AttackRule)
            } else {
                Proof::confirmed(summary, exchanges, Shield::AttackRule)
            };
            return Ok(Verdict::Found(vec![proof]));
        }
        Ok(Verdict::Clean)
    }
}

/// Operations that read and answer pages.
fn pages(world: &World) -> Vec<OperationIndex> {
    let reading = world.reached().filter(|(_, operation, _)| operation.effect == Effect::Reads);
    let pages = reading.map(|(index, _, _)| index).filter(|index| answers_pages(world, *index));
    pages.take(PAGES_MAX).collect()
}

fn shows(
    world: &World,
    script: &mut Script<'_>,
    page: OperationIndex,
    word: &str,
) -> Flow<Option<(usize, bool)>> {
    let Some(good) = world.good(page) else { return Ok(None) };
    let (number, answer) = script.send(good.call.clone())?;
    Ok((is_page(&answer) && handles(&answer.text(), word)).then(|| (number, forbids_script(&answer))))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::script::rehearse::{Ask, Fake, Stage, answer, body, text};

    fn trial(escape: bool) -> usize {
        let mut stage = Stage::new()
            .op("POST /comments", Effect::Creates, json!({"id": 1}))
            .slot(body("/text"), json!("Fine lamps"))
            .op("GET /page", Effect::Reads, json!(1));
        stage.world.good[1].as_mut().unwrap().answer = Arc::new(text(200, "text/html", "<ul></ul>"));
        let mut kept = String::new();
        let mut fake = Fake::new(&stage.world, move |ask: &Ask| {
            if ask.operation.starts_with("POST") {
                kept.push_str(&ask.text("text"));
                return answer(201, json!({"id": 1}));
            }
            let shown = if escape { kept.replace('<', "&lt;") } else { kept.clone() };
            text(200, "text/html", &format!("<p>{shown}</p>"))
        });
        fake.confirmed(&ScriptStored)
    }

    #[test]
    fn finds_what_is_stored_and_shown_as_markup_alone() {
        assert_eq!(trial(false), 1);
        assert_eq!(trial(true), 0);
    }
}
