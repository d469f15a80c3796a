//! Error messages suggest names of the schema.

use super::parts::graphql::{Endpoint, errors, targets};
use crate::model::Wire;
use crate::{
    check::{Check, Info, Phase, Proof, Risk, Target, Verdict},
    finding::{Section, Severity, Shield},
    script::{Flow, Script},
    world::World,
};

/// The check.
pub(super) struct GraphqlNamesSuggested;

static INFO: Info = Info {
    id: "graphql_names_suggested",
    title: "GraphQL errors suggest the names of fields",
    section: Section::Security,
    severity: Severity::Info,
    risk: Risk::Safe,
    phase: Phase::Read,
    owasp: "API8:2023",
    cwe: 209,
    wfc: None,
    remedy: "Switch suggestions off outside of development, so that the schema cannot be told piece by piece.",
    oracle: "A field's name with one letter changed is refused with the real name, two times for two changes; a name far from all is refused without.",
    requests_max: 10,
};

impl Check for GraphqlNamesSuggested {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn targets(&self, world: &World) -> Vec<Target> {
        targets(world)
    }

    fn run(&self, world: &World, target: &Target, script: &mut Script<'_>) -> Flow<Verdict> {
        let endpoint = Endpoint::of(world, target, script)?;
        let fields: Vec<&str> = world
            .model
            .all()
            .filter_map(|(_, operation)| match &operation.wire {
                Wire::GraphQl { path, field, .. } if path == endpoint.path && field.len() >= 4 => {
                    Some(field.as_str())
                }
                _ => None,
            })
            .take(3)
            .collect();
        let far = script.word(24);
        let (control, answer) = endpoint.ask(script, &format!("{{ {far} }}"))?;
        let told: Vec<String> = errors(&answer);
        if fields.is_empty()
            || told.is_empty()
            || fields.iter().any(|it| told.iter().any(|told| told.contains(&it.to_lowercase())))
        {
            return Ok(Verdict::Clean);
        }
        for field in fields {
            let mut exchanges = vec![(control, "control")];
            for part in ["probe", "confirmation"] {
                let wrong = format!("{field}{}", script.word(1));
                let (number, answer) = endpoint.ask(script, &format!("{{ {wrong} }}"))?;
                // The wrong name holds the right one: it must stand by itself, in quotes of any kind.
                let suggested = errors(&answer).iter().any(|message| {
                    message.contains("did you mean")
                        && message
                            .split(|it: char| !it.is_alphanumeric() && it != '_')
                            .any(|it| it == field.to_lowercase())
                });
                if suggested {
                    exchanges.push((number, part));
                }
            }
            if exchanges.len() == 3 {
                let summary = format!("a wrong name was refused with the right one, `{field}`");
                return Ok(Verdict::Found(vec![Proof::confirmed(summary, exchanges, Shield::Cost)]));
            }
        }
        Ok(Verdict::Clean)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        model::Effect,
        script::rehearse::{Ask, Fake, Stage, answer},
        wire::Answer,
    };

    fn stage() -> Stage {
        Stage::new().field("query users", Effect::Reads, json!([{"name": "ann"}]))
    }

    fn check(serve: impl FnMut(&Ask) -> Answer) -> usize {
        let stage = stage();
        Fake::new(&stage.world, serve).confirmed(&GraphqlNamesSuggested)
    }

    fn document(ask: &Ask) -> String {
        ask.body["query"].as_str().unwrap_or_default().to_owned()
    }

    #[test]
    fn finds_suggestions_only_where_they_are_made() {
        let refuse = |ask: &Ask, suggest: bool| {
            let document = document(ask);
            let name = document.trim_matches(['{', '}', ' ']).to_owned();
            let more = if suggest && name.starts_with("user") { " Did you mean \"users\"?" } else { "" };
            answer(
                400,
                json!({"errors": [{"message": format!("Cannot query field \"{name}\" on type \"Query\".{more}")}]}),
            )
        };
        assert_eq!(check(|ask| refuse(ask, true)), 1);
        assert_eq!(check(|ask| refuse(ask, false)), 0);
        // A server that lists its fields whatever is asked does not suggest; that is another matter.
        assert_eq!(check(|_| answer(400, json!({"errors": [{"message": "did you mean \"users\""}]}))), 0);
        let _: Value = json!(null);
    }
}
