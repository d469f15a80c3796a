//! A line break in a value ends a header field of the answer.

use super::probing::{Aim, slots, text_like};
use crate::{
    check::{Check, Info, Phase, Proof, Risk, Target, Verdict},
    finding::{Section, Severity, Shield},
    model::Place,
    script::{Flow, Script},
    world::World,
};

static INFO: Info = Info {
    id: "header_split",
    title: "A line break in a value makes a header field of the answer",
    section: Section::Security,
    severity: Severity::High,
    risk: Risk::Safe,
    phase: Phase::Probe,
    owasp: "API8:2023",
    cwe: 93,
    wfc: None,
    remedy: "Refuse control characters in what is written into header fields; current HTTP libraries do so by themselves.",
    oracle: "A header field of ours with a random name and value stands in the answer, twice with fresh words.",
    requests_max: 8,
};

/// The check.
pub(super) struct HeaderSplit;

const BREAKS: &[&str] = &["\r\n", "\n"];

impl Check for HeaderSplit {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn targets(&self, world: &World) -> Vec<Target> {
        slots(world, |index, _, slot| {
            text_like(slot)
                && match slot.place {
                    Place::Query(_) | Place::Path(_) => true,
                    // Bodies rarely go into heads: only where the good answer shows that this one does.
                    Place::Body(_) | Place::Cookie(_) => world.good(index).is_some_and(|good| {
                        let value =
                            good.call.value(&slot.place).and_then(|it| it.as_str()).unwrap_or_default();
                        value.len() > 2 && good.answer.headers.iter().any(|(_, field)| field.contains(value))
                    }),
                    // A line break in a header field would split our own request.
                    Place::Header(_) => false,
                }
        })
    }

    fn run(&self, world: &World, target: &Target, script: &mut Script<'_>) -> Flow<Verdict> {
        let aim = Aim::take(world, target, script)?;
        for line_break in BREAKS {
            let Some(first) = split(&aim, script, line_break)? else { continue };
            let Some(second) = split(&aim, script, line_break)? else { continue };
            let summary = format!("a line break in `{}` made a header field of the answer", aim.place);
            let exchanges = vec![(first, "probe"), (second, "confirmation")];
            return Ok(Verdict::Found(vec![Proof::confirmed(summary, exchanges, Shield::AttackRule)]));
        }
        Ok(Verdict::Clean)
    }
}

/// The answer's number, where our field is in it.
fn split(aim: &Aim<'_>, script: &mut Script<'_>, line_break: &str) -> Flow<Option<usize>> {
    let (name, value) = (format!("x-{}", script.word(10)), script.word(10));
    let (number, answer) = aim.send(script, format!("{}{line_break}{name}: {value}", aim.value()))?;
    Ok((answer.header(&name).map(str::trim) == Some(value.as_str())).then_some(number))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        model::Effect,
        script::rehearse::{Ask, Fake, Stage, answer, query},
    };

    #[test]
    fn finds_a_field_of_ours_and_nothing_that_only_repeats_it() {
        let stage = Stage::new().op("GET /locale", Effect::Reads, json!({})).slot(query("lang"), json!("nb"));
        let mut split = Fake::new(&stage.world, |ask: &Ask| {
            let mut answer = answer(204, json!({}));
            let sent = format!("content-language: {}", ask.text("lang"));
            for (name, value) in sent.lines().filter_map(|it| it.split_once(':')) {
                answer.headers.push((name.to_owned(), value.trim().to_owned()));
            }
            answer
        });
        assert_eq!(split.confirmed(&HeaderSplit), 1);
        let mut kept = Fake::new(&stage.world, |ask: &Ask| {
            let mut answer = answer(200, json!({"lang": ask.text("lang")}));
            answer.headers.push(("content-language".into(), ask.text("lang").replace(['\r', '\n'], "")));
            answer
        });
        assert!(kept.all(&HeaderSplit).is_empty());
        assert_eq!(kept.calls, 2);
    }
}
