//! Mutations are executed by GET, which any page can make a browser send.

use super::parts::graphql::{Endpoint, complains_of, data, targets};
use crate::{
    call::{Call, Edit, IdentityId},
    model::{GraphQlRoot, Wire},
};
use crate::{
    check::{Check, Info, Phase, Proof, Risk, Target, Verdict},
    finding::{Section, Severity, Shield},
    script::{Flow, Script},
    world::World,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// The check.
pub(super) struct GraphqlMutationByGet;

static INFO: Info = Info {
    id: "graphql_mutation_by_get",
    title: "Mutations are executed by GET",
    section: Section::Security,
    severity: Severity::Low,
    risk: Risk::Safe,
    phase: Phase::Read,
    owasp: "API8:2023",
    cwe: 650,
    wfc: None,
    remedy: "Execute mutations from POST requests with a JSON body only, so that a page of another origin must ask first; where credentials are cookies, ask for a token against forgery too.",
    oracle: "`mutation { NAME: __typename }` sent by GET is executed and names the same type as by POST, twice with names of ours; a mutation that nobody has is refused. Nothing is changed. It weighs more where callers are known by cookies.",
    requests_max: 6,
};

impl Check for GraphqlMutationByGet {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn targets(&self, world: &World) -> Vec<Target> {
        targets(world)
    }

    fn run(&self, world: &World, target: &Target, script: &mut Script<'_>) -> Flow<Verdict> {
        let endpoint = Endpoint::of(world, target, script)?;
        let has = world.model.all().any(|(_, operation)| {
            matches!(&operation.wire, Wire::GraphQl { path, root: GraphQlRoot::Mutation, .. } if path == endpoint.path)
        });
        if !has {
            return script.skip("it has no mutations");
        }
        let name = script.word(8);
        let (baseline, by_post) = endpoint.ask(script, &format!("mutation {{ {name}: __typename }}"))?;
        let Some(root) = data(&by_post).and_then(|it| it.get(&name).cloned()) else {
            return Ok(Verdict::Clean);
        };
        let absent = script.word(12);
        let (control, refused) =
            script.send(call(&endpoint, endpoint.by, &format!("mutation {{ {absent} }}")))?;
        if !complains_of(&refused, &absent) {
            return Ok(Verdict::Clean);
        }
        let mut exchanges = vec![(baseline, "baseline"), (control, "control")];
        for part in ["probe", "confirmation"] {
            let name = script.word(8);
            let (number, answer) =
                script.send(call(&endpoint, endpoint.by, &format!("mutation {{ {name}: __typename }}")))?;
            if data(&answer).and_then(|it| it.get(&name).cloned()).as_ref() != Some(&root) {
                return Ok(Verdict::Clean);
            }
            exchanges.push((number, part));
        }
        let cookies = world.identity(endpoint.by).is_some_and(|it| !it.session.cookies.is_empty());
        let mut proof = Proof::confirmed(
            format!("a mutation sent to `{}` by GET was executed", endpoint.path),
            exchanges,
            Shield::MethodDeny { method: "GET".to_owned(), path: endpoint.path.to_owned() },
        );
        proof.severity = cookies.then_some(Severity::Medium);
        Ok(Verdict::Found(vec![proof]))
    }
}

fn call(endpoint: &Endpoint<'_>, by: IdentityId, document: &str) -> Call {
    let target = format!("{}?query={}", endpoint.path, utf8_percent_encode(document, NON_ALPHANUMERIC));
    Call::bare("GET", &target, by).edited(Edit::SetHeader("accept".to_owned(), "application/json".to_owned()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        model::Effect,
        script::rehearse::{Ask, Fake, Stage, answer},
        wire::Answer,
    };

    fn check(serve: impl FnMut(&Ask) -> Answer) -> usize {
        let stage = Stage::new().field("mutation add", Effect::Creates, json!({"name": "ann"}));
        Fake::new(&stage.world, serve).confirmed(&GraphqlMutationByGet)
    }

    #[test]
    fn finds_it_only_where_it_is_executed() {
        let serve = |ask: &Ask, executes: bool| {
            let text = format!("{} {}", ask.path, ask.body.as_str().unwrap_or_default());
            let plain = percent_encoding::percent_decode_str(&text).decode_utf8_lossy().into_owned();
            let document = ask.body["query"].as_str().map_or(plain, str::to_owned);
            let name =
                document.split("{ ").nth(1).unwrap_or_default().split([':', ' ']).next().unwrap().to_owned();
            if ask.body["query"].is_null() && !executes {
                return answer(
                    405,
                    json!({"errors": [{"message": "Can only perform a mutation from a POST request"}]}),
                );
            }
            if !document.contains("__typename") {
                return answer(400, json!({"errors": [{"message": format!("Cannot query field {name}")}]}));
            }
            answer(200, json!({"data": {name: "Mutation"}}))
        };
        assert_eq!(check(|ask| serve(ask, true)), 1);
        assert_eq!(check(|ask| serve(ask, false)), 0);
        // A page that answers anything.
        assert_eq!(check(|_| answer(200, json!({"data": {"x": "Mutation"}}))), 0);
    }
}
