//! Fragments may spread each other in a circle.

use super::parts::graphql::{Endpoint, complains_of, data, targets};
use crate::{
    check::{Check, Info, Phase, Proof, Risk, Target, Verdict},
    finding::{Section, Severity, Shield},
    script::{Flow, Script},
    world::World,
};

/// The check.
pub(super) struct GraphqlFragmentCycleAccepted;

static INFO: Info = Info {
    id: "graphql_fragment_cycle_accepted",
    title: "GraphQL fragments may form a circle",
    section: Section::Security,
    severity: Severity::Medium,
    risk: Risk::Safe,
    phase: Phase::Flood,
    owasp: "API4:2023",
    cwe: 674,
    wfc: None,
    remedy: "Validate documents as the specification asks (fragment spreads must not form cycles), and bound the depth that is executed.",
    oracle: "A document whose fragments spread each other is executed, below a directive that leaves them out so that nothing goes round; again with other names. A spread of a fragment that is not there is refused.",
    requests_max: 8,
};

impl Check for GraphqlFragmentCycleAccepted {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn targets(&self, world: &World) -> Vec<Target> {
        targets(world)
    }

    fn run(&self, world: &World, target: &Target, script: &mut Script<'_>) -> Flow<Verdict> {
        let endpoint = Endpoint::of(world, target, script)?;
        let name = script.word(8);
        let (_, told) = endpoint.ask(script, &format!("{{ {name}: __typename }}"))?;
        let root = data(&told).and_then(|it| Some(it.get(&name)?.as_str()?.to_owned()));
        let Some(root) = root else { return script.skip("the name of the query type is not told") };
        let absent = script.word(12);
        let (control, refused) =
            endpoint.ask(script, &format!("{{ __typename ...{absent} @skip(if: true) }}"))?;
        if !complains_of(&refused, &absent) {
            return Ok(Verdict::Clean);
        }
        let mut exchanges = vec![(control, "control")];
        for part in ["probe", "confirmation"] {
            let (name, a, b) = (script.word(8), script.word(9), script.word(10));
            let document = format!(
                "{{ {name}: __typename ...{a} @skip(if: true) }} fragment {a} on {root} {{ __typename ...{b} }} \
                 fragment {b} on {root} {{ __typename ...{a} }}"
            );
            let (number, answer) = endpoint.ask(script, &document)?;
            if data(&answer).is_none_or(|it| it.get(&name).is_none()) {
                return Ok(Verdict::Clean);
            }
            exchanges.push((number, part));
        }
        Ok(Verdict::Found(vec![Proof::confirmed(
            format!("fragments that spread each other were accepted by `{}`", endpoint.path),
            exchanges,
            Shield::Cost,
        )]))
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
        Fake::new(&stage.world, serve).confirmed(&GraphqlFragmentCycleAccepted)
    }

    fn document(ask: &Ask) -> String {
        ask.body["query"].as_str().unwrap_or_default().to_owned()
    }

    #[test]
    fn finds_circles_only_where_they_are_accepted() {
        let serve = |ask: &Ask, accepts: bool| {
            let document = document(ask);
            let name = document.get(2..).unwrap().split(':').next().unwrap().to_owned();
            match document.matches("fragment").count() {
                0 if document.contains("...") => {
                    let absent = document.split("...").nth(1).unwrap().split(' ').next().unwrap();
                    answer(400, json!({"errors": [{"message": format!("Unknown fragment {absent}")}]}))
                }
                2 if !accepts => {
                    answer(400, json!({"errors": [{"message": "Cannot spread fragment within itself"}]}))
                }
                _ => answer(200, json!({"data": {name: "Query"}})),
            }
        };
        assert_eq!(check(|ask| serve(ask, true)), 1);
        assert_eq!(check(|ask| serve(ask, false)), 0);
        assert_eq!(check(|_| answer(200, json!({"data": {"x": Value::Null}}))), 0);
    }
}
