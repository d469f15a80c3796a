//! The record of what was done holds what the caller calls it.

use super::parts::graphql::{Endpoint, data, targets};
use crate::{
    check::{Check, Info, Phase, Proof, Risk, Target, Verdict},
    finding::{Section, Severity, Shield},
    script::{Flow, Script},
    world::World,
};

/// The check.
pub(super) struct GraphqlOperationNameRecorded;

static INFO: Info = Info {
    id: "graphql_operation_name_recorded",
    title: "Audit records hold a name that the caller chose",
    section: Section::Security,
    severity: Severity::Low,
    risk: Risk::Intrusive,
    phase: Phase::Probe,
    owasp: "API8:2023",
    cwe: 117,
    wfc: None,
    remedy: "Record the fields that were executed, not the operation's name, which any caller chooses; write what callers chose escaped and marked as theirs.",
    oracle: "A query under a random name is executed; another query that lists records then holds the name, again with another name, and not before.",
    requests_max: 40,
};

impl Check for GraphqlOperationNameRecorded {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn targets(&self, world: &World) -> Vec<Target> {
        targets(world)
    }

    fn run(&self, world: &World, target: &Target, script: &mut Script<'_>) -> Flow<Verdict> {
        let endpoint = Endpoint::of(world, target, script)?;
        let reads = endpoint.reads();
        let Some((_, wire, good)) = reads.first().cloned() else {
            return script.skip("no query is known to work");
        };
        let lists: Vec<_> = reads
            .iter()
            .filter(|(_, _, good)| good.answer.json.as_ref().is_some_and(serde_json::Value::is_array))
            .take(12)
            .collect();
        let names = super::parts::graphql::names(script, 1);
        let first = script.word(14);
        let Some(call) = endpoint
            .call_aliased(wire, &good.call, &names, None)
            .and_then(|it| named(&endpoint, &it, &first))
        else {
            return Ok(Verdict::Clean);
        };
        let (sent, answer) = script.send(call)?;
        if data(&answer).is_none() {
            return Ok(Verdict::Clean);
        }
        for (index, _, list) in lists {
            let (probe, answer) = script.send(list.call.clone())?;
            if list.answer.holds(&first) || !answer.holds(&first) {
                continue;
            }
            let second = script.word(14);
            let call = endpoint
                .call_aliased(wire, &good.call, &names, None)
                .and_then(|it| named(&endpoint, &it, &second));
            let Some(call) = call else { continue };
            if answer.holds(&second) {
                continue;
            }
            let (sent_again, _) = script.send(call)?;
            let (again, answer) = script.send(list.call.clone())?;
            if answer.holds(&second) {
                let id = world.model.operation(*index).map_or("", |it| &it.id);
                let mut proof = Proof::confirmed(
                    format!("`{id}` lists a query by the name that its caller gave it"),
                    vec![
                        (sent, "probe"),
                        (probe, "read back"),
                        (sent_again, "probe"),
                        (again, "confirmation"),
                    ],
                    Shield::None { words: "record what was executed instead of its name".to_owned() },
                );
                proof.operation = Some(*index);
                return Ok(Verdict::Found(vec![proof]));
            }
        }
        Ok(Verdict::Clean)
    }
}

/// The call with its operation named.
fn named(endpoint: &Endpoint<'_>, call: &crate::call::Call, name: &str) -> Option<crate::call::Call> {
    let bytes = call.edits.iter().find_map(|edit| match edit {
        crate::call::Edit::RawBody(bytes) => Some(bytes),
        _ => None,
    })?;
    let mut body: serde_json::Value = serde_json::from_slice(bytes).ok()?;
    let document = body.get("query")?.as_str()?.replacen("query ", &format!("query {name} "), 1);
    let members = body.as_object_mut()?;
    members.insert("query".to_owned(), document.into());
    members.insert("operationName".to_owned(), name.into());
    Some(endpoint.call_with(&body))
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
        Fake::new(&stage.world, serve).confirmed(&GraphqlOperationNameRecorded)
    }

    fn document(ask: &Ask) -> String {
        ask.body["query"].as_str().unwrap_or_default().to_owned()
    }

    #[test]
    fn finds_names_only_where_they_are_recorded() {
        let run = |records: bool| {
            let mut log: Vec<String> = Vec::new();
            check(move |ask| {
                let document = document(ask);
                if document.is_empty() {
                    return answer(200, json!(log));
                }
                let name = document
                    .trim_start_matches("query ")
                    .split([' ', '('])
                    .next()
                    .unwrap_or_default()
                    .to_owned();
                assert_eq!(ask.body["operationName"], json!(name));
                log.push(if records { name } else { "users".to_owned() });
                answer(200, json!({"data": {"x": [1]}}))
            })
        };
        assert_eq!(run(true), 1);
        assert_eq!(run(false), 0);
        let _: Value = json!(null);
    }
}
