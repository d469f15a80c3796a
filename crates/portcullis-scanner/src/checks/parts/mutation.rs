//! Whether mutations are executed when they are not sent as POST with a JSON body.

use super::graphql::{Endpoint, complains_of, data};
use crate::{
    call::Call,
    check::{Proof, Target, Verdict},
    finding::{Severity, Shield},
    model::{GraphQlRoot, Wire},
    script::{Flow, Script},
    world::World,
};

/// A way to send a document other than by POST with JSON.
pub(crate) struct Way {
    /// In words: `GET`, `a form`.
    pub(crate) words: &'static str,
    /// The call that sends a document so.
    pub(crate) call: fn(&Endpoint<'_>, &str) -> Call,
    /// What would shield an endpoint at this path.
    pub(crate) shield: fn(&str) -> Shield,
}

/// Sends a mutation that changes nothing: it asks for the name of the type that mutations belong to, by POST, twice this
/// way, and this way one that nobody has.
pub(crate) fn executed(world: &World, target: &Target, script: &mut Script<'_>, way: &Way) -> Flow<Verdict> {
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
    let (control, refused) = script.send((way.call)(&endpoint, &format!("mutation {{ {absent} }}")))?;
    if !complains_of(&refused, &absent) {
        return Ok(Verdict::Clean);
    }
    let mut exchanges = vec![(baseline, "baseline"), (control, "control")];
    for part in ["probe", "confirmation"] {
        let name = script.word(8);
        let (number, answer) =
            script.send((way.call)(&endpoint, &format!("mutation {{ {name}: __typename }}")))?;
        if data(&answer).and_then(|it| it.get(&name).cloned()).as_ref() != Some(&root) {
            return Ok(Verdict::Clean);
        }
        exchanges.push((number, part));
    }
    let cookies = world.identity(endpoint.by).is_some_and(|it| !it.session.cookies.is_empty());
    let mut proof = Proof::confirmed(
        format!("a mutation sent to `{}` by {} was executed", endpoint.path, way.words),
        exchanges,
        (way.shield)(endpoint.path),
    );
    proof.severity = cookies.then_some(Severity::Medium);
    Ok(Verdict::Found(vec![proof]))
}

/// A service that executes mutations sent so, or refuses them, for the tests of both ways.
#[cfg(test)]
pub(crate) fn rehearsed(check: &dyn crate::check::Check) {
    use serde_json::json;

    use crate::{
        model::Effect,
        script::rehearse::{Ask, Fake, Stage, answer},
        wire::Answer,
    };

    let found = |serve: &dyn Fn(&Ask) -> Answer| {
        let stage = Stage::new().field("mutation add", Effect::Creates, json!({"name": "ann"}));
        Fake::new(&stage.world, serve).confirmed(check)
    };
    let serve = |ask: &Ask, executes: bool| {
        let text = format!("{} {}", ask.path, ask.body.as_str().unwrap_or_default());
        let plain = percent_encoding::percent_decode_str(&text).decode_utf8_lossy().into_owned();
        let document = ask.body["query"].as_str().map_or(plain, str::to_owned);
        let name =
            document.split("{ ").nth(1).unwrap_or_default().split([':', ' ']).next().unwrap().to_owned();
        if ask.body["query"].is_null() && !executes {
            let words = "Can only perform a mutation from a POST request";
            return answer(405, json!({"errors": [{"message": words}]}));
        }
        if !document.contains("__typename") {
            return answer(400, json!({"errors": [{"message": format!("Cannot query field {name}")}]}));
        }
        answer(200, json!({"data": {name: "Mutation"}}))
    };
    assert_eq!(found(&|ask| serve(ask, true)), 1);
    assert_eq!(found(&|ask| serve(ask, false)), 0);
    // A page that answers anything.
    assert_eq!(found(&|_| answer(200, json!({"data": {"x": "Mutation"}}))), 0);
}
