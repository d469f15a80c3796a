//! One request may carry any number of documents.

use super::parts::graphql::{Endpoint, body, names, targets};
use crate::{
    check::{Check, Info, Phase, Proof, Risk, Target, Verdict},
    finding::{Section, Severity, Shield},
    script::{Flow, Script},
    world::World,
};
use serde_json::{Value, json};

/// The check.
pub(super) struct GraphqlBatchUnlimited;

static INFO: Info = Info {
    id: "graphql_batch_unlimited",
    title: "GraphQL batches are not limited",
    section: Section::Security,
    severity: Severity::Medium,
    risk: Risk::Safe,
    phase: Phase::Flood,
    owasp: "API4:2023",
    cwe: 770,
    wfc: None,
    remedy: "Switch batching off where clients do not use it, or refuse batches of more than a few documents. Count what is in a batch, not requests, where callers are limited: a batch of logins is as many guesses.",
    oracle: "A list of 40 documents, each with an alias of ours, is answered with 40 answers, each with its alias; again with other aliases. A list of no documents at all is not.",
    requests_max: 8,
};

impl Check for GraphqlBatchUnlimited {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn targets(&self, world: &World) -> Vec<Target> {
        targets(world)
    }

    fn run(&self, world: &World, target: &Target, script: &mut Script<'_>) -> Flow<Verdict> {
        let endpoint = Endpoint::of(world, target, script)?;
        let mut exchanges = Vec::new();
        for part in ["probe", "confirmation"] {
            let names = names(script, BATCH);
            let list: Vec<Value> =
                names.iter().map(|name| json!({"query": format!("{{ {name}: __typename }}")})).collect();
            let (number, answer) = script.send(endpoint.call_with(&Value::Array(list)))?;
            let answers = body(&answer);
            let served = names.iter().enumerate().all(|(at, name)| {
                answers.get(at).and_then(|it| it.get("data")?.get(name)).is_some_and(Value::is_string)
            });
            if !served {
                return Ok(Verdict::Clean);
            }
            exchanges.push((number, part));
        }
        let (control, empty) = script.send(endpoint.call_with(&json!([])))?;
        if body(&empty).as_array().is_some_and(|it| !it.is_empty()) {
            return Ok(Verdict::Clean);
        }
        exchanges.insert(0, (control, "control"));
        Ok(Verdict::Found(vec![Proof::confirmed(
            format!("{BATCH} documents in one request to `{}` were all executed", endpoint.path),
            exchanges,
            Shield::Cost,
        )]))
    }
}

/// More than any page needs at once.
const BATCH: usize = 40;

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
        Fake::new(&stage.world, serve).confirmed(&GraphqlBatchUnlimited)
    }

    fn document(ask: &Ask) -> String {
        ask.body["query"].as_str().unwrap_or_default().to_owned()
    }

    #[test]
    fn finds_batches_only_where_they_are_not_limited() {
        let serve = |ask: &Ask, most: usize| match ask.body.as_array() {
            Some(list) if list.len() <= most => {
                let one = |it: &Value| {
                    let document = it["query"].as_str().unwrap();
                    json!({"data": {document.get(2..).unwrap().split(':').next().unwrap(): "Query"}})
                };
                answer(200, json!(list.iter().map(one).collect::<Vec<_>>()))
            }
            Some(_) | None => answer(400, json!({"errors": [{"message": "batch too large"}]})),
        };
        assert_eq!(check(|ask| serve(ask, 1_000)), 1);
        assert_eq!(check(|ask| serve(ask, 10)), 0);
        assert_eq!(check(|_| answer(200, json!([{"data": {"a": "Query"}}]))), 0);
        assert_eq!(check(|ask| answer(400, json!(document(ask)))), 0);
    }
}
