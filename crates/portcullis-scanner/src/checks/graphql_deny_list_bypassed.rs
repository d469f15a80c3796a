//! A query that is denied is served when it is written otherwise.

use super::parts::graphql::{Endpoint, data};
use crate::{
    call::{ANONYMOUS, Call},
    identity::Role,
    model::{Effect, GraphQlRoot, Wire},
};
use crate::{
    check::{Check, Info, Phase, Proof, Risk, Target, Verdict},
    finding::{Section, Severity, Shield},
    script::{Flow, Script},
    world::World,
};

/// The check.
pub(super) struct GraphqlDenyListBypassed;

static INFO: Info = Info {
    id: "graphql_deny_list_bypassed",
    title: "A denied query is served under another name",
    section: Section::Security,
    severity: Severity::High,
    risk: Risk::Safe,
    phase: Phase::Read,
    owasp: "API5:2023",
    cwe: 184,
    wfc: Some("F206"),
    remedy: "Deny by the field that is executed, in its resolver, not by the text of the document.",
    oracle: "A query that is refused as it stands, two times, is served with an alias of ours, two times for two aliases.",
    requests_max: 8,
};

impl Check for GraphqlDenyListBypassed {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn targets(&self, world: &World) -> Vec<Target> {
        world
            .model
            .all()
            .filter(|(index, operation)| {
                let is_query = matches!(&operation.wire, Wire::GraphQl { root: GraphQlRoot::Query, arguments, .. }
                    if !arguments.iter().any(|(_, of)| of.ends_with('!')));
                is_query && operation.effect == Effect::Reads && world.good(*index).is_none()
            })
            .map(|(index, _)| Target::operation(index))
            .take(30)
            .collect()
    }

    fn run(&self, world: &World, target: &Target, script: &mut Script<'_>) -> Flow<Verdict> {
        let found = target.operation.and_then(|index| Some((index, &world.model.operation(index)?.wire)));
        let Some((index, wire)) = found else { return Ok(Verdict::Clean) };
        let Wire::GraphQl { path, .. } = wire else { return Ok(Verdict::Clean) };
        let by = world.who(Role::A).map_or(ANONYMOUS, |it| it.id);
        let endpoint = Endpoint { world, path, operation: index, by };
        let plain = Call::of(index, by);
        let mut exchanges = Vec::new();
        for part in ["probe", "confirmation"] {
            let (control, refused) = script.send(plain.clone())?;
            if refused.status == 0
                || data(&refused)
                    .is_some_and(|it| it.as_object().is_some_and(|it| it.values().any(|it| !it.is_null())))
            {
                return Ok(Verdict::Clean);
            }
            let name = script.word(10);
            let Some(call) = endpoint.call_aliased(wire, &plain, std::slice::from_ref(&name), None) else {
                return Ok(Verdict::Clean);
            };
            let (probe, answer) = script.send(call)?;
            if data(&answer).is_none_or(|it| it.get(&name).is_none_or(|it| it.is_null())) {
                return Ok(Verdict::Clean);
            }
            exchanges.push((control, "control"));
            exchanges.push((probe, part));
        }
        let summary = "it is refused as it stands and served under an alias".to_owned();
        Ok(Verdict::Found(vec![Proof::confirmed(summary, exchanges, Shield::Identity { roles: Vec::new() })]))
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
        Stage::new().field("query users", Effect::Reads, json!([{"name": "ann"}])).unreached()
    }

    fn check(serve: impl FnMut(&Ask) -> Answer) -> usize {
        let stage = stage();
        Fake::new(&stage.world, serve).confirmed(&GraphqlDenyListBypassed)
    }

    fn document(ask: &Ask) -> String {
        ask.body["query"].as_str().unwrap_or_default().to_owned()
    }

    #[test]
    fn finds_lists_only_where_an_alias_passes() {
        let serve = |ask: &Ask, by_text: bool| {
            let document = document(ask);
            if document.is_empty() || !by_text {
                return answer(400, json!({"errors": [{"message": "on the deny list"}]}));
            }
            let name = document.split("{ ").nth(1).unwrap().split(':').next().unwrap();
            answer(200, json!({"data": {name: "fine"}}))
        };
        assert_eq!(check(|ask| serve(ask, true)), 1);
        assert_eq!(check(|ask| serve(ask, false)), 0);
        let _: Value = json!(null);
    }
}
