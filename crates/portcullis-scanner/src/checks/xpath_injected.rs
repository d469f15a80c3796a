//! A value is read as a part of an XPath expression.

use super::probing::{Aim, Pair, slots, text_like, told_apart};
use crate::{
    check::{Check, Info, Phase, Proof, Risk, Target, Verdict},
    finding::{Section, Severity, Shield},
    script::{Flow, Script},
    world::World,
};

static INFO: Info = Info {
    id: "xpath_injected",
    title: "A value becomes a part of an XPath expression",
    section: Section::Security,
    severity: Severity::High,
    risk: Risk::Safe,
    phase: Phase::Probe,
    owasp: "API8:2023",
    cwe: 643,
    wfc: Some("F200"),
    remedy: "Hand values to the expression as XPath variables, or check them against what the field may hold.",
    oracle: "A true comparison joined by `and` gets the good answer and a false one does not, five times over with fresh \
             words; joined by `AnD`, which SQL would read and XPath does not, it never does.",
    requests_max: 30,
};

/// The check.
pub(super) struct XpathInjected;

impl Check for XpathInjected {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn targets(&self, world: &World) -> Vec<Target> {
        slots(world, |_, _, slot| text_like(slot))
    }

    fn run(&self, world: &World, target: &Target, script: &mut Script<'_>) -> Flow<Verdict> {
        let aim = Aim::take(world, target, script)?;
        let value = aim.value().to_owned();
        let pair = |script: &mut Script<'_>| {
            let word = script.word(6);
            Pair::of(format!("{value}' and '{word}'='{word}"), format!("{value}' and '{word}'='{word}x"))
        };
        let sent = pair(script).same;
        let (_, answer) = aim.send(script, sent.clone())?;
        if !aim.looks_good(&answer, sent.as_str().unwrap_or_default()) {
            return Ok(Verdict::Clean);
        }
        let word = script.word(6);
        let in_sql = format!("{value}' AnD '{word}'='{word}");
        let (_, answer) = aim.send(script, in_sql.clone())?;
        if aim.looks_good(&answer, &in_sql) {
            return Ok(Verdict::Clean);
        }
        let Some(exchanges) = told_apart(&aim, script, &pair)? else { return Ok(Verdict::Clean) };
        let summary = format!("`{}` is read as XPath: a comparison behind the text is computed", aim.place);
        Ok(Verdict::Found(vec![Proof::confirmed(summary, exchanges, Shield::AttackRule)]))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        model::Effect,
        script::rehearse::{Ask, Fake, Stage, answer, query},
    };

    fn trial(means: fn(&str) -> bool) -> usize {
        let stage = Stage::new()
            .op("GET /staff", Effect::Reads, json!([{"cn": "Ines"}]))
            .slot(query("badge"), json!("1001"));
        let mut fake = Fake::new(&stage.world, |ask: &Ask| {
            answer(200, if means(&ask.text("badge")) { json!([{"cn": "Ines"}]) } else { json!([]) })
        });
        fake.all(&XpathInjected).len()
    }

    fn joined(sent: &str, by: &str) -> bool {
        sent == "1001"
            || sent.split_once(by).is_some_and(|(value, rest)| {
                value == "1001" && rest.split_once("'='").is_some_and(|(a, b)| a == b)
            })
    }

    #[test]
    fn finds_an_expression_that_is_computed() {
        assert_eq!(trial(|sent| joined(sent, "' and '")), 1);
    }

    #[test]
    fn leaves_text_and_sql_alone() {
        assert_eq!(trial(|sent| sent == "1001"), 0);
        assert_eq!(trial(|_| true), 0);
        assert_eq!(trial(|sent| joined(&sent.to_lowercase(), "' and '")), 0);
    }
}
