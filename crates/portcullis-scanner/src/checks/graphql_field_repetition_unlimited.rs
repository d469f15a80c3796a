//! One document may repeat a field any number of times.

use super::parts::graphql::{Endpoint, complains_of, data, targets};
use crate::{
    check::{Check, Info, Phase, Proof, Risk, Target, Verdict},
    finding::{Section, Severity, Shield},
    script::{Flow, Script},
    world::World,
};

/// The check.
pub(super) struct GraphqlFieldRepetitionUnlimited;

static INFO: Info = Info {
    id: "graphql_field_repetition_unlimited",
    title: "GraphQL documents may repeat a field thousands of times",
    section: Section::Security,
    severity: Severity::Low,
    risk: Risk::Safe,
    phase: Phase::Flood,
    owasp: "API4:2023",
    cwe: 770,
    wfc: None,
    remedy: "Bound the bytes and the tokens of a document before it is validated: merging repeated fields costs time that grows faster than their number.",
    oracle: "A document that asks for one field 2,000 times under one name of ours is executed and not refused, again under another name; one with a field that nobody has at its end is refused for it, so the whole is read.",
    requests_max: 6,
};

impl Check for GraphqlFieldRepetitionUnlimited {
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
            let name = script.word(8);
            let field = format!("{name}: __typename ");
            let (number, answer) = endpoint.ask(script, &format!("{{ {} }}", field.repeat(TIMES)))?;
            if data(&answer).is_none_or(|it| it.get(&name).is_none()) {
                return Ok(Verdict::Clean);
            }
            exchanges.push((number, part));
        }
        let (name, absent) = (script.word(8), script.word(12));
        let field = format!("{name}: __typename ");
        let (control, refused) = endpoint.ask(script, &format!("{{ {}{absent} }}", field.repeat(TIMES)))?;
        if !complains_of(&refused, &absent) {
            return Ok(Verdict::Clean);
        }
        exchanges.insert(0, (control, "control"));
        Ok(Verdict::Found(vec![Proof::confirmed(
            format!("a document that repeats a field {TIMES} times was executed by `{}`", endpoint.path),
            exchanges,
            Shield::Cost,
        )]))
    }
}

/// Far more than any client writes; some 40 KB.
const TIMES: usize = 2_000;

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
        Fake::new(&stage.world, serve).confirmed(&GraphqlFieldRepetitionUnlimited)
    }

    fn document(ask: &Ask) -> String {
        ask.body["query"].as_str().unwrap_or_default().to_owned()
    }

    #[test]
    fn finds_repetition_only_where_it_is_not_limited() {
        let serve = |ask: &Ask, most: usize| {
            let document = document(ask);
            if document.matches("__typename").count() > most {
                return answer(400, json!({"errors": [{"message": "too many tokens"}]}));
            }
            let words: Vec<&str> = document.split_whitespace().collect();
            let last = words[words.len() - 2];
            if last != "__typename" {
                return answer(400, json!({"errors": [{"message": format!("Cannot query field {last}")}]}));
            }
            answer(200, json!({"data": {words[1].trim_end_matches(':'): "Query"}}))
        };
        assert_eq!(check(|ask| serve(ask, 1_000_000)), 1);
        assert_eq!(check(|ask| serve(ask, 1_000)), 0);
        assert_eq!(check(|_| answer(200, json!({"data": {"x": Value::Null}}))), 0);
    }
}
