//! A value is read by a shell.

use super::probing::{Aim, forms, slots, text_like};
use crate::{
    check::{Check, Info, Phase, Proof, Risk, Target, Verdict},
    finding::{Section, Severity, Shield},
    script::{Flow, Script},
    wire::Outcome,
    world::World,
};

static INFO: Info = Info {
    id: "command_injected",
    title: "A value is run by a shell",
    section: Section::Security,
    severity: Severity::Critical,
    risk: Risk::Safe,
    phase: Phase::Probe,
    owasp: "API8:2023",
    cwe: 78,
    wfc: Some("F200"),
    remedy: "Start programs with a list of arguments and no shell, and check values against what they may be; better, use \
             a library instead of a program.",
    oracle: "The answer holds the product of two random numbers that only a shell could have computed, twice with fresh \
             numbers, while the same text without a shell's marks computes nothing.",
    requests_max: 24,
};

/// The check.
pub(super) struct CommandInjected;

/// Ways into a shell; `@` stands for the command. The first covers three kinds of quoting at once: whichever the value
/// stands in, one of the three commands is bare and what follows is a comment.
const WAYS: &[&str] =
    &[";@;#';@;#\";@;#", "$(@)", "|@", "`@`", "\"$(@)\"", "\n@\n", "&@&", "'|@|'", "\"|@|\""];

/// Ways that are tried on every slot; the others only where one of these makes a difference.
const WAYS_FIRST: usize = 2;

impl Check for CommandInjected {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn targets(&self, world: &World) -> Vec<Target> {
        slots(world, |_, _, slot| text_like(slot))
    }

    fn run(&self, world: &World, target: &Target, script: &mut Script<'_>) -> Flow<Verdict> {
        let aim = Aim::take(world, target, script)?;
        let value = aim.value().to_owned();
        let mut telling = false;
        for (at, way) in WAYS.iter().enumerate() {
            if at == WAYS_FIRST && !telling {
                return Ok(Verdict::Clean);
            }
            let (payload, product) = computed(script, &value, way);
            let (probe, answer) = aim.send(script, payload.clone())?;
            if !answer.holds(&product) {
                // What fails for a shell's marks, or neither repeats nor ignores them, may be read by a shell that wants
                // another way; what is refused, or comes back as it was sent, is not.
                let repeated = !aim.looks_good(&answer, "") && aim.looks_good(&answer, &payload);
                telling |= answer.outcome == Outcome::Broken && aim.good.done();
                telling |= answer.done()
                    && !repeated
                    && !aim.looks_good(&answer, "")
                    && !forms(&payload).iter().any(|form| answer.holds(form));
                continue;
            }
            if let Some(proof) = confirmed(&aim, script, &value, way, probe)? {
                return Ok(Verdict::Found(vec![proof]));
            }
        }
        Ok(Verdict::Clean)
    }
}

/// A payload with the product that a shell would write; neither number nor product stands in it.
fn computed(script: &mut Script<'_>, value: &str, way: &str) -> (String, String) {
    let (a, b) = (script.between(10_007, 98_999), script.between(10_007, 98_999));
    (format!("{value}{}", way.replace('@', &format!("expr {a} \\* {b}"))), (a * b).to_string())
}

fn confirmed(
    aim: &Aim<'_>,
    script: &mut Script<'_>,
    value: &str,
    way: &str,
    first: usize,
) -> Flow<Option<Proof>> {
    let (payload, product) = computed(script, value, way);
    let (second, again) = aim.send(script, payload)?;
    let (payload, product_of_control) = computed(script, value, " @ ");
    let (control, plain) = aim.send(script, payload)?;
    if !again.holds(&product) || plain.holds(&product_of_control) {
        return Ok(None);
    }
    let summary = format!("`{}` is run by a shell: `expr` computed {product}", aim.place);
    let exchanges = vec![(first, "probe"), (second, "confirmation"), (control, "control")];
    Ok(Some(Proof::confirmed(summary, exchanges, Shield::AttackRule)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        model::Effect,
        script::rehearse::{Ask, Fake, Stage, answer, body},
    };

    fn stage() -> Stage {
        Stage::new()
            .op("POST /ping", Effect::Acts, json!({"output": "PING printer"}))
            .slot(body("/host"), json!("printer"))
    }

    /// Runs every bare `expr A \* B` behind one of these marks.
    fn shell(sent: &str, marks: &[&str]) -> String {
        marks
            .iter()
            .filter_map(|mark| sent.split_once(mark))
            .filter_map(|(_, rest)| {
                let (a, rest) = rest.strip_prefix("expr ")?.split_once(" \\* ")?;
                let b: String = rest.chars().take_while(char::is_ascii_digit).collect();
                Some((a.parse::<u64>().ok()? * b.parse::<u64>().ok()?).to_string())
            })
            .collect::<Vec<_>>()
            .join("\n")
    }

    #[test]
    fn finds_a_shell_in_every_way() {
        let stage = stage();
        for mark in [";", "$(", "|"] {
            let mut fake = Fake::new(&stage.world, |ask: &Ask| {
                let sent = ask.text("host");
                answer(200, json!({"output": format!("PING\n{}", shell(&sent, &[mark]))}))
            });
            assert_eq!(fake.confirmed(&CommandInjected), 1, "{mark}");
        }
    }

    #[test]
    fn is_silent_on_echoes_refusals_and_calculators() {
        let stage = stage();
        let mut echo = Fake::new(&stage.world, |ask: &Ask| answer(200, json!({"output": ask.text("host")})));
        assert!(echo.all(&CommandInjected).is_empty());
        let mut strict = Fake::new(&stage.world, |ask: &Ask| {
            answer(if ask.text("host") == "printer" { 200 } else { 422 }, json!({"output": 49}))
        });
        assert!(strict.all(&CommandInjected).is_empty());
        assert!(strict.calls <= 3);
        let mut calculator = Fake::new(&stage.world, |ask: &Ask| {
            answer(200, json!({"output": shell(&ask.text("host"), &[";", " ", "$("])}))
        });
        assert!(calculator.all(&CommandInjected).is_empty());
    }
}
