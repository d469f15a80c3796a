//! A value is matched by a pattern that takes out of proportion longer as it grows.

use serde_json::Value;

use super::probing::{Aim, Sizes, grows, named, slots, text_like};
use crate::{
    check::{Check, Info, Phase, Proof, Risk, Target, Verdict},
    finding::{Section, Severity, Shield},
    model::{Place, Slot},
    script::{Flow, Script},
    world::World,
};

static INFO: Info = Info {
    id: "pattern_backtracks",
    title: "A value is matched by a pattern that backtracks without bound",
    section: Section::Security,
    severity: Severity::High,
    risk: Risk::Safe,
    phase: Phase::Timing,
    owasp: "API4:2023",
    cwe: 1333,
    wfc: None,
    remedy: "Match with an engine of linear time, or rewrite the pattern so that no two repetitions can match the same \
             text; bound the value's length before it is matched.",
    oracle: "Over four sizes the answer takes longer by more than the size grows, while a value of the same length that \
             matches does not; twice.",
    requests_max: 40,
};

/// Where each further character doubles the time: two more quadruple it.
const DOUBLING: Sizes = Sizes { steps: [18, 20, 22, 24], factor: 2.2 };
/// Where twice the length quadruples the time.
const SQUARE: Sizes = Sizes { steps: [4_000, 8_000, 16_000, 32_000], factor: 2.6 };

/// The check.
pub(super) struct PatternBacktracks;

impl Check for PatternBacktracks {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn targets(&self, world: &World) -> Vec<Target> {
        slots_of(world)
    }

    fn run(&self, world: &World, target: &Target, script: &mut Script<'_>) -> Flow<Verdict> {
        let aim = Aim::take(world, target, script)?;
        let Some(slot) = world.slot(aim.index, &aim.place) else { return script.skip("no such slot") };
        let letter = letter(slot);
        let limit = slot.schema.get("maxLength").and_then(Value::as_u64).unwrap_or(u64::MAX);
        let bodies = matches!(aim.place, Place::Body(_));
        for (head, end) in attacks(slot, &aim.text) {
            for sizes in [DOUBLING, SQUARE] {
                let longest = sizes.steps[3] + head.len() + end.len();
                // Long values stand in bodies alone: a target that is too long is refused by the server itself.
                if longest as u64 > limit || (longest > 6_000 && !bodies) {
                    continue;
                }
                let long = |size: usize| letter.to_string().repeat(size);
                let shown = grows(
                    script,
                    sizes,
                    &|size, script| aim.call(format!("{head}{}{end}", long(size)), script),
                    &|size, script| aim.call(format!("{head}{}", "ab1-".repeat(size / 4 + 1)), script),
                )?;
                if let Some(exchanges) = shown {
                    let summary = format!(
                        "`{}` is matched by a pattern that backtracks: {} characters in place of {} cost far more",
                        aim.place, sizes.steps[3], sizes.steps[2]
                    );
                    // What only grows with the square needs very long values to do harm.
                    let proof = if sizes.steps == SQUARE.steps {
                        Proof {
                            severity: Some(Severity::Low),
                            ..Proof::suspected(summary, exchanges, Shield::Schema)
                        }
                    } else {
                        Proof::confirmed(summary, exchanges, Shield::Schema)
                    };
                    return Ok(Verdict::Found(vec![proof]));
                }
            }
        }
        Ok(Verdict::Clean)
    }
}

/// Slots that are likely matched by a pattern: by description, format, or name.
fn slots_of(world: &World) -> Vec<Target> {
    const WORDS: &[&str] = &[
        "email", "mail", "address", "code", "phone", "mobile", "url", "pattern", "regex", "slug", "coupon",
        "iban",
    ];
    // Operations that change what somebody logs in with are in: such a value is refused, or is somebody's address.
    slots(world, |_, _, slot| {
        text_like(slot)
            && slot.schema.get("enum").is_none()
            && (slot.schema.get("pattern").is_some()
                || matches!(slot.schema.get("format").and_then(Value::as_str), Some("email" | "hostname"))
                || named(slot, WORDS))
    })
}

/// A character that the pattern repeats.
fn letter(slot: &Slot) -> char {
    let pattern = slot.schema.get("pattern").and_then(Value::as_str).unwrap_or("a-z");
    let digits = pattern.contains("0-9") || pattern.contains("\\d");
    let letters = ["a-z", "\\w", "A-Z", "."].iter().any(|it| pattern.contains(it));
    match (letters, digits) {
        (false, true) => '1',
        _ if pattern.contains("A-Z") && !pattern.contains("a-z") => 'A',
        _ => 'a',
    }
}

/// What stands before the repetition, and what makes it fail at the end.
fn attacks(slot: &Slot, value: &str) -> Vec<(&'static str, &'static str)> {
    let address = value.contains('@')
        || named(slot, &["mail"])
        || slot.schema.get("format").and_then(Value::as_str) == Some("email");
    if address { vec![("", "!"), ("a@", "!")] } else { vec![("", "!")] }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        model::Effect,
        script::rehearse::{Ask, Fake, Stage, answer, body},
    };

    fn trial(micros: impl Fn(&str) -> u64) -> (usize, usize) {
        let stage = Stage::new()
            .op("PUT /email", Effect::Changes, json!({"ok": true}))
            .slot(body("/email"), json!("a@b.example"));
        let mut fake = Fake::new(&stage.world, |ask: &Ask| {
            let mut answer = answer(400, json!({"detail": "no address"}));
            answer.micros = 500 + micros(&ask.text("email"));
            answer
        });
        let found = fake.all(&PatternBacktracks).len();
        (found, fake.calls)
    }

    fn run_of(sent: &str) -> u32 {
        if sent.ends_with('!') { sent.bytes().filter(|it| *it == b'a').count() as u32 } else { 0 }
    }

    #[test]
    fn finds_time_that_grows_faster_than_the_value() {
        assert_eq!(trial(|sent| 1_u64.checked_shl(run_of(sent)).unwrap_or(u64::MAX) / 100).0, 1);
        assert_eq!(trial(|sent| u64::from(run_of(sent)).pow(2) / 1_000).0, 1);
    }

    #[test]
    fn is_silent_on_constant_linear_and_random_time() {
        assert_eq!(trial(|_| 0), (0, 8));
        assert_eq!(trial(|sent| u64::from(run_of(sent)) * 10).0, 0);
        assert_eq!(trial(|_| 700_000).0, 0);
        let state = std::cell::Cell::new(3_u64);
        for _ in 0..300 {
            let found = trial(|_| {
                let next = state.get().wrapping_mul(6_364_136_223_846_793_005).wrapping_add(99);
                state.set(next);
                (next >> 33) % 900_000
            });
            assert_eq!(found.0, 0);
        }
    }
}
