//! An object that a query guards is read through another.

use super::parts::graphql::{Endpoint, Types, targets};
use crate::{
    call::ANONYMOUS,
    model::{Effect, GraphQlRoot, OperationIndex, Wire},
};
use crate::{
    check::{Check, Info, Phase, Proof, Risk, Target, Verdict},
    finding::{Section, Severity, Shield},
    script::{Flow, Script},
    world::World,
};
use serde_json::Value;

/// The check.
pub(super) struct GraphqlObjectReadAroundGuard;

static INFO: Info = Info {
    id: "graphql_object_read_around_guard",
    title: "Guarded data can be read through another field",
    section: Section::Security,
    severity: Severity::High,
    risk: Risk::Safe,
    phase: Phase::Read,
    owasp: "API1:2023",
    cwe: 863,
    wfc: Some("F206"),
    remedy: "Guard types and their fields, not only the queries that lead to them: whatever path reaches an object must ask the same question.",
    oracle: "Values that a user's query answers, and that an anonymous caller is refused there, come back to an anonymous caller through a field of another query that leads to the same type; shown twice, refused at the guarded query in between.",
    requests_max: 30,
};

impl Check for GraphqlObjectReadAroundGuard {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn targets(&self, world: &World) -> Vec<Target> {
        targets(world)
    }

    fn run(&self, world: &World, target: &Target, script: &mut Script<'_>) -> Flow<Verdict> {
        let mut endpoint = Endpoint::of(world, target, script)?;
        endpoint.by = ANONYMOUS;
        let types = Types::of(&world.model);
        let guarded: Vec<_> =
            endpoint.reads().into_iter().filter(|(_, _, good)| good.call.by != ANONYMOUS).take(6).collect();
        for (index, _, good) in guarded {
            let Some(of) = Types::answered(world, index) else { continue };
            let values = secrets(good.answer.json.as_ref());
            let Some(leaves) = types.leaves.get(&of).filter(|_| !values.is_empty()) else { continue };
            let (control, refused) = script.send(good.call.clone().by(ANONYMOUS))?;
            if !refused.denied() {
                continue;
            }
            for (other, document) in
                ways(&endpoint, &types, &of, leaves).into_iter().filter(|(other, _)| *other != index).take(4)
            {
                let (probe, answer) = script.send(endpoint.call_with(&document))?;
                let Some(value) = values.iter().find(|value| answer.holds(value)) else { continue };
                let (still, refused) = script.send(good.call.clone().by(ANONYMOUS))?;
                let (again, answer) = script.send(endpoint.call_with(&document))?;
                if !refused.denied() || !answer.holds(value) {
                    continue;
                }
                let guard = world.model.operation(index).map_or("", |it| &it.id);
                let way = world.model.operation(other).map_or("", |it| &it.id);
                let mut proof = Proof::confirmed(
                    format!("what `{guard}` refuses to an anonymous caller came back through `{way}`"),
                    vec![(control, "control"), (probe, "probe"), (still, "control"), (again, "confirmation")],
                    Shield::Identity { roles: Vec::new() },
                );
                proof.operation = Some(other);
                return Ok(Verdict::Found(vec![proof]));
            }
        }
        Ok(Verdict::Clean)
    }
}

/// Values that nobody has by accident: texts of some length, a few.
fn secrets(json: Option<&Value>) -> Vec<String> {
    let mut found = Vec::new();
    let mut left: Vec<&Value> = json.into_iter().collect();
    while let Some(value) = left.pop().filter(|_| found.len() < 8) {
        match value {
            Value::Object(members) => left.extend(members.values()),
            Value::Array(items) => left.extend(items.iter().take(3)),
            Value::String(text) if (8..=200).contains(&text.len()) && !text.contains(['"', '\\', '\n']) => {
                found.push(text.clone())
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    found
}

/// Documents that reach a type through queries of the endpoint that need nothing or have a good call.
fn ways(endpoint: &Endpoint<'_>, types: &Types, to: &str, leaves: &[String]) -> Vec<(OperationIndex, Value)> {
    let mut found = Vec::new();
    for (index, operation) in endpoint.world.model.all() {
        let Wire::GraphQl { path, root: GraphQlRoot::Query, arguments, .. } = &operation.wire else {
            continue;
        };
        let good = endpoint.world.good(index);
        let needs = arguments.iter().any(|(_, of)| of.ends_with('!')) && good.is_none();
        if path != endpoint.path || operation.effect != Effect::Reads || needs {
            continue;
        }
        let Some(way) = Types::answered(endpoint.world, index).and_then(|from| types.way(&from, to, 3))
        else {
            continue;
        };
        let leaves = leaves.join(" ");
        let selection =
            way.iter().rev().fold(format!("{{ {leaves} }}"), |inner, field| format!("{{ {field} {inner} }}"));
        let call = good.map_or_else(|| crate::call::Call::of(index, ANONYMOUS), |it| it.call.clone());
        let name = ["around".to_owned()];
        let Some(call) = endpoint.call_aliased(&operation.wire, &call, &name, Some(&selection)) else {
            continue;
        };
        let body = call.edits.iter().find_map(|edit| match edit {
            crate::call::Edit::RawBody(bytes) => serde_json::from_slice(bytes).ok(),
            _ => None,
        });
        found.extend(body.map(|it: Value| (index, it)));
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        script::rehearse::{Ask, Fake, Stage, answer},
        wire::{Answer, Outcome},
    };

    fn check(serve: impl FnMut(&Ask) -> Answer) -> usize {
        let sdl = "type Query { me: User posts: [Post] } type User { email: String } type Post { title: String author: User }";
        let model = crate::model::graphql::from_sdl(sdl, "/graphql").unwrap();
        let mut stage = Stage::new()
            .field("query me", Effect::Reads, json!({"email": "ann@mail.example"}))
            .field("query posts", Effect::Reads, json!([{"title": "t"}]));
        stage.world.model.operations = model.operations;
        stage.world.model.schemas = model.schemas;
        Fake::new(&stage.world, serve).confirmed(&GraphqlObjectReadAroundGuard)
    }

    fn serve(ask: &Ask, guarded: bool, open: bool) -> Answer {
        let document = ask.body["query"].as_str().unwrap_or_default();
        let mut answer = if document.contains("posts") && !guarded {
            assert!(document.contains("author { email }"), "{document}");
            answer(200, json!({"data": {"posts": [{"author": {"email": "ann@mail.example"}}]}}))
        } else if open {
            answer(200, json!({"data": {"me": {"email": "ann@mail.example"}}}))
        } else {
            answer(200, json!({"errors": [{"message": "not authenticated"}]}))
        };
        answer.outcome =
            if answer.text().contains("errors") { Outcome::Unauthenticated } else { Outcome::Done };
        answer
    }

    #[test]
    fn finds_ways_around_only_where_they_are() {
        assert_eq!(check(|ask| serve(ask, false, false)), 1);
        assert_eq!(check(|ask| serve(ask, true, false)), 0);
        // What anybody may read anyway is guarded by nothing.
        assert_eq!(check(|ask| serve(ask, false, true)), 0);
    }
}
