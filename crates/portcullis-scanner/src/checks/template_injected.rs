//! A value is read as a template.

use super::probing::{Aim, slots, text_like};
use crate::{
    check::{Check, Info, Phase, Proof, Risk, Target, Verdict},
    finding::{Section, Severity, Shield},
    script::{Flow, Script},
    wire::Outcome,
    world::World,
};

static INFO: Info = Info {
    id: "template_injected",
    title: "A value is evaluated as a template",
    section: Section::Security,
    severity: Severity::Critical,
    risk: Risk::Safe,
    phase: Phase::Probe,
    owasp: "API8:2023",
    cwe: 1336,
    wfc: None,
    remedy: "Keep templates in files of the service and hand input to them as data; never join input into the template's \
             text.",
    oracle: "The answer holds the product of two random numbers written in a template's marks, twice with fresh numbers, \
             while the same numbers without the marks compute nothing.",
    requests_max: 24,
};

/// The check.
pub(super) struct TemplateInjected;

/// Marks of template languages; `@` stands for the expression.
const MARKS: &[&str] =
    &["{{@}}", "${@}", "<%= @ %>", "#{@}", "*{@}", "@(@)", "{@}", "[[${@}]]", "{{= @ }}", "#set($x=@)${x}"];

/// Marks of which a first probe shows all at once; engines leave those of others alone.
const MARKS_FIRST: usize = 4;

impl Check for TemplateInjected {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn targets(&self, world: &World) -> Vec<Target> {
        slots(world, |_, _, slot| text_like(slot))
    }

    fn run(&self, world: &World, target: &Target, script: &mut Script<'_>) -> Flow<Verdict> {
        let aim = Aim::take(world, target, script)?;
        let value = aim.value().to_owned();
        let mut all = value.clone();
        let mut products = Vec::new();
        for mark in MARKS.iter().take(MARKS_FIRST) {
            let (text, product) = computed(script, mark);
            all.push_str(&text);
            products.push(product);
        }
        let (_, answer) = aim.send(script, all.clone())?;
        let hit = products.iter().any(|product| answer.holds(product));
        // An engine that fails on another's marks shows that it reads them; text that comes back as it was sent is read
        // by none of the four, but might be by a rarer one.
        let failed = answer.outcome == Outcome::Broken && aim.good.done();
        let repeated = answer.done() && answer.holds(&value) && !answer.holds(&all);
        if !hit && !failed && !repeated {
            return Ok(Verdict::Clean);
        }
        for mark in MARKS {
            if let Some(proof) = confirmed(&aim, script, &value, mark)? {
                return Ok(Verdict::Found(vec![proof]));
            }
        }
        Ok(Verdict::Clean)
    }
}

/// An expression in marks, with its product.
fn computed(script: &mut Script<'_>, mark: &str) -> (String, String) {
    let (a, b) = (script.between(10_007, 98_999), script.between(10_007, 98_999));
    // The last `@` is the expression's place; `@(@)` begins with one of its own.
    let (head, tail) = mark.rsplit_once('@').unwrap_or((mark, ""));
    (format!("{head}{a}*{b}{tail}"), (a * b).to_string())
}

fn confirmed(aim: &Aim<'_>, script: &mut Script<'_>, value: &str, mark: &str) -> Flow<Option<Proof>> {
    let (text, product) = computed(script, mark);
    let (first, answer) = aim.send(script, format!("{value}{text}"))?;
    if !answer.holds(&product) {
        return Ok(None);
    }
    let (text, product) = computed(script, mark);
    let (second, again) = aim.send(script, format!("{value}{text}"))?;
    let (text, product_of_control) = computed(script, " @ ");
    let (control, plain) = aim.send(script, format!("{value}{text}"))?;
    if !again.holds(&product) || plain.holds(&product_of_control) {
        return Ok(None);
    }
    let summary = format!("`{}` is evaluated as a template: `{mark}` computed {product}", aim.place);
    let exchanges = vec![(first, "probe"), (second, "confirmation"), (control, "control")];
    Ok(Some(Proof::confirmed(summary, exchanges, Shield::AttackRule)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        model::Effect,
        script::rehearse::{Ask, Fake, Stage, answer, query, text},
    };

    fn stage() -> Stage {
        Stage::new().op("GET /banner", Effect::Reads, json!("Welcome")).slot(query("text"), json!("Welcome"))
    }

    fn rendered(sent: &str, open: &str, close: &str) -> Option<String> {
        let Some((before, rest)) = sent.split_once(open) else { return Some(sent.to_owned()) };
        let (inner, after) = rest.split_once(close)?;
        let (a, b) = inner.trim().split_once('*')?;
        let product = a.parse::<u64>().ok()? * b.parse::<u64>().ok()?;
        Some(format!("{before}{product}{after}"))
    }

    #[test]
    fn finds_engines_by_their_marks() {
        let stage = stage();
        for (open, close) in [("{{", "}}"), ("${", "}"), ("<%=", "%>"), ("#{", "}")] {
            let mut fake =
                Fake::new(&stage.world, |ask: &Ask| match rendered(&ask.text("text"), open, close) {
                    Some(it) => text(200, "text/plain", &it),
                    None => answer(500, json!({"detail": "an error occurred"})),
                });
            assert_eq!(fake.confirmed(&TemplateInjected), 1, "{open}");
        }
    }

    #[test]
    fn is_silent_on_echoes_and_on_numbers_that_are_always_there() {
        let stage = stage();
        let mut echo = Fake::new(&stage.world, |ask: &Ask| answer(200, json!({"text": ask.text("text")})));
        assert!(echo.all(&TemplateInjected).is_empty());
        assert_eq!(echo.calls, 1);
        let mut quiz = Fake::new(&stage.world, |_: &Ask| answer(200, json!({"answer": 49})));
        assert!(quiz.all(&TemplateInjected).is_empty());
        let mut failing = Fake::new(&stage.world, |ask: &Ask| {
            answer(if ask.text("text").contains('{') { 500 } else { 200 }, json!({}))
        });
        assert!(failing.all(&TemplateInjected).is_empty());
    }
}
