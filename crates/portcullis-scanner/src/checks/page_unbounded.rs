//! A page is as large as the caller asks.

use serde_json::Value;

use super::probing::{Aim, slots};
use crate::{
    check::{Check, Info, Phase, Proof, Risk, Target, Verdict},
    finding::{Section, Severity, Shield},
    model::{Effect, Kind},
    script::{Flow, Script},
    world::World,
};

static INFO: Info = Info {
    id: "page_unbounded",
    title: "A page is as large as the caller asks",
    section: Section::Security,
    severity: Severity::Medium,
    risk: Risk::Safe,
    phase: Phase::Flood,
    owasp: "API4:2023",
    cwe: 770,
    wfc: None,
    remedy: "Hold the page's size to a maximum in the service, whatever is asked; say the maximum in the description.",
    oracle: "Asked for a few items the service gives no more; asked for a hundred thousand it gives a thousand or more, \
             twice.",
    requests_max: 4,
};

/// Items from which on a page counts as unbounded: far beyond what a page shows, and what an export needs.
const ITEMS_MIN: usize = 1_000;

/// The check.
pub(super) struct PageUnbounded;

impl Check for PageUnbounded {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn targets(&self, world: &World) -> Vec<Target> {
        const WORDS: &[&str] = &[
            "limit",
            "size",
            "perpage",
            "per_page",
            "per-page",
            "count",
            "pagesize",
            "page_size",
            "first",
            "last",
            "take",
            "top",
            "max",
            "maxresults",
            "max_results",
            "rows",
            "number",
            "num",
            "length",
        ];
        slots(world, |_, operation, slot| {
            let name = slot.place.name().to_ascii_lowercase();
            matches!(operation.effect, Effect::Reads | Effect::Acts)
                && matches!(slot.kind, Kind::Integer | Kind::Number | Kind::Any | Kind::Text)
                && WORDS.contains(&name.as_str())
        })
    }

    fn run(&self, world: &World, target: &Target, script: &mut Script<'_>) -> Flow<Verdict> {
        let aim = Aim::take(world, target, script)?;
        let many = script.between(90_000, 99_999);
        let (probe, answer) = aim.send(script, many)?;
        let given = items(answer.json.as_ref(), 0);
        if !answer.done() || given < ITEMS_MIN {
            return Ok(Verdict::Clean);
        }
        let few = script.between(2, 5);
        let (control, answer) = aim.send(script, few)?;
        if items(answer.json.as_ref(), 0) as u64 > few || !answer.done() {
            return Ok(Verdict::Clean);
        }
        let many = script.between(80_000, 89_999);
        let (again, answer) = aim.send(script, many)?;
        if items(answer.json.as_ref(), 0) < ITEMS_MIN {
            return Ok(Verdict::Clean);
        }
        let summary = format!("`{}` = {many} gave {given} items in one answer, {few} gave {few}", aim.place);
        let exchanges = vec![(probe, "probe"), (control, "control"), (again, "confirmation")];
        Ok(Verdict::Found(vec![Proof::confirmed(summary, exchanges, Shield::Schema)]))
    }
}

/// The longest list in an answer, three levels deep.
fn items(json: Option<&Value>, depth: usize) -> usize {
    match json {
        Some(Value::Array(list)) => list.len(),
        Some(Value::Object(members)) if depth < 3 => {
            members.values().map(|it| items(Some(it), depth + 1)).max().unwrap_or(0)
        }
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::script::rehearse::{Ask, Fake, Stage, answer, query};

    fn trial(most: u64, all: bool) -> usize {
        let stage = Stage::new().op("GET /items", Effect::Reads, json!([1])).slot(query("limit"), json!(10));
        let mut fake = Fake::new(&stage.world, |ask: &Ask| {
            let asked = if all { most } else { ask.text("limit").parse().unwrap_or(10) };
            answer(200, json!({"items": (0..asked.min(most)).collect::<Vec<_>>()}))
        });
        fake.confirmed(&PageUnbounded)
    }

    #[test]
    fn finds_pages_as_large_as_asked_alone() {
        assert_eq!(trial(20_000, false), 1);
        assert_eq!(trial(100, false), 0);
        // A long list that ignores the number is no page.
        assert_eq!(trial(5_000, true), 0);
    }
}
