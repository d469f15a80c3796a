//! A value is read as a part of an LDAP filter.

use super::probing::{Aim, Pair, slots, text_like, told_apart};
use crate::{
    check::{Check, Info, Phase, Proof, Risk, Target, Verdict},
    finding::{Section, Severity, Shield},
    script::{Flow, Script},
    world::World,
};

static INFO: Info = Info {
    id: "ldap_injected",
    title: "A value becomes a part of an LDAP filter",
    section: Section::Security,
    severity: Severity::High,
    risk: Risk::Safe,
    phase: Phase::Probe,
    owasp: "API8:2023",
    cwe: 90,
    wfc: Some("F200"),
    remedy: "Escape values for filters (RFC 4515, section 3) with the library's own function.",
    oracle: "A further condition that every entry meets gets the good answer, one that none meets does not, five times \
             over with fresh words.",
    requests_max: 40,
};

/// The check.
pub(super) struct LdapInjected;

/// What stands behind the value in `(attribute=VALUE)` or `(attribute=VALUE*)`, with `@` for the asked class.
const BEHIND: &[&str] = &[")(objectClass=@", "*)(objectClass=@"];

impl Check for LdapInjected {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn targets(&self, world: &World) -> Vec<Target> {
        slots(world, |_, _, slot| text_like(slot))
    }

    fn run(&self, world: &World, target: &Target, script: &mut Script<'_>) -> Flow<Verdict> {
        let aim = Aim::take(world, target, script)?;
        let value = aim.value().to_owned();
        for behind in BEHIND {
            let pair = |script: &mut Script<'_>| {
                let word = script.word(10);
                Pair::of(
                    format!("{value}{}", behind.replace('@', "*")),
                    format!("{value}{}", behind.replace('@', &word)),
                )
            };
            let sent = pair(script).same;
            let (_, answer) = aim.send(script, sent.clone())?;
            if !aim.looks_good(&answer, sent.as_str().unwrap_or_default()) {
                continue;
            }
            if let Some(exchanges) = told_apart(&aim, script, &pair)? {
                let summary =
                    format!("`{}` is read as an LDAP filter: a further condition counts", aim.place);
                return Ok(Verdict::Found(vec![Proof::confirmed(summary, exchanges, Shield::AttackRule)]));
            }
            return Ok(Verdict::Clean);
        }
        Ok(Verdict::Clean)
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
            .slot(query("name"), json!("Ines"));
        let mut fake = Fake::new(&stage.world, |ask: &Ask| {
            answer(200, if means(&ask.text("name")) { json!([{"cn": "Ines"}]) } else { json!([]) })
        });
        fake.all(&LdapInjected).len()
    }

    #[test]
    fn finds_a_condition_that_counts() {
        assert_eq!(trial(|sent| sent == "Ines" || sent == "Ines)(objectClass=*"), 1);
        assert_eq!(trial(|sent| sent == "Ines" || sent == "Ines*)(objectClass=*"), 1);
    }

    #[test]
    fn leaves_text_and_prefixes_alone() {
        assert_eq!(trial(|sent| sent == "Ines"), 0);
        assert_eq!(trial(|sent| sent.starts_with("Ines")), 0);
    }
}
