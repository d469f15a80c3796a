//! A value makes a language wait: injection where nothing else shows.

use super::probing::{Aim, number_like, obeyed, slots, text_like};
use crate::{
    check::{Check, Info, Phase, Proof, Risk, Target, Verdict},
    finding::{Section, Severity, Shield},
    model::Effect,
    script::{Flow, Script},
    world::World,
};

static INFO: Info = Info {
    id: "delay_obeyed",
    title: "A value makes the database, a shell or a script wait",
    section: Section::Security,
    severity: Severity::Critical,
    risk: Risk::Safe,
    phase: Phase::Timing,
    owasp: "API8:2023",
    cwe: 74,
    wfc: Some("F200"),
    remedy: "Hand values to the database as bound parameters and to programs as separate arguments, and check what they \
             may be before.",
    oracle: "Delays asked for in a language's own words are the delays that are seen, beyond a control that asks for \
             none: by the slope of Theil and Sen over three delays, twice with different ones, every call paired with its \
             control.",
    requests_max: 24,
};

/// The check.
pub(super) struct DelayObeyed;

/// How a language is told to wait: its name, and the payload behind a value with the delay in seconds.
type Way = (&'static str, fn(&str, &str) -> String);

/// Ways behind text. None of them widens a statement: the waiting function gives nothing that is true.
const TEXT: &[Way] = &[
    ("SQL (MySQL, MariaDB)", |value, secs| format!("{value}'||(SELECT SLEEP({secs}))||'")),
    ("SQL (PostgreSQL)", |value, secs| format!("{value}'||(SELECT pg_sleep({secs})::text)||'")),
    ("SQL (SQL Server)", |value, secs| format!("{value}';WAITFOR DELAY '0:0:{secs}';SELECT '")),
    ("a shell", |value, secs| format!("{value};sleep {secs};#';sleep {secs};#\";sleep {secs};#")),
    ("a shell", |value, secs| format!("{value}$(sleep {secs})")),
];

/// Ways behind a number.
const NUMBER: &[Way] = &[
    ("SQL (MySQL, MariaDB)", |value, secs| format!("{value}-(SELECT SLEEP({secs}))")),
    ("SQL (PostgreSQL)", |value, secs| format!("{value} AND (SELECT pg_sleep({secs})) IS NOT NULL")),
];

impl Check for DelayObeyed {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn targets(&self, world: &World) -> Vec<Target> {
        slots(world, |index, operation, slot| {
            (text_like(slot) || number_like(slot))
                && operation.effect != Effect::Changes
                && !closed(world, index, slot)
        })
    }

    fn run(&self, world: &World, target: &Target, script: &mut Script<'_>) -> Flow<Verdict> {
        let aim = Aim::take(world, target, script)?;
        let value = aim.value().to_owned();
        let ways = if world.slot(aim.index, &aim.place).is_some_and(number_like) { NUMBER } else { TEXT };
        for (language, way) in ways {
            let payload = |millis: u32| way(&value, &format!("{}.{:03}", millis / 1_000, millis % 1_000));
            if let Some(exchanges) = obeyed(world, &aim, script, &payload)? {
                let summary =
                    format!("`{}` is read by {language}: the delays it asks for are obeyed", aim.place);
                let mut proof = Proof::confirmed(summary, exchanges, Shield::AttackRule);
                proof.variant = if language.starts_with("SQL") { "sql" } else { "shell" }.to_owned();
                return Ok(Verdict::Found(vec![proof]));
            }
        }
        Ok(Verdict::Clean)
    }
}

/// Whether strange text was seen to be refused there while learning: a value list, a pattern or a number of the
/// description that the service was seen to hold itself to.
fn closed(world: &World, index: crate::model::OperationIndex, slot: &crate::model::Slot) -> bool {
    let declared = ["enum", "const"].iter().any(|key| slot.schema.get(*key).is_some());
    declared
        && world.samples.iter().any(|sample| {
            sample.call.operation == Some(index)
                && (400..500).contains(&sample.answer.status)
                && world.good(index).is_some_and(|good| {
                    good.call.clone().without(&slot.place) == sample.call.clone().without(&slot.place)
                })
        })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::script::rehearse::{Ask, Fake, Stage, answer, query};

    fn trial(mut micros: impl FnMut(&str) -> u64) -> (usize, usize) {
        let stage = Stage::new()
            .op("GET /track", Effect::Reads, json!({"status": "asked"}))
            .slot(query("carrier"), json!("gull"));
        let mut fake = Fake::new(&stage.world, |ask: &Ask| {
            let mut answer = answer(202, json!({"status": "asked"}));
            answer.micros = 900 + micros(&ask.text("carrier"));
            answer
        });
        let found = fake.confirmed(&DelayObeyed);
        (found, fake.calls)
    }

    fn asked(sent: &str, before: &str) -> u64 {
        let secs = sent.split_once(before).map_or("0", |(_, it)| it.split([')', ';']).next().unwrap());
        (secs.parse::<f64>().unwrap() * 1e6) as u64
    }

    #[test]
    fn finds_delays_that_are_obeyed() {
        assert_eq!(trial(|sent| asked(sent, "SELECT SLEEP(")).0, 1);
        assert_eq!(trial(|sent| asked(sent, "pg_sleep(")).0, 1);
        assert_eq!(trial(|sent| asked(sent, ";sleep ")).0, 1);
        // Beside a delay of its own.
        assert_eq!(trial(|sent| 300_000 + asked(sent, ";sleep ")).0, 1);
    }

    #[test]
    fn is_silent_where_delays_are_the_service_s_own() {
        assert_eq!(trial(|_| 0), (0, TEXT.len()));
        assert_eq!(trial(|_| 700_000).0, 0);
        assert_eq!(trial(|_| 5_000_000).0, 0);
        let mut state = 7_u64;
        let mut found = 0;
        for _ in 0..300 {
            found += trial(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 33) % 2_000_000
            })
            .0;
        }
        assert_eq!(found, 0);
    }
}
