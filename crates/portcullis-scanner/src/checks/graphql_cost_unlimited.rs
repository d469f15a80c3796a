//! What a document costs is not weighed.

use super::parts::graphql::{Endpoint, data, names, targets};
use crate::{
    check::{Check, Info, Phase, Proof, Risk, Target, Verdict},
    finding::{Section, Severity, Shield},
    script::{Flow, Script},
    world::World,
};

/// The check.
pub(super) struct GraphqlCostUnlimited;

static INFO: Info = Info {
    id: "graphql_cost_unlimited",
    title: "GraphQL documents may cost any amount of work",
    section: Section::Security,
    severity: Severity::Medium,
    risk: Risk::Safe,
    phase: Phase::Flood,
    owasp: "API4:2023",
    cwe: 400,
    wfc: None,
    remedy: "Give each field a cost, lists times their length, and refuse documents above a budget before executing them; count the budget of a caller over time.",
    oracle: "The API's own query with its whole selection is asked for once and 24 times in one document; all of it comes back, 24 times the bytes for one request, again under other names. The time for each is told and judges nothing.",
    requests_max: 10,
};

impl Check for GraphqlCostUnlimited {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn targets(&self, world: &World) -> Vec<Target> {
        targets(world)
    }

    fn run(&self, world: &World, target: &Target, script: &mut Script<'_>) -> Flow<Verdict> {
        let endpoint = Endpoint::of(world, target, script)?;
        // The largest answer whose copies stay within the bounds of the scan.
        let reads = endpoint.reads();
        let fits = |bytes: usize| (64..=BYTES_MAX / COPIES).contains(&bytes);
        let chosen = reads.into_iter().rev().find(|(_, _, good)| fits(good.answer.body.len()));
        let Some((operation, wire, good)) = chosen else {
            return script.skip("no query answers enough to weigh");
        };
        let mut sent = Vec::new();
        for (count, part) in [(1, "control"), (COPIES, "probe"), (COPIES, "confirmation")] {
            let names = names(script, count);
            let Some(call) = endpoint.call_aliased(wire, &good.call, &names, None) else {
                return Ok(Verdict::Clean);
            };
            let (number, answer) = script.send(call.by(good.call.by))?;
            let Some(data) = data(&answer) else { return Ok(Verdict::Clean) };
            if !names.iter().all(|name| data.get(name).is_some_and(|it| !it.is_null())) {
                return Ok(Verdict::Clean);
            }
            sent.push((number, part, answer.body.len(), answer.micros));
        }
        let [one, many, again] = sent.as_slice() else { return Ok(Verdict::Clean) };
        let grows = |more: usize| more * 10 >= one.2 * COPIES * 6;
        if !grows(many.2) || !grows(again.2) {
            return Ok(Verdict::Clean);
        }
        let times = many.3.max(again.3) / one.3.max(1);
        let mut proof = Proof::confirmed(
            format!(
                "one document brought {} bytes where one field brings {}, in {times} times the time",
                many.2, one.2
            ),
            sent.iter().map(|it| (it.0, it.1)).collect(),
            Shield::Cost,
        );
        proof.operation = Some(operation);
        Ok(Verdict::Found(vec![proof]))
    }
}

/// Copies of one query in one document.
const COPIES: usize = 24;
/// Bytes of all copies together, at most.
const BYTES_MAX: usize = 2 << 20;

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
        Stage::new().field("query users", Effect::Reads, json!("x".repeat(100)))
    }

    fn check(serve: impl FnMut(&Ask) -> Answer) -> usize {
        let stage = stage();
        Fake::new(&stage.world, serve).confirmed(&GraphqlCostUnlimited)
    }

    fn document(ask: &Ask) -> String {
        ask.body["query"].as_str().unwrap_or_default().to_owned()
    }

    #[test]
    fn finds_cost_only_where_it_is_not_weighed() {
        let serve = |ask: &Ask, most: usize| {
            let document = document(ask);
            let parts: Vec<&str> = document.split(": users").collect();
            let names: Vec<&str> =
                parts.iter().rev().skip(1).filter_map(|it| it.split_whitespace().last()).collect();
            if names.len() > most {
                return answer(400, json!({"errors": [{"message": "cost exceeds budget"}]}));
            }
            let one = json!("y".repeat(100));
            let data: serde_json::Map<String, Value> =
                names.iter().map(|it| ((*it).to_owned(), one.clone())).collect();
            answer(200, json!({"data": data}))
        };
        assert_eq!(check(|ask| serve(ask, 1_000)), 1);
        assert_eq!(check(|ask| serve(ask, 10)), 0);
        assert_eq!(check(|_| answer(200, json!({"data": {}}))), 0);
    }
}
