//! One document may ask for a field under any number of names.

use super::parts::graphql::{Endpoint, data, names, targets};
use crate::{
    check::{Check, Info, Phase, Proof, Risk, Target, Verdict},
    finding::{Section, Severity, Shield},
    script::{Flow, Script},
    world::World,
};

/// The check.
pub(super) struct GraphqlAliasesUnlimited;

static INFO: Info = Info {
    id: "graphql_aliases_unlimited",
    title: "GraphQL aliases are not limited",
    section: Section::Security,
    severity: Severity::Medium,
    risk: Risk::Safe,
    phase: Phase::Flood,
    owasp: "API4:2023",
    cwe: 770,
    wfc: None,
    remedy: "Bound the number of fields and aliases of a document, and weigh what a document costs before it is executed. Limits on callers must count fields, not requests.",
    oracle: "A field of the API is asked for under 60 names of ours in one document and comes back under each, again under other names; under one name it is served as well.",
    requests_max: 8,
};

impl Check for GraphqlAliasesUnlimited {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn targets(&self, world: &World) -> Vec<Target> {
        targets(world)
    }

    fn run(&self, world: &World, target: &Target, script: &mut Script<'_>) -> Flow<Verdict> {
        let endpoint = Endpoint::of(world, target, script)?;
        // The smallest answer of the API's own, so that what is shown is the number and not the load.
        let call = endpoint.reads().into_iter().find_map(|(_, wire, good)| {
            let small = good.answer.body.len() * ALIASES <= BYTES_MAX;
            small.then(|| (good.call.clone(), wire))
        });
        let mut exchanges = Vec::new();
        for (count, part) in [(1, "control"), (ALIASES, "probe"), (ALIASES, "confirmation")] {
            let names = names(script, count);
            let probe = match &call {
                Some((call, wire)) => {
                    let Some(probe) = endpoint.call_aliased(wire, call, &names, None) else {
                        return Ok(Verdict::Clean);
                    };
                    probe
                }
                None => {
                    let fields: Vec<String> = names.iter().map(|it| format!("{it}: __typename")).collect();
                    endpoint.call(&format!("{{ {} }}", fields.join(" ")))
                }
            };
            let (number, answer) = script.send(probe)?;
            let Some(data) = data(&answer) else { return Ok(Verdict::Clean) };
            if !names.iter().all(|name| data.get(name).is_some_and(|it| !it.is_null())) {
                return Ok(Verdict::Clean);
            }
            exchanges.push((number, part));
        }
        Ok(Verdict::Found(vec![Proof::confirmed(
            format!("one document had a field of `{}` executed {ALIASES} times", endpoint.path),
            exchanges,
            Shield::Cost,
        )]))
    }
}

/// More than any page needs of one field.
const ALIASES: usize = 60;
/// Bytes of all answers together, at most.
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
        Stage::new().field("query users", Effect::Reads, json!([{"name": "ann"}]))
    }

    fn check(serve: impl FnMut(&Ask) -> Answer) -> usize {
        let stage = stage();
        Fake::new(&stage.world, serve).confirmed(&GraphqlAliasesUnlimited)
    }

    fn document(ask: &Ask) -> String {
        ask.body["query"].as_str().unwrap_or_default().to_owned()
    }

    #[test]
    fn finds_aliases_only_where_they_are_not_limited() {
        let serve = |ask: &Ask, most: usize| {
            let document = document(ask);
            let parts: Vec<&str> = document.split(": users").collect();
            let names: Vec<&str> =
                parts.iter().rev().skip(1).filter_map(|it| it.split_whitespace().last()).collect();
            if names.len() > most {
                return answer(400, json!({"errors": [{"message": "too many aliases"}]}));
            }
            let data: serde_json::Map<String, Value> =
                names.iter().map(|it| ((*it).to_owned(), json!([1]))).collect();
            answer(200, json!({"data": data}))
        };
        assert_eq!(check(|ask| serve(ask, 1_000)), 1);
        assert_eq!(check(|ask| serve(ask, 15)), 0);
        assert_eq!(check(|ask| answer(400, json!({"errors": [{"message": document(ask)}]}))), 0);
    }
}
