//! The schema is told to whoever asks for it.

use super::parts::graphql::{Endpoint, complains_of, data, targets};
use crate::call::ANONYMOUS;
use crate::{
    check::{Check, Info, Phase, Proof, Risk, Target, Verdict},
    finding::{Section, Severity, Shield},
    script::{Flow, Script},
    world::World,
};

/// The check.
pub(super) struct GraphqlSchemaDisclosed;

static INFO: Info = Info {
    id: "graphql_schema_disclosed",
    title: "GraphQL introspection is on",
    section: Section::Security,
    severity: Severity::Low,
    risk: Risk::Safe,
    phase: Phase::Read,
    owasp: "API8:2023",
    cwe: 200,
    wfc: None,
    remedy: "Switch introspection off outside of development, or allow it to developers only. What is not to be called must be protected itself: a hidden schema protects nothing.",
    oracle: "The names of all types come back, under an alias of ours that is another the second time; a field that no type has is refused.",
    requests_max: 8,
};

impl Check for GraphqlSchemaDisclosed {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn targets(&self, world: &World) -> Vec<Target> {
        targets(world)
    }

    fn run(&self, world: &World, target: &Target, script: &mut Script<'_>) -> Flow<Verdict> {
        let mut endpoint = Endpoint::of(world, target, script)?;
        // What anybody may ask is worse than what users may.
        endpoint.by = ANONYMOUS;
        let mut seen = Vec::new();
        let absent = script.word(12);
        let (control, refused) = endpoint.ask(script, &format!("{{ {absent} }}"))?;
        for _ in 0..2 {
            let name = script.word(10);
            let (number, answer) = endpoint.ask(
                script,
                &format!("{{ {name}: __schema {{ queryType {{ name }} types {{ name }} }} }}"),
            )?;
            let types = data(&answer).and_then(|it| Some(it.get(&name)?.get("types")?.as_array()?.len()));
            match types {
                Some(types) if types > 5 => seen.push((number, types)),
                _ => return Ok(Verdict::Clean),
            }
        }
        let [(probe, types), (again, _)] = seen.as_slice() else { return Ok(Verdict::Clean) };
        if !complains_of(&refused, &absent) {
            return Ok(Verdict::Clean);
        }
        Ok(Verdict::Found(vec![Proof::confirmed(
            format!("introspection of `{}` told {types} types to an anonymous caller", endpoint.path),
            vec![(control, "control"), (*probe, "probe"), (*again, "confirmation")],
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
        Fake::new(&stage.world, serve).confirmed(&GraphqlSchemaDisclosed)
    }

    fn document(ask: &Ask) -> String {
        ask.body["query"].as_str().unwrap_or_default().to_owned()
    }

    fn serve(ask: &Ask, on: bool) -> Answer {
        let document = document(ask);
        let alias = document.trim_start_matches("{ ").split(':').next().unwrap_or_default().to_owned();
        if document.contains("__schema") && on {
            let types: Vec<Value> = (0..9).map(|it| json!({"name": format!("T{it}")})).collect();
            return answer(200, json!({"data": {alias: {"types": types}}}));
        }
        answer(400, json!({"errors": [{"message": format!("Cannot query field in {document}")}]}))
    }

    #[test]
    fn finds_introspection_only_where_it_is_on() {
        assert_eq!(check(|ask| serve(ask, true)), 1);
        assert_eq!(check(|ask| serve(ask, false)), 0);
        // A server that answers anything with anything.
        assert_eq!(check(|_| answer(200, json!({"data": {"x": {"types": [1, 2, 3, 4, 5, 6, 7]}}}))), 0);
    }
}
